//! Frames that prove something, in words.

use crate::model::capture::{FrameRef, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    Discarded, Exchange, FollowUps, IcmpErrors, Replies, Step, Tally, View,
};
use crate::model::finding::{Evidence, Finding};

use super::crossings::NewFlow;
use super::reading::{Reading, SeenErrors, entry_evidence};

/// More frames than this prove nothing more.
const LIMIT: usize = 8;

impl Reading<'_> {
    /// The first request: `[2001:db8::7]:41226 → [2001:db8:100::10]:69, WRQ "startup.cfg"`.
    #[must_use]
    pub fn first_request(&self) -> Option<Evidence> {
        let asked = self.view.asked?;
        let frame = self.view.requests.first?;
        Some(datagram(self.view, frame, self.exchange.client, asked, self.view.requests))
    }

    /// The first packet of some replies.
    #[must_use]
    pub fn first_reply(&self, replies: &Replies) -> Option<Evidence> {
        let frame = replies.tally.first?;
        // An answer to where the payload says did not go to the client's socket.
        let elsewhere = self.view.payload_replies.filter(|sent| sent.first == frame);
        let to = elsewhere.map_or(self.exchange.client, |sent| sent.destination);
        Some(datagram(self.view, frame, replies.source, to, replies.tally))
    }

    /// The first repetition among some replies.
    #[must_use]
    pub fn repeated_reply(&self, replies: &Replies) -> Option<Evidence> {
        let frame = replies.tally.first_repeat?;
        let mut evidence =
            datagram(self.view, frame, replies.source, self.exchange.client, Tally::NONE);
        evidence.summary.push_str(", repeated");
        Some(evidence)
    }

    /// The first packet of some replies as the pod's cable shows it.
    #[must_use]
    pub fn pod_reply(&self, view: &View, replies: &Replies) -> Option<Evidence> {
        reply_at(self, view, replies, replies.tally.first)
    }

    /// The first request that was repeated.
    #[must_use]
    pub fn repeated_request(&self) -> Option<Evidence> {
        let (asked, frame) = (self.view.asked?, self.view.requests.first_repeat?);
        let summary = format!("{} → {asked}, repeated", self.exchange.client);
        Some(Evidence { frame, summary })
    }

    /// The first packet of some follow-ups.
    #[must_use]
    pub fn first_follow_up(&self, follow_ups: &FollowUps) -> Option<Evidence> {
        let frame = follow_ups.tally.first?;
        let FollowUps { source, destination, tally, .. } = *follow_ups;
        Some(datagram(self.view, frame, source, destination, tally))
    }

    /// The reply that the client threw away by its own words.
    #[must_use]
    pub fn thrown_away(&self, replies: &Replies, thrown: Discarded) -> Evidence {
        let summary =
            format!("{} → {}, thrown away by the client", replies.source, self.exchange.client);
        Evidence { frame: thrown.frame, summary }
    }

    /// The request that came again after its answer.
    #[must_use]
    pub fn asked_again(&self) -> Option<Evidence> {
        let asked = self.view.asked?;
        let again = self.view.asked_again?;
        let mut evidence =
            datagram(self.view, again.frame, self.exchange.client, asked, Tally::NONE);
        evidence.summary.push_str(", asked again");
        Some(evidence)
    }
}

impl SeenErrors<'_> {
    /// The first of these errors.
    #[must_use]
    pub fn first_error(&self) -> Option<Evidence> {
        let IcmpErrors { kind, from, quoted_destination, tally, .. } = *self.errors;
        let frame = tally.first?;
        let step = self.view.steps.iter().find(|step| step.frame == frame);
        let mut summary = match step {
            Some(step) => {
                format!("{} → {}, ICMP {}", step.source, step.destination, kind.as_text())
            }
            None => format!("{from}, ICMP {}", kind.as_text()),
        };
        if let Some(quoted) = quoted_destination {
            summary = format!("{summary}, quotes a packet to {quoted}");
        }
        Some(Evidence { frame, summary })
    }
}

/// The first request as one point saw it.
#[must_use]
pub fn request_at(reading: &Reading<'_>, view: &View) -> Option<Evidence> {
    let (asked, frame) = (view.asked?, view.requests.first?);
    let step = view.steps.iter().find(|step| step.frame == frame);
    let client = step
        .and_then(|step| step.ports.map(|(port, _)| Endpoint::new(step.source, port)))
        .unwrap_or(reading.exchange.client);
    let evidence = datagram(view, frame, client, asked, view.requests);
    Some(with_place(reading, view, evidence))
}

/// One of some replies as one point saw it.
#[must_use]
pub fn reply_at(
    reading: &Reading<'_>,
    view: &View,
    replies: &Replies,
    frame: Option<FrameRef>,
) -> Option<Evidence> {
    let frame = frame?;
    let step = view.steps.iter().find(|step| step.frame == frame);
    let client = step
        .and_then(|step| step.ports.map(|(_, port)| Endpoint::new(step.destination, port)))
        .unwrap_or(reading.exchange.client);
    let first = replies.tally.first == Some(frame);
    let tally = if first { replies.tally } else { Tally::NONE };
    let mut evidence = datagram(view, frame, replies.source, client, tally);
    if !first {
        evidence.summary.push_str(", repeated");
    }
    Some(with_place(reading, view, evidence))
}

/// The first of some follow-ups as one point saw it.
#[must_use]
pub fn follow_up_at(view: &View, follow_ups: &FollowUps) -> Option<Evidence> {
    let frame = follow_ups.tally.first?;
    let FollowUps { source, destination, tally, .. } = *follow_ups;
    Some(datagram(view, frame, source, destination, tally))
}

/// The request of an exchange that works.
#[must_use]
pub fn new_flow_request(flow: &NewFlow) -> Evidence {
    let summary = format!("{} → {}, a new flow", flow.client, flow.asked);
    Evidence { frame: flow.request, summary }
}

/// Its answer.
#[must_use]
pub fn new_flow_reply(flow: &NewFlow) -> Evidence {
    let summary = format!("{} is answered", flow.client);
    Evidence { frame: flow.reply, summary }
}

/// Says where a packet was seen, if not where the verdict rests.
fn with_place(reading: &Reading<'_>, view: &View, mut evidence: Evidence) -> Evidence {
    if view.point != reading.view.point {
        evidence.summary.push_str(match view.kind {
            PointKind::Pod => ", at the pod",
            PointKind::Host => ", at the node",
            PointKind::Device => ", at the device",
            PointKind::Unknown => ", at another point",
        });
    }
    evidence
}

/// Adds what proves a finding further; the same frame once, never more than eight.
pub fn extend(finding: &mut Finding, more: impl IntoIterator<Item = Option<Evidence>>) {
    for evidence in more.into_iter().flatten() {
        let known = finding.evidence.iter().any(|have| have.frame == evidence.frame);
        if !known && finding.evidence.len() < LIMIT {
            finding.evidence.push(evidence);
        }
    }
    finding.evidence.sort_by_key(|evidence| evidence.frame);
}

/// Says of evidence that is an entry of connection tracking what the entry says.
pub fn quote_entries(finding: &mut Finding, exchange: &Exchange) {
    for evidence in &mut finding.evidence {
        let entry = exchange.tracked.iter().find(|entry| entry.frame == evidence.frame);
        if let Some(entry) = entry {
            *evidence = entry_evidence(entry);
        }
    }
}

/// From where to where a packet went; what is kept of it says it better than the
/// exchange, whose answers may go elsewhere than to the client's socket.
pub fn find_step_ends(step: &Step) -> Option<(Endpoint, Endpoint)> {
    let (source, destination) = step.ports?;
    Some((Endpoint::new(step.source, source), Endpoint::new(step.destination, destination)))
}

fn datagram(
    view: &View,
    frame: FrameRef,
    source: Endpoint,
    destination: Endpoint,
    tally: Tally,
) -> Evidence {
    // A line of text may tell of two packets.
    let is_it = |step: &&Step| step.frame == frame && step.source == source.address;
    let step = view.steps.iter().find(is_it);
    let ends = step.and_then(find_step_ends);
    let (source, destination) = ends.unwrap_or((source, destination));
    let said = step.map(|step| &step.said);
    let summary = match said {
        Some(said) => format!("{source} → {destination}, {said}"),
        // The tally's bytes are this packet's only if it is alone.
        None if tally.packets == 1 => {
            format!("{source} → {destination}, {} bytes", tally.bytes)
        }
        None => format!("{source} → {destination}"),
    };
    Evidence { frame, summary }
}
