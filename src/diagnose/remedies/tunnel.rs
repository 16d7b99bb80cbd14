//! Tunnels that their far end does not take.

use super::commands::iptables;
use crate::diagnose::reading::{Reading, RefusedTunnel};
use crate::model::finding::{Cause, Remedy};
use crate::model::packet::TunnelKind;

/// Makes the far end of a tunnel take it.
#[must_use]
pub fn open(reading: &Reading<'_>, refused: RefusedTunnel, cause: Cause) -> Remedy {
    let RefusedTunnel { kind, far_end: end, .. } = refused;
    let address = end.address;
    let host = match reading.node_of(address) {
        Some(node) => format!("{node} ({address})"),
        None => address.to_string(),
    };
    let mut commands = Vec::new();
    let step = if cause == Cause::PortUnreachable {
        commands.push(format!("ss -lun | grep {}", end.port));
        if let Some(type_name) = link_kind(kind) {
            commands.push(format!("ip -d link show type {type_name}"));
        }
        format!(
            "Nothing takes UDP port {} there: see whether the overlay's interface is up, whether both sides use one port, and whether the CNI's agent runs on that node. Not tried here.",
            end.port
        )
    } else {
        commands.push("nft list ruleset | grep -n reject".to_owned());
        commands.push(format!("{}-save -c | grep -n REJECT", iptables(address)));
        format!(
            "Let UDP port {} in from all nodes of the overlay; see which rule refuses it, and which way leads there. Not tried here.",
            end.port
        )
    };
    Remedy { title: format!("Open the {kind} tunnel to {host}"), steps: vec![step], commands }
}

/// As `ip link` calls it.
const fn link_kind(kind: TunnelKind) -> Option<&'static str> {
    match kind {
        TunnelKind::Vxlan => Some("vxlan"),
        TunnelKind::Geneve => Some("geneve"),
        TunnelKind::GtpU => Some("gtp"),
        _ => None,
    }
}
