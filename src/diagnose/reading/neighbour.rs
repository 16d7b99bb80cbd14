//! Neighbours that did not answer, and which exchange waited for them.

use std::net::IpAddr;
use std::time::Duration;

use super::{Habit, Reading, SeenErrors};
use crate::model::exchange::{Point, View};
use crate::model::finding::{Cause, Confidence};
use crate::model::neighbour::Unresolved;
use crate::model::packet::IcmpKind;
use crate::model::time::Timestamp;

/// Hosts ask three times before they give up (RFC 4861 section 10
/// `MAX_MULTICAST_SOLICIT`, Linux' `mcast_solicit`).
const TRIES: u64 = 3;
/// The answer to the last question is waited for so long (`RETRANS_TIMER`).
const LAST_WAIT: Duration = Duration::from_secs(1);
/// A host reports its failure a second after the last question; clocks of two
/// captures may differ by more, those of one do not.
const REPORT_DELAY: Duration = Duration::from_secs(5);

/// A neighbour that was asked for in vain, and why that concerns the exchange.
#[derive(Debug, Clone, Copy)]
pub struct LostNeighbour<'a> {
    pub point: &'a Point,
    pub unresolved: Unresolved,
    pub tie: Tie<'a>,
    pub confidence: Confidence,
}

/// What ties an unresolved neighbour to an exchange. That both happen at one
/// time is not enough.
#[derive(Debug, Clone, Copy)]
pub enum Tie<'a> {
    /// ICMP host unreachable for a packet to the very neighbour.
    Reported(SeenErrors<'a>),
    /// ICMP host unreachable from the host that asks for nobody else in vain.
    NextHopReported(SeenErrors<'a>),
    /// The node that was asked looks for the client, to answer it.
    WayBack,
    /// The request was seen on its way to the node that looks for its destination,
    /// and did not leave there.
    NotSeenLeaving,
}

impl<'a> Reading<'a> {
    /// The neighbour for which this exchange waited in vain.
    #[must_use]
    pub fn lost_neighbour(&self) -> Option<LostNeighbour<'a>> {
        if self.points.iter().all(|point| point.unresolved.is_empty()) {
            return None;
        }
        let reported = self
            .errors
            .iter()
            .filter(|seen| seen.ended && seen.cause == Cause::HostUnreachable)
            .filter(|seen| seen.errors.kind != IcmpKind::TimeExceeded)
            .find_map(|seen| self.find_reported(*seen));
        let waits = self.habit == Habit::Conversation && !self.is_answered();
        reported
            .or_else(|| if waits { self.find_way_back() } else { None })
            .or_else(|| if waits { self.find_not_seen_leaving() } else { None })
    }

    fn find_reported(&self, seen: SeenErrors<'a>) -> Option<LostNeighbour<'a>> {
        let from = seen.errors.from;
        let to = seen.errors.quoted_destination.or(seen.view.asked)?.address;
        // Who reports itself is there.
        if from == to {
            return None;
        }
        let itself = self.points.iter().find_map(|point| {
            asked_for(point, to).find_map(|unresolved| {
                let same_host = self.is_same_host(point, unresolved.asker, from);
                let near = is_reported_in_time(unresolved, seen);
                let confidence = if same_host { Confidence::Certain } else { Confidence::Likely };
                (same_host || near).then_some(LostNeighbour {
                    point,
                    unresolved: *unresolved,
                    tie: Tie::Reported(seen),
                    confidence,
                })
            })
        });
        itself.or_else(|| self.find_next_hop(seen, to))
    }

    /// The one neighbour that the reporting host looked for in vain just then.
    fn find_next_hop(&self, seen: SeenErrors<'a>, to: IpAddr) -> Option<LostNeighbour<'a>> {
        let from = seen.errors.from;
        let mut found: Option<LostNeighbour<'a>> = None;
        for point in self.points {
            for unresolved in &point.unresolved {
                let fits = unresolved.tries >= TRIES
                    && unresolved.address.is_ipv4() == to.is_ipv4()
                    && self.is_same_host(point, unresolved.asker, from)
                    && is_reported_in_time(unresolved, seen);
                if !fits {
                    continue;
                }
                if found.is_some_and(|found| found.unresolved.address != unresolved.address) {
                    return None;
                }
                found = Some(LostNeighbour {
                    point,
                    unresolved: *unresolved,
                    tie: Tie::NextHopReported(seen),
                    confidence: Confidence::Likely,
                });
            }
        }
        found
    }

    /// The client's packets arrive where the node that holds the address asked
    /// looks for the client: this point would have seen its answer.
    fn find_way_back(&self) -> Option<LostNeighbour<'a>> {
        let asked = self.view.asked?.address;
        let first = self.view.requests.first?;
        let point = self.points.iter().find(|point| point.id == self.view.point)?;
        let client = self.exchange.client.address;
        let unresolved = asked_for(point, client).find(|unresolved| {
            self.is_given_up(unresolved, self.view)
                && unresolved.last.at >= first.at
                && self.is_same_host(point, unresolved.asker, asked)
        })?;
        Some(LostNeighbour {
            point,
            unresolved: *unresolved,
            tie: Tie::WayBack,
            confidence: Confidence::Likely,
        })
    }

    /// Seen on the way to a node that looks for the destination, and not behind it.
    fn find_not_seen_leaving(&self) -> Option<LostNeighbour<'a>> {
        let first = self.view.requests.first?;
        let here = self.points.iter().find(|point| point.id == self.view.point)?;
        self.exchange.views.iter().filter_map(|view| view.asked).find_map(|asked| {
            self.points.iter().filter(|point| !self.is_seen_at(point)).find_map(|point| {
                let same_node = point.id.capture == here.id.capture
                    || (point.node.is_some() && point.node == here.node);
                if !same_node {
                    return None;
                }
                let unresolved = asked_for(point, asked.address).find(|unresolved| {
                    self.is_given_up(unresolved, self.view)
                        && (point.id.capture != here.id.capture || unresolved.last.at >= first.at)
                })?;
                Some(LostNeighbour {
                    point,
                    unresolved: *unresolved,
                    tie: Tie::NotSeenLeaving,
                    confidence: Confidence::Likely,
                })
            })
        })
    }

    fn is_seen_at(&self, point: &Point) -> bool {
        self.exchange.views.iter().any(|view| view.point == point.id)
    }

    /// Asked for often enough, and the answer to the last question waited for.
    fn is_given_up(&self, unresolved: &Unresolved, view: &View) -> bool {
        let until = self
            .points
            .iter()
            .filter(|point| point.id.capture == unresolved.last.capture)
            .filter_map(|point| point.observed)
            .map(|(_, until)| until)
            .max()
            .unwrap_or(view.observed_until);
        unresolved.tries >= TRIES && until.since(unresolved.last.at) >= LAST_WAIT
    }

    /// Whether two addresses are one host's: by themselves, or by an inventory.
    /// A link-local asker at a node's own capture point is that node.
    fn is_same_host(&self, point: &Point, asker: IpAddr, other: IpAddr) -> bool {
        if asker == other {
            return true;
        }
        let node_of = |address| self.topology.find(address).and_then(|belief| belief.node.as_ref());
        let Some(other) = node_of(other) else { return false };
        match node_of(asker) {
            Some(node) => node == other,
            None => is_link_local(asker) && point.node.as_ref() == Some(other),
        }
    }
}

/// Who asks for `address` at a point.
fn asked_for(point: &Point, address: IpAddr) -> impl Iterator<Item = &Unresolved> {
    let from = point.unresolved.partition_point(|unresolved| unresolved.address < address);
    point.unresolved.iter().skip(from).take_while(move |known| known.address == address)
}

fn is_reported_in_time(unresolved: &Unresolved, seen: SeenErrors<'_>) -> bool {
    let tally = seen.errors.tally;
    let during = |at: Timestamp| {
        let (first, last) = (unresolved.first.at, unresolved.last.at);
        (at >= first && at <= last) || at.distance(last) <= REPORT_DELAY
    };
    [tally.first, tally.last].into_iter().flatten().any(|frame| during(frame.at))
}

const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}
