//! Routes and neighbours.

use std::net::IpAddr;

use super::commands::{ip, iptables};
use crate::diagnose::reading::Reading;
use crate::model::exchange::IcmpErrors;
use crate::model::finding::Remedy;
use crate::model::report::Quotes;

/// Where the host that reported it sends packets for the destination.
#[must_use]
pub fn neighbour_and_route(reading: &Reading<'_>, errors: &IcmpErrors) -> Remedy {
    let fallback = match errors.quotes {
        Quotes::Reply => reading.exchange.client.address,
        Quotes::Request | Quotes::FollowUp => {
            reading.view.asked.map_or(reading.exchange.client.address, |asked| asked.address)
        }
    };
    let to = errors.quoted_destination.map_or(fallback, |quoted| quoted.address);
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
