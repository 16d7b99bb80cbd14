//! What stopped an exchange.

use super::{Habit, Reading, SeenErrors};
use crate::model::finding::{Cause, Confidence};
use crate::model::protocol::Protocol;
use crate::model::topology::Role;

impl<'a> Reading<'a> {
    /// Whether the exchange stopped because of a changed reply.
    #[must_use]
    pub fn change_stopped(&self) -> bool {
        if self.went_on() {
            return self.went_astray();
        }
        self.wrong_address.is_some()
            || self.ignored().is_some_and(|again| again.confidence >= Confidence::Likely)
            || (self.discarded().is_some() && !self.has_expected_reply())
            || self.refusal().is_some_and(|seen| seen.ended)
            || self.reset().is_some()
            || self.payload_reply_stopped()
            || self.is_unheeded()
            || self.is_unmapped()
    }

    /// Whether answers that went where the payload says did not reach the client:
    /// it asks on, or refused them.
    #[must_use]
    pub fn payload_reply_stopped(&self) -> bool {
        let asks_on = self
            .view
            .asked_again
            .is_some_and(|again| again.times >= 2 && again.confidence == Confidence::Certain);
        let refused = self.errors.iter().any(|seen| seen.refuses_reply() && seen.ended);
        self.habit == Habit::Conversation
            && self.view.payload_replies.is_some()
            && !self.went_on()
            && self.follow_ups().next().is_none()
            && (asks_on || refused)
    }

    /// Whether a transfer that had gone on stalled when its follow-ups began to
    /// go to the address asked.
    fn went_astray(&self) -> bool {
        let Some((stall, wrong)) = self.stalled().zip(self.wrong_address) else { return false };
        let last = wrong.follow_ups.tally.last;
        last.is_some_and(|last| !self.view.is_after(stall.first, last))
    }

    /// Whether the exchange stopped because the client went on from another
    /// address, or at the port asked.
    #[must_use]
    pub fn client_stopped(&self) -> bool {
        !self.went_on() && (self.other_source.is_some() || self.wrong_port.is_some())
    }

    /// Whether the exchange stopped because the pod saw another sender: what it
    /// answers from a port of its own has no translation that leads back.
    #[must_use]
    pub fn sender_change_stopped(&self) -> bool {
        let answers_elsewhere = self.other_pod_view().is_some_and(|pod| {
            pod.asked.is_some_and(|asked| {
                pod.replies.iter().any(|replies| {
                    replies.tally.first.is_some() && replies.source.port != asked.port
                })
            })
        });
        (answers_elsewhere || self.stranded_reply().is_some())
            && self.habit == Habit::Conversation
            && !self.is_answered()
            && self.translated_sender().is_some()
    }

    /// A changed reply was repeated, wants to be answered, and the client said nothing more.
    #[must_use]
    pub fn is_unheeded(&self) -> bool {
        self.changed.is_some_and(|replies| {
            replies.awaits_follow_up
                && replies.tally.repeats > 0
                && self.follow_ups().next().is_none()
                && self.view.asked_again.is_none()
        })
    }

    /// ICMP port unreachable for follow-ups to the very endpoint that answered
    /// from a changed address: it can send from there, but does not receive.
    #[must_use]
    pub fn is_unmapped(&self) -> bool {
        self.changed.is_some_and(|replies| {
            self.errors.iter().any(|seen| seen.is_about_follow_up_to(replies.source))
        })
    }

    /// Whether a node refused a TFTP answer that it should have given to a pod: it
    /// asked for the pod, and its translation does not cover the answer's new port.
    #[must_use]
    pub fn is_refused_by_translator(&self, seen: &SeenErrors<'_>) -> bool {
        let client = self.exchange.client.address;
        self.exchange.protocol == Protocol::Tftp
            && seen.ended
            && seen.refuses_reply()
            && seen.errors.from == client
            && self.role_of(client) == Role::Node
    }

    /// Whether an ICMP error ended the exchange.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.errors.iter().any(|seen| seen.ended && seen.cause != Cause::FragmentsLost)
    }

    /// Whether all that ended the exchange, as far as the capture goes, may be the end of a
    /// call or a game.
    #[must_use]
    pub fn may_have_hung_up(&self) -> bool {
        let protocol = self.exchange.protocol;
        let mut ended = self.errors.iter().filter(|seen| seen.ended).peekable();
        ended.peek().is_some() && ended.all(|seen| seen.may_be_hang_up(protocol))
    }

    /// The errors that say that fragments did not arrive, where nothing went on after it.
    #[must_use]
    pub fn missed_parts(&self) -> Option<&SeenErrors<'a>> {
        self.errors.iter().find(|seen| seen.ended && seen.cause == Cause::FragmentsLost)
    }
}
