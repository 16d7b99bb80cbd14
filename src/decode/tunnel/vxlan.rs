//! VXLAN (RFC 7348): flags, three reserved bytes, network 3, a reserved byte,
//! an Ethernet frame.

use super::super::app::Payload;
use super::super::field::find_u32;
use super::super::link::{Way, parse_ethernet};
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

/// The one flag that has to be set, and no other may be.
pub(super) const FLAGS: u8 = 0x08;

/// The packet in a payload that begins with [`FLAGS`] and three zero bytes.
pub(super) fn find_inner<'a>(payload: &Payload<'a>, is_own_port: bool) -> Option<Inner<'a>> {
    let network_and_reserved = find_u32(payload.captured, 4)?;
    if network_and_reserved & 0xff != 0 {
        return None;
    }
    let frame = payload.captured.get(8..)?;
    let way = Way::START.past(network_and_reserved >> 8)?;
    let carried = parse_ethernet(frame, way).ok()??;
    let inner = Inner::new(TunnelKind::Vxlan, carried, payload.captured, payload.length);
    let fit = if is_own_port { Fit::Within } else { Fit::Padded };
    is_ip(inner.ip, inner.wire_bytes, fit).then_some(inner)
}
