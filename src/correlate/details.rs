//! What is kept of an exchange that is out of the ordinary.

use std::time::Duration;

use super::count::{CountWithRepeat, Mark, Repeats};
use super::handshakes::is_open_half;
use super::repetition::{Last, copied_within, is_untimed};
use super::retries::Retries;
use super::sides::{FollowUpsTo, RepliesFrom};
use super::steps::Steps;
use super::tftp::{awaits_follow_up, is_tftp_protocol};
use crate::model::capture::FrameRef;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{
    AskedAgain, Course, Discarded, DroppedPackets, ErrorAnswer, IcmpErrors, LateChange, LostParts,
    Novelty, Origin, PayloadReplies, Said, Stall, Step,
};
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, Dropped, FragmentsLost, IcmpError};
use crate::model::protocol::Protocol;
use crate::model::report::{Quotes, StepKind};
use crate::model::time::Timestamp;

/// Packets kept to be shown; the rest is counted.
const MAX_STEPS: usize = 24;
/// As many tell of a transfer that goes as it should.
const MAX_USUAL_STEPS: usize = 8;
/// Beyond these, what a finding may rest on still has room.
const MAX_TELLING_STEPS: usize = 4;
/// Who repeats a packet waits longer; what comes sooner is a window of blocks.
const REPEAT_PAUSE: Duration = Duration::from_millis(200);
/// Sources, destinations and ICMP errors told apart; what is beyond joins the last.
const MAX_PARTIES: usize = 16;

/// Whether a packet is like those before it, as far as showing it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Once packets are left out, it is left out too.
    Usual,
    /// The first of its kind: from another source, to another destination, an
    /// error, or a question asked again.
    Telling,
}

impl Weight {
    /// [`Weight::Telling`] if `condition` holds.
    pub const fn telling_if(condition: bool) -> Self {
        if condition { Self::Telling } else { Self::Usual }
    }
}

/// Replies from elsewhere, follow-ups, errors, repetitions, and the packets to show.
///
/// Every transfer has them, so what few of them need stands in a box.
#[derive(Debug, Default)]
pub struct Details {
    /// Replies from other endpoints than the one asked, and all of TFTP.
    pub replies: Vec<RepliesFrom>,
    pub follow_ups: Vec<FollowUpsTo>,
    pub icmp_errors: Vec<IcmpErrors>,
    /// When the last one came, and its fingerprint.
    last_icmp_error: Option<(Timestamp, u64)>,
    pub lost_replies: Option<Box<LostParts>>,
    pub lost_requests: Option<Box<LostParts>>,
    /// A TCP reset of the client.
    pub reset: Option<Mark>,
    pub asked_again: Option<Box<AskedAgain>>,
    pub retries: Option<Box<Retries>>,
    pub discarded: Option<Box<Discarded>>,
    pub dropped: Option<Box<DroppedPackets>>,
    pub stall: Option<Box<Stall>>,
    pub payload_replies: Option<Box<PayloadReplies>>,
    pub late_change: Option<Box<LateChange>>,
    pub error_answer: Option<Box<ErrorAnswer>>,
    pub progress: Option<Mark>,
    pub repeated_requests: Repeats,
    pub repeated_answers: Repeats,
    pub steps: Steps,
    pub steps_omitted: u64,
    pub first_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    /// A TFTP ERROR to somebody else stands beside the transfer, not in it.
    pub refusal: Option<Last>,
}

impl Details {
    /// Whether replies from `source` are counted here.
    pub fn knows_reply_from(&self, source: Endpoint) -> bool {
        self.replies.iter().any(|known| known.source == source)
    }

    pub fn has_follow_ups(&self) -> bool {
        self.follow_ups.iter().any(|follow_ups| follow_ups.tally.count.packets > 0)
    }

    pub fn reply(
        &mut self,
        frame: FrameRef,
        datagram: &Datagram,
        origin: Origin,
        novelty: Novelty,
        protocol: Protocol,
    ) {
        let source = datagram.flow.source;
        let known = self.replies.iter().position(|known| known.source == source);
        let index = known.unwrap_or_else(|| {
            if self.replies.is_empty() {
                // Nearly always the only one.
                self.replies.reserve_exact(1);
            }
            if self.replies.len() < MAX_PARTIES {
                self.replies.push(RepliesFrom {
                    source,
                    origin,
                    tally: CountWithRepeat::NONE,
                    awaits_follow_up: false,
                    beside: 0,
                });
            }
            self.replies.len() - 1
        });
        let replies = &mut self.replies[index];
        replies.awaits_follow_up |= match protocol {
            Protocol::Tftp => awaits_follow_up(datagram),
            Protocol::Tcp => is_open_half(datagram),
            _ => false,
        };
        replies.tally.count(frame, datagram.length, novelty);
        for follow_ups in &mut self.follow_ups {
            if follow_ups.destination == source && follow_ups.course == Course::AnswererUnseen {
                follow_ups.course = Course::ToAnswerer;
            }
        }
    }

    /// Notes that whom the client asked answers as well what another answered just before.
    pub fn answered_beside(&mut self) {
        // It says itself that it had not asked that one.
        if self.discarded.is_some() {
            return;
        }
        let others = self.replies.iter_mut().filter(|replies| {
            matches!(replies.origin, Origin::OtherAddress(_) | Origin::OtherPort(_))
        });
        if let Some(latest) = others.max_by_key(|replies| replies.tally.count.last.at) {
            latest.beside = latest.beside.saturating_add(1);
        }
    }

    /// Whether the client was answered from an endpoint that it did not ask.
    pub fn has_changed_replies(&self) -> bool {
        self.replies
            .iter()
            .any(|replies| matches!(replies.origin, Origin::OtherAddress(_) | Origin::OtherPort(_)))
    }

    pub fn follow_up(
        &mut self,
        frame: FrameRef,
        datagram: &Datagram,
        course: Course,
        novelty: Novelty,
    ) {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let known = self
            .follow_ups
            .iter()
            .position(|known| known.destination == destination && known.source == source);
        let index = known.unwrap_or_else(|| {
            if self.follow_ups.is_empty() {
                self.follow_ups.reserve_exact(1);
            }
            if self.follow_ups.len() < MAX_PARTIES {
                self.follow_ups.push(FollowUpsTo {
                    source,
                    destination,
                    course,
                    tally: CountWithRepeat::NONE,
                });
            }
            self.follow_ups.len() - 1
        });
        self.follow_ups[index].tally.count(frame, datagram.length, novelty);
    }

    /// Counts the error `whole`, unless it is a second copy of the last one.
    pub fn icmp_error(&mut self, frame: FrameRef, error: IcmpErrors, whole: &IcmpError) {
        let mark = whole.fingerprint.map(|fingerprint| (frame.at, fingerprint));
        let last = std::mem::replace(&mut self.last_icmp_error, mark);
        if let (Some((before, one)), Some((at, other))) = (last, mark)
            && one == other
            && at.distance(before) <= copied_within(whole.from)
        {
            return;
        }
        let index = self.icmp_errors.iter().position(|known| {
            (known.kind, known.from, known.quotes, known.quoted_destination)
                == (error.kind, error.from, error.quotes, error.quoted_destination)
        });
        let index = index.unwrap_or_else(|| {
            if self.icmp_errors.len() < MAX_PARTIES {
                self.icmp_errors.push(error);
            }
            self.icmp_errors.len() - 1
        });
        let tally = &mut self.icmp_errors[index].tally;
        tally.count(frame, 0, Novelty::New);
        let weight = Weight::telling_if(tally.packets == 1);
        let step = Step {
            frame,
            kind: StepKind::IcmpError,
            source: error.from,
            destination: whole.to,
            ports: None,
            said: Said::Icmp { kind: error.kind, quoted_destination: error.quoted_destination },
            omitted_before: 0,
        };
        self.keep_step(step, weight);
    }

    /// Counts a datagram of the server of which fragments are missing.
    pub fn reply_lost(&mut self, frame: FrameRef, flow: FlowKey, lost: &FragmentsLost) {
        count_parts(&mut self.lost_replies, frame, flow, lost);
        self.note_time(frame.at);
    }

    /// Counts a datagram of the client of which fragments are missing.
    pub fn request_lost(&mut self, frame: FrameRef, flow: FlowKey, lost: &FragmentsLost) {
        count_parts(&mut self.lost_requests, frame, flow, lost);
        self.note_time(frame.at);
    }

    /// Notes that all that errors quote of requests is another part of the exchange.
    pub fn requote(&mut self, part: Quotes) {
        for errors in &mut self.icmp_errors {
            if errors.quotes == Quotes::Request {
                errors.quotes = part;
            }
        }
    }

    /// Notes when packets came that are counted elsewhere.
    pub fn note_times(&mut self, first: Timestamp, last: Timestamp) {
        self.first_at = Some(self.first_at.map_or(first, |known| known.min(first)));
        self.last_at = Some(self.last_at.map_or(last, |known| known.max(last)));
    }

    /// Counts repetitions until somebody says something new.
    pub fn note_stall(&mut self, frame: FrameRef, flow: FlowKey, novelty: Novelty) {
        let FlowKey { source, destination, .. } = flow;
        match (novelty, &mut self.stall) {
            (Novelty::New, stall) => *stall = None,
            (Novelty::Repeat, Some(stall)) => {
                // Without times all that is known of a pause is that senders make one.
                let is_untimed = is_untimed(frame.at, stall.last.at);
                if is_untimed || frame.at.since(stall.last.at) >= REPEAT_PAUSE {
                    stall.repeats += 1;
                    stall.last = frame;
                }
            }
            (Novelty::Repeat, stall) => {
                *stall = Some(Box::new(Stall {
                    repeats: 1,
                    first: frame,
                    last: frame,
                    source,
                    destination,
                }));
            }
        }
    }

    /// Notes that the client refused an answer with a reset.
    pub fn refused(&mut self, frame: FrameRef, flow: FlowKey) {
        if self.reset.is_some() {
            return;
        }
        self.reset = Some(Mark::new(frame));
        let said = Said::Message { protocol: Protocol::Tcp, label: "RST" };
        let reset = step(frame, StepKind::FollowUp, flow.source, flow.destination, said);
        self.keep_step(reset, Weight::Telling);
    }

    pub fn asked_again(&mut self, frame: FrameRef, confidence: Confidence) {
        match &mut self.asked_again {
            Some(again) => again.times += 1,
            None => self.asked_again = Some(Box::new(AskedAgain { frame, times: 1, confidence })),
        }
    }

    pub fn discarded(&mut self, frame: FrameRef) {
        self.discarded.get_or_insert_with(|| Box::new(Discarded { frame, times: 0 })).times += 1;
    }

    /// Counts dropped packets; of several kinds the first is told.
    pub fn dropped(&mut self, frame: FrameRef, dropped: &Dropped, part: Quotes) {
        self.note_time(frame.at);
        let FlowKey { source, destination, .. } = dropped.datagram.flow;
        let known = self.dropped.get_or_insert_with(|| {
            Box::new(DroppedPackets {
                frame,
                source,
                destination,
                part,
                by: dropped.by,
                reason: dropped.reason.clone(),
                packets: 0,
            })
        });
        if known.part == part && known.reason == dropped.reason {
            known.packets += 1;
        }
    }

    /// Keeps a packet to be shown.
    pub fn step(
        &mut self,
        frame: FrameRef,
        kind: StepKind,
        datagram: &Datagram,
        protocol: Protocol,
        weight: Weight,
    ) {
        if self.has_room(weight) {
            let FlowKey { source, destination, .. } = datagram.flow;
            let step = step(frame, kind, source, destination, said(datagram, protocol));
            self.steps.push_after(step, self.steps_omitted);
        } else {
            self.steps_omitted += 1;
        }
        self.note_time(frame.at);
    }

    fn keep_step(&mut self, step: Step, weight: Weight) {
        self.note_time(step.frame.at);
        if self.has_room(weight) {
            self.steps.push_after(step, self.steps_omitted);
        } else {
            self.steps_omitted += 1;
        }
    }

    fn has_room(&self, weight: Weight) -> bool {
        match weight {
            // Once packets are left out, those shown next would seem to follow.
            Weight::Usual => self.steps_omitted == 0 && self.steps.len() < self.most_steps(),
            Weight::Telling => self.steps.len() < MAX_STEPS + MAX_TELLING_STEPS,
        }
    }

    /// Whether replies from `source`, which was not asked, have just been seen for
    /// the first time.
    pub fn is_first_from(&self, source: Endpoint) -> bool {
        self.replies.iter().any(|replies| {
            replies.source == source
                && replies.tally.count.packets == 1
                && matches!(replies.origin, Origin::OtherAddress(_) | Origin::OtherPort(_))
        })
    }

    /// Whether follow-ups from `source` to `destination`, which is not who
    /// answered, have just been seen for the first time.
    pub fn is_first_stray(&self, source: Endpoint, destination: Endpoint) -> bool {
        self.follow_ups.iter().any(|follow_ups| {
            (follow_ups.source, follow_ups.destination) == (source, destination)
                && follow_ups.tally.count.packets == 1
                && !matches!(follow_ups.course, Course::ToAnswerer)
        })
    }

    /// Whether all is as in a transfer that goes as it should: the address asked
    /// answers, the client follows, nobody repeats anything.
    pub fn is_usual(&self) -> bool {
        self.icmp_errors.is_empty()
            && self.refusal.is_none()
            && self.lost_replies.is_none()
            && self.lost_requests.is_none()
            && self.repeated_answers.is_none()
            && self.asked_again.is_none()
            && self.discarded.is_none()
            && self.dropped.is_none()
            && self.repeated_requests.is_none()
            && self.error_answer.is_none()
            && self.replies.iter().all(|replies| {
                replies.tally.repeats.is_none() && matches!(replies.origin, Origin::Asked)
            })
            && self.follow_ups.iter().all(|follow_ups| {
                follow_ups.tally.repeats.is_none() && follow_ups.course == Course::ToAnswerer
            })
    }

    fn most_steps(&self) -> usize {
        if self.is_usual() { MAX_USUAL_STEPS } else { MAX_STEPS }
    }

    fn note_time(&mut self, at: Timestamp) {
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
    }
}

fn count_parts(
    counted: &mut Option<Box<LostParts>>,
    frame: FrameRef,
    flow: FlowKey,
    lost: &FragmentsLost,
) {
    let known = counted.get_or_insert_with(|| {
        Box::new(LostParts {
            source: flow.source,
            destination: flow.destination,
            datagrams: 0,
            frame,
            received_bytes: lost.received_bytes,
            total_bytes: lost.total_bytes,
        })
    });
    known.datagrams += 1;
}

/// What the first packets of a plain exchange said, in few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
pub struct Synopsis {
    /// The request's name; empty where we know none.
    label: &'static str,
    length: Length,
    answer_length: Length,
    protocol: Protocol,
}

impl Synopsis {
    pub fn of(datagram: &Datagram) -> Self {
        let (label, protocol) = match &datagram.application {
            Application::Transaction(transaction) => (transaction.label, transaction.protocol),
            Application::Plain(protocol) if is_untold(datagram) => (DATAGRAM, *protocol),
            Application::Unknown { .. } if is_untold(datagram) => (DATAGRAM, Protocol::Udp),
            Application::Tftp(_) | Application::Plain(_) | Application::Unknown { .. } => {
                ("", Protocol::Udp)
            }
        };
        Self { label, length: Length::of(datagram), answer_length: Length::NONE, protocol }
    }

    /// Notes what the first answer is.
    pub const fn note_answer(&mut self, datagram: &Datagram) {
        self.answer_length = Length::of(datagram);
    }

    /// Payload bytes of the request.
    pub const fn length(self) -> u32 {
        self.length.bytes()
    }

    /// Payload bytes of the answer.
    pub const fn answer_length(self) -> u32 {
        self.answer_length.bytes()
    }

    /// The step that shows the request.
    pub fn request(self, frame: FrameRef, client: Endpoint, asked: Endpoint) -> Step {
        let said = self.said(self.label, self.length());
        step(frame, StepKind::Request, client, asked, said)
    }

    /// The step that shows the answer.
    pub fn answer(self, frame: FrameRef, asked: Endpoint, client: Endpoint) -> Step {
        let said = self.said("answer", self.answer_length());
        step(frame, StepKind::Reply, asked, client, said)
    }

    fn said(self, label: &'static str, length: u32) -> Said {
        if { self.label }.is_empty() {
            Said::Datagram { length }
        } else {
            Said::Message { protocol: self.protocol, label }
        }
    }
}

/// Payload bytes of a datagram, in three bytes: more than any frame holds that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Length([u8; 3]);

impl Length {
    const NONE: Self = Self([0; 3]);

    const fn of(datagram: &Datagram) -> Self {
        match datagram.length.to_le_bytes() {
            [low, middle, high, 0] => Self([low, middle, high]),
            _ => Self([u8::MAX; 3]),
        }
    }

    const fn bytes(self) -> u32 {
        let [low, middle, high] = self.0;
        u32::from_le_bytes([low, middle, high, 0])
    }
}

fn step(
    frame: FrameRef,
    kind: StepKind,
    source: Endpoint,
    destination: Endpoint,
    said: Said,
) -> Step {
    Step {
        frame,
        kind,
        source: source.address,
        destination: destination.address,
        ports: Some((source.port, destination.port)),
        said,
        omitted_before: 0,
    }
}

/// What is said of a datagram of which only the ends are known.
const DATAGRAM: &str = "datagram";

fn is_untold(datagram: &Datagram) -> bool {
    datagram.length == 0 && datagram.fingerprint.is_none()
}

/// What a step shows of a datagram.
fn said(datagram: &Datagram, protocol: Protocol) -> Said {
    match &datagram.application {
        Application::Tftp(message) => Said::Tftp(message.clone()),
        Application::Unknown { tftp_shape: Some(message) } if is_tftp_protocol(protocol) => {
            Said::Tftp(message.clone())
        }
        Application::Transaction(transaction) => {
            Said::Message { protocol: transaction.protocol, label: transaction.label }
        }
        // Not even its length was told.
        Application::Plain(_) | Application::Unknown { .. } if is_untold(datagram) => {
            Said::Message { protocol, label: DATAGRAM }
        }
        Application::Plain(_) | Application::Unknown { .. } => {
            Said::Datagram { length: datagram.length }
        }
    }
}
