//! What one point saw of an exchange, once its packets are all in.

use super::live::Live;
use super::signature::Signature;
use super::table::PointTable;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, FollowUps, Origin, Point, Tally, View};
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;
use crate::model::report::{Quotes, StepKind};

/// An exchange as one point saw it.
#[derive(Debug)]
pub struct Sighting {
    pub protocol: Protocol,
    pub client: Endpoint,
    pub opening: Signature,
    pub view: View,
}

/// All sightings, point by point; `points` are in the order of `tables`.
pub fn sightings(tables: Vec<PointTable>, points: &[Point]) -> Vec<Sighting> {
    let mut sightings = Vec::new();
    for (mut table, point) in tables.into_iter().zip(points) {
        let exchanges = std::mem::take(&mut table.exchanges);
        for mut exchange in exchanges {
            weigh_replies(&mut exchange, &table);
            read_as_running_transfer(&mut exchange);
            sightings.push(sighting(exchange, point));
        }
    }
    sightings
}

fn sighting(exchange: Live, point: &Point) -> Sighting {
    let observed_until = point.observed.map_or(exchange.last_at, |(_, last)| last);
    Sighting {
        protocol: exchange.protocol,
        client: exchange.client,
        opening: exchange.opening,
        view: View {
            point: point.id,
            kind: point.kind,
            asked: exchange.asked,
            requests: exchange.requests,
            unanswered: exchange.unanswered,
            replies: exchange.replies.into_vec(),
            follow_ups: exchange.follow_ups.into_vec(),
            icmp_errors: exchange.icmp_errors.into_vec(),
            asked_again: exchange.asked_again,
            progress: exchange.progress,
            steps: exchange.steps,
            steps_omitted: exchange.steps_omitted,
            first_at: exchange.first_at,
            last_at: exchange.last_at,
            observed_until,
            has_payloads: exchange.has_payloads,
        },
    }
}

/// Weighs again how sure it is that replies from other addresses belong here.
/// A client that used the answer's port, or refused the answer, had it; a
/// socket that talks to many may be answered by any of them.
fn weigh_replies(exchange: &mut Live, table: &PointTable) {
    let identified = exchange.protocol == Protocol::Tftp;
    for replies in &mut exchange.replies {
        let Origin::OtherAddress(confidence) = replies.origin else { continue };
        let port = replies.source.port;
        let used = exchange.asked.is_some_and(|asked| asked.port != port)
            && exchange.follow_ups.iter().any(|follow_ups| follow_ups.destination.port == port);
        let refused = exchange.icmp_errors.iter().any(|error| error.quotes == Quotes::Reply);
        if used || refused {
            replies.origin = Origin::OtherAddress(Confidence::Certain);
        } else if confidence < Confidence::Certain
            && !identified
            && table.asks_many(exchange.client)
        {
            replies.origin = Origin::ByDesign;
        }
    }
}

/// Both sides speak as in the middle of a TFTP transfer: its request was
/// before the capture, so it is not known who was asked.
fn read_as_running_transfer(exchange: &mut Live) {
    let Some(server) = exchange.asked else { return };
    let both_sides = exchange.requests.packets > 0 && !exchange.replies.is_empty();
    let packets = exchange.requests.packets
        + exchange.replies.iter().map(|replies| replies.tally.packets).sum::<u64>();
    if exchange.protocol != Protocol::Udp || !exchange.looks_like_tftp || !both_sides || packets < 4
    {
        return;
    }
    exchange.protocol = Protocol::Tftp;
    exchange.asked = None;
    let tally = std::mem::replace(&mut exchange.requests, Tally::NONE);
    exchange.unanswered = Tally::NONE;
    exchange.follow_ups.push(FollowUps {
        source: exchange.client,
        destination: server,
        course: Course::ToAnswerer,
        tally,
    });
    for replies in &mut exchange.replies {
        replies.origin = Origin::Unknown;
    }
    for step in &mut exchange.steps {
        if step.kind == StepKind::Request {
            step.kind = StepKind::FollowUp;
        }
    }
}
