//! IEEE 802.11 data frames, and the headers that drivers write before them.

use super::super::DecodeError;
use super::super::field::{find_array, find_u8, find_u16, find_u32};
use super::ether_type::{Ending, find_audience, follow_llc};
use super::{Carried, Link, Way, after_header, parse_link};
use crate::model::capture::LinkType;

const ENCRYPTED: &str = "what is inside encrypted 802.11 frames";
const AGGREGATED: &str = "what is inside aggregated 802.11 frames";

/// Radiotap's bits of fields that are there (radiotap.org): time, flags, and
/// another word of bits.
const HAS_TIME: u32 = 1;
const HAS_FLAGS: u32 = 1 << 1;
const HAS_MORE: u32 = 1 << 31;
/// The header of 802.11 was padded to a multiple of four bytes.
const IS_PADDED: u8 = 0x20;
/// Begins an AVS header, which stands in place of Prism's, too.
const AVS_MAGIC: u32 = 0x8021_1001;

/// Follows an 802.11 frame to IP.
///
/// # Errors
///
/// Where a data frame's header is cut, or what it carries is encrypted.
pub(in crate::decode) fn parse_wireless(
    bytes: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    follow(bytes, find_control(bytes), way, 1)
}

/// The same where the two bytes of frame control have changed places, as some access
/// points hand frames on.
///
/// # Errors
///
/// As [`parse_wireless`].
pub(in crate::decode) fn parse_swapped_wireless(
    bytes: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    let [flags, control] = find_control(bytes);
    follow(bytes, [control, flags], way, 1)
}

fn find_control(bytes: &[u8]) -> [u8; 2] {
    find_array(bytes, 0).unwrap_or_default()
}

/// Link type 127: version 0, padding 1, length 2, words of bits, fields.
pub(super) fn parse_radiotap(bytes: &[u8]) -> Result<Option<Carried<'_>>, DecodeError> {
    const LAYER: &str = "radiotap";
    after_header(LAYER, bytes, 8)?;
    let header_bytes = find_array(bytes, 2).map_or(0, u16::from_le_bytes);
    let frame = after_header(LAYER, bytes, usize::from(header_bytes).max(8))?;
    let is_padded = find_radiotap_flags(bytes).is_some_and(|flags| flags & IS_PADDED != 0);
    follow(frame, find_control(frame), Way::START, if is_padded { 4 } else { 1 })
}

fn find_radiotap_flags(header: &[u8]) -> Option<u8> {
    let word = |offset| find_array(header, offset).map(u32::from_le_bytes);
    let fields = word(4)?;
    let mut offset = 4;
    while word(offset)? & HAS_MORE != 0 {
        offset += 4;
    }
    offset += 4;
    if fields & HAS_TIME != 0 {
        offset = offset.next_multiple_of(8) + 8;
    }
    if fields & HAS_FLAGS == 0 { None } else { find_u8(header, offset) }
}

/// Link types 119 and 163: AVS is big-endian, Prism in the host's byte order;
/// in both the length is the second word.
pub(super) fn parse_prism_or_avs(bytes: &[u8]) -> Result<Option<Carried<'_>>, DecodeError> {
    const LAYER: &str = "Prism";
    after_header(LAYER, bytes, 8)?;
    let length = find_u32(bytes, 4).unwrap_or_default();
    let is_avs = find_u32(bytes, 0) == Some(AVS_MAGIC);
    // A header is short; read in the wrong order its length is not.
    let length = if is_avs { length } else { length.min(length.swap_bytes()) };
    let header_bytes = usize::try_from(length).unwrap_or(usize::MAX).max(8);
    parse_wireless(after_header(LAYER, bytes, header_bytes)?, Way::START)
}

/// Link type 192: version 1, flags 1, length 2 and link type 4, little-endian.
pub(super) fn parse_ppi(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    const LAYER: &str = "PPI";
    after_header(LAYER, bytes, 8)?;
    let header_bytes = find_array(bytes, 2).map_or(0, u16::from_le_bytes);
    let payload = after_header(LAYER, bytes, usize::from(header_bytes).max(8))?;
    let value = find_array(bytes, 4).map_or(0, u32::from_le_bytes);
    match LinkType::from(u16::try_from(value).unwrap_or(u16::MAX)) {
        // One header before another is enough.
        link_type @ (LinkType::Ppi | LinkType::Pktap) => {
            Err(DecodeError::UnsupportedLinkType(link_type))
        }
        link_type => parse_link(link_type, payload),
    }
}

/// Frame control 2, duration 2, three addresses of 6, sequence 2, then in a
/// bridge's frames a fourth address, in those of quality of service two bytes
/// more, and four where the order bit is set (IEEE 802.11 section 9.3.2).
fn follow(
    bytes: &[u8],
    [control, flags]: [u8; 2],
    way: Way,
    alignment_bytes: usize,
) -> Result<Option<Carried<'_>>, DecodeError> {
    const LAYER: &str = "802.11";
    after_header(LAYER, bytes, 2)?;
    // Version 0, type 2, and not one of the subtypes without content.
    if control & 0x0f != 0x08 || control & 0x40 != 0 {
        return Ok(None);
    }
    let has_quality = control & 0x80 != 0;
    let mut header_bytes = 24_usize;
    if flags & 3 == 3 {
        header_bytes += 6;
    }
    let quality_at = header_bytes;
    if has_quality {
        header_bytes += 2;
    }
    if has_quality && flags & 0x80 != 0 {
        header_bytes += 4;
    }
    let payload = after_header(LAYER, bytes, header_bytes.next_multiple_of(alignment_bytes))?;
    // Four bits of the sequence number the fragments; a later one has no header.
    if find_array(bytes, 22).map(u16::from_le_bytes).is_some_and(|control| control & 0x0f != 0) {
        return Ok(None);
    }
    // Drivers that decrypt may leave the bit set.
    let is_readable = payload.starts_with(&[0xaa, 0xaa, 3, 0, 0, 0]);
    if flags & 0x40 != 0 && !is_readable {
        return Err(DecodeError::Unread(ENCRYPTED));
    }
    if has_quality && !is_readable && find_u8(bytes, quality_at).is_some_and(|low| low & 0x80 != 0)
    {
        return Err(DecodeError::Unread(AGGREGATED));
    }
    // Where nothing of it was captured, that has to be said.
    if find_u16(payload, 6).is_none() {
        return after_header("LLC", payload, 8).map(|_| None);
    }
    // The destination is the third address on the way to an access point or between
    // two, else the first.
    let destination = bytes.get(if flags & 1 == 0 { 4 } else { 16 }..).unwrap_or_default();
    Ok(match follow_llc(payload, way.to(find_audience(destination)))? {
        Some(Ending::Ip(carried)) => Some(carried),
        Some(Ending::Arp(_)) | None => None,
    })
}
