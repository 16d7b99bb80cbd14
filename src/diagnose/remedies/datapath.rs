//! What to look at where a datapath or a firewall says that it dropped a packet.

use crate::model::exchange::DroppedPackets;
use crate::model::finding::Remedy;
use crate::model::packet::Dropper;

/// Names what decides about a drop for this reason.
#[must_use]
pub fn look_at_drop(dropped: &DroppedPackets) -> Remedy {
    match dropped.by {
        Dropper::Cilium => look_at_cilium(dropped),
        Dropper::PacketFilter => look_at_rules(dropped),
    }
}

/// The number in `pf`'s log is that of the rule as it was loaded then.
fn look_at_rules(dropped: &DroppedPackets) -> Remedy {
    let DroppedPackets { source, destination, .. } = dropped;
    Remedy {
        title: format!("Let UDP from {} to {destination} pass the firewall", source.address),
        steps: vec![
            "Look up the rule by its number on the firewall. Numbers change whenever rules are loaded. pfSense and OPNsense show its description beside the entry of their firewall log.".to_owned(),
            "An answer needs no rule of its own where it belongs to the state of an allowed request; one from another address or a new port, as TFTP's, does.".to_owned(),
            "Not tried here.".to_owned(),
        ],
        commands: vec![
            "pfctl -a '*' -vvsr | grep '@'".to_owned(),
            format!("tcpdump -n -e -i pflog0 host {}", destination.address),
        ],
    }
}

fn look_at_cilium(dropped: &DroppedPackets) -> Remedy {
    let DroppedPackets { source, destination, reason, .. } = dropped;
    let not_tried = "Not tried here.".to_owned();
    if reason.to_lowercase().contains("policy denied") {
        return Remedy {
            title: format!(
                "Allow UDP from {} to {destination} in a network policy",
                source.address
            ),
            steps: vec![
                "A pod that any policy selects takes, or sends, only what its policies allow. An answer needs no rule of its own where it belongs to an allowed request; one from a new port, as TFTP's, does.".to_owned(),
                not_tried,
            ],
            commands: vec![
                "kubectl get networkpolicies,ciliumnetworkpolicies,ciliumclusterwidenetworkpolicies -A".to_owned(),
                "hubble observe --verdict DROPPED --protocol udp -f".to_owned(),
            ],
        };
    }
    if reason.contains("NAT masquerade") {
        return Remedy {
            title: "Find out where the translation of this flow was made".to_owned(),
            steps: vec![
                "The node that drops the packet has no translation for it: the request came in through another node, the entry has expired, or the answer comes from a port that the request did not name, as TFTP's does. Cilium's translation does not read TFTP, so no helper fits there.".to_owned(),
                "Let requests and answers pass the same node, or run the server with hostNetwork: true or from one port.".to_owned(),
                not_tried,
            ],
            commands: vec![
                format!("kubectl -n kube-system exec ds/cilium -- cilium-dbg bpf nat list | grep -F '{}'", destination.address),
                format!("kubectl -n kube-system exec ds/cilium -- cilium-dbg bpf ct list global | grep -F '{}'", destination.address),
            ],
        };
    }
    Remedy {
        title: "Look up why the datapath drops it".to_owned(),
        steps: vec![
            "Repeat the request while the drops are shown on the node of the pod, with the file and line that drop.".to_owned(),
            not_tried,
        ],
        commands: vec![
            "kubectl -n kube-system exec ds/cilium -- cilium-dbg monitor --type drop".to_owned(),
        ],
    }
}
