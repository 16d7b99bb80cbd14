//! Tags with which a switch chip tells the processor the port of a frame. On Linux
//! tcpdump sees them at the interface between the two (`Documentation/networking/dsa`).

use super::super::DecodeError;
use super::super::field::find_u16;
use super::ether_type::{find_audience, parse_ether_type};
use super::{Carried, Way, after_header, parse_ethernet};

const LAYER: &str = "switch tag";
const ADDRESSES_BYTES: usize = 12;
const BEFORE_BYTES: usize = 4;

/// A frame with `tag_bytes` between its addresses and its type. The port is not of
/// interest: it differs between the directions.
pub(super) fn parse_inside(
    bytes: &[u8],
    tag_bytes: usize,
) -> Result<Option<Carried<'_>>, DecodeError> {
    let type_at = ADDRESSES_BYTES + tag_bytes;
    let payload = after_header(LAYER, bytes, type_at + 2)?;
    parse_ether_type(find_u16(bytes, type_at), payload, Way::START.to(find_audience(bytes)))
}

/// A frame behind a tag.
pub(super) fn parse_before(bytes: &[u8]) -> Result<Option<Carried<'_>>, DecodeError> {
    parse_ethernet(after_header(LAYER, bytes, BEFORE_BYTES)?, Way::START)
}
