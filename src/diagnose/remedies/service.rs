//! Whether anything serves the port that was asked.

use super::cluster::{find_policy, find_service, list_endpoints, name_of, policy_of};
use super::commands::{conntrack_family, iptables, transport};
use crate::diagnose::reading::Reading;
use crate::model::cluster::TrafficPolicy;
use crate::model::endpoint::{Endpoint, Transport};
use crate::model::finding::Remedy;

/// ICMP says that nothing listens.
#[must_use]
pub fn nothing_listens(reading: &Reading<'_>, asked: Endpoint) -> Remedy {
    Remedy {
        title: format!("Find out why nothing serves {asked}"),
        steps: vec![
            match find_service(reading, asked) {
                Some(service) => format!("See whether {} has endpoints that are ready, for this family.", name_of(service)),
                None => "If the port belongs to a Service: see whether the Service names this address, and whether it has endpoints that are ready.".to_owned(),
            },
            format!("{}: see whether a process listens, and whether a rule sends the port to a pod.", place(reading, asked)),
            "A conntrack entry that began before the rule existed keeps by-passing it: delete it. Not tried here.".to_owned(),
        ],
        commands: commands(reading, asked),
    }
}

/// The service's address answers for itself: no rule sends its port on.
#[must_use]
pub fn no_translation(reading: &Reading<'_>, asked: Endpoint) -> Remedy {
    let mut commands = commands(reading, asked);
    commands.push(format!(
        "conntrack -D -f {} -p {} --orig-dst {} --dport {}",
        conntrack_family(asked.address),
        transport(reading.exchange.protocol),
        asked.address,
        asked.port
    ));
    Remedy {
        title: format!("Let {asked} lead to a pod"),
        steps: vec![
            endpoint_advice(reading, asked),
            format!("{}: see whether the translation of that port is there, for this family too.", place(reading, asked)),
            "If it is, an entry of connection tracking from the time before keeps by-passing it: delete it with the last command, and the sender's next packet is translated. Not tried here.".to_owned(),
        ],
        commands,
    }
}

/// Nothing says anything: the server may not be there.
#[must_use]
pub fn is_it_served(reading: &Reading<'_>, asked: Endpoint) -> Remedy {
    Remedy {
        title: format!("See whether anything serves {asked}"),
        steps: vec![
            format!(
                "{}: see whether a process listens, or a rule sends the port to a pod, and whether a firewall or network policy drops it.",
                place(reading, asked)
            ),
            "Not tried here.".to_owned(),
        ],
        commands: commands(reading, asked),
    }
}

/// With `Local` an endpoint elsewhere does not help; where the policy is known to be
/// `Cluster`, that is not the reason.
fn endpoint_advice(reading: &Reading<'_>, asked: Endpoint) -> String {
    let service = find_service(reading, asked);
    let seen = match service {
        Some(service) => format!(
            "See whether {} has an endpoint that is ready, for the family of {}.",
            name_of(service),
            asked.address
        ),
        None => format!(
            "See whether a Service names {} with {} port {}, for this family, and whether it has an endpoint that is ready.",
            asked.address,
            transport(reading.exchange.protocol).to_uppercase(),
            asked.port
        ),
    };
    match find_policy(service) {
        Some(TrafficPolicy::Cluster) => seen,
        Some(TrafficPolicy::Local) | None => format!(
            "{seen} With {} the pod has to be on the node that holds the address.",
            if service.is_some() {
                policy_of(service)
            } else {
                "externalTrafficPolicy: Local".to_owned()
            }
        ),
    }
}

/// Whether connection tracking shows that the request leaves with another source, to where
/// it was sent: that is done with what goes out of a cluster.
fn leaves_masqueraded(reading: &Reading<'_>) -> bool {
    reading.request_entry().is_some_and(|entry| {
        entry.flow.is_source_translated() && !entry.flow.is_destination_translated()
    })
}

fn place(reading: &Reading<'_>, asked: Endpoint) -> String {
    match reading.node_of(asked.address) {
        Some(node) => format!("On {node}, which holds {}", asked.address),
        None => format!("On the host that holds {}", asked.address),
    }
}

fn commands(reading: &Reading<'_>, asked: Endpoint) -> Vec<String> {
    let Endpoint { address, port } = asked;
    let sockets = match reading.exchange.protocol.transport() {
        Transport::Tcp => "-tlpn",
        Transport::Udp => "-ulpn",
    };
    let listens = format!("ss {sockets} 'sport = :{port}'");
    // A polled agent is no service of the cluster, nor is what the node asks for a pod.
    if address == reading.exchange.device || leaves_masqueraded(reading) {
        return vec![listens];
    }
    vec![
        format!("kubectl get services -A -o wide | grep -F -- '{address}'"),
        list_endpoints(find_service(reading, asked)),
        listens,
        format!("nft list ruleset | grep -F -- '{address}'"),
        format!("{}-save -c -t nat | grep -F -- '{address}'", iptables(address)),
    ]
}
