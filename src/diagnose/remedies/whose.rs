//! Whose an address is of which nothing is known.

use std::net::IpAddr;

use super::commands::ip;
use crate::model::finding::Remedy;

/// Finds out whether a node has an address, or something before the cluster.
#[must_use]
pub fn find_owner(address: IpAddr) -> Remedy {
    Remedy {
        title: format!("Find out whose address {address} is"),
        steps: vec![
            "Look among the addresses of the nodes, on each of them.".to_owned(),
            "If none has it, a gateway before the cluster translates, such as a site's router or a load balancer: its rules give the request this source, and no setting of the cluster changes that.".to_owned(),
            "Add the output to the next analysis. Not tried here.".to_owned(),
        ],
        commands: vec![
            format!("kubectl get nodes -o wide | grep -F -- '{address}'"),
            format!("{} -br addr show to {address}", ip(address)),
        ],
    }
}
