//! What one capture point saw of an exchange.

use std::cmp::Ordering;

use super::{
    AskedAgain, Course, Discarded, DroppedPackets, ErrorAnswer, Expectation, FollowUps, IcmpErrors,
    LateChange, LostParts, Origin, PayloadReplies, PointId, Replies, Stall, Step, Tally,
};
use crate::model::capture::{FrameRef, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// What one capture point saw of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub point: PointId,
    pub kind: PointKind,
    /// Whom the client asked; `None` where the capture begins after that.
    pub asked: Option<Endpoint>,
    pub requests: Tally,
    /// What the client waits for, by all its requests together.
    pub expectation: Expectation,
    /// Requests after the last reply, which none has answered yet.
    pub unanswered: Tally,
    /// How many different questions are open, at most: clients ask the same again under
    /// another identity as well. Zero where none is, or that was not counted.
    pub open_questions: u64,
    /// Requests before the last reply that nothing answered, though others were: each
    /// is told from them by its transaction's identity, and the client did not ask the
    /// same again and was answered then. Those of the capture's last seconds do not count.
    pub passed_over: Tally,
    /// By source, in order of appearance.
    pub replies: Vec<Replies>,
    /// By destination, in order of appearance.
    pub follow_ups: Vec<FollowUps>,
    pub icmp_errors: Vec<IcmpErrors>,
    /// Replies of which IP fragments are missing: no client can use them.
    pub lost_replies: Option<LostParts>,
    /// Requests or follow-ups of which IP fragments are missing: no server can use them.
    pub lost_requests: Option<LostParts>,
    /// A TCP reset with which the client refused an answer.
    pub reset: Option<FrameRef>,
    /// The client asked again though it had been answered.
    pub asked_again: Option<AskedAgain>,
    /// The client says itself that it threw replies away.
    pub discarded: Option<Discarded>,
    /// A datapath says that it dropped packets of the exchange.
    pub dropped: Option<DroppedPackets>,
    /// A reply that says something new, after the client had gone on.
    pub progress: Option<FrameRef>,
    /// The server's last answer says that it refuses or fails.
    pub error_answer: Option<ErrorAnswer>,
    /// The same socket asked another server the same and was answered here; looked
    /// for where the client refused an answer of this one, and of STUN where none came: there
    /// another local address of the client may have had it.
    pub answered_elsewhere: Option<FrameRef>,
    /// The client sent few packets, and others of the same socket, or of a neighbouring
    /// port, to the same address ran out of hops; looked for in protocols that are not known.
    pub expired_beside: bool,
    /// Nothing answered here, but it was answered elsewhere, or may have been: another point
    /// saw fewer answers than there are requests, or of STUN another address had one that
    /// may be the same client's.
    pub may_be_answered_elsewhere: bool,
    /// Answers that went to the address that the request's payload names.
    pub payload_replies: Option<PayloadReplies>,
    /// A pause longer than a translation lives, before an answer from elsewhere.
    pub late_change: Option<LateChange>,
    /// Nothing new was said any more, and the last word was repeated.
    pub stall: Option<Stall>,
    /// The first packets, in order.
    pub steps: Vec<Step>,
    /// Packets that are counted only, those between two steps among them.
    pub steps_omitted: u64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// The last packet of any exchange at this point: silence was observed until then.
    pub observed_until: Timestamp,
    /// Whether the packets come with their bytes; text often does not.
    pub has_payloads: bool,
    /// Where the answers were seen that took another way than the request.
    pub beside: Option<Beside>,
}

/// Another point on the device's side, whose packets a view shows with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    pub point: PointId,
    /// Its clock minus that of the view's own point, in ns.
    pub ahead_ns: i64,
}

impl View {
    /// What a point saw before the first packet, which comes at `now`.
    #[must_use]
    pub const fn empty(point: PointId, kind: PointKind, now: Timestamp) -> Self {
        Self {
            point,
            kind,
            asked: None,
            requests: Tally::NONE,
            expectation: Expectation::Answer,
            unanswered: Tally::NONE,
            open_questions: 0,
            passed_over: Tally::NONE,
            replies: Vec::new(),
            follow_ups: Vec::new(),
            icmp_errors: Vec::new(),
            lost_replies: None,
            lost_requests: None,
            reset: None,
            asked_again: None,
            discarded: None,
            dropped: None,
            progress: None,
            error_answer: None,
            answered_elsewhere: None,
            expired_beside: false,
            may_be_answered_elsewhere: false,
            payload_replies: None,
            late_change: None,
            stall: None,
            steps: Vec::new(),
            steps_omitted: 0,
            first_at: now,
            last_at: now,
            observed_until: now,
            has_payloads: false,
            beside: None,
        }
    }

    /// When `frame`, one of this view's, was seen by the clock of the view's point.
    #[must_use]
    pub fn time_of(&self, frame: FrameRef) -> Timestamp {
        match self.beside {
            Some(Beside { point, ahead_ns })
                if frame.capture == point.capture && point.capture != self.point.capture =>
            {
                frame.at.back(ahead_ns)
            }
            _ => frame.at,
        }
    }

    /// Whether `later` came after `earlier`, both of this view. Frame numbers give the
    /// order, for text may come without times; between two points their times do.
    #[must_use]
    pub fn is_after(&self, later: FrameRef, earlier: FrameRef) -> bool {
        let is_one_capture = later.capture == earlier.capture;
        if is_one_capture && self.beside.is_none() {
            return later.is_taken_after(earlier);
        }
        match self.time_of(later).cmp(&self.time_of(earlier)) {
            Ordering::Equal => is_one_capture && later.number > earlier.number,
            order => order.is_gt(),
        }
    }

    /// The replies that came from another address than the one asked. Replies
    /// to a group are not asked of anyone in particular.
    pub fn changed_replies(&self) -> impl Iterator<Item = &Replies> {
        self.replies.iter().filter(|replies| replies.origin.is_changed())
    }

    /// Whether the client asked who answered from another address itself, too, and nothing
    /// but time says that it answered what another was asked: then it is a server of its own
    /// that the client is set to, and its answer may be to a question that was not captured.
    #[must_use]
    pub fn asks_changed_answerer(&self, protocol: Protocol) -> bool {
        let is_asked = |answerer| {
            self.follow_ups_on(Course::ToAnswerer).any(|sent| sent.destination == answerer)
        };
        protocol.asks_whom_it_is_set_to()
            && self.changed_replies().any(|replies| {
                replies.origin != Origin::OtherAddress(Confidence::Certain)
                    && is_asked(replies.source)
            })
    }

    /// Follow-ups that took `course`.
    pub fn follow_ups_on(&self, course: Course) -> impl Iterator<Item = &FollowUps> {
        self.follow_ups.iter().filter(move |follow_ups| follow_ups.course == course)
    }

    /// All replies together.
    #[must_use]
    pub fn reply_packets(&self) -> u64 {
        self.replies.iter().map(|replies| replies.tally.packets).sum()
    }

    /// All follow-ups together.
    #[must_use]
    pub fn follow_up_packets(&self) -> u64 {
        self.follow_ups.iter().map(|follow_ups| follow_ups.tally.packets).sum()
    }

    /// Packets that repeat an earlier one, whoever sent them.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        let replies: u64 = self.replies.iter().map(|replies| replies.tally.repeats).sum();
        let follow_ups: u64 =
            self.follow_ups.iter().map(|follow_ups| follow_ups.tally.repeats).sum();
        self.requests.repeats + replies + follow_ups
    }
}
