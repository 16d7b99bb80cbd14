//! What to change: advice with commands for the case at hand.
//!
//! The same fault has opposite cures, so advice is chosen by what was seen: by
//! the protocol, by who answered, by which client the pod saw, and by which
//! part of the exchange an ICMP error quotes.

use std::net::IpAddr;
use std::time::Duration;

use super::reading::{LostFollowUp, LostNeighbour, LostReply, LostRequest, Reading, SeenErrors};
use super::reply_source_translated::find_translation;
use super::request_not_translated::{find_untranslated, is_untranslated_entry};
use super::stale_translation::{find_entry_confidence, find_stale};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{DroppedPackets, Origin, PayloadReplies, Replies, Stall};
use crate::model::finding::{Cause, Confidence, Remedy};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;
use crate::model::topology::Role;

mod capture;
mod client;
mod cluster;
mod commands;
mod datapath;
mod delivery;
mod filter;
mod helper;
mod mtu;
mod neighbour;
mod path;
mod responder;
mod sender;
mod service;
#[cfg(test)]
mod tests;
mod translation;
mod translator;
mod tunnel;
mod whose;

pub use capture::{
    both_directions as capture_both_directions, give_addresses, next as capture_next,
    with_identities as capture_with_identities,
};

/// For a client that answers to the address asked.
pub fn for_misdirected_follow_up(reading: &Reading<'_>, reply: &Replies) -> Vec<Remedy> {
    let mut remedies = cluster_side(reading, reply);
    remedies.push(client::follow_the_answerer(reading, reply.source));
    remedies
}

/// For a client that goes on at the port asked.
pub fn for_request_port(reading: &Reading<'_>) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    if let Some(reply) = reading.replies().next() {
        remedies.push(client::follow_the_answerer(reading, reply.source));
    }
    remedies.push(translation::single_port_server(reading));
    remedies
}

/// For a reply whose source was not asked. Several causes may tell of the same
/// reply: the one that explains most carries the list, the others point to it.
pub fn for_changed_reply(reading: &Reading<'_>, reply: &Replies, cause: Cause) -> Vec<Remedy> {
    let leading = if reading.wrong_address.is_some() {
        Cause::FollowUpToRequestAddress
    } else if reading.ignored().is_some() || reading.discarded().is_some() {
        Cause::ReplyIgnored
    } else if reading.refusal().is_some() || reading.reset().is_some() {
        Cause::ReplyRejected
    } else {
        cause
    };
    if leading != cause {
        return vec![see(leading)];
    }
    let mut remedies = cluster_side(reading, reply);
    // A TCP client has no choice whose answer it takes.
    if reading.change_stopped() && reading.exchange.protocol != Protocol::Tcp {
        remedies.push(client::accept_any_source(reading, reply.source));
    }
    remedies
}

/// Points to the finding of this exchange that carries the advice.
fn see(leading: Cause) -> Remedy {
    Remedy {
        title: format!("See {leading}"),
        steps: vec![format!(
            "This is the same fault seen from another side: what ends {leading} ends this too."
        )],
        commands: Vec::new(),
    }
}

/// For a client that goes on from another of its addresses.
pub fn for_client_source(reading: &Reading<'_>, source: IpAddr) -> Vec<Remedy> {
    vec![client::keep_one_source(reading, source)]
}

/// For an ICMP error, by what it quotes.
pub fn for_icmp(reading: &Reading<'_>, seen: &SeenErrors<'_>) -> Vec<Remedy> {
    let quoted = seen.errors.quoted_destination;
    let is_tcp = reading.exchange.protocol == Protocol::Tcp;
    if let Some(client) = reading.untranslated_back(seen) {
        return vec![translator::lead_back(seen.errors.from, client)];
    }
    if let Some(refused) = reading.refused_tunnel(seen) {
        return vec![tunnel::open(reading, refused, seen.cause)];
    }
    match (seen.cause, seen.errors.quotes) {
        _ if seen.is_hang_up(reading.exchange.protocol) => Vec::new(),
        (Cause::PortUnreachable, Quotes::Request) if find_untranslated(reading).is_some() => {
            vec![see(Cause::RequestNotTranslated)]
        }
        (Cause::PortUnreachable, Quotes::Request) => {
            let asked = quoted.or(seen.view.asked).or(reading.view.asked);
            let listens = asked.map(|asked| service::nothing_listens(reading, asked));
            // TCP itself would have answered with a reset.
            let filter = is_tcp.then(|| filter::refusing_host(reading, seen.errors));
            listens.into_iter().chain(filter).collect()
        }
        (Cause::PortUnreachable, Quotes::FollowUp) => {
            let moved = reading.other_source.map(|moved| moved.destination);
            if seen.follows_error().is_some() {
                Vec::new()
            } else if moved.is_some() && moved == quoted {
                vec![see(Cause::ClientSourceChanged)]
            } else if reading.wrong_address.is_some() {
                vec![see(Cause::FollowUpToRequestAddress)]
            } else if reading.wrong_port.is_some() {
                vec![see(Cause::FollowUpToRequestPort)]
            } else {
                lost_mapping(reading, quoted)
            }
        }
        (Cause::PortUnreachable, Quotes::Reply) if reading.sender_change_stopped() => {
            vec![see(Cause::SenderTranslated)]
        }
        (Cause::PortUnreachable, Quotes::Reply) if seen.answered_elsewhere() => Vec::new(),
        (Cause::PortUnreachable, Quotes::Reply) if reading.is_refused_by_translator(seen) => {
            vec![helper::attach_for_pods(reading)]
        }
        (Cause::PortUnreachable, Quotes::Reply) if is_tcp => {
            vec![filter::refusing_host(reading, seen.errors)]
        }
        (Cause::PortUnreachable, Quotes::Reply) => vec![client::wait_longer(reading)],
        (Cause::AdminProhibited, _) => vec![filter::refusing_host(reading, seen.errors)],
        (Cause::PacketTooBig, _) => vec![mtu::smaller_datagrams(reading, seen.errors.from)],
        (Cause::HostUnreachable, _) if seen.errors.kind == IcmpKind::TimeExceeded => {
            vec![path::out_of_hops(reading, seen.errors)]
        }
        (Cause::HostUnreachable, _) if reading.lost_neighbour().is_some() => {
            vec![see(Cause::NeighbourUnresolved)]
        }
        _ if quoted.is_some_and(|quoted| quoted.address == seen.errors.from) => {
            vec![path::behind_the_address(seen.errors.from)]
        }
        _ => vec![path::neighbour_and_route(reading, seen.errors)],
    }
}

/// For a neighbour that does not answer on its link.
pub fn for_unresolved_neighbour(reading: &Reading<'_>, lost: &LostNeighbour<'_>) -> Vec<Remedy> {
    vec![neighbour::bring_back(reading, lost)]
}

/// For a request that nobody answered.
pub fn for_unanswered_request(reading: &Reading<'_>, asked: Endpoint) -> Vec<Remedy> {
    let is_likely = |confidence: Confidence| confidence >= Confidence::Likely;
    let lost_request = reading.lost_request.map(|lost| lost.watched.confidence());
    let leading = if reading.lost_neighbour().is_some() {
        Some(Cause::NeighbourUnresolved)
    } else if reading.view.lost_replies.is_some() || reading.lost_requests().is_some() {
        Some(Cause::FragmentsLost)
    } else if is_likely_stale(reading) {
        Some(Cause::StaleTranslation)
    } else if is_untranslated_entry(reading) {
        Some(Cause::RequestNotTranslated)
    } else if lost_request.is_some_and(is_likely) {
        Some(Cause::RequestNotDelivered)
    } else {
        reading.lost_reply.map(|_| Cause::ReplyNotForwarded)
    };
    if let Some(leading) = leading {
        return vec![see(leading)];
    }
    let pod_answers = reading.exchange.pod_view().is_some_and(|pod| pod.reply_packets() > 0);
    // The pod answered from a new port, and nothing leads that back to the client.
    let is_stranded = reading.stranded_reply().is_some();
    let by_address = reading.filter_by_address().filter(|_| !reading.is_answered());
    let mut remedies: Vec<Remedy> =
        by_address.map(|filter| capture::any_answerer(reading, filter)).into_iter().collect();
    if is_stranded && reading.exchange.protocol == Protocol::Tftp {
        remedies.push(helper::attach(reading));
    }
    remedies.push(capture::next(reading));
    // A server that answered is no longer under suspicion.
    remedies.extend((!pod_answers && !is_stranded).then(|| service::is_it_served(reading, asked)));
    remedies
}

/// For a packet that a datapath dropped, and says so.
pub fn for_dropped(dropped: &DroppedPackets) -> Vec<Remedy> {
    vec![datapath::look_at_drop(dropped)]
}

/// For answers of which fragments are missing.
pub fn for_lost_fragments(reading: &Reading<'_>, server: Endpoint) -> Vec<Remedy> {
    vec![mtu::let_fragments_pass(reading, server.address)]
}

/// For packets of the client of which fragments are missing.
pub fn for_lost_request_fragments(reading: &Reading<'_>) -> Vec<Remedy> {
    vec![mtu::let_request_fragments_pass(reading)]
}

/// For a request that was seen at one point and not at the next.
pub fn for_lost_request(reading: &Reading<'_>, lost: &LostRequest<'_>) -> Vec<Remedy> {
    if is_likely_stale(reading) {
        return vec![see(Cause::StaleTranslation)];
    }
    let mut remedies = vec![delivery::lost_request(reading, lost)];
    if let Some(asked) = lost.seen.asked {
        remedies.push(service::is_it_served(reading, asked));
    }
    remedies
}

/// For follow-ups that were seen at one point and not at the next.
pub fn for_lost_follow_up(reading: &Reading<'_>, lost: &LostFollowUp<'_>) -> Vec<Remedy> {
    let mut remedies = vec![delivery::lost_follow_up(reading, lost)];
    if reading.exchange.protocol == Protocol::Tftp && reading.exchange.device_is_client() {
        remedies.push(helper::attach(reading));
    }
    remedies
}

/// For replies that were seen at the server's side and not nearer to the client.
pub fn for_lost_reply(reading: &Reading<'_>, lost: &LostReply<'_>) -> Vec<Remedy> {
    vec![delivery::lost_reply(reading, lost)]
}

fn is_likely_stale(reading: &Reading<'_>) -> bool {
    let by_packets = || find_stale(reading).map(|stale| stale.confidence);
    let confidence = find_entry_confidence(reading).or_else(by_packets);
    confidence.is_some_and(|confidence| confidence >= Confidence::Likely)
}

/// For a socket that an old translation leads astray.
pub fn for_stale_translation(reading: &Reading<'_>, asked: Endpoint) -> Vec<Remedy> {
    vec![translation::delete_stale(reading, asked)]
}

/// For a request that reached a service's address and no pod.
pub fn for_untranslated_request(reading: &Reading<'_>, asked: Endpoint) -> Vec<Remedy> {
    vec![service::no_translation(reading, asked)]
}

/// For a sender that the pod does not see.
pub fn for_translated_sender(reading: &Reading<'_>, seen: IpAddr) -> Vec<Remedy> {
    let is_helped = reading.exchange.protocol == Protocol::Tftp && reading.sender_change_stopped();
    let helper = is_helped.then(|| helper::attach(reading));
    let is_known = reading.is_translated_in_cluster(seen);
    let whose = (!is_known).then(|| whose::find_owner(seen));
    let mut keep = sender::keep_sender(reading, seen);
    if !is_known {
        keep.steps.insert(0, format!("If {seen} is a node's:"));
    }
    whose.into_iter().chain(helper).chain([keep]).collect()
}

/// For a cluster that asks from its service address.
pub fn for_own_source(reading: &Reading<'_>, source: IpAddr) -> Vec<Remedy> {
    if reading.topology.is_temporary(source) {
        return vec![sender::ask_from_stable(reading, source)];
    }
    vec![sender::ask_from_node(reading, source)]
}

/// For two families that differ: the cause of the failing one carries the advice.
pub fn for_families(leading: Option<Cause>, works: IpAddr, fails: IpAddr) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = leading.map(see).into_iter().collect();
    remedies.push(translation::compare_families(works, fails));
    remedies
}

/// For follow-ups that nobody answered.
pub fn for_unanswered_follow_up(reading: &Reading<'_>, to: Endpoint) -> Vec<Remedy> {
    if reading.lost_follow_up.is_some() {
        return vec![see(Cause::FollowUpNotDelivered)];
    }
    let mut remedies = vec![capture::next(reading)];
    remedies.extend(lost_mapping(reading, Some(to)));
    remedies
}

/// For answers that go where the payload says.
pub fn for_payload_address(reading: &Reading<'_>, sent: &PayloadReplies) -> Vec<Remedy> {
    vec![client::answer_to_own_source(reading, sent)]
}

/// For a translation that was forgotten in a pause.
pub fn for_expired_mapping(reading: &Reading<'_>, pause: Duration) -> Vec<Remedy> {
    vec![translation::outlive_pause(reading, pause)]
}

/// For a transfer that came to a halt.
pub fn for_stalled_transfer(reading: &Reading<'_>, stall: Stall) -> Vec<Remedy> {
    let mut remedies = vec![capture::next(reading)];
    // What the client repeats does not reach the server any more.
    if stall.source == reading.exchange.client {
        remedies.push(translation::look_at_entries(reading, Some(stall.destination)));
    }
    remedies
}

/// For a reply that was not followed up.
pub fn for_missing_follow_up(reading: &Reading<'_>) -> Vec<Remedy> {
    vec![capture::next(reading)]
}

/// A server answered from a port and does not receive there.
fn lost_mapping(reading: &Reading<'_>, to: Option<Endpoint>) -> Vec<Remedy> {
    let mut remedies = vec![translation::look_at_entries(reading, to)];
    if reading.exchange.protocol == Protocol::Tftp && reading.exchange.device_is_client() {
        remedies.insert(0, helper::attach(reading));
    }
    remedies
}

/// What can be changed on the answering side.
fn cluster_side(reading: &Reading<'_>, reply: &Replies) -> Vec<Remedy> {
    let translated = find_translation(reading, reply).is_some();
    let answerer = reading.role_of(reply.source.address);
    // A node that answers for a request that is not in the capture: what else it
    // was asked at, the follow-up to another address tells.
    let is_stand_in = answerer == Role::Node && reading.wrong_address.is_some();
    let may_be_node =
        (answerer == Role::Unknown || is_stand_in) && reading.exchange.device_is_client();
    if reading.exchange.protocol == Protocol::Tcp {
        return vec![
            path::same_way_back(reading, reply.source),
            translation::look_at_entries(reading, reading.view.asked),
        ];
    }
    if matches!(reply.origin, Origin::OtherPort(_)) {
        return vec![
            translation::look_at_entries(reading, reading.view.asked),
            responder::answer_from_asked(reading, reply.source),
        ];
    }
    let tftp = reading.exchange.protocol == Protocol::Tftp;
    if tftp && (translated || may_be_node) {
        let mut remedies = vec![helper::attach(reading)];
        remedies.extend(translation::to_vip(reading));
        remedies.push(translation::single_port_server(reading));
        if !translated && !is_stand_in {
            remedies.push(responder::answer_from_asked(reading, reply.source));
        }
        return remedies;
    }
    if translated {
        let mut remedies = vec![translation::look_at_entries(reading, reading.view.asked)];
        remedies.extend(translation::to_vip(reading));
        return remedies;
    }
    if answerer == Role::Pod && reading.exchange.device_is_client() {
        return vec![
            translation::look_at_entries(reading, reading.view.asked),
            translation::bridge_traffic(reading),
        ];
    }
    vec![responder::answer_from_asked(reading, reply.source)]
}
