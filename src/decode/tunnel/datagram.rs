//! Tunnels in UDP. A payload is taken for a tunnel's only where all of its
//! header and the length of the packet inside agree.

use super::super::app::Payload;
use super::super::link::{self, Way};
use super::fit::{Fit, is_ip, is_surely_ip};
use super::{Inner, capwap, geneve, gre, gtp_u, ip_in_udp, l2tp, teredo, tzsp, vxlan};
use crate::model::packet::TunnelKind;

const GENEVE_PORT: u16 = 6081;
const GTP_U_PORT: u16 = 2152;
const TEREDO_PORT: u16 = 3544;
const GRE_IN_UDP_PORT: u16 = 4754;
const MPLS_IN_UDP_PORT: u16 = 6635;
const L2TP_PORT: u16 = 1701;
const TZSP_PORT: u16 = 37_008;
const CAPWAP_DATA_PORT: u16 = 5247;
const GUE_PORT: u16 = 6080;
const VXLAN_PORT: u16 = 4789;
/// Of the generic extension.
const VXLAN_GPE_PORT: u16 = 4790;
/// What Linux chose before one was registered.
const OLD_VXLAN_PORT: u16 = 8472;

/// The packet inside a tunnel's datagram. `None` for every other datagram.
pub(in crate::decode) fn find_inner_of_datagram<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    // As nearly always.
    if !is_tunnels(payload.destination_port) && !is_tunnels(payload.source_port) {
        return find_by_shape(payload);
    }
    find_at_own_port(payload).or_else(|| find_by_shape(payload))
}

const fn is_tunnels(port: u16) -> bool {
    matches!(
        port,
        GTP_U_PORT
            | TEREDO_PORT
            | GRE_IN_UDP_PORT
            | MPLS_IN_UDP_PORT
            | L2TP_PORT
            | TZSP_PORT
            | CAPWAP_DATA_PORT
            | GUE_PORT
            | GENEVE_PORT
            | VXLAN_PORT
            | VXLAN_GPE_PORT
            | OLD_VXLAN_PORT
    )
}

fn find_at_own_port<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let ports = [payload.destination_port, payload.source_port];
    let inner = ports.into_iter().find_map(|port| match port {
        GTP_U_PORT => gtp_u::find_inner(payload),
        TEREDO_PORT => teredo::find_inner(payload),
        GRE_IN_UDP_PORT => find_gre(payload),
        MPLS_IN_UDP_PORT => find_mpls(payload),
        L2TP_PORT => l2tp::find_inner(payload),
        CAPWAP_DATA_PORT => capwap::find_inner(payload),
        _ => None,
    });
    if inner.is_some() {
        return inner;
    }
    // What these send comes from a port that says nothing, and goes to their own.
    match payload.destination_port {
        VXLAN_PORT | VXLAN_GPE_PORT | OLD_VXLAN_PORT => vxlan::find_at_own_port(payload),
        GENEVE_PORT if is_geneve(payload) => geneve::find_at_own_port(payload),
        TZSP_PORT => tzsp::find_inner(payload),
        GUE_PORT => ip_in_udp::find_at_own_port(payload),
        _ => None,
    }
}

/// These are run at many ports, so they are known by their shape.
fn find_by_shape<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let inner = match payload.captured {
        [vxlan::FLAGS, 0, 0, 0, ..] => vxlan::find_elsewhere(payload),
        _ if is_geneve(payload) => geneve::find_elsewhere(payload),
        _ => None,
    };
    inner.or_else(|| ip_in_udp::find_elsewhere(payload)).or_else(|| find_gre_elsewhere(payload))
}

/// GRE at a port of FOU's, which whoever set it up has chosen: without optional fields
/// or with a key, and a packet that fills the payload.
fn find_gre_elsewhere<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let [0x00 | 0x20, 0, 0x08 | 0x86, 0x00 | 0xdd, ..] = payload.captured else { return None };
    find_gre(payload).filter(|inner| is_surely_ip(inner.ip, inner.wire_bytes))
}

fn is_geneve(payload: &Payload<'_>) -> bool {
    payload.captured.first().is_some_and(|first| *first <= geneve::MAX_OPTION_WORDS)
}

/// GRE in UDP (RFC 8086): of GRE's flags only three may be set.
fn find_gre<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let [0x00 | 0x10 | 0x20 | 0x30 | 0x80 | 0x90 | 0xa0 | 0xb0, 0, ..] = payload.captured else {
        return None;
    };
    let ((_, key), carried) = gre::parse_gre(payload.captured).ok()??;
    let inner = Inner::new((TunnelKind::GreInUdp, key), carried, payload.captured, payload.length);
    is_ip(inner.ip, inner.wire_bytes, Fit::Within).then_some(inner)
}

/// MPLS in UDP (RFC 7510).
fn find_mpls<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let carried = link::parse_mpls(payload.captured, Way::START).ok()??;
    let inner =
        Inner::new((TunnelKind::MplsInUdp, None), carried, payload.captured, payload.length);
    is_ip(inner.ip, inner.wire_bytes, Fit::Within).then_some(inner)
}
