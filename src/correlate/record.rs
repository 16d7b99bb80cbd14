//! One exchange at one capture point, while its packets come in.
//!
//! Most exchanges are plain: one client socket asks one endpoint and is answered
//! by it. They are kept small, for there may be a million of them at once; what
//! is out of the ordinary has its [`Details`] beside.

mod alike;
mod awaited;
mod flags;
mod midway;
mod reading;
mod renewal;

use std::net::IpAddr;
use std::time::Duration;

pub use flags::Flag;
pub use renewal::Renewal;

use super::audience::{Audience, find_expectation};
use super::count::{Count, Mark};
use super::details::{Details, Synopsis, Weight};
use super::repetition::{Last, Pace};
use super::sayings::Sayings;
use super::signature::{Basis, Signature, signature};
use super::tftp::{is_refusal, is_tftp, is_tftp_protocol, tftp_shape};
use super::transactions::{Answerer, Asked, CROSSING, Transactions};
use super::unanswered::Unanswered;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Expectation, IcmpErrors, LateChange, Novelty, Origin};
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, IcmpError, Packet, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;
use flags::Flags;

/// How long Linux remembers a UDP flow: without an answer, and with traffic both
/// ways (`nf_conntrack_udp_timeout`, `nf_conntrack_udp_timeout_stream`).
const UNREPLIED_LIFE: Duration = Duration::from_secs(30);
const STREAM_LIFE: Duration = Duration::from_mins(2);

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
        let audience = match asked {
            Some(asked) if is_group(asked.address) || is_broadcast(datagram) => Audience::Group,
            _ => Audience::Untold,
        };
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
            audience,
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
    pub fn fetch(&self) {
        std::hint::black_box((
            self.client.port,
            self.requests.packets,
            self.answers.packets,
            self.from_client.is_some(),
            self.from_server.is_some(),
        ));
    }

    /// Counts a packet from the client to the endpoint that it asked.
    pub fn request(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) {
        if self.repeats_at_once(packet, datagram) {
            return;
        }
        let said = signature(datagram, is_tftp(self.protocol));
        let Some(noted) = self.note_client(packet, datagram, said, Reach::Server) else { return };
        let repeats_question = self.track_transaction(frame, datagram);
        let is_by_length = self.is_request_by_length(datagram);
        let noted = if is_by_length { Novelty::Repeat } else { noted };
        self.note_alike(frame, datagram);
        let novelty = repeats_question.unwrap_or(noted);
        // Details count what came before them as left out: they are made first.
        if novelty == Novelty::Repeat {
            let details = self.details(frame.capture);
            details.repeated_requests.note(frame);
            if repeats_question.is_none() {
                let confidence =
                    if is_by_length { Confidence::Likely } else { Confidence::Certain };
                self.note_asked_again(frame, confidence);
            }
        }
        let before = self.requests.last;
        self.requests.count(frame, datagram.length);
        self.note_saying(datagram, said, frame.at);
        let expectation = find_expectation(datagram, self.protocol);
        self.expectation = self.expectation.max(expectation);
        if expectation == Expectation::Untold {
            self.unanswered.pass(before);
        } else {
            self.note_awaited(datagram, before);
        }
        let again = self.details.as_ref().and_then(|details| details.asked_again.as_deref());
        let weight = Weight::telling_if(again.is_some_and(|again| again.frame == frame));
        self.step(frame, StepKind::Request, datagram, weight);
    }

    /// Counts a packet from the client that follows a reply.
    pub fn follow_up(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        course: Course,
    ) {
        let course = self.placed_course(datagram, course);
        let reach = match course {
            Course::ToAskedAddress | Course::ToAskedPort | Course::FromOtherSource => Reach::Nobody,
            Course::ToAnswerer | Course::AnswererUnseen => Reach::Server,
        };
        let said = signature(datagram, is_tftp(self.protocol));
        let Some(noted) = self.note_client(packet, datagram, said, reach) else { return };
        // What wants no answer is not repeated for the lack of one.
        let novelty = match find_expectation(datagram, self.protocol) {
            Expectation::Answer => noted,
            Expectation::Nothing | Expectation::Untold => Novelty::New,
        };
        let details = self.details(frame.capture);
        details.follow_up(frame, datagram, course, novelty);
        details.note_stall(frame, datagram.flow, novelty);
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let weight = Weight::telling_if(details.is_first_stray(source, destination));
        self.step(frame, StepKind::FollowUp, datagram, weight);
    }

    /// Counts a packet from a server to the client.
    pub fn reply(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram, origin: Origin) {
        let said = signature(datagram, is_tftp(self.protocol));
        let last = Last::new(packet, datagram, datagram.flow.source, said);
        let is_refusal = is_tftp_protocol(self.protocol) && is_refusal(datagram);
        let before = if is_refusal {
            self.details(frame.capture).refusal.replace(last)
        } else {
            self.from_server.replace(last)
        };
        let pace = self.pace();
        if before.is_some_and(|before| before.is_copied_by(&last, pace)) {
            return;
        }
        self.flags.remove(Flag::AsksOn);
        if self.protocol == Protocol::Udp
            && before.is_some_and(|before| !before.says_again(&last, false))
        {
            self.note_unlike();
        }
        let novelty = match before {
            Some(before) if self.answers_anew(packet, datagram, before.at) => Novelty::New,
            Some(before) if before.says_again(&last, self.flags.has(Flag::ClientNews)) => {
                Novelty::Repeat
            }
            Some(before)
                if self.is_deaf(datagram.flow.source) && before.says_again(&last, false) =>
            {
                Novelty::Repeat
            }
            // Text: only lengths tell an option acknowledgement from a block's.
            Some(before) if self.is_no_block_ack(datagram) && before.says_again(&last, false) => {
                Novelty::Repeat
            }
            _ => Novelty::New,
        };
        self.touch(datagram);
        self.note_error_answer(frame, datagram, novelty);
        let gone_on = self.has_gone_on() && !self.places_all_astray(datagram.flow.source, origin);
        // Who says what another said before is a second answerer, and repeats nothing.
        let is_another = before.is_some_and(|before| before.is_of_another(&last));
        let counted = if is_another { Novelty::New } else { novelty };
        self.count_reply(frame, datagram, origin, counted);
        if is_tftp_protocol(self.protocol) {
            self.details(frame.capture).note_stall(frame, datagram.flow, novelty);
        }
        if novelty == Novelty::New {
            self.flags.add(Flag::ServerNews);
            self.flags.remove(Flag::ClientNews);
            if let Some(details) = &mut self.details
                && gone_on
                && !is_refusal
            {
                details.progress.get_or_insert(Mark::new(frame));
            }
        }
        self.note_answered(datagram);
        if let Application::Transaction(transaction) = &datagram.application {
            let by = if origin == Origin::Asked { Answerer::Asked } else { Answerer::Other };
            if self.transactions.answer(transaction.identity, by, packet.at)
                && let Some(details) = &mut self.details
            {
                details.answered_beside();
            }
        } else if datagram.fingerprint.is_none() {
            self.transactions.answer_latest(packet.at);
        }
        let source = datagram.flow.source;
        let tells = self.details.as_ref().is_some_and(|details| {
            let error = details.error_answer.as_deref();
            details.is_first_from(source) || error.is_some_and(|error| error.frame == frame)
        });
        let weight = Weight::telling_if(tells);
        self.step(frame, StepKind::Reply, datagram, weight);
    }

    /// Whether a reply of which only the length is known acknowledges no block of
    /// an upload: it is longer (RFC 1350 section 5).
    fn is_no_block_ack(&self, datagram: &Datagram) -> bool {
        const ACK_BYTES: u32 = 4;
        datagram.fingerprint.is_none()
            && datagram.length > ACK_BYTES
            && is_tftp_protocol(self.protocol)
            && self.details.as_ref().is_some_and(|details| details.steps.begin_with_upload())
    }

    /// Counts a further answer to the address that the payload names.
    pub fn count_payload_reply(&mut self, destination: Endpoint) {
        if let Some(details) = &mut self.details
            && let Some(replies) = &mut details.payload_replies
            && replies.destination == destination
        {
            replies.packets += 1;
        }
    }

    /// Notes that the answer to come has another source, if a translation may have
    /// ended in the pause before it.
    pub fn note_late_change(&mut self, frame: FrameRef, source: Endpoint) {
        let was_answered = self.is_answered();
        let (pause, life) = if was_answered {
            // Only with one request since the last answer is it known when the
            // pause ended; every packet of either side prolongs a translation.
            let Some(last) = self.from_server else { return };
            let waiting = self.unanswered.asked_since(last.at, self.requests.last);
            let Some(waiting) = waiting.filter(|waiting| waiting.packets == 1) else { return };
            (waiting.first.at.since(last.at), STREAM_LIFE)
        } else {
            (frame.at.since(self.last_at()), UNREPLIED_LIFE)
        };
        let changed_before = self.details.as_ref().is_some_and(|details| {
            details
                .replies
                .iter()
                .any(|replies| replies.source != source && replies.origin.is_changed())
        });
        if pause >= life && !changed_before {
            let change = LateChange { frame, source, pause, was_answered };
            self.details(frame.capture).late_change.get_or_insert_with(|| Box::new(change));
        }
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

    fn count_reply(
        &mut self,
        frame: FrameRef,
        datagram: &Datagram,
        origin: Origin,
        novelty: Novelty,
    ) {
        let source = datagram.flow.source;
        let told_apart =
            self.details.as_ref().is_some_and(|details| details.knows_reply_from(source));
        if Some(source) == self.asked && !told_apart && !is_tftp_protocol(self.protocol) {
            if novelty == Novelty::Repeat {
                self.details(frame.capture).repeated_answers.note(frame);
            }
            if self.answers.packets == 0 {
                self.synopsis.note_answer(datagram);
            }
            self.answers.count(frame, datagram.length);
            return;
        }
        let protocol = self.protocol;
        self.details(frame.capture).reply(frame, datagram, origin, novelty, protocol);
    }

    /// Whether the client had gone on after a reply.
    fn has_gone_on(&self) -> bool {
        let followed = self.details.as_ref().is_some_and(|details| details.has_follow_ups());
        let has_news = self.flags.has(Flag::ClientNews);
        followed || (!is_tftp_protocol(self.protocol) && has_news && self.is_answered())
    }

    /// Notes a client's packet; `None` where it is a second copy of the last one.
    fn note_client(
        &mut self,
        packet: &Packet,
        datagram: &Datagram,
        said: Signature,
        reach: Reach,
    ) -> Option<Novelty> {
        let last = Last::new(packet, datagram, datagram.flow.destination, said);
        let pace = self.pace();
        if self.from_client.is_some_and(|before| before.is_copied_by(&last, pace)) {
            return None;
        }
        let novelty = match self.from_client {
            Some(before) if before.says_again(&last, self.flags.has(Flag::ServerNews)) => {
                Novelty::Repeat
            }
            _ => Novelty::New,
        };
        self.touch(datagram);
        self.from_client = Some(last);
        // Many messages of text are of one length, though none says what another does.
        self.flags.add_if(Flag::AsksOn, novelty == Novelty::Repeat && said.basis != Basis::Length);
        if novelty == Novelty::New {
            self.flags.remove(Flag::ServerNews);
            self.flags.add_if(Flag::ClientNews, reach == Reach::Server);
        }
        Some(novelty)
    }

    /// Follows transaction identities; says whether the request repeats one,
    /// where the protocol tells.
    fn track_transaction(&mut self, frame: FrameRef, datagram: &Datagram) -> Option<Novelty> {
        let Application::Transaction(transaction) = &datagram.application else { return None };
        if transaction.role != TransactionRole::Request {
            return Some(Novelty::New);
        }
        // Answers to what opens a conversation do not bear its identity.
        if matches!(transaction.protocol, Protocol::Ike | Protocol::Quic) {
            return None;
        }
        let asked = self.transactions.ask(transaction, frame.at);
        if asked.novelty == Novelty::Repeat && self.asks_anew(frame, transaction) {
            return Some(Novelty::New);
        }
        self.note_retry(frame, transaction.protocol, asked);
        if let Some(confidence) = asked.after_answer {
            self.note_asked_again(frame, confidence);
        }
        Some(asked.novelty)
    }

    /// Follows questions under new identities after answers from elsewhere. Until it is
    /// known that these are no retries, they do not say that the client went on.
    fn note_retry(&mut self, frame: FrameRef, protocol: Protocol, asked: Asked) {
        let asked_at = self.requests.last.at;
        let Some(details) = self.details.as_mut().filter(|details| details.has_changed_replies())
        else {
            return;
        };
        if asked.novelty == Novelty::New {
            let retries = details.retries.get_or_insert_default();
            if retries.note(frame, protocol, frame.at.since(asked_at), asked.same_question) {
                self.flags.remove(Flag::ClientNews);
            }
        }
    }

    /// The client repeated itself although a reply had come.
    fn note_asked_again(&mut self, frame: FrameRef, confidence: Confidence) {
        let answered = self.from_server.is_some_and(|last| frame.at.since(last.at) >= CROSSING);
        if self.is_answered() && answered {
            self.details(frame.capture).asked_again(frame, confidence);
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

/// Whether a client's packet can have reached the server that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Server,
    Nobody,
}

/// Whether `datagram` asks nobody and says itself that it is for all hosts of a network,
/// whose broadcast address looks like any other: NTP's mode 5 (RFC 5905 section 3).
fn is_broadcast(datagram: &Datagram) -> bool {
    datagram.flow.destination.address.is_ipv4()
        && matches!(&datagram.application, Application::Transaction(transaction)
            if transaction.protocol == Protocol::Ntp
                && transaction.role == TransactionRole::Notification)
}

/// Multicast, or the limited broadcast address (RFC 919).
pub fn is_group(address: std::net::IpAddr) -> bool {
    address.is_multicast() || matches!(address, std::net::IpAddr::V4(v4) if v4.is_broadcast())
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
