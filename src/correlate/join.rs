//! What several points saw of one exchange, put together.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::signature::{Basis, Signature};
use super::view::Sighting;
use crate::model::capture::{CaptureId, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{AddressTranslation, DeviceRule, Exchange, View};
use crate::model::protocol::Protocol;

/// Hosts' clocks differ by seconds, rarely by more; without a payload only time relates two views.
const TIME_APART: std::time::Duration = std::time::Duration::from_secs(10);

/// Joins sightings of the same exchange; the view nearest to the device comes
/// first. Also gives each capture's clock minus the first capture's, in µs.
pub fn join(mut sightings: Vec<Sighting>) -> (Vec<Exchange>, BTreeMap<CaptureId, i64>) {
    sightings.sort_by_key(|sighting| {
        (distance_from_device(sighting.view.kind), sighting.view.point, sighting.view.first_at)
    });
    let mut groups: Vec<Vec<Sighting>> = Vec::new();
    let mut by_client: HashMap<Endpoint, Vec<usize>> = HashMap::new();
    let mut by_transaction: HashMap<(Protocol, Option<Endpoint>, u64), Vec<usize>> = HashMap::new();
    for sighting in sightings {
        let candidates = by_client.get(&sighting.client).into_iter().flatten();
        let same_client = candidates.copied().find(|&group| is_same(&groups[group], &sighting));
        let transaction = find_transaction_key(&sighting);
        let same_transaction = || {
            let candidates = by_transaction.get(&transaction?)?;
            candidates
                .iter()
                .copied()
                .find(|&group| is_translated_client(&groups[group], &sighting))
        };
        if let Some(group) = same_client.or_else(same_transaction) {
            groups[group].push(sighting);
            continue;
        }
        by_client.entry(sighting.client).or_default().push(groups.len());
        if let Some(key) = transaction {
            by_transaction.entry(key).or_default().push(groups.len());
        }
        groups.push(vec![sighting]);
    }
    let offsets = clock_offsets_us(&groups);
    let mut exchanges: Vec<Exchange> = groups.into_iter().map(exchange).collect();
    exchanges.sort_by_key(|exchange| (exchange.primary().first_at, exchange.client));
    (exchanges, offsets)
}

/// Nearer to the device comes first: its verdict is about what the device sees.
fn distance_from_device(kind: PointKind) -> u8 {
    match kind {
        PointKind::Device => 0,
        PointKind::Host => 1,
        PointKind::Unknown => 2,
        PointKind::Pod => 3,
    }
}

/// Whether `sighting` is the exchange of `group`, seen at another point.
fn is_same(group: &[Sighting], sighting: &Sighting) -> bool {
    let Some(first) = group.first() else { return false };
    let elsewhere = group.iter().all(|known| known.view.point != sighting.view.point);
    let Signature { value, basis } = sighting.opening;
    let openings_differ = basis == first.opening.basis && value != first.opening.value;
    elsewhere
        && first.protocol == sighting.protocol
        && !openings_differ
        && (sighting.opening.is_sure()
            && first.opening.is_sure()
            && first.opening == sighting.opening
            || first.view.first_at.distance(sighting.view.first_at) <= TIME_APART)
}

/// The identity by which a transaction is recognised though its client was
/// translated. File names are no identity: many devices write `startup.cfg`.
fn find_transaction_key(sighting: &Sighting) -> Option<(Protocol, Option<Endpoint>, u64)> {
    let identified =
        sighting.opening.basis == Basis::Meaning && sighting.protocol != Protocol::Tftp;
    identified.then_some((sighting.protocol, sighting.view.asked, sighting.opening.value))
}

fn is_translated_client(group: &[Sighting], sighting: &Sighting) -> bool {
    group.iter().all(|known| known.view.point != sighting.view.point)
        && group
            .first()
            .is_some_and(|first| first.view.first_at.distance(sighting.view.first_at) <= TIME_APART)
}

fn exchange(group: Vec<Sighting>) -> Exchange {
    let translations = translations(&group);
    let (protocol, client) = (group[0].protocol, group[0].client);
    Exchange {
        protocol,
        client,
        device: client.address,
        device_rule: DeviceRule::Initiator,
        views: group.into_iter().map(|sighting| sighting.view).collect(),
        translations,
    }
}

/// How addresses change between the first view and each other one.
fn translations(group: &[Sighting]) -> Vec<AddressTranslation> {
    let Some((first, others)) = group.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    for other in others {
        let (near, far) = (&first.view, &other.view);
        let mut push = |from: &View, to: &View, before: Endpoint, after: Endpoint| {
            if before != after {
                found.push(AddressTranslation { from: from.point, to: to.point, before, after });
            }
        };
        push(far, near, other.client, first.client);
        if let (Some(before), Some(after)) = (near.asked, far.asked) {
            push(near, far, before, after);
        }
        for (before, after) in far.replies.iter().zip(&near.replies) {
            push(far, near, before.source, after.source);
        }
    }
    found
}

/// The median distance between the first packets of exchanges seen in two
/// captures, carried on from the first capture to all that it is linked with.
fn clock_offsets_us(groups: &[Vec<Sighting>]) -> BTreeMap<CaptureId, i64> {
    let mut distances: BTreeMap<(CaptureId, CaptureId), Vec<i64>> = BTreeMap::new();
    for group in groups {
        for (index, one) in group.iter().enumerate() {
            for other in &group[index + 1..] {
                let (one, other) = (&one.view, &other.view);
                if one.point.capture == other.point.capture {
                    continue;
                }
                let distance_ns =
                    other.first_at.as_nanoseconds().saturating_sub(one.first_at.as_nanoseconds());
                let (from, to) = (one.point.capture, other.point.capture);
                distances.entry((from, to)).or_default().push(distance_ns / 1_000);
                distances.entry((to, from)).or_default().push(-distance_ns / 1_000);
            }
        }
    }
    let mut offsets = BTreeMap::new();
    let Some(&(reference, _)) = distances.keys().next() else { return offsets };
    offsets.insert(reference, 0);
    let mut reached = vec![reference];
    while let Some(from) = reached.pop() {
        for ((_, to), values) in distances.iter_mut().filter(|((start, _), _)| *start == from) {
            if !offsets.contains_key(to) {
                values.sort_unstable();
                offsets.insert(*to, offsets[&from] + values[values.len() / 2]);
                reached.push(*to);
            }
        }
    }
    offsets
}
