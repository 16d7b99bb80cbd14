//! Replies from elsewhere than was asked, and follow-ups to elsewhere than answered.

use std::time::Duration;

use super::Reading;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, FollowUps, Origin, Replies, Tally, View};
use crate::model::finding::Confidence;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;

/// A follow-up that went elsewhere than to the reply's source, and that reply.
#[derive(Debug, Clone, Copy)]
pub struct WrongAddress<'a> {
    pub follow_ups: &'a FollowUps,
    pub reply: &'a Replies,
    /// Certain where the follow-up uses the reply's source port: only who has
    /// read the reply knows that port.
    pub confidence: Confidence,
}

impl<'a> Reading<'a> {
    /// Whether what came from another address came before all that was asked: the capture
    /// begins in mid-exchange, and who was asked then is not known.
    #[must_use]
    pub fn is_answered_before(&self) -> bool {
        let first = self.changed.and_then(|replies| replies.tally.first);
        let asked = self.view.requests.first;
        first.zip(asked).is_some_and(|(first, asked)| self.view.is_after(asked, first))
            && self
                .changed
                .is_some_and(|replies| replies.origin == Origin::OtherAddress(Confidence::Possible))
    }

    /// Whether who answered from another address may be a server of its own, which the
    /// client is set to as well: [`View::asks_changed_answerer`].
    #[must_use]
    pub fn is_answered_by_another_server(&self) -> bool {
        self.view.asks_changed_answerer(self.exchange.protocol)
    }

    /// The follow-ups of the founding fault, if there are any.
    pub(super) fn find_wrong_address(&self) -> Option<WrongAddress<'a>> {
        let missed = self.follow_ups().find_map(|follow_ups| {
            if follow_ups.course != Course::ToAskedAddress
                || Some(follow_ups.destination) == self.view.asked
            {
                return None;
            }
            let twin = self.replies().find(|replies| is_port_twin(replies, follow_ups.destination));
            match (twin, self.changed) {
                (Some(reply), _) => {
                    Some(WrongAddress { follow_ups, reply, confidence: Confidence::Certain })
                }
                (None, Some(reply)) => {
                    Some(WrongAddress { follow_ups, reply, confidence: Confidence::Likely })
                }
                (None, None) => None,
            }
        });
        missed.or_else(|| self.find_wrong_address_midway())
    }

    /// The same fault in a capture that begins after the request. One socket
    /// may talk to many servers, so the proof is stricter: the reply's port at
    /// another address, refused there, while the reply was repeated.
    fn find_wrong_address_midway(&self) -> Option<WrongAddress<'a>> {
        if self.view.asked.is_some() {
            return None;
        }
        self.follow_ups().filter(|follow_ups| follow_ups.course == Course::AnswererUnseen).find_map(
            |follow_ups| {
                let reply = self.replies().find(|replies| {
                    is_port_twin(replies, follow_ups.destination) && replies.tally.repeats > 0
                })?;
                let refused = self.errors.iter().any(|seen| {
                    seen.errors.kind == IcmpKind::PortUnreachable
                        && seen.errors.quoted_destination == Some(follow_ups.destination)
                });
                let confidence = Confidence::Likely;
                refused.then_some(WrongAddress { follow_ups, reply, confidence })
            },
        )
    }
}

/// The first reply from an address, or a port, that was not asked.
pub(super) fn find_changed(protocol: Protocol, view: &View) -> Option<&Replies> {
    let captured = || view.replies.iter().filter(|replies| replies.tally.first.is_some());
    captured().find(|replies| matches!(replies.origin, Origin::OtherAddress(_))).or_else(|| {
        // TFTP answers from a new port by design: RFC 1350 section 4.
        captured().find(|replies| {
            matches!(replies.origin, Origin::OtherPort(_))
                && protocol != Protocol::Tftp
                && !is_session_port(view, replies)
        })
    })
}

/// Same port, other address.
fn is_port_twin(replies: &Replies, destination: Endpoint) -> bool {
    replies.source.port == destination.port && replies.source.address != destination.address
}

/// An unknown protocol answers from a port of its own, as TFTP does, and the client goes on
/// there; or, as RPC has it, it asks on at the port that it asked, as soon as it is answered.
/// Who neither goes there nor asks sooner than a timer runs may not have taken an answer.
fn is_session_port(view: &View, replies: &Replies) -> bool {
    let is_followed = || {
        let mut follow_ups = view.follow_ups.iter();
        follow_ups.any(|sent| sent.destination == replies.source && sent.tally.first.is_some())
    };
    replies.origin == Origin::OtherPort(Confidence::Possible)
        && view.asked_again.is_none()
        && (is_followed() || !is_at_pace_of_timer(&view.requests))
}

/// Whether packets, three or more, come as slowly as a timer sends them again.
fn is_at_pace_of_timer(tally: &Tally) -> bool {
    const LEAST_PACKETS: u64 = 3;
    const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
    let (Some(first), Some(last)) = (tally.first, tally.last) else { return false };
    let pauses = u32::try_from(tally.packets.saturating_sub(1)).unwrap_or(u32::MAX);
    tally.packets >= LEAST_PACKETS
        && last.at.since(first.at) >= SHORTEST_PAUSE.saturating_mul(pauses)
}
