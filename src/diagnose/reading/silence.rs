//! What was not said, and whether the capture would have shown it.

use std::time::Duration;

use super::{Habit, Reading, first_on};
use crate::model::capture::FrameRef;
use crate::model::exchange::{
    AskedAgain, Course, Expectation, FollowUps, PATIENCE, Replies, Said, Stall, Tally,
};
use crate::model::finding::Confidence;
use crate::model::packet::TftpMessage;
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

/// Silence shorter than this proves nothing: most clients wait at least as long
/// before they ask again.
const SILENCE: Duration = Duration::from_secs(1);
/// What is sent within this time is sent together.
const AT_ONCE: Duration = Duration::from_millis(50);
/// So many new questions in a row are no accident.
const MANY_QUESTIONS: u32 = 4;
/// A sender that repeats its last word so often has given up the transfer.
const STALLED_AFTER: u64 = 3;

impl<'a> Reading<'a> {
    /// The client asked a transaction again, twice or more, though the address
    /// that it had asked had answered. Once is a retransmission that crossed its answer.
    #[must_use]
    pub fn asks_in_vain(&self) -> Option<AskedAgain> {
        if self.habit != Habit::Conversation || self.changed.is_some() || self.went_on() {
            return None;
        }
        if !self.is_answered() || self.follow_ups().next().is_some() {
            return None;
        }
        // Its answers end, or go elsewhere: then it does not ask on though it has one.
        if self.no_longer_answered().is_some()
            || self.passed_over().is_some()
            || self.view.payload_replies.is_some()
        {
            return None;
        }
        self.view
            .asked_again
            .filter(|again| again.times >= 2 && again.confidence == Confidence::Certain)
    }

    /// Whether only one side's packets are in the capture. Requests alone are
    /// not: silence is what they report.
    #[must_use]
    pub fn is_one_directional(&self) -> bool {
        if self.hiding_filter().is_some() {
            return true;
        }
        if self.habit != Habit::Conversation {
            return false;
        }
        let answered = self.is_answered();
        let unseen = first_on(self.view, Course::AnswererUnseen).is_some();
        if self.view.asked.is_some() {
            return !answered && (unseen || self.asks_on_content());
        }
        let spoken = self.view.requests.first.is_some() || self.follow_ups().next().is_some();
        answered != spoken
    }

    /// How sure it is that the request got no reply, if it got none.
    #[must_use]
    pub fn unanswered_request(&self) -> Option<Confidence> {
        if self.is_answered() || self.view.asked.is_none() {
            return None;
        }
        match self.habit {
            Habit::Conversation => {}
            Habit::MovesByDesign => return self.unanswered_opening(),
            Habit::OneWay | Habit::Group | Habit::Tunnel | Habit::Probe => return None,
        }
        // Silence says nothing where nobody had to answer.
        if self.view.expectation != Expectation::Answer || self.view.may_be_answered_elsewhere {
            return None;
        }
        let first = self.view.requests.first?;
        // No silence has to be watched where it is known what became of the packet.
        if self.view.dropped.is_some() {
            return Some(Confidence::Certain);
        }
        if self.asks_on_content() {
            return None;
        }
        let repeats = self.view.requests.repeats;
        // A message that has to be confirmed is repeated within three seconds (RFC 7252
        // section 4.2). One that is not repeated need not be, and may want no answer.
        if self.exchange.protocol == Protocol::Coap && repeats == 0 {
            return None;
        }
        let silent = self.is_silent_since(first);
        if self.exchange.protocol.expects_answer() {
            // Text without times: nobody repeats a request twice without waiting.
            return match repeats {
                0 if self.is_never_delivered() => Some(Confidence::Likely),
                // A new identity is what polls have, too.
                0 if self.asks_again() => {
                    self.is_silent_for(first, PATIENCE).then_some(Confidence::Likely)
                }
                0 => self.is_silent_for(first, PATIENCE).then_some(Confidence::Possible),
                1 => silent.then_some(Confidence::Likely),
                _ if self.is_request_by_pauses() => Some(Confidence::Likely),
                _ => Some(Confidence::Certain),
            };
        }
        // Where only lengths are known, the next reading of a sensor looks like a repeat.
        let counts = repeats >= 2 && silent && self.view.has_payloads;
        (counts && self.is_asked_at_pace_of_retries()).then_some(Confidence::Possible)
    }

    /// Whether the client puts one new question after the other, faster than anybody
    /// waits for an answer, and repeats none, though its protocol has it repeat what
    /// is not answered (RFC 1035 section 4.2.1, RFC 2865 section 2.4, RFC 3261
    /// section 17.1.1.2, RFC 7252 section 4.2): its answers take a way that was not
    /// captured.
    #[must_use]
    pub fn asks_on_content(&self) -> bool {
        let requests = self.view.requests;
        let repeats_by_itself = matches!(
            self.exchange.protocol,
            Protocol::Dns | Protocol::Radius | Protocol::Sip | Protocol::Coap
        );
        let (Some(first), Some(last)) = (requests.first, requests.last) else { return false };
        let pauses = u32::try_from(requests.packets.saturating_sub(1)).unwrap_or(u32::MAX);
        let time = last.at.since(first.at);
        repeats_by_itself
            && !self.is_answered()
            && self.view.icmp_errors.is_empty()
            && (requests.repeats == 0 || self.repeats_by_length())
            && pauses >= MANY_QUESTIONS
            && time >= SILENCE
            && time < SILENCE * pauses
    }

    /// Whether nothing but their length says that requests repeat each other: no byte of them
    /// was captured, and no text tells what they ask.
    fn repeats_by_length(&self) -> bool {
        let is_unread = |said: &Said| matches!(said, Said::Datagram { .. });
        let mut requests =
            self.view.steps.iter().filter(|step| step.kind == StepKind::Request).peekable();
        !self.view.has_payloads
            && requests.peek().is_some()
            && requests.all(|step| is_unread(&step.said))
    }

    /// The requests that nobody answered any more, after earlier ones had been
    /// answered: a translation gone stale, a server that went away.
    #[must_use]
    pub fn no_longer_answered(&self) -> Option<Tally> {
        let unanswered = self.view.unanswered;
        let (first, last) = (unanswered.first?, unanswered.last?);
        // What is sent at once, such as the questions for both kinds of address, is lost at
        // once, too, and comes again when its client has waited.
        let are_one = unanswered.repeats == 0 && last.at.since(first.at) < AT_ONCE;
        let waited = self.is_silent_for(first, PATIENCE) && !are_one;
        let counts = match self.habit {
            Habit::Conversation => {
                self.exchange.protocol.expects_answer()
                    && self.exchange.protocol != Protocol::Tftp
                    && unanswered.packets >= 2
            }
            Habit::MovesByDesign => self.is_asked_in_vain_for_clients(unanswered),
            Habit::OneWay | Habit::Group | Habit::Tunnel | Habit::Probe => false,
        };
        (counts && self.is_answered() && waited).then_some(unanswered)
    }

    /// The follow-ups that the server did not answer though it wanted them.
    #[must_use]
    pub fn unanswered_follow_up(&self) -> Option<&'a FollowUps> {
        if self.habit != Habit::Conversation || self.went_on() || self.is_one_block() {
            return None;
        }
        let awaits = self.replies().any(|replies| replies.awaits_follow_up);
        let server_repeats: u64 = self.replies().map(|replies| replies.tally.repeats).sum();
        let on_course = |follow_ups: &&FollowUps| follow_ups.course == Course::ToAnswerer;
        // What is repeated after the server has ended the transfer waits for nothing.
        let in_time = |follow_ups: &&FollowUps| !self.is_after_error(follow_ups.tally.first_repeat);
        let client_repeats: u64 = self
            .follow_ups()
            .filter(on_course)
            .filter(in_time)
            .map(|follow_ups| follow_ups.tally.repeats)
            .sum();
        let stuck = (server_repeats > 0 && client_repeats > 0) || client_repeats >= 2;
        if awaits && stuck { self.follow_ups().find(on_course) } else { None }
    }

    /// The reply that wants to be answered, where the client said nothing more.
    #[must_use]
    pub fn unfollowed_reply(&self) -> Option<&'a Replies> {
        if self.habit != Habit::Conversation
            || self.view.asked.is_none()
            || self.went_on()
            || self.follow_ups().next().is_some()
        {
            return None;
        }
        self.replies().find(|replies| replies.awaits_follow_up)
    }

    /// Whether the capture went on for long enough after `frame` to call it silence.
    #[must_use]
    pub fn is_silent_since(&self, frame: FrameRef) -> bool {
        self.is_silent_for(frame, SILENCE)
    }

    /// Whether the capture went on for `time` after `frame`, at least.
    pub(super) fn is_silent_for(&self, frame: FrameRef, time: Duration) -> bool {
        self.view.observed_until.since(self.view.time_of(frame)) >= time
    }

    /// Whether all that can be said is that the capture ended before an answer
    /// could have come: a request just before the end, not even repeated.
    #[must_use]
    pub fn is_still_waiting(&self) -> bool {
        let view = self.view;
        let asks = self.habit == Habit::Conversation
            && view.asked.is_some()
            && view.requests.repeats == 0
            && view.follow_ups.is_empty()
            && view.lost_replies.is_none();
        let untouched = self
            .exchange
            .views
            .iter()
            .all(|view| view.reply_packets() == 0 && view.icmp_errors.is_empty());
        let asked_late =
            view.requests.first.is_some_and(|first| !self.is_silent_for(first, PATIENCE));
        // Text without times has no end to be near to.
        asks && untouched && self.has_times() && asked_late
    }

    /// Whether a text without times ends with what would be called a dead end if it had
    /// any: several requests after the last answer, one side's last word again and again,
    /// or a request again behind its transfer. It may also be where the text was cut.
    #[must_use]
    pub fn ends_in_doubt(&self) -> bool {
        let asks_on = self.exchange.protocol.expects_answer()
            && self.exchange.protocol != Protocol::Tftp
            && self.view.unanswered.packets >= 2;
        let repeats = self.view.stall.is_some_and(|stall| {
            stall.repeats >= STALLED_AFTER && !self.is_after_error(Some(stall.first))
        });
        let last_reply = self.replies().filter_map(|replies| replies.tally.last);
        let last_reply = last_reply.reduce(FrameRef::later);
        let requests = self.view.requests;
        let asks_again = self.exchange.protocol == Protocol::Tftp
            && requests.repeats > 0
            && requests
                .last
                .zip(last_reply)
                .is_some_and(|(last, reply)| self.view.is_after(last, reply));
        self.habit == Habit::Conversation && !self.has_times() && (asks_on || repeats || asks_again)
    }

    /// Whether packets have times: text may come without.
    fn has_times(&self) -> bool {
        let point = self.points.iter().find(|point| point.id == self.view.point);
        point.and_then(|point| point.observed).is_some_and(|(from, to)| from < to)
    }

    /// A transfer that had gone on, and in which one side then repeated its last
    /// word in vain. The pauses between its repeats are the silence: a capture may
    /// end with the last of them.
    #[must_use]
    pub fn stalled(&self) -> Option<Stall> {
        let stall = self.view.stall.filter(|stall| stall.repeats >= STALLED_AFTER)?;
        let counts = self.habit == Habit::Conversation
            && self.view.asked.is_some()
            && self.went_on()
            && !self.is_after_error(Some(stall.first))
            && self.is_silent_since(stall.first);
        counts.then_some(stall)
    }

    /// Whether a packet came after the server had ended the transfer with an error.
    fn is_after_error(&self, frame: Option<FrameRef>) -> bool {
        let error = self.view.error_answer.as_ref();
        error.zip(frame).is_some_and(|(error, frame)| self.view.is_after(frame, error.frame))
    }

    /// A whole TFTP file in one block: its ACK is the last word, so nothing
    /// follows it (RFC 1350 section 6).
    fn is_one_block(&self) -> bool {
        self.exchange.protocol == Protocol::Tftp
            && self.view.steps.iter().any(|step| {
                let Said::Tftp(message) = &step.said else {
                    return false;
                };
                step.kind == StepKind::Reply
                    && matches!(message, TftpMessage::Data { block: 1, length } if *length < 512)
            })
    }
}
