//! One exchange at one capture point, while its packets come in.
//!
//! Most exchanges are plain: one client socket asks one endpoint and is answered
//! by it. They are kept small, for there may be a million of them at once; what
//! is out of the ordinary has its [`Details`] beside.

mod alike;
mod awaited;
mod disproof;
mod flags;
mod initiation;
mod midway;
mod reading;
mod renewal;
mod replies;
mod requests;
mod untranslated;

use std::net::IpAddr;

pub use flags::Flag;
pub use renewal::Renewal;

use super::audience::Audience;
use super::count::{Count, Mark};
use super::details::{Details, Synopsis, Weight};
use super::repetition::{Last, Pace};
use super::sayings::Sayings;
use super::signature::{Basis, signature};
use super::tftp::{is_tftp, is_tftp_protocol, tftp_shape};
use super::transactions::Transactions;
use super::unanswered::Unanswered;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::conntrack::{STREAM_LIFE, UNREPLIED_LIFE};
use crate::model::endpoint::Endpoint;
pub use crate::model::endpoint::is_group;
use crate::model::exchange::{Expectation, IcmpErrors, Origin};
use crate::model::packet::{Datagram, IcmpError};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;
use flags::Flags;

/// One exchange, growing.
#[derive(Debug)]
pub struct Record {
    pub client: Endpoint,
    pub asked: Option<Endpoint>,
    pub protocol: Protocol,
    /// To whom the first request went.
    pub audience: Audience,
    /// What the client waits for, by all that it said to whom it asked.
    pub expectation: Expectation,
    pub flags: Flags,
    /// The exchange before this one of the same client socket.
    pub previous_of_client: Option<ExchangeIndex>,
    /// To the endpoint asked.
    pub requests: Count,
    /// From the endpoint asked.
    pub answers: Count,
    /// Requests that none has answered yet.
    pub unanswered: Unanswered,
    opening: u64,
    opening_basis: Basis,
    /// What the client said after that.
    pub sayings: Sayings,
    synopsis: Synopsis,
    pub transactions: Transactions,
    from_client: Option<Last>,
    from_server: Option<Last>,
    pub details: Option<Box<Details>>,
}

/// An exchange's place in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeIndex(std::num::NonZeroU32);

impl ExchangeIndex {
    /// The index of the exchange at `position`; `None` beyond 2³¹.
    pub fn new(position: usize) -> Option<Self> {
        let position = u32::try_from(position).ok().filter(|position| *position < 1 << 31)?;
        std::num::NonZeroU32::new(position + 1).map(Self)
    }

    pub fn position(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Record {
    /// Shows each address that it knows, some of them several times.
    pub fn visit_addresses(&self, visit: &mut dyn FnMut(IpAddr)) {
        visit(self.client.address);
        self.asked.iter().for_each(|asked| visit(asked.address));
        if let Some(details) = &self.details {
            details.replies.iter().for_each(|replies| visit(replies.source.address));
            details.icmp_errors.iter().for_each(|errors| visit(errors.from));
            for follow_ups in &details.follow_ups {
                visit(follow_ups.source.address);
                visit(follow_ups.destination.address);
            }
        }
    }

    /// An exchange that `datagram` opens. `asked` is `None` where a reply is
    /// the first packet that was captured.
    pub fn open(
        protocol: Protocol,
        client: Endpoint,
        asked: Option<Endpoint>,
        datagram: &Datagram,
    ) -> Self {
        // A transfer is about who answers whom: all its packets are of interest.
        let is_plain = asked.is_some() && !is_tftp_protocol(protocol);
        let opening = signature(datagram, is_tftp(protocol));
        let looks_like_tftp = looks_like_tftp(datagram);
        let mut flags = Flags::NONE;
        flags.add_if(Flag::HasPayloads, datagram.fingerprint.is_some());
        flags.add_if(Flag::LooksLikeTftp, looks_like_tftp);
        flags.add_if(Flag::OpeningIsCut, datagram.is_cut);
        // Blocks of a transfer are like those of any other; it began before.
        flags.add_if(Flag::IsOpenedByClient, asked.is_some() && !looks_like_tftp);
        Self {
            client,
            asked,
            protocol,
            audience: Audience::Untold,
            expectation: Expectation::Nothing,
            flags,
            previous_of_client: None,
            requests: Count::NONE,
            answers: Count::NONE,
            unanswered: Unanswered::NONE,
            opening: opening.value,
            opening_basis: opening.basis,
            sayings: Sayings::default(),
            synopsis: Synopsis::of(datagram),
            transactions: Transactions::default(),
            from_client: None,
            from_server: None,
            details: (!is_plain).then(Box::default),
        }
    }

    /// Reads a little of each of its parts. Where many exchanges are live none is in
    /// the cache; reading those of several packets at once takes no longer than one.
    #[inline]
    pub fn fetch(&self) {
        std::hint::black_box((
            self.client.port,
            self.requests.packets,
            self.answers.packets,
            self.from_client.is_some(),
            self.from_server.is_some(),
        ));
    }

    /// Counts an ICMP error about this exchange.
    pub fn icmp_error(&mut self, frame: FrameRef, error: IcmpErrors, whole: &IcmpError) {
        self.details(frame.capture).icmp_error(frame, error, whole);
    }

    /// The details, made from what is known where there were none.
    pub fn details(&mut self, capture: CaptureId) -> &mut Details {
        if self.details.is_none() {
            let mut details = Details::default();
            if let (Some(asked), Some(frame)) = (self.asked, self.requests.first(capture)) {
                details.steps.push(self.synopsis.request(frame, self.client, asked));
            }
            if let (Some(asked), Some(frame)) = (self.asked, self.answers.first(capture)) {
                details.steps.push(self.synopsis.answer(frame, asked, self.client));
                // Several questions, several answers: so far it went on.
                details.progress = (self.answers.packets > 1 && self.requests.packets > 1)
                    .then(|| Mark::new(frame));
            }
            let shown = u64::try_from(details.steps.len()).unwrap_or(0);
            let all = u64::from(self.requests.packets) + u64::from(self.answers.packets);
            details.steps_omitted = all.saturating_sub(shown);
            self.details = Some(Box::new(details));
        }
        self.details.get_or_insert_default()
    }

    /// The server's endpoint turns out to be the one asked: the conversation
    /// began before the capture, but goes on in full view.
    pub fn ask(&mut self, server: Endpoint) {
        self.asked = Some(server);
        if let Some(details) = &mut self.details {
            for replies in details.replies.iter_mut().filter(|replies| replies.source == server) {
                replies.origin = Origin::Asked;
            }
        }
    }

    fn pace(&self) -> Pace {
        // A TFTP client may send a window of blocks (RFC 7440).
        let in_turn = self.protocol.expects_answer() && !is_tftp_protocol(self.protocol);
        if in_turn { Pace::WaitsForAnswers } else { Pace::Free }
    }

    fn touch(&mut self, datagram: &Datagram) {
        self.flags.add_if(Flag::HasPayloads, datagram.fingerprint.is_some());
        if self.flags.has(Flag::LooksLikeTftp) && !looks_like_tftp(datagram) {
            self.flags.remove(Flag::LooksLikeTftp);
        }
    }

    fn step(&mut self, frame: FrameRef, kind: StepKind, datagram: &Datagram, weight: Weight) {
        let protocol = self.protocol;
        if let Some(details) = &mut self.details {
            details.step(frame, kind, datagram, protocol, weight);
        }
    }
}

/// Whether a datagram could be TFTP data or its acknowledgement.
fn looks_like_tftp(datagram: &Datagram) -> bool {
    tftp_shape(datagram).is_some_and(|message| !message.is_request())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_exchange_stays_small() {
        // A capture may hold a million at once; the pair and client indexes add some 25 bytes.
        assert!(size_of::<Record>() <= 248, "{} bytes", size_of::<Record>());
    }
}
