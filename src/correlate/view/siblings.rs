//! What other exchanges of the same client say about one that nothing answered.

use super::MAX_SIBLINGS;
use crate::correlate::record::{Flag, Record};
use crate::correlate::table::PointTable;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::View;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;

/// What traces a path sends so much at most to one port.
const MAX_PROBES: u64 = 3;
/// Some that trace a path send each probe from the next port.
const NEIGHBOURS: u16 = 4;

/// Notes what the siblings of an exchange say of it.
pub fn note(view: &mut View, record: &Record, table: &PointTable) {
    if !view.replies.is_empty() {
        return;
    }
    match record.protocol {
        Protocol::Stun => {
            view.answered_elsewhere = find_answered_check(record, table);
            // Who was answered may be another host, too.
            if view.answered_elsewhere.is_none() && table.checks.has_answer(record) {
                view.may_be_answered_elsewhere = true;
            }
        }
        Protocol::Tftp => view.may_be_answered_elsewhere |= goes_on_unread(record, table),
        Protocol::Udp if view.requests.packets <= MAX_PROBES && table.has_expired => {
            view.expired_beside = is_beside_expired(record, table);
        }
        _ => {}
    }
}

/// Whether the same socket and the address that it asked for a file went on with each other, or
/// began to, at a port of the server's choice, in packets that a snap length cut too short to
/// tell what they are: of a transfer nothing but its request is at the port asked (RFC 1350
/// section 4).
fn goes_on_unread(record: &Record, table: &PointTable) -> bool {
    let Some(asked) = record.asked else { return false };
    let asked_at = record.requests.first.at;
    siblings(record.client, table).any(|other| {
        let is_there = |server: Endpoint| server.address == asked.address && server != asked;
        other.protocol == Protocol::Udp
            && other.asked.is_some_and(is_there)
            && !other.flags.has(Flag::HasPayloads)
            && other.last_at() >= asked_at
    })
}

/// The first answer to a check of the same socket by another way.
fn find_answered_check(record: &Record, table: &PointTable) -> Option<FrameRef> {
    let checks = siblings(record.client, table)
        .filter(|other| other.protocol == Protocol::Stun && other.asked != record.asked);
    let answers = checks.filter_map(|other| first_answer(other, table.id.capture));
    answers.min_by_key(|frame| frame.number)
}

pub(super) fn first_answer(record: &Record, capture: CaptureId) -> Option<FrameRef> {
    let details = record.details.iter().flat_map(|details| &details.replies);
    let elsewhere = details.filter_map(|replies| replies.tally.count.first(capture));
    record.answers.first(capture).into_iter().chain(elsewhere).min_by_key(|frame| frame.number)
}

/// Whether what the same socket, or one of a port nearby, sent to the same address ran
/// out of hops.
fn is_beside_expired(record: &Record, table: &PointTable) -> bool {
    let Endpoint { address, port } = record.client;
    let Some(asked) = record.asked else { return false };
    let ports = port.saturating_sub(NEIGHBOURS)..=port.saturating_add(NEIGHBOURS);
    let mut beside = ports.flat_map(|port| siblings(Endpoint { address, port }, table));
    beside.any(|other| {
        other.asked.is_some_and(|other| other.address == asked.address) && has_expired(other)
    })
}

fn has_expired(record: &Record) -> bool {
    let mut errors = record.details.iter().flat_map(|details| &details.icmp_errors);
    !record.is_answered() && errors.any(|error| error.kind == IcmpKind::TimeExceeded)
}

fn siblings(client: Endpoint, table: &PointTable) -> impl Iterator<Item = &Record> {
    let exchanges = table.clients.exchanges(&table.hasher, &table.exchanges, client);
    exchanges.take(MAX_SIBLINGS).map(|(_, record)| record)
}
