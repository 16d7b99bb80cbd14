//! The decision which addresses mean all hosts, when all packets are in.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::{Broadcasts, is_subnet_broadcast, looks_like_broadcast, may_be_broadcast};
use crate::correlate::audience::Audience;
use crate::correlate::record::{Record, is_group};
use crate::correlate::table::PointTable;
use crate::model::exchange::{Course, Origin};
use crate::model::finding::Confidence;
use crate::model::packet::IcmpKind;

/// Decides, when all packets are in, which addresses mean all hosts, and sets the
/// exchanges with them right that were taken for something else on the way.
pub fn settle(tables: &mut [PointTable]) {
    let mut standings = gather(tables);
    if standings.is_empty() {
        return;
    }
    for record in tables.iter().flat_map(records) {
        weigh(record, &mut standings);
    }
    for table in tables {
        table.broadcasts.seen.retain(|address, _| {
            standings.get(address).is_some_and(|standing| standing.is_broadcast(*address))
        });
        for record in table.exchanges.iter_mut().filter(|record| !record.is_vacant()) {
            let Some(asked) = record.asked else { continue };
            if let Some(standing) = standings.get(&asked.address) {
                set_right(record, standing.is_broadcast(asked.address));
            }
        }
    }
}

/// What is known of an address that may mean all hosts.
#[derive(Debug, Default)]
struct Standing {
    is_host: bool,
    /// A frame for one went to it.
    is_singled: bool,
    /// A frame for all hosts did, of a capture that was not made by hand.
    is_framed: bool,
    /// The frames for all hosts that went to it were made by hand.
    is_disbelieved: bool,
    /// One request was answered by several.
    is_answered_by_several: bool,
    /// It was taken for one by what was said to it, or by who answered.
    is_suspected: bool,
}

impl Standing {
    fn is_broadcast(&self, address: IpAddr) -> bool {
        if self.is_host || !may_be_broadcast(address) {
            return false;
        }
        let is_sent_to_all = self.is_framed && (!self.is_singled || looks_like_broadcast(address));
        is_sent_to_all
            || self.is_answered_by_several
            || (self.is_suspected && !self.is_singled && !self.is_framed)
    }
}

fn records(table: &PointTable) -> impl Iterator<Item = &Record> {
    table.exchanges.iter().filter(|record| !record.is_vacant())
}

fn gather(tables: &[PointTable]) -> HashMap<IpAddr, Standing> {
    let mut standings: HashMap<IpAddr, Standing> = HashMap::new();
    for table in tables.iter().filter(|table| !table.broadcasts.seen.is_empty()) {
        let Broadcasts { seen, are_made_by_hand } = &table.broadcasts;
        for (address, frame) in seen {
            let standing = standings.entry(*address).or_default();
            standing.is_framed |= frame.is_some() && !are_made_by_hand;
            standing.is_disbelieved |= frame.is_some() && *are_made_by_hand;
        }
        // Beyond those that there was room for.
        for record in records(table).filter(|record| record.audience == Audience::Group) {
            if let Some(asked) = record.asked.filter(|asked| !is_group(asked.address)) {
                standings.entry(asked.address).or_default();
            }
        }
    }
    standings
}

/// Adds what an exchange shows of the addresses in question.
fn weigh(record: &Record, standings: &mut HashMap<IpAddr, Standing>) {
    let mut is_host = |address: IpAddr| {
        if let Some(standing) = standings.get_mut(&address) {
            standing.is_host = true;
        }
    };
    if record.requests.packets > 0 {
        is_host(record.client.address);
    }
    if let Some(asked) = record.asked.filter(|_| record.answers.packets > 0) {
        is_host(asked.address);
    }
    if let Some(details) = record.details.as_deref() {
        for replies in &details.replies {
            is_host(replies.source.address);
        }
        for follow_ups in &details.follow_ups {
            is_host(follow_ups.source.address);
            if follow_ups.course == Course::ToAskedAddress {
                is_host(follow_ups.destination.address);
            }
        }
        for error in &details.icmp_errors {
            is_host(error.from);
            let did_not_arrive =
                matches!(error.kind, IcmpKind::PortUnreachable | IcmpKind::HostUnreachable);
            if let Some(quoted) = error.quoted_destination.filter(|_| did_not_arrive) {
                is_host(quoted.address);
            }
        }
    }
    let Some(asked) = record.asked.map(|asked| asked.address) else { return };
    let Some(standing) = standings.get_mut(&asked) else { return };
    let is_content = is_content_with_neighbour(record, asked);
    standing.is_singled |= record.audience == Audience::One && !is_content;
    let was_taken_for_all =
        record.audience == Audience::Group && !standing.is_disbelieved && leaves_it_at_that(record);
    standing.is_suspected |= was_taken_for_all || is_content;
    standing.is_answered_by_several |= is_answered_by_several(record, asked);
}

/// Whether all answers are of others in the network whose broadcast address `asked` may
/// be, by time alone, and the client left it at that.
fn is_content_with_neighbour(record: &Record, asked: IpAddr) -> bool {
    let Some(details) = record.details.as_deref() else { return false };
    let is_neighbours = |origin: Origin, source: IpAddr| {
        let is_unsure = match origin {
            Origin::OtherAddress(confidence) => confidence < Confidence::Certain,
            Origin::ByDesign => true,
            _ => false,
        };
        is_unsure && is_subnet_broadcast(asked, source)
    };
    let mut replies = details.replies.iter();
    !details.replies.is_empty()
        && replies.all(|replies| is_neighbours(replies.origin, replies.source.address))
        && details.repeated_requests.is_none()
        && leaves_it_at_that(record)
}

/// Whether nothing says that the client did not take the answers that it got: then it was no
/// answer of one of all that made the address look like a group's, but one from elsewhere.
fn leaves_it_at_that(record: &Record) -> bool {
    record.details.as_deref().is_none_or(|details| {
        details.asked_again.is_none() && details.reset.is_none() && details.icmp_errors.is_empty()
    })
}

/// Whether more answers came than there were requests, from several of the network
/// whose broadcast address `asked` may be.
fn is_answered_by_several(record: &Record, asked: IpAddr) -> bool {
    let replies = record.details.iter().flat_map(|details| &details.replies);
    let mut own = replies.filter(|replies| is_subnet_broadcast(asked, replies.source.address));
    let Some(first) = own.next() else { return false };
    let answered = |packets: u32| packets > record.requests.packets;
    let mut packets = first.tally.count.packets;
    own.any(|replies| {
        packets = packets.saturating_add(replies.tally.count.packets);
        replies.source.address != first.source.address && answered(packets)
    })
}

/// Takes an exchange for what it is, now that it is known whether all hosts were asked.
fn set_right(record: &mut Record, is_broadcast: bool) {
    let was_broadcast = record.audience == Audience::Group;
    if was_broadcast == is_broadcast {
        return;
    }
    record.audience = if is_broadcast { Audience::Group } else { Audience::One };
    let Some(asked) = record.asked else { return };
    let moves = record.protocol.moves_by_design();
    for replies in record.details.iter_mut().flat_map(|details| &mut details.replies) {
        let is_stranger = replies.source.address != asked.address;
        replies.origin = match replies.origin {
            // It was taken for one of all.
            Origin::ByDesign if is_stranger && !is_broadcast && !moves => {
                Origin::OtherAddress(Confidence::Likely)
            }
            Origin::OtherAddress(_) if is_broadcast => Origin::ByDesign,
            origin => origin,
        };
    }
}
