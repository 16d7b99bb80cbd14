//! Firewalls that refuse.

use super::commands::{iptables, transport};
use crate::diagnose::reading::Reading;
use crate::model::exchange::IcmpErrors;
use crate::model::finding::Remedy;
use crate::model::report::Quotes;

/// Names the host whose rule refused, and how to find the rule.
#[must_use]
pub fn refusing_host(reading: &Reading<'_>, errors: &IcmpErrors) -> Remedy {
    let from = errors.from;
    let host = match reading.node_of(from) {
        Some(node) => format!("{node} ({from})"),
        None => from.to_string(),
    };
    let mut commands = vec![
        "nft list ruleset | grep -n reject".to_owned(),
        format!("{}-save -c | grep -n REJECT", iptables(from)),
    ];
    if let Some(to) = errors.quoted_destination {
        commands.push("kubectl get networkpolicies -A".to_owned());
        commands.push(format!("nft list ruleset | grep -n 'dport {}'", to.port));
    }
    let carrier = transport(reading.exchange.protocol).to_uppercase();
    let what = errors.quoted_destination.map_or_else(
        || "this exchange".to_owned(),
        |to| match errors.quotes {
            Quotes::Reply => format!("{carrier} to {to}"),
            Quotes::Request | Quotes::FollowUp => {
                format!("{carrier} from {} to {to}", reading.exchange.client)
            }
        },
    );
    Remedy {
        title: format!("Allow the packet on {host}, which refused it"),
        steps: vec![
            format!("The ICMP error came from {host}: look there for the rule that refuses {what}."),
            "Counters beside the rules show which one matched; repeat the request and see which grows. Not tried here.".to_owned(),
        ],
        commands,
    }
}
