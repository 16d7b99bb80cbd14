//! Routes and neighbours.

use std::net::IpAddr;

use super::commands::{ip, iptables};
use crate::diagnose::reading::Reading;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::IcmpErrors;
use crate::model::finding::Remedy;
use crate::model::report::Quotes;

/// Where the host that reported it sends packets for the destination.
#[must_use]
pub fn neighbour_and_route(reading: &Reading<'_>, errors: &IcmpErrors) -> Remedy {
    let to = quoted_address(reading, errors);
    let ip = ip(to);
    let host = match reading.node_of(errors.from) {
        Some(node) => format!("{node} ({})", errors.from),
        None => errors.from.to_string(),
    };
    Remedy {
        title: format!("Restore the path from {} to {to}", errors.from),
        steps: vec![
            format!(
                "On {host}, which reported it: see which route leads to {to}, and whether the next hop is resolved. FAILED or INCOMPLETE means that the neighbour does not answer."
            ),
            format!(
                "If the next hop is {to} itself, see whether it is switched on and in that network. Not tried here."
            ),
        ],
        commands: vec![
            format!("{ip} route get {to}"),
            format!("{ip} neigh show to {to}"),
            format!("{ip} neigh show nud failed"),
        ],
    }
}

/// For a packet that goes round in a loop, or was given too few hops.
#[must_use]
pub fn out_of_hops(reading: &Reading<'_>, errors: &IcmpErrors) -> Remedy {
    let to = quoted_address(reading, errors);
    let family = if to.is_ipv4() { "-4" } else { "-6" };
    Remedy {
        title: format!("Find out why packets to {to} run out of hops at {}", errors.from),
        steps: vec![
            format!(
                "Trace the way to {to} from the sender. Two routers that take turns in the list send the packet to each other: one of them lacks the route to {to}, or has a default route back."
            ),
            format!(
                "If the list is short and ends at {}, the sender gives its packets too small a TTL or hop limit. Not tried here.",
                errors.from
            ),
        ],
        commands: vec![
            format!("traceroute {family} -n {to}"),
            format!("{} route get {to}", ip(to)),
        ],
    }
}

/// Where the packet was to go that an error quotes.
fn quoted_address(reading: &Reading<'_>, errors: &IcmpErrors) -> IpAddr {
    let client = reading.exchange.client.address;
    let fallback = match errors.quotes {
        Quotes::Reply => client,
        Quotes::Request | Quotes::FollowUp => {
            reading.view.asked.map_or(client, |asked| asked.address)
        }
    };
    errors.quoted_destination.map_or(fallback, |quoted| quoted.address)
}

/// For a TCP answer that nobody gave its translation back: it went past the
/// host that translated the SYN.
#[must_use]
pub fn same_way_back(reading: &Reading<'_>, answerer: Endpoint) -> Remedy {
    let client = reading.exchange.client.address;
    let ip = ip(client);
    let asked = reading
        .view
        .asked
        .map_or_else(|| "the address asked".to_owned(), |asked| asked.address.to_string());
    let host = match reading.node_of(answerer.address) {
        Some(node) => format!("{node} ({})", answerer.address),
        None => answerer.address.to_string(),
    };
    Remedy {
        title: format!("Let the answer pass the host that translated the SYN to {asked}"),
        steps: vec![
            format!(
                "The SYN was sent to {asked} and translated on its way; its answer left {host} untranslated, so it took another way. On {host}: see by which route and interface it leaves for {client}."
            ),
            "The answer has to come back through the host that holds the translation: policy routing by source on the answering host, source translation on the translating one, or a mode of the load balancer in which the server itself owns the service address (direct server return).".to_owned(),
            "Linux does not answer a SYN from another of its own addresses, so a multi-homed server alone is no explanation. Not tried here.".to_owned(),
        ],
        commands: vec![
            format!("{ip} route get {client} from {}", answerer.address),
            format!("{ip} rule show"),
            format!("ss -tln 'sport = :{}'", answerer.port),
        ],
    }
}

/// For an address that reports itself as out of reach: its host is there, so it
/// is a rule of that host, or what the host sends the packet on to.
#[must_use]
pub fn behind_the_address(address: IpAddr) -> Remedy {
    let ip = ip(address);
    Remedy {
        title: format!("See what refuses the packet at {address} or behind it"),
        steps: vec![
            format!(
                "On the host that holds {address}: look for a rule that rejects with this error. Counters beside the rules show which one matched."
            ),
            "If the port is translated to a pod: see whether that pod is there, and whether the host reaches it. FAILED means that a neighbour does not answer. Not tried here.".to_owned(),
        ],
        commands: vec![
            "nft list ruleset | grep -n reject".to_owned(),
            format!("{}-save -c | grep -n REJECT", iptables(address)),
            "kubectl get endpointslices -A".to_owned(),
            format!("{ip} neigh show nud failed"),
        ],
    }
}
