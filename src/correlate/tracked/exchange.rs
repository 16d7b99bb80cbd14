//! A request's entries as an exchange: what its packets must have been.

use super::index::{Entry, Index};
use super::links::Linked;
use super::requests::silence;
use crate::model::capture::{FrameRef, PointKind};
use crate::model::conntrack::{TrackedCount, TrackedFlow};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{
    Course, DeviceRule, Exchange, FollowUps, Origin, PointId, Replies, Said, Step, Tally,
    TrackedChange, View,
};
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

/// The exchange that the entries tell of, without its device.
pub fn make(index: &Index, linked: &Linked, protocol: Protocol) -> Exchange {
    let request = &index[linked.request];
    let client = request.flow.original.source;
    let mut making = Making::new(request, protocol);
    making.request();
    for reply in &linked.replies {
        making.reply(&index[*reply]);
    }
    for sent in &linked.follow_ups {
        making.follow_up(&index[*sent]);
    }
    Exchange {
        protocol,
        client,
        device: client.address,
        device_rule: DeviceRule::Initiator,
        views: vec![making.view],
        translations: Vec::new(),
        tracked: Vec::new(),
    }
}

struct Making<'a> {
    protocol: Protocol,
    request: &'a Entry,
    client: Endpoint,
    asked: Endpoint,
    view: View,
}

impl<'a> Making<'a> {
    fn new(request: &'a Entry, protocol: Protocol) -> Self {
        let FlowKey { source: client, destination: asked, .. } = request.flow.original;
        let at = request.frame.at;
        // The kernel translates between the uplink and the pod.
        let point = PointId { capture: request.frame.capture, interface: 0 };
        let view = View {
            asked: Some(asked),
            observed_until: at + silence(request),
            ..View::empty(point, PointKind::Host, at)
        };
        Self { protocol, request, client, asked, view }
    }

    fn request(&mut self) {
        let Entry { frame, flow, .. } = self.request;
        let repeats = Repeats::of(!flow.is_replied);
        self.view.requests = tally(*frame, flow.original_count, self.client, repeats);
        if !flow.is_replied {
            self.view.unanswered = self.view.requests;
        }
        let pod = flow.translated_destination();
        let change = (pod != self.asked).then_some(TrackedChange::SentOnTo(pod));
        self.step(*frame, StepKind::Request, self.client, self.asked, change, flow.is_replied);
        if flow.is_replied {
            // The reply came from where the request went, so it is translated back.
            let tally = tally(*frame, flow.reply_count, self.client, Repeats::Unknown);
            let source = self.asked;
            let replies = Replies { source, origin: Origin::Asked, tally, awaits_follow_up: false };
            self.view.replies.push(replies);
            let change = (pod != self.asked).then_some(TrackedChange::SentBy(pod));
            self.step(*frame, StepKind::Reply, self.asked, self.client, change, true);
        }
    }

    /// A reply from a new port, if it gets to the client.
    fn reply(&mut self, entry: &Entry) {
        let Entry { frame, flow, .. } = entry;
        if flow.translated_destination() != self.client {
            return;
        }
        let source = flow.translated_source();
        let is_tftp = self.protocol == Protocol::Tftp;
        let origin = if source.address != self.asked.address {
            Origin::OtherAddress(Confidence::Certain)
        } else if is_tftp || source.port == self.asked.port {
            Origin::Asked
        } else {
            Origin::OtherPort(Confidence::Certain)
        };
        // A server of TFTP says nothing new before it is answered: RFC 1350 section 2.
        let repeats = Repeats::of(is_tftp && !flow.is_replied);
        let counted = tally(*frame, flow.original_count, self.client, repeats);
        self.view.unanswered = Tally::NONE;
        self.view.replies.push(Replies {
            source,
            origin,
            tally: counted,
            awaits_follow_up: is_tftp,
        });
        let pod = flow.original.source;
        let change = (pod != source).then_some(TrackedChange::SentBy(pod));
        self.step(*frame, StepKind::Reply, source, self.client, change, flow.is_replied);
        self.view.observed_until = self.view.observed_until.max(frame.at + silence(entry));
        if flow.is_replied {
            let counted = tally(*frame, flow.reply_count, self.client, Repeats::Unknown);
            self.sent(source, Course::ToAnswerer, counted);
            let change = (pod != source).then_some(TrackedChange::SentOnTo(pod));
            self.step(*frame, StepKind::FollowUp, self.client, source, change, true);
            if went_on(flow) {
                self.view.progress.get_or_insert(*frame);
            }
        }
    }

    /// What the client sent to the address asked, at the port of a reply.
    fn follow_up(&mut self, entry: &Entry) {
        let Entry { frame, flow, .. } = entry;
        let destination = flow.original.destination;
        let is_heard =
            self.view.replies.iter().any(|replies| replies.source.port == destination.port);
        let course = if is_heard { Course::ToAskedAddress } else { Course::AnswererUnseen };
        let repeats = Repeats::of(!flow.is_replied);
        let counted = tally(*frame, flow.original_count, self.client, repeats);
        self.sent(destination, course, counted);
        let pod = flow.translated_destination();
        let change = (pod != destination).then_some(TrackedChange::SentOnTo(pod));
        self.step(*frame, StepKind::FollowUp, self.client, destination, change, flow.is_replied);
        if flow.is_replied {
            self.view.progress.get_or_insert(*frame);
        }
    }

    fn sent(&mut self, destination: Endpoint, course: Course, tally: Tally) {
        let source = self.client;
        self.view.follow_ups.push(FollowUps { source, destination, course, tally });
    }

    fn step(
        &mut self,
        frame: FrameRef,
        kind: StepKind,
        source: Endpoint,
        destination: Endpoint,
        change: Option<TrackedChange>,
        is_replied: bool,
    ) {
        self.view.first_at = self.view.first_at.min(frame.at);
        self.view.last_at = self.view.last_at.max(frame.at);
        self.view.observed_until = self.view.observed_until.max(frame.at);
        let said = Said::Tracked { change, is_replied };
        self.view.steps.push(Step::between(frame, kind, source, destination, said));
    }
}

/// Whether packets of one direction repeat each other, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeats {
    /// Nobody answered: what was sent again was sent in vain.
    InVain,
    Unknown,
}

impl Repeats {
    const fn of(is_in_vain: bool) -> Self {
        if is_in_vain { Self::InVain } else { Self::Unknown }
    }
}

/// At least one packet; as many as the kernel counted, where it does.
fn tally(
    frame: FrameRef,
    count: Option<TrackedCount>,
    client: Endpoint,
    repeats: Repeats,
) -> Tally {
    // An IP header without options or extensions, and UDP's.
    let header_bytes = if client.address.is_ipv4() { 20 + 8 } else { 40 + 8 };
    let packets = count.map_or(1, |count| count.packets.max(1));
    let bytes = count
        .map_or(0, |count| count.bytes.saturating_sub(count.packets.saturating_mul(header_bytes)));
    let repeats = if repeats == Repeats::InVain { packets - 1 } else { 0 };
    Tally {
        packets,
        bytes,
        repeats,
        first: Some(frame),
        last: Some(frame),
        first_repeat: (repeats > 0).then_some(frame),
    }
}

/// Whether the server said more after the client had followed up: the kernel
/// marks an entry as assured when packets go on after those of both sides.
fn went_on(flow: &TrackedFlow) -> bool {
    let packets = |count: Option<TrackedCount>| count.map_or(0, |count| count.packets);
    flow.is_assured || (packets(flow.original_count) >= 2 && packets(flow.reply_count) >= 1)
}
