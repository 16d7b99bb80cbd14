//! What the client of an exchange says.

use super::Record;
use super::flags::Flag;
use crate::correlate::audience::find_expectation;
use crate::correlate::details::Weight;
use crate::correlate::repetition::{Last, is_untimed};
use crate::correlate::signature::{Basis, Signature, signature};
use crate::correlate::tftp::is_tftp;
use crate::correlate::transactions::{Asked, CROSSING};
use crate::model::capture::FrameRef;
use crate::model::exchange::{Course, Expectation, Novelty, SOONEST_REPEAT};
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, Packet, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

/// Whether a client's packet can have reached the server that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Server,
    Nobody,
}

impl Record {
    /// Counts a packet from the client to the endpoint that it asked.
    pub fn request(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) {
        if self.repeats_at_once(packet, datagram) {
            return;
        }
        let said = signature(datagram, is_tftp(self.protocol));
        let Some(noted) = self.note_client(packet, datagram, said, Reach::Server) else { return };
        self.note_tunnelled(datagram);
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
                let is_unsure = is_by_length || self.from_server.is_none();
                let confidence = if is_unsure { Confidence::Likely } else { Confidence::Certain };
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
        let before = self.from_client.replace(last);
        // Of one length are many messages of a text; who waits for an answer waits a while.
        let may_be_retry = |before: &Last| {
            said.basis != Basis::Length
                || is_untimed(last.at, before.at)
                || last.at.since(before.at) >= SOONEST_REPEAT
        };
        let novelty = match before.filter(may_be_retry) {
            Some(before) if before.says_again(&last, self.flags.has(Flag::ServerNews)) => {
                Novelty::Repeat
            }
            _ => Novelty::New,
        };
        self.touch(datagram);
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
        if transaction.protocol == Protocol::Wireguard {
            return Some(self.note_initiation(frame, transaction));
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

    /// The client repeated itself although a reply had come. An error ends a transfer (RFC 1350
    /// section 7), and who asked may try again; at the pace of retries only who did not hear it,
    /// for it came from where nobody was asked.
    fn note_asked_again(&mut self, frame: FrameRef, confidence: Confidence) {
        let changed = self.details.as_ref().filter(|details| details.has_changed_replies());
        let last = self.from_server.or_else(|| changed.and_then(|details| details.refusal));
        let answered = last.is_some_and(|last| frame.at.since(last.at) >= CROSSING);
        if self.is_answered() && answered {
            self.details(frame.capture).asked_again(frame, confidence);
        }
    }
}
