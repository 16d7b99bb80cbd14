//! What the packets of one exchange show, read once for the verdict and all rules.

use std::net::IpAddr;

use super::Context;
use super::crossings::Crossings;
use crate::model::capture::{FrameRef, PointKind};
use crate::model::exchange::{
    AskedAgain, Course, Discarded, Exchange, FollowUps, LostParts, Origin, Point, Replies, View,
};
use crate::model::topology::{Role, Topology};

mod changes;
mod delivery;
mod endings;
mod errors;
mod filtered;
mod habit;
mod losses;
mod neighbour;
mod openings;
mod pace;
mod passed_over;
mod pod_side;
mod questions;
mod silence;
mod talk;
mod tracked;
mod translator;
mod tunnel;

pub use changes::WrongAddress;
use changes::find_changed;
pub use delivery::{LostFollowUp, LostReply, LostRequest, Watched};
pub use errors::SeenErrors;
pub use habit::Habit;
use habit::habit_of;
pub use neighbour::{LostNeighbour, Tie};
pub use tracked::{LedAstray, elsewhere_evidence, entry_evidence};
pub use tunnel::{RefusedTunnel, SeenAs};

/// What one exchange shows.
#[derive(Debug)]
pub struct Reading<'a> {
    pub exchange: &'a Exchange,
    /// The view nearest to the device: verdicts rest on it.
    pub view: &'a View,
    pub topology: &'a Topology,
    pub points: &'a [Point],
    pub crossings: &'a Crossings,
    pub habit: Habit,
    /// The first reply from an address (or, outside TFTP, a port) that was not asked.
    pub changed: Option<&'a Replies>,
    pub wrong_address: Option<WrongAddress<'a>>,
    /// Follow-ups to the port asked though another port answered.
    pub wrong_port: Option<&'a FollowUps>,
    /// Follow-ups from another address of the client.
    pub other_source: Option<&'a FollowUps>,
    /// ICMP errors that count, with the view that shows them.
    pub errors: Vec<SeenErrors<'a>>,
    /// What was seen at one point and not at the next.
    pub lost_request: Option<LostRequest<'a>>,
    pub lost_follow_up: Option<LostFollowUp<'a>>,
    pub lost_reply: Option<LostReply<'a>>,
}

impl<'a> Reading<'a> {
    /// Reads an exchange that has at least one view.
    #[must_use]
    pub fn new(exchange: &'a Exchange, context: Context<'a>) -> Self {
        let view = exchange.primary();
        let habit = habit_of(exchange, view, context.topology);
        let mut reading = Self {
            exchange,
            view,
            topology: context.topology,
            points: context.points,
            crossings: context.crossings,
            habit,
            changed: None,
            wrong_address: None,
            wrong_port: None,
            other_source: None,
            errors: errors::read(exchange, habit),
            lost_request: None,
            lost_follow_up: None,
            lost_reply: None,
        };
        if habit == Habit::Conversation {
            reading.changed = find_changed(exchange.protocol, view);
            reading.wrong_address = reading.find_wrong_address();
            reading.wrong_port = first_on(view, Course::ToAskedPort);
            reading.other_source = first_on(view, Course::FromOtherSource);
        }
        reading.lost_request = reading.find_lost_request();
        reading.lost_follow_up = reading.find_lost_follow_up();
        reading.lost_reply = reading.find_lost_reply();
        reading
    }

    /// Whether any reply was captured at the primary point.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.replies().next().is_some()
    }

    /// The replies that have a frame to show.
    pub fn replies(&self) -> impl Iterator<Item = &'a Replies> {
        self.view.replies.iter().filter(|replies| replies.tally.first.is_some())
    }

    /// The follow-ups that have a frame to show.
    pub fn follow_ups(&self) -> impl Iterator<Item = &'a FollowUps> {
        self.view.follow_ups.iter().filter(|follow_ups| follow_ups.tally.first.is_some())
    }

    /// Whether a reply said something new after the client had gone on. Replies
    /// that the client refused, every one of them, do not count.
    #[must_use]
    pub fn went_on(&self) -> bool {
        self.view.progress.is_some() && !errors::refuses_all(self.view)
    }

    /// The client's datagrams of which fragments are missing, at any point.
    #[must_use]
    pub fn lost_requests(&self) -> Option<LostParts> {
        if self.habit != Habit::Conversation {
            return None;
        }
        self.exchange.views.iter().find_map(|view| view.lost_requests)
    }

    /// The question asked again after a changed reply.
    #[must_use]
    pub fn ignored(&self) -> Option<AskedAgain> {
        self.changed?;
        self.view.asked_again.filter(|again| again.times > 0)
    }

    /// Changed replies that the client threw away by its own words.
    #[must_use]
    pub fn discarded(&self) -> Option<Discarded> {
        self.changed?;
        self.view.discarded
    }

    /// Whether the endpoint asked answered too.
    #[must_use]
    pub fn has_expected_reply(&self) -> bool {
        self.replies().any(|replies| replies.origin == Origin::Asked)
    }

    /// ICMP port unreachable that quotes a changed reply: the client's socket refused it.
    #[must_use]
    pub fn refusal(&self) -> Option<&SeenErrors<'a>> {
        self.changed?;
        self.errors.iter().find(|seen| seen.refuses_reply())
    }

    /// The TCP reset with which the client refused a changed reply.
    #[must_use]
    pub fn reset(&self) -> Option<FrameRef> {
        self.changed?;
        self.view.reset
    }

    /// Whether any address or port differs from what the other side expects.
    #[must_use]
    pub fn has_asymmetry(&self) -> bool {
        self.changed.is_some()
            || self.wrong_address.is_some()
            || self.wrong_port.is_some()
            || self.other_source.is_some()
    }

    /// Whether the primary point would have seen what the device sends next.
    #[must_use]
    pub fn is_on_device_side(&self) -> bool {
        matches!(self.view.kind, PointKind::Device | PointKind::Host)
    }

    /// The role of an address.
    #[must_use]
    pub fn role_of(&self, address: IpAddr) -> Role {
        self.topology.role_of(address)
    }
}

fn first_on(view: &View, course: Course) -> Option<&FollowUps> {
    view.follow_ups_on(course).find(|follow_ups| follow_ups.tally.first.is_some())
}
