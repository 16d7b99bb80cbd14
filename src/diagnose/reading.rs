//! What the packets of one exchange show, read once for the verdict and all rules.

use std::net::IpAddr;
use std::time::Duration;

use super::Context;
use super::crossings::Crossings;
use crate::model::capture::{FrameRef, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    AskedAgain, Course, Discarded, Exchange, FollowUps, LostParts, Origin, Point, Replies, Tally,
    View,
};
use crate::model::finding::{Cause, Confidence};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;
use crate::model::topology::{Role, Topology};

mod delivery;
mod errors;
mod habit;
mod losses;
mod neighbour;
mod openings;
mod pace;
mod passed_over;
mod silence;
mod tracked;

pub use delivery::{LostFollowUp, LostReply, LostRequest, Watched};
pub use errors::SeenErrors;
pub use habit::Habit;
use habit::habit_of;
pub use neighbour::{LostNeighbour, Tie};
pub use tracked::{LedAstray, elsewhere_evidence, entry_evidence};

/// A follow-up that went elsewhere than to the reply's source, and that reply.
#[derive(Debug, Clone, Copy)]
pub struct WrongAddress<'a> {
    pub follow_ups: &'a FollowUps,
    pub reply: &'a Replies,
    /// Certain where the follow-up uses the reply's source port: only who has
    /// read the reply knows that port.
    pub confidence: Confidence,
}

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

    /// The view from the pod's cable, where the verdict rests on another.
    #[must_use]
    pub fn other_pod_view(&self) -> Option<&'a View> {
        self.exchange.pod_view().filter(|pod| pod.point != self.view.point)
    }

    /// Whom the pod saw as its client, where that is not the device that asked: an
    /// address of the cluster, or a gateway's, of which nothing is known. The pod's
    /// cable shows it, else an entry of connection tracking.
    #[must_use]
    pub fn translated_sender(&self) -> Option<IpAddr> {
        let asks = self.exchange.device_is_client()
            && matches!(self.habit, Habit::Conversation | Habit::OneWay)
            && self.first_request().is_some();
        if !asks {
            return None;
        }
        let seen = match self.other_pod_view() {
            Some(_) => self.client_at_pod()?,
            None => self.request_entry()?.flow.translated_source().address,
        };
        let is_cluster =
            matches!(self.role_of(seen), Role::Node | Role::Vip | Role::Service | Role::Unknown);
        (is_cluster && seen != self.exchange.client.address).then_some(seen)
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

    /// Whether any address or port differs from what the other side expects.
    #[must_use]
    pub fn has_asymmetry(&self) -> bool {
        self.changed.is_some()
            || self.wrong_address.is_some()
            || self.wrong_port.is_some()
            || self.other_source.is_some()
    }

    /// Whether an ICMP error ended the exchange.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.errors.iter().any(|seen| seen.ended && seen.cause != Cause::FragmentsLost)
    }

    /// The errors that say that fragments did not arrive, where nothing went on after it.
    #[must_use]
    pub fn missed_parts(&self) -> Option<&SeenErrors<'a>> {
        self.errors.iter().find(|seen| seen.ended && seen.cause == Cause::FragmentsLost)
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

    /// The pod's own endpoint behind a changed reply, where the pod's cable was
    /// captured too and the pod is the one that answered.
    #[must_use]
    pub fn pod_behind(&self, replies: &Replies) -> Option<(&'a View, &'a Replies)> {
        let mut pods = self.exchange.others().iter().filter(|view| view.kind == PointKind::Pod);
        let (pod, own) = pods.find_map(|pod| {
            let own = pod.replies.iter().find(|own| own.tally.first.is_some())?;
            Some((pod, own))
        })?;
        // The same source at both points is no translation: the pod is the client there.
        (own.source.address != replies.source.address).then_some((pod, own))
    }

    /// The address that the pod saw as its client, if the pod's side was captured.
    #[must_use]
    pub fn client_at_pod(&self) -> Option<IpAddr> {
        let client = self.exchange.client;
        let translated = self.exchange.translations.iter().find_map(|translation| {
            let (before, after) = (translation.before, translation.after);
            let changed = before.address != after.address;
            match (before == client, after == client) {
                (true, false) if changed => Some(after.address),
                // As the pod's view relates to the one nearest to the device.
                (false, true) if changed => Some(before.address),
                _ => None,
            }
        });
        if translated.is_some() {
            return translated;
        }
        let pod = self.exchange.pod_view()?;
        pod.steps.iter().find(|step| step.kind == StepKind::Request).map(|step| step.source)
    }

    /// The follow-ups of the founding fault, if there are any.
    fn find_wrong_address(&self) -> Option<WrongAddress<'a>> {
        let missed = self.follow_ups().find_map(|follow_ups| {
            if follow_ups.course != Course::ToAskedAddress
                || Some(follow_ups.destination) == self.view.asked
            {
                return None;
            }
            let twin = self.replies().find(|replies| is_port_twin(replies, follow_ups.destination));
            match (twin, self.changed) {
                (Some(reply), _) => {
                    Some(WrongAddress { follow_ups, reply, confidence: Confidence::Certain })
                }
                (None, Some(reply)) => {
                    Some(WrongAddress { follow_ups, reply, confidence: Confidence::Likely })
                }
                (None, None) => None,
            }
        });
        missed.or_else(|| self.find_wrong_address_midway())
    }

    /// The same fault in a capture that begins after the request. One socket
    /// may talk to many servers, so the proof is stricter: the reply's port at
    /// another address, refused there, while the reply was repeated.
    fn find_wrong_address_midway(&self) -> Option<WrongAddress<'a>> {
        if self.view.asked.is_some() {
            return None;
        }
        self.follow_ups().filter(|follow_ups| follow_ups.course == Course::AnswererUnseen).find_map(
            |follow_ups| {
                let reply = self.replies().find(|replies| {
                    is_port_twin(replies, follow_ups.destination) && replies.tally.repeats > 0
                })?;
                let refused = self.errors.iter().any(|seen| {
                    seen.errors.kind == IcmpKind::PortUnreachable
                        && seen.errors.quoted_destination == Some(follow_ups.destination)
                });
                let confidence = Confidence::Likely;
                refused.then_some(WrongAddress { follow_ups, reply, confidence })
            },
        )
    }
}

/// Same port, other address.
fn is_port_twin(replies: &Replies, destination: Endpoint) -> bool {
    replies.source.port == destination.port && replies.source.address != destination.address
}

fn find_changed(protocol: Protocol, view: &View) -> Option<&Replies> {
    let captured = || view.replies.iter().filter(|replies| replies.tally.first.is_some());
    captured().find(|replies| matches!(replies.origin, Origin::OtherAddress(_))).or_else(|| {
        // TFTP answers from a new port by design: RFC 1350 section 4.
        captured().find(|replies| {
            matches!(replies.origin, Origin::OtherPort(_))
                && protocol != Protocol::Tftp
                && !is_session_port(view, replies)
        })
    })
}

/// An unknown protocol answers from a port of its own, as TFTP does, and the client goes on
/// there; or, as RPC has it, it asks on at the port that it asked, as soon as it is answered.
/// Who neither goes there nor asks sooner than a timer runs may not have taken an answer.
fn is_session_port(view: &View, replies: &Replies) -> bool {
    let is_followed = || {
        let mut follow_ups = view.follow_ups.iter();
        follow_ups.any(|sent| sent.destination == replies.source && sent.tally.first.is_some())
    };
    replies.origin == Origin::OtherPort(Confidence::Possible)
        && view.asked_again.is_none()
        && (is_followed() || !is_at_pace_of_timer(&view.requests))
}

/// Whether packets, three or more, come as slowly as a timer sends them again.
fn is_at_pace_of_timer(tally: &Tally) -> bool {
    const LEAST_PACKETS: u64 = 3;
    const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
    let (Some(first), Some(last)) = (tally.first, tally.last) else { return false };
    let pauses = u32::try_from(tally.packets.saturating_sub(1)).unwrap_or(u32::MAX);
    tally.packets >= LEAST_PACKETS
        && last.at.since(first.at) >= SHORTEST_PAUSE.saturating_mul(pauses)
}

fn first_on(view: &View, course: Course) -> Option<&FollowUps> {
    view.follow_ups_on(course).find(|follow_ups| follow_ups.tally.first.is_some())
}
