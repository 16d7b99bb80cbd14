//! Teredo (RFC 4380 section 5.1.1): IPv6 behind an authentication and an origin
//! indication, both optional.

use super::super::app::Payload;
use super::super::link::Way;
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

/// The IPv6 packet in a payload at Teredo's port.
pub(super) fn find_inner<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let mut ip = payload.captured;
    // Type 2, lengths of client id and authentication value, both, nonce 8, confirmation 1.
    if let [0, 1, id_bytes, value_bytes, rest @ ..] = ip {
        ip = rest.get(usize::from(*id_bytes) + usize::from(*value_bytes) + 9..)?;
    }
    // Type 2, port 2, address 4.
    if let [0, 0, _, _, _, _, _, _, rest @ ..] = ip {
        ip = rest;
    }
    if !matches!(ip, [0x60..=0x6f, ..]) {
        return None;
    }
    let carried = Way::START.leads_to(ip);
    let inner = Inner::new((TunnelKind::Teredo, None), carried, payload.captured, payload.length);
    // RFC 6081 adds trailers, so the packet need not be the end.
    is_ip(ip, inner.wire_bytes, Fit::Within).then_some(inner)
}
