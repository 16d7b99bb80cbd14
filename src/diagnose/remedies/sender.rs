//! Which address the other side sees as the sender.

use std::net::IpAddr;

use super::cluster::{find_policy, find_service, kubectl_name, name_of, policy_of};
use super::commands::{ip, iptables};
use crate::diagnose::reading::{Habit, Reading};
use crate::model::cluster::TrafficPolicy;
use crate::model::finding::Remedy;

/// Keeps the sender's address on the way in, where that does no harm.
#[must_use]
pub fn keep_sender(reading: &Reading<'_>, seen: IpAddr) -> Remedy {
    let asked = reading.view.asked;
    let service = asked.and_then(|asked| find_service(reading, asked));
    let mut commands: Vec<String> = asked
        .map(|asked| format!("kubectl get services -A -o wide | grep -F -- '{}'", asked.address))
        .into_iter()
        .collect();
    // With Local set already, something else than kube-proxy hides the sender.
    if reading.habit == Habit::OneWay && find_policy(service) != Some(TrafficPolicy::Local) {
        commands.push(format!(
            "kubectl patch service {} -p '{{\"spec\":{{\"externalTrafficPolicy\":\"Local\"}}}}'",
            kubectl_name(service)
        ));
        let name = service.map_or_else(|| "the Service".to_owned(), name_of);
        return Remedy {
            title: "Let the receiver see the sender's own address".to_owned(),
            steps: vec![
                format!("Set externalTrafficPolicy: Local on {name}. No answer has to find its way back, so nothing else changes."),
                "A receiver has to run on the node that holds the service address: with Local, a node without one drops what comes.".to_owned(),
                "Not tried here.".to_owned(),
            ],
            commands,
        };
    }
    commands.push(format!("{}-save -c -t nat | grep -nE 'MASQ|SNAT'", iptables(seen)));
    if reading.habit == Habit::OneWay {
        return Remedy {
            title: format!("See what gives what is sent the address {seen}"),
            steps: vec![
                format!(
                    "It is not {}: that keeps the sender's address. Look for a masquerade rule of the pod network, a load balancer before the cluster, or a proxy.",
                    policy_of(service)
                ),
                "Not tried here.".to_owned(),
            ],
            commands,
        };
    }
    Remedy {
        title: format!("See what gives requests the address {seen}"),
        steps: vec![
            "It is harmless where the server answers from the port that was asked and does not tell its clients apart by address.".to_owned(),
            "externalTrafficPolicy: Local keeps the sender's address. Do not set it for a protocol that answers from a new port, such as TFTP, without its connection tracking helper: the answer would then leave with the node's address.".to_owned(),
            "Not tried here.".to_owned(),
        ],
        commands,
    }
}

/// Lets the cluster ask from an address that stays.
#[must_use]
pub fn ask_from_stable(reading: &Reading<'_>, source: IpAddr) -> Remedy {
    let device = reading.exchange.device;
    let ip = ip(device);
    Remedy {
        title: format!("Ask from an address that stays, not from {source}"),
        steps: vec![
            "On the node that asks: 0 switches temporary addresses off, 1 keeps them and prefers the stable one. Servers have no use for them (RFC 8981).".to_owned(),
            "Use the interface's name in place of IFACE, set it for `default` too, and write it to /etc/sysctl.d. NetworkManager: `ipv6.ip6-privacy 0`.".to_owned(),
            "Not tried here.".to_owned(),
        ],
        commands: vec![
            format!("{ip} -br addr show to {source}"),
            "sysctl -w net.ipv6.conf.IFACE.use_tempaddr=0".to_owned(),
            format!("{ip} route get {device}"),
        ],
    }
}

/// Lets the cluster ask from a node's own address.
#[must_use]
pub fn ask_from_node(reading: &Reading<'_>, source: IpAddr) -> Remedy {
    let device = reading.exchange.device;
    let ip = ip(device);
    let mut steps = vec![format!(
        "On the node that asks: see which source the kernel chooses for {device}, and which rule gives the pod's packets the address {source}."
    )];
    if source.is_ipv6() {
        steps.push(format!("An IPv6 service address is not chosen as source while it is deprecated (RFC 6724, rule 3): `{ip} addr change {source}/128 dev IFACE preferred_lft 0`."));
    } else {
        steps.push("keepalived and kube-vip add the service address with a /32: the kernel chooses it only where no other address fits, or a route names it with `src`.".to_owned());
    }
    steps.push("Calico: a NATOutgoingAddress that is set to the VIP does this, and breaks pods on other nodes.".to_owned());
    steps.push("Or allow this address on the device, if it is meant as the egress address. Not tried here.".to_owned());
    Remedy {
        title: format!("Ask from a node's own address, not from {source}"),
        steps,
        commands: vec![
            format!("{ip} route get {device}"),
            format!("{ip} addr show to {source}"),
            format!("{}-save -c -t nat | grep -F -- '{source}'", iptables(source)),
        ],
    }
}
