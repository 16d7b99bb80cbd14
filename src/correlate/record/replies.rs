//! What the servers of an exchange say.

use super::flags::Flag;
use super::{Record, STREAM_LIFE, UNREPLIED_LIFE};
use crate::correlate::count::Mark;
use crate::correlate::details::Weight;
use crate::correlate::repetition::Last;
use crate::correlate::signature::signature;
use crate::correlate::tftp::{is_refusal, is_tftp, is_tftp_protocol};
use crate::correlate::transactions::Answerer;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{LateChange, Novelty, Origin};
use crate::model::packet::{Application, Datagram, Packet};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

impl Record {
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
        if (self.protocol == Protocol::Udp || self.protocol.is_one_way())
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
            // Only with one request since the last answer, or none, is it known when the
            // pause ended; every packet of either side prolongs a translation.
            let Some(last) = self.from_server else { return };
            match self.unanswered.asked_since(last.at, self.requests.last) {
                Some(waiting) if waiting.packets == 1 => {
                    (waiting.first.at.since(last.at), STREAM_LIFE)
                }
                Some(_) => return,
                // The server speaks by itself.
                None => (frame.at.since(self.last_at()), STREAM_LIFE),
            }
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
}
