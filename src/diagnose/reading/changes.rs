//! Replies from elsewhere than was asked, and follow-ups to elsewhere than answered.

use super::Reading;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, FollowUps, Origin, Replies, View};
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

/// An unknown protocol answers from a port of its own, as TFTP does, and the client
/// neither refuses that nor asks again: both sides know it so.
fn is_session_port(view: &View, replies: &Replies) -> bool {
    replies.origin == Origin::OtherPort(Confidence::Possible) && view.asked_again.is_none()
}
