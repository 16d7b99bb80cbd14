//! Hosts that do not lead an answer back through their translation.

use std::net::IpAddr;

use super::commands::conntrack_family;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Remedy;

/// Finds out why the answer to a translated request stays at the host that translated it.
#[must_use]
pub fn lead_back(host: IpAddr, client: Endpoint) -> Remedy {
    let family = conntrack_family(host);
    Remedy {
        title: format!("See why {host} does not lead the answer back to {}", client.address),
        steps: vec![
            format!("On {host}, while it is tried again: an entry of connection tracking has to lead from {client} to its own address and back. If there is none, what translated the request keeps no state there: a rule without tracking, a flow table, a user-space or eBPF datapath."),
            "If there is one, see whether the answer is looked up in the same zone, and whether a rule keeps it from tracking (`notrack`, `CT --notrack`). Not tried here.".to_owned(),
        ],
        commands: vec![
            format!("conntrack -L -f {family} -p udp --orig-src {}", client.address),
            "nft list ruleset | grep -n -e notrack -e 'ct zone' -e flowtable".to_owned(),
            "conntrack -E -p udp".to_owned(),
        ],
    }
}
