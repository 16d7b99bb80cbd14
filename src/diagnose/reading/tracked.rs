//! What connection tracking says of an exchange, beside its packets or instead
//! of them.

use super::Reading;
use crate::model::conntrack::TrackedFlow;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Elsewhere, ElsewhereSign, Replies, Tally, TrackedPart};
use crate::model::finding::Evidence;
use crate::model::report::StepKind;

/// What a table proves of a request that is led astray.
#[derive(Debug, Clone, Copy)]
pub struct LedAstray<'a> {
    pub entry: &'a TrackedPart,
    pub elsewhere: &'a Elsewhere,
}

impl<'a> Reading<'a> {
    /// Whether nothing was captured: the exchange is what entries tell of it.
    #[must_use]
    pub fn is_from_table(&self) -> bool {
        let first = self.exchange.tracked.first();
        first.is_some_and(|entry| entry.frame.capture == self.view.point.capture)
    }

    /// The entry of the request.
    #[must_use]
    pub fn request_entry(&self) -> Option<&'a TrackedPart> {
        self.exchange.tracked.iter().find(|entry| entry.part == StepKind::Request)
    }

    /// The entry of some replies that came from another port than the one asked.
    #[must_use]
    pub fn reply_entry(&self, reply: &Replies) -> Option<&'a TrackedPart> {
        let mut replies = self.reply_entries();
        replies.find(|entry| entry.flow.translated_source() == reply.source)
    }

    /// The entry of a reply that the kernel does not send on to the client: it
    /// goes to the address that stands for the client.
    #[must_use]
    pub fn stranded_reply(&self) -> Option<&'a TrackedPart> {
        let client = self.exchange.client;
        let mut replies = self.reply_entries();
        replies.find(|entry| entry.flow.translated_destination() != client)
    }

    /// The entry of follow-ups to `destination`.
    #[must_use]
    pub fn follow_up_entry(&self, destination: Endpoint) -> Option<&'a TrackedPart> {
        self.exchange.tracked.iter().find(|entry| {
            entry.part == StepKind::FollowUp && entry.flow.original.destination == destination
        })
    }

    /// The pod that sent some replies, and its entry, where the kernel gave them
    /// another source.
    #[must_use]
    pub fn tracked_sender(&self, reply: &Replies) -> Option<(Endpoint, &'a TrackedPart)> {
        let entry = self.reply_entry(reply)?;
        let own = entry.flow.original.source;
        (own.address != reply.source.address).then_some((own, entry))
    }

    /// A translated request whose pod is not where newer ones go.
    #[must_use]
    pub fn led_astray(&self) -> Option<LedAstray<'a>> {
        let entry = self.request_entry()?;
        let elsewhere = entry.elsewhere.as_deref()?;
        (elsewhere.sign != ElsewhereSign::IsTranslated).then_some(LedAstray { entry, elsewhere })
    }

    /// Whether the packets of a tally were counted, or are at least one.
    #[must_use]
    pub fn is_counted(&self, tally: &Tally) -> bool {
        let of_tally = |entry: &&TrackedPart| Some(entry.frame) == tally.first;
        !self.is_from_table()
            || self
                .exchange
                .tracked
                .iter()
                .find(of_tally)
                .is_some_and(|entry| entry.flow.original_count.is_some())
    }

    fn reply_entries(&self) -> impl Iterator<Item = &'a TrackedPart> {
        self.exchange.tracked.iter().filter(|entry| entry.part == StepKind::Reply)
    }
}

impl LedAstray<'_> {
    /// Where the entry leads.
    #[must_use]
    pub fn leads_to(&self) -> Endpoint {
        self.entry.flow.translated_destination()
    }

    /// Where the other entry leads.
    #[must_use]
    pub fn others_go_to(&self) -> Endpoint {
        self.elsewhere.flow.translated_destination()
    }
}

/// An entry as evidence.
#[must_use]
pub fn entry_evidence(entry: &TrackedPart) -> Evidence {
    Evidence { frame: entry.frame, summary: quote(&entry.flow) }
}

/// Another entry of the same service as evidence.
#[must_use]
pub fn elsewhere_evidence(elsewhere: &Elsewhere) -> Evidence {
    Evidence { frame: elsewhere.frame, summary: quote(&elsewhere.flow) }
}

/// `conntrack entry src=… dst=… [UNREPLIED] src=… dst=…`
fn quote(flow: &TrackedFlow) -> String {
    format!("conntrack entry {flow}")
}
