//! Address translation on the cluster's side: what to look at, what to replace.

use std::net::IpAddr;
use std::time::Duration;

use super::cluster::{can_kube_vip_do_egress, find_service, kubectl_name};
use super::commands::{bracketed, conntrack_family, iptables, nft_family, transport};
use super::helper::service_endpoint;
use crate::diagnose::reading::Reading;
use crate::diagnose::wording::plain_name;
use crate::model::cluster::ServiceFact;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Remedy;
use crate::model::protocol::Protocol;

/// Gives what the pod sends to the device the VIP's address. `None` where pod
/// and VIP are known to be on different nodes: the device's packets would then
/// reach a node that knows nothing of the flow.
#[must_use]
pub fn to_vip(reading: &Reading<'_>) -> Option<Remedy> {
    let asked = service_endpoint(reading)?;
    let vip = asked.address;
    let pod = pod_address(reading);
    let pod_node = pod.and_then(|pod| node_name(reading, pod)).or_else(|| pod_point_node(reading));
    let vip_node = node_name(reading, vip);
    let place = match (pod_node, vip_node) {
        (Some(pod_node), Some(vip_node)) if pod_node != vip_node => return None,
        (Some(node), Some(_)) => match plain_name(node) {
            Some(node) => format!(
                "Pod and VIP are both on {node}, so this works as long as they stay together: if either moves, the replies leave from a node that the device's packets do not reach."
            ),
            None => only_together(),
        },
        _ => only_together(),
    };
    let source = pod.map_or_else(|| "POD_ADDRESS".to_owned(), |pod| pod.to_string());
    let device = reading.exchange.client.address;
    let nft = nft_family(vip);
    let mut steps = vec![place];
    steps.extend(pod.and_then(|pod| pool_advice(reading, pod)));
    steps.extend(find_service(reading, asked).and_then(egress_advice));
    Some(Remedy {
        title: format!("Give the pod's answers the address {vip}"),
        steps: steps.into_iter().chain([
            "Replace the masquerade of what the pod sends to the device by source NAT to the VIP. The rule has to come before the CNI's own. Use one of the two forms.".to_owned(),
            "Tried in network namespaces with nftables, IPv4 and IPv6. Not tried beside a CNI that rewrites its rules.".to_owned(),
        ]).collect(),
        commands: vec![
            format!(
                "nft 'add table inet replyscope_snat; add chain inet replyscope_snat postrouting {{ type nat hook postrouting priority 90; }}; add rule inet replyscope_snat postrouting {nft} saddr {source} {nft} daddr {device} meta l4proto udp snat {nft} to {vip}'"
            ),
            format!(
                "{} -t nat -I POSTROUTING 1 -s {source} -d {device} -p udp -j SNAT --to-source {vip}",
                iptables(vip)
            ),
            format!("conntrack -D -f {} -p udp --orig-dst {device}", conntrack_family(vip)),
        ],
    })
}

/// Which setting gives the pod's packets the node's address, where it is known.
fn pool_advice(reading: &Reading<'_>, pod: IpAddr) -> Option<String> {
    let pool = reading.topology.pool_of(pod).filter(|pool| pool.nat_outgoing)?;
    let name = plain_name(&pool.name).unwrap_or("the pool");
    Some(format!(
        "What gives the answer the node's address is natOutgoing of the address pool {name} ({}): the pod's packets to addresses outside all pools are masqueraded.",
        pool.network
    ))
}

/// kube-vip's own way to the same end.
fn egress_advice(service: &ServiceFact) -> Option<String> {
    can_kube_vip_do_egress(service).then(|| {
        format!(
            "kube-vip announces this address and can do this itself: `kubectl annotate service {} kube-vip.io/egress=true`. It follows one pod only, so not for a service with pods on several nodes. Not tried here.",
            kubectl_name(Some(service))
        )
    })
}

fn only_together() -> String {
    "Only where the pod and the VIP are on the same node: elsewhere the replies would leave from a node that the device's packets do not reach.".to_owned()
}

/// Takes translation out of the way: one port, or none of the pod network.
#[must_use]
pub fn single_port_server(reading: &Reading<'_>) -> Remedy {
    let asked = service_endpoint(reading);
    let bind = asked.map_or_else(|| "VIP".to_owned(), |asked| bracketed(asked.address));
    let port = asked.map_or(69, |asked| asked.port);
    let listen = asked.map_or_else(|| "VIP".to_owned(), |asked| asked.address.to_string());
    Remedy {
        title: "Serve from one port, or from the node's own network".to_owned(),
        steps: vec![
            format!(
                "A TFTP server that answers from port {port} itself stays within the request's translation: dnsmasq has `tftp-single-port`."
            ),
            format!(
                "Or run the server with hostNetwork: true, bound to {bind}:{port}, and take the port out of the Service, so that kube-proxy does not translate it. The server must bind its transfer sockets to that address, not to the wildcard."
            ),
            "Not tried here.".to_owned(),
        ],
        commands: vec![format!(
            "dnsmasq --enable-tftp --tftp-single-port --listen-address={listen} --bind-dynamic"
        )],
    }
}

/// Shows which translations exist, and deletes stale ones.
#[must_use]
pub fn look_at_entries(reading: &Reading<'_>, to: Option<Endpoint>) -> Remedy {
    let client = reading.exchange.client.address;
    let family = conntrack_family(client);
    let transport = transport(reading.exchange.protocol);
    let mut commands = vec![
        format!("conntrack -L -f {family} -p {transport} --orig-src {client}"),
        format!("conntrack -L -f {family} -p {transport} --orig-dst {client}"),
    ];
    if let Some(to) = to {
        commands.push(format!(
            "conntrack -D -f {family} -p {transport} --orig-src {client} --orig-dst {} --dport {}",
            to.address, to.port
        ));
    }
    let lifetime = if reading.exchange.protocol == Protocol::Tcp {
        "On the node: list the entries within 2 minutes of a failure; a TCP entry in SYN_SENT lives no longer."
    } else {
        "On the node: list the entries within 30 s of a failure; unreplied UDP entries live no longer."
    };
    Remedy {
        title: "Look at the translations of this flow".to_owned(),
        steps: vec![
            lifetime.to_owned(),
            "An entry marked [UNREPLIED] whose reply side names a node, or a pod that is gone, is the one that misleads the packets. Deleting it makes the next packet choose again.".to_owned(),
            "Not tried here.".to_owned(),
        ],
        commands,
    }
}

/// Lets a translation outlive the pauses of its flow.
#[must_use]
pub fn outlive_pause(reading: &Reading<'_>, pause: Duration) -> Remedy {
    let client = reading.exchange.client.address;
    let family = conntrack_family(client);
    let seconds = pause.as_secs();
    // Room above the pause, in whole minutes.
    let wanted_seconds = (seconds / 60 + 2) * 60;
    Remedy {
        title: format!("Let the translation outlive a pause of {seconds} s"),
        steps: vec![
            "On the node that translates: see how long it remembers. The first value counts until an answer was seen, the second for flows with traffic both ways.".to_owned(),
            format!(
                "Raise the value that is shorter than the pause, to {wanted_seconds} s for example; for good in /etc/sysctl.d. The table needs room for entries that live longer (net.netfilter.nf_conntrack_max)."
            ),
            "Or let the client send something more often than that, or the server answer sooner. Not tried here.".to_owned(),
        ],
        commands: vec![
            "sysctl net.netfilter.nf_conntrack_udp_timeout net.netfilter.nf_conntrack_udp_timeout_stream".to_owned(),
            format!("sysctl -w net.netfilter.nf_conntrack_udp_timeout_stream={wanted_seconds}"),
            format!("conntrack -L -f {family} -p udp --orig-src {client}"),
        ],
    }
}

/// Ends a translation that outlived its pod.
#[must_use]
pub fn delete_stale(reading: &Reading<'_>, asked: Endpoint) -> Remedy {
    let client = reading.exchange.client;
    let family = conntrack_family(client.address);
    let node = reading.node_of(asked.address).map_or_else(
        || format!("On the node that holds {}", asked.address),
        |node| format!("On {node}, which holds {}", asked.address),
    );
    Remedy {
        title: format!("Delete the old translation of {client}"),
        steps: vec![
            format!("{node}: list the entry, and see where its reply side points: to a pod that is gone, or to the node itself."),
            "Delete it; the next packet chooses a pod that is ready. The third command does so for all senders.".to_owned(),
            "It comes back with the next restart of a pod while kube-proxy is older than the release that cleans up UDP entries by itself (reconciler, 1.32): update it. Not tried here.".to_owned(),
        ],
        commands: vec![
            format!(
                "conntrack -L -f {family} -p udp --orig-src {} --sport {} --orig-dst {} --dport {}",
                client.address, client.port, asked.address, asked.port
            ),
            format!(
                "conntrack -D -f {family} -p udp --orig-src {} --sport {} --orig-dst {} --dport {}",
                client.address, client.port, asked.address, asked.port
            ),
            format!(
                "conntrack -D -f {family} -p udp --orig-dst {} --dport {}",
                asked.address, asked.port
            ),
        ],
    }
}

/// Shows the rules of both families for the addresses that were asked.
#[must_use]
pub fn compare_families(works: IpAddr, fails: IpAddr) -> Remedy {
    let rules =
        |address: IpAddr| format!("{}-save -c -t nat | grep -F -- '{address}'", iptables(address));
    Remedy {
        title: "Compare the rules of both families".to_owned(),
        steps: vec![
            format!("Each family has its own rules. See what exists for {works} and is missing for {fails}: a service that is not dual stack, translation or masquerade that is set for one family, a helper that is attached to one."),
            "Not tried here.".to_owned(),
        ],
        commands: vec![
            rules(works),
            rules(fails),
            format!("nft list ruleset | grep -F -e '{works}' -e '{fails}'"),
            "kubectl get services -A -o custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,FAMILIES:.spec.ipFamilies,ADDRESSES:.status.loadBalancer.ingress[*].ip".to_owned(),
        ],
    }
}

/// Answers that leave with a pod's address: bridged traffic that no rule saw.
#[must_use]
pub fn bridge_traffic(reading: &Reading<'_>) -> Remedy {
    let key = if reading.exchange.client.address.is_ipv4() {
        "net.bridge.bridge-nf-call-iptables"
    } else {
        "net.bridge.bridge-nf-call-ip6tables"
    };
    Remedy {
        title: "Let bridged traffic pass the translation".to_owned(),
        steps: vec![
            "Where client and pod are on one bridge of one node, answers can by-pass the rules that would translate them back.".to_owned(),
            "Not tried here.".to_owned(),
        ],
        commands: vec!["modprobe br_netfilter".to_owned(), format!("sysctl -w {key}=1")],
    }
}

/// The pod that answered, if its cable was captured or connection tracking names it.
fn pod_address(reading: &Reading<'_>) -> Option<IpAddr> {
    let reply = reading.changed?;
    let captured = reading.pod_behind(reply).map(|(_, own)| own.source);
    let own = captured.or_else(|| reading.tracked_sender(reply).map(|(own, _)| own))?;
    Some(own.address)
}

fn node_name<'a>(reading: &'a Reading<'_>, address: IpAddr) -> Option<&'a str> {
    reading.topology.find(address)?.node.as_deref()
}

fn pod_point_node<'a>(reading: &'a Reading<'_>) -> Option<&'a str> {
    let view = reading.exchange.pod_view()?;
    reading.points.iter().find(|point| point.id == view.point)?.node.as_deref()
}
