//! The kernel's TFTP helper, attached to the VIP. Tried in network namespaces
//! for IPv4 and IPv6, with devices that keep to the VIP and devices that do not.

use super::cluster::{find_policy, find_service, policy_of};
use super::commands::{conntrack_family, iptables, nft_family};
use crate::diagnose::reading::Reading;
use crate::model::cluster::{ServiceFact, TrafficPolicy};
use crate::model::endpoint::Endpoint;
use crate::model::finding::Remedy;

/// Makes the answer from a new port part of the request's translation.
#[must_use]
pub fn attach(reading: &Reading<'_>) -> Remedy {
    let Some(vip) = service_endpoint(reading) else {
        return Remedy {
            title: "Attach the kernel's TFTP helper to the service address".to_owned(),
            steps: vec![
                "The request is not in the capture, so the service address is not known. Capture from the first request on.".to_owned(),
            ],
            commands: Vec::new(),
        };
    };
    let place = match reading.node_of(vip.address) {
        Some(node) => format!(
            "On {node}, which holds {}, and on each node that can take it over",
            vip.address
        ),
        None => format!(
            "On the node that holds {}, and on each node that can take it over",
            vip.address
        ),
    };
    let load = match modules(reading, vip) {
        Modules::Loaded => "the helper and its NAT part are loaded; assign it",
        Modules::Missing => "load the helper and its NAT part, which are not loaded, and assign it",
        Modules::BuiltIn => {
            "the helper is built into the kernel, and so, as a rule, is its NAT part; assign it"
        }
        Modules::Unknown => "load the helper and its NAT part, and assign it",
    };
    let mut steps = vec![
        format!(
            "{place}: {load} to TFTP requests for the VIP. Kernels since 6.0 assign no helper by themselves. Use the nftables form or the iptables form, not both."
        ),
        "The pod's answer then belongs to the request's translation: it leaves with the VIP's address, and the device needs no change.".to_owned(),
        "Delete the old conntrack entries: an entry that began without the helper stays without it.".to_owned(),
        "Tried in network namespaces with nftables, IPv4 and IPv6. Not tried beside kube-proxy's own rules or IPVS.".to_owned(),
        "This does not work under Cilium's kube-proxy replacement: its eBPF translation does not use the kernel's helpers.".to_owned(),
    ];
    steps.extend(assignment_advice(reading, vip));
    steps.extend(other_node_advice(reading, vip));
    steps.extend(policy_advice(reading, find_service(reading, vip)));
    Remedy {
        title: format!("Attach the kernel's TFTP helper to {}", vip.address),
        steps,
        commands: commands(reading, vip),
    }
}

/// Makes the answer to a pod's request part of that request's translation, on the
/// node that gave the pod its own address.
#[must_use]
pub fn attach_for_pods(reading: &Reading<'_>) -> Remedy {
    let node = reading.exchange.client.address;
    let place = match reading.node_of(node) {
        Some(name) => format!("On {name} ({node})"),
        None => format!("On the node {node}"),
    };
    let port = reading.view.asked.map_or(69, |asked| asked.port);
    let (l3proto, family) = if node.is_ipv4() { ("ip", "ipv4") } else { ("ip6", "ipv6") };
    Remedy {
        title: "Attach the kernel's TFTP helper to what pods ask".to_owned(),
        steps: vec![
            format!("{place}, and on each node that runs such pods: load the helper and its NAT part, and assign it to TFTP requests that come from pods. Kernels since 6.0 assign no helper by themselves. Use the nftables form or the iptables form, not both."),
            "The server's answer then belongs to the request's translation and reaches the pod. What was already asked goes on without the helper: ask again from a new port. Tried in network namespaces with nftables.".to_owned(),
            "Or let the pod use the node's own network (hostNetwork), so that nothing is translated.".to_owned(),
        ],
        commands: vec![
            "modprobe -a nf_conntrack_tftp nf_nat_tftp".to_owned(),
            format!("nft -f - <<'EOF'\ntable inet replyscope_tftp_out {{\n  ct helper tftp {{\n    type \"tftp\" protocol udp; l3proto {l3proto}\n  }}\n  chain raw {{\n    type filter hook prerouting priority -150\n    meta nfproto {family} udp dport {port} ct helper set \"tftp\"\n  }}\n}}\nEOF"),
            format!("{} -t raw -A PREROUTING -p udp --dport {port} -j CT --helper tftp", iptables(node)),
        ],
    }
}

fn commands(reading: &Reading<'_>, vip: Endpoint) -> Vec<String> {
    let Endpoint { address, port } = vip;
    let family = conntrack_family(address);
    let device = reading.exchange.client.address;
    let load = match modules(reading, vip) {
        Modules::Loaded => None,
        // Fails where the NAT part is built in and not listed as such, which does no harm.
        Modules::BuiltIn => Some("modprobe nf_nat_tftp || true".to_owned()),
        Modules::Missing | Modules::Unknown => {
            Some("modprobe -a nf_conntrack_tftp nf_nat_tftp".to_owned())
        }
    };
    let mut commands: Vec<String> = load.into_iter().collect();
    commands.extend([
        nft_table(vip),
        format!(
            "{} -t raw -A PREROUTING -d {address} -p udp --dport {port} -j CT --helper tftp",
            iptables(address)
        ),
        format!("conntrack -D -f {family} -p udp --orig-dst {address}"),
        format!("conntrack -D -f {family} -p udp --orig-dst {device}"),
    ]);
    commands
}

/// Whether the node that holds the VIP has the helper in its kernel.
enum Modules {
    Loaded,
    Missing,
    /// The helper is part of the kernel itself; its NAT part may be.
    BuiltIn,
    Unknown,
}

fn modules(reading: &Reading<'_>, vip: Endpoint) -> Modules {
    let settings = reading.topology.settings_at(vip.address);
    let Some(settings) = settings else { return Modules::Unknown };
    let Some(loaded) = &settings.helper_modules else { return Modules::Unknown };
    let has = |module: &str| loaded.iter().any(|known| known == module);
    let is_unknown = settings.unknown_modules.iter().any(|known| known == "nf_nat_tftp");
    match (has("nf_conntrack_tftp"), has("nf_nat_tftp")) {
        (true, true) => Modules::Loaded,
        (true, false) if is_unknown => Modules::BuiltIn,
        _ => Modules::Missing,
    }
}

/// What `net.netfilter.nf_conntrack_helper` says: with 1, old kernels attach
/// helpers to their registered ports without a rule.
fn assignment_advice(reading: &Reading<'_>, vip: Endpoint) -> Option<String> {
    let assigns = reading.topology.settings_at(vip.address)?.assigns_helpers?;
    if !assigns {
        return Some("This node assigns no helper by port, so the rule is needed.".to_owned());
    }
    if vip.port != 69 {
        return Some(format!(
            "This node assigns helpers by port (net.netfilter.nf_conntrack_helper = 1), but port {} is not TFTP's, so the rule is needed.",
            vip.port
        ));
    }
    Some(match modules(reading, vip) {
        Modules::Loaded => "This node assigns helpers by port (net.netfilter.nf_conntrack_helper = 1) and has both modules, so port 69 should be helped without a rule: look at `conntrack -L -p udp` for entries with helper=tftp before you add one.".to_owned(),
        Modules::Missing | Modules::BuiltIn | Modules::Unknown => "This node assigns helpers by port (net.netfilter.nf_conntrack_helper = 1): for port 69, loading both modules is enough there, until a kernel from 6.0 on.".to_owned(),
    })
}

/// The whole table, with the other family's rule as a comment to fill in.
fn nft_table(vip: Endpoint) -> String {
    let rule = |family: &str, address: &str, helper: &str| {
        format!("{family} daddr {address} udp dport {} ct helper set \"{helper}\"", vip.port)
    };
    let own = vip.address.to_string();
    let (first, second) = if vip.address.is_ipv4() {
        (
            rule(nft_family(vip.address), &own, "tftp4"),
            format!("# {}", rule("ip6", "VIP6", "tftp6")),
        )
    } else {
        (format!("# {}", rule("ip", "VIP4", "tftp4")), rule(nft_family(vip.address), &own, "tftp6"))
    };
    format!(
        "nft -f - <<'EOF'
table inet replyscope_tftp {{
  ct helper tftp4 {{
    type \"tftp\" protocol udp; l3proto ip
  }}
  ct helper tftp6 {{
    type \"tftp\" protocol udp; l3proto ip6
  }}
  chain prerouting {{
    type filter hook prerouting priority -150
    {first}
    {second}
  }}
}}
EOF"
    )
}

/// The helper works where request and answer pass the same connection tracking.
fn other_node_advice(reading: &Reading<'_>, vip: Endpoint) -> Option<String> {
    let holder = reading.node_of(vip.address)?;
    let through = reading.node_of(reading.changed?.source.address)?;
    (holder != through).then(|| {
        format!(
            "The answer left through {through}, not through {holder}, which translated the request. The answer has to leave through {holder} for the helper to see it: run the pod there, or move the VIP to {through}."
        )
    })
}

/// `externalTrafficPolicy` turns one of the two TFTP faults into the other, so
/// what is said of it depends on the client that the pod saw; where no capture shows
/// that, on the policy that the cluster states.
fn policy_advice(reading: &Reading<'_>, service: Option<&ServiceFact>) -> Option<String> {
    const WITH_CLUSTER: &str = "with Cluster the pod would see a node as its client, and its answer from a new port would reach nobody.";
    const WITH_LOCAL: &str = "Do not set externalTrafficPolicy: Local instead of the helper: the answer would then leave with the node's address, which is the other form of this fault.";
    let policy = find_policy(service);
    let Some(seen) = reading.client_at_pod() else {
        let words = policy_of(service);
        return policy.map(|policy| match policy {
            TrafficPolicy::Local => format!(
                "With {words}, kube-proxy lets the pod see the device's own address. Leave it so: {WITH_CLUSTER}"
            ),
            TrafficPolicy::Cluster => format!(
                "With {words}, kube-proxy shows the pod a node as its client. {WITH_LOCAL}"
            ),
        });
    };
    Some(if seen != reading.exchange.client.address {
        format!("The pod saw {} as its client, not the device. {WITH_LOCAL}", reading.name(seen))
    } else if policy == Some(TrafficPolicy::Cluster) {
        format!(
            "The pod saw the device's own address {seen}, although kube-proxy hides it under {}. Leave externalTrafficPolicy as it is.",
            policy_of(service)
        )
    } else {
        format!(
            "The pod saw the device's own address {seen}. Leave {} as it is: {WITH_CLUSTER}",
            policy_of(service)
        )
    })
}

/// The endpoint that the service is asked at.
pub(super) fn service_endpoint(reading: &Reading<'_>) -> Option<Endpoint> {
    // Without the request the follow-up's address is the one asked; TFTP's port is 69.
    reading.view.asked.or_else(|| {
        reading.wrong_address.map(|wrong| Endpoint::new(wrong.follow_ups.destination.address, 69))
    })
}
