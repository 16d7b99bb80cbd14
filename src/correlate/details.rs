//! What is kept of an exchange that is out of the ordinary.

mod icmp_errors;
mod losses;
mod shown;
mod stall;
mod synopsis;

pub use self::shown::Weight;
pub use self::synopsis::Synopsis;
use super::count::{CountWithRepeat, Mark, Repeats};
use super::handshakes::is_open_half;
use super::repetition::Last;
use super::retries::Retries;
use super::sides::{FollowUpsTo, RepliesFrom};
use super::steps::Steps;
use super::tftp::awaits_follow_up;
use crate::model::capture::FrameRef;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{
    AskedAgain, Course, Discarded, DroppedPackets, ErrorAnswer, IcmpErrors, LateChange, LostParts,
    Novelty, Origin, PayloadReplies, Said, Stall, Step,
};
use crate::model::finding::Confidence;
use crate::model::packet::Datagram;
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;
use crate::model::time::Timestamp;

/// Sources, destinations and ICMP errors told apart; what is beyond joins the last.
const MAX_PARTIES: usize = 16;

/// Replies from elsewhere, follow-ups, errors, repetitions, and the packets to show.
///
/// Every transfer has them, so what few of them need stands in a box.
#[derive(Debug, Default)]
pub struct Details {
    /// Replies from other endpoints than the one asked, and all of TFTP.
    pub replies: Vec<RepliesFrom>,
    pub follow_ups: Vec<FollowUpsTo>,
    pub icmp_errors: Vec<IcmpErrors>,
    /// When the last one came, and its fingerprint.
    last_icmp_error: Option<(Timestamp, u64)>,
    pub lost_replies: Option<Box<LostParts>>,
    pub lost_requests: Option<Box<LostParts>>,
    /// A TCP reset of the client.
    pub reset: Option<Mark>,
    pub asked_again: Option<Box<AskedAgain>>,
    pub retries: Option<Box<Retries>>,
    pub discarded: Option<Box<Discarded>>,
    pub dropped: Option<Box<DroppedPackets>>,
    pub stall: Option<Box<Stall>>,
    pub payload_replies: Option<Box<PayloadReplies>>,
    pub late_change: Option<Box<LateChange>>,
    pub error_answer: Option<Box<ErrorAnswer>>,
    pub progress: Option<Mark>,
    pub repeated_requests: Repeats,
    pub repeated_answers: Repeats,
    pub steps: Steps,
    pub steps_omitted: u64,
    pub first_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    /// A TFTP ERROR to somebody else stands beside the transfer, not in it.
    pub refusal: Option<Last>,
}

impl Details {
    /// Whether replies from `source` are counted here.
    pub fn knows_reply_from(&self, source: Endpoint) -> bool {
        self.replies.iter().any(|known| known.source == source)
    }

    pub fn has_follow_ups(&self) -> bool {
        self.follow_ups.iter().any(|follow_ups| follow_ups.tally.count.packets > 0)
    }

    pub fn reply(
        &mut self,
        frame: FrameRef,
        datagram: &Datagram,
        origin: Origin,
        novelty: Novelty,
        protocol: Protocol,
    ) {
        let source = datagram.flow.source;
        let known = self.replies.iter().position(|known| known.source == source);
        let index = known.unwrap_or_else(|| {
            if self.replies.is_empty() {
                // Nearly always the only one.
                self.replies.reserve_exact(1);
            }
            if self.replies.len() < MAX_PARTIES {
                self.replies.push(RepliesFrom {
                    source,
                    origin,
                    tally: CountWithRepeat::NONE,
                    awaits_follow_up: false,
                    beside: 0,
                });
            }
            self.replies.len() - 1
        });
        let replies = &mut self.replies[index];
        replies.awaits_follow_up |= match protocol {
            Protocol::Tftp => awaits_follow_up(datagram),
            Protocol::Tcp => is_open_half(datagram),
            _ => false,
        };
        replies.tally.count(frame, datagram.length, novelty);
        for follow_ups in &mut self.follow_ups {
            if follow_ups.destination == source && follow_ups.course == Course::AnswererUnseen {
                follow_ups.course = Course::ToAnswerer;
            }
        }
    }

    /// Notes that whom the client asked answers as well what another answered just before.
    pub fn answered_beside(&mut self) {
        // It says itself that it had not asked that one.
        if self.discarded.is_some() {
            return;
        }
        let others = self.replies.iter_mut().filter(|replies| replies.origin.is_other_endpoint());
        if let Some(latest) = others.max_by_key(|replies| replies.tally.count.last.at) {
            latest.beside = latest.beside.saturating_add(1);
        }
    }

    /// Whether the client was answered from an endpoint that it did not ask.
    pub fn has_changed_replies(&self) -> bool {
        self.replies.iter().any(|replies| replies.origin.is_other_endpoint())
    }

    pub fn follow_up(
        &mut self,
        frame: FrameRef,
        datagram: &Datagram,
        course: Course,
        novelty: Novelty,
    ) {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let known = self
            .follow_ups
            .iter()
            .position(|known| known.destination == destination && known.source == source);
        let index = known.unwrap_or_else(|| {
            if self.follow_ups.is_empty() {
                self.follow_ups.reserve_exact(1);
            }
            if self.follow_ups.len() < MAX_PARTIES {
                self.follow_ups.push(FollowUpsTo {
                    source,
                    destination,
                    course,
                    tally: CountWithRepeat::NONE,
                });
            }
            self.follow_ups.len() - 1
        });
        self.follow_ups[index].tally.count(frame, datagram.length, novelty);
    }

    /// Notes when packets came that are counted elsewhere.
    pub fn note_times(&mut self, first: Timestamp, last: Timestamp) {
        self.first_at = Some(self.first_at.map_or(first, |known| known.min(first)));
        self.last_at = Some(self.last_at.map_or(last, |known| known.max(last)));
    }

    /// Notes that the client refused an answer with a reset.
    pub fn refused(&mut self, frame: FrameRef, flow: FlowKey) {
        if self.reset.is_some() {
            return;
        }
        self.reset = Some(Mark::new(frame));
        let said = Said::Message { protocol: Protocol::Tcp, label: "RST" };
        let FlowKey { source, destination, .. } = flow;
        let reset = Step::between(frame, StepKind::FollowUp, source, destination, said);
        self.keep_step(reset, Weight::Telling);
    }

    pub fn asked_again(&mut self, frame: FrameRef, confidence: Confidence) {
        match &mut self.asked_again {
            Some(again) => again.times += 1,
            None => self.asked_again = Some(Box::new(AskedAgain { frame, times: 1, confidence })),
        }
    }

    pub fn discarded(&mut self, frame: FrameRef) {
        self.discarded.get_or_insert_with(|| Box::new(Discarded { frame, times: 0 })).times += 1;
    }

    /// Whether replies from `source`, which was not asked, have just been seen for
    /// the first time.
    pub fn is_first_from(&self, source: Endpoint) -> bool {
        self.replies.iter().any(|replies| {
            replies.source == source
                && replies.tally.count.packets == 1
                && replies.origin.is_other_endpoint()
        })
    }

    /// Whether follow-ups from `source` to `destination`, which is not who
    /// answered, have just been seen for the first time.
    pub fn is_first_stray(&self, source: Endpoint, destination: Endpoint) -> bool {
        self.follow_ups.iter().any(|follow_ups| {
            (follow_ups.source, follow_ups.destination) == (source, destination)
                && follow_ups.tally.count.packets == 1
                && !matches!(follow_ups.course, Course::ToAnswerer)
        })
    }

    /// Whether all is as in a transfer that goes as it should: the address asked
    /// answers, the client follows, nobody repeats anything.
    pub fn is_usual(&self) -> bool {
        self.icmp_errors.is_empty()
            && self.refusal.is_none()
            && self.lost_replies.is_none()
            && self.lost_requests.is_none()
            && self.repeated_answers.is_none()
            && self.asked_again.is_none()
            && self.discarded.is_none()
            && self.dropped.is_none()
            && self.repeated_requests.is_none()
            && self.error_answer.is_none()
            && self.replies.iter().all(|replies| {
                replies.tally.repeats.is_none() && matches!(replies.origin, Origin::Asked)
            })
            && self.follow_ups.iter().all(|follow_ups| {
                follow_ups.tally.repeats.is_none() && follow_ups.course == Course::ToAnswerer
            })
    }

    fn note_time(&mut self, at: Timestamp) {
        self.note_times(at, at);
    }
}
