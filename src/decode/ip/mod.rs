//! IPv4, IPv6 and its extension headers.

mod fragment;
mod plain;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use etherparse::err::ip::LaxHeaderSliceError;
use etherparse::err::ipv6_exts::HeaderSliceError;
use etherparse::err::{Layer, LenError};
use etherparse::{IpNumber, Ipv6ExtensionsSlice, LaxIpSlice};

use super::DecodeError;
use super::field::{find_array, find_u8, find_u16, saturating_u32};
use crate::model::hop::HopMarks;
pub(super) use fragment::{Fragment, FragmentPlace, is_later_fragment};
pub(super) use plain::find_plain_udp;

/// An IP packet with its extension headers taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IpPacket<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// What the payload is, after all extension headers.
    pub protocol: IpNumber,
    /// The captured bytes of the payload, without link-layer padding.
    pub payload: &'a [u8],
    /// Bytes of payload that were on the wire, by the IP header.
    pub length: u32,
    /// IPv4 only; `None` where zero.
    pub identification: Option<u16>,
    pub hop_marks: HopMarks,
    /// What the packet is a part of, where it is not the whole.
    pub fragment: Option<Fragment<'a>>,
}

/// Whether these bytes are a TCP packet. Most packets of most captures are, so
/// this is the first question about an IP header, and one byte answers it.
pub(super) fn is_tcp(bytes: &[u8]) -> bool {
    let protocol = match bytes {
        [0x40..=0x4f, ..] => find_u8(bytes, 9),
        [0x60..=0x6f, ..] => find_u8(bytes, 6),
        _ => None,
    };
    protocol == Some(IpNumber::TCP.0)
}

/// The hop limit of a packet, of which nothing else of [`HopMarks`] is read.
pub(super) fn hop_limit_of(bytes: &[u8]) -> HopMarks {
    match bytes {
        [0x40..=0x4f, ..] => find_u8(bytes, 8).map_or(HopMarks::UNKNOWN, HopMarks::of_v4),
        [0x60..=0x6f, ..] => {
            find_u8(bytes, 7).map_or(HopMarks::UNKNOWN, |limit| HopMarks::of_v6(limit, 0))
        }
        _ => HopMarks::UNKNOWN,
    }
}

/// Source and destination of what may be a datagram, where its header is there so far: UDP, or
/// in IPv6 a header behind which UDP may stand.
pub(super) fn find_ends_of_datagram(bytes: &[u8]) -> Option<[IpAddr; 2]> {
    let v4 = |offset| find_array::<4>(bytes, offset).map(IpAddr::from);
    let v6 = |offset| find_array::<16>(bytes, offset).map(IpAddr::from);
    let (protocol, source, destination) = match bytes {
        [0x40..=0x4f, ..] => (find_u8(bytes, 9)?, v4(12)?, v4(16)?),
        [0x60..=0x6f, ..] => (find_u8(bytes, 6)?, v6(8)?, v6(24)?),
        _ => return None,
    };
    let protocol = IpNumber(protocol);
    let may_be =
        protocol == IpNumber::UDP || source.is_ipv6() && protocol.is_ipv6_ext_header_value();
    may_be.then_some([source, destination])
}

/// Whether the sum over an IPv4 header is right (RFC 791 section 3.1). False where it
/// was cut.
pub(super) fn has_right_checksum(bytes: &[u8]) -> bool {
    let length = bytes.first().map(|first| usize::from(first & 0x0f) * 4);
    let header = length.and_then(|length| bytes.get(..length));
    header.is_some_and(|header| {
        let words = (0..header.len()).step_by(2);
        let sum: u32 = words.filter_map(|at| find_u16(header, at)).map(u32::from).sum();
        (sum & 0xffff) + (sum >> 16) == 0xffff
    })
}

/// Reads an IP packet of either version. `wire_bytes` is what the link layer
/// carried of it; it counts where the header's own length field is zero, as
/// segmentation offload and jumbograms (RFC 2675) leave it.
///
/// # Errors
///
/// Where the header, or an extension header of a packet that is not a later
/// fragment, is cut or damaged.
pub(super) fn parse_ip(bytes: &[u8], wire_bytes: u32) -> Result<IpPacket<'_>, DecodeError> {
    match find_plain_udp(bytes) {
        Some(packet) => Ok(packet),
        None => parse_any_ip(bytes, wire_bytes),
    }
}

fn parse_any_ip(bytes: &[u8], wire_bytes: u32) -> Result<IpPacket<'_>, DecodeError> {
    let (slice, stop) = slice_ip(bytes)?;
    let is_later_fragment = is_later_fragment(&slice);
    // What stops a later fragment is the middle of a datagram taken for a header.
    if let Some(error) = stop
        && !is_later_fragment
    {
        return Err(error);
    }
    let (header_bytes, declared_bytes, identification, hop_marks) = match &slice {
        LaxIpSlice::Ipv4(v4) => {
            let authentication = v4.extensions().auth.map_or(0, |auth| auth.slice().len());
            (
                v4.header().slice().len() + authentication,
                u32::from(v4.header().total_len()),
                Some(v4.header().identification()).filter(|value| *value != 0),
                HopMarks::of_v4(v4.header().ttl()),
            )
        }
        LaxIpSlice::Ipv6(v6) => {
            let base_bytes = v6.header().slice().len();
            let declared_bytes = match v6.header().payload_length() {
                0 => 0,
                payload_bytes => u32::from(payload_bytes) + saturating_u32(base_bytes),
            };
            let label = v6.header().flow_label().value();
            let hop_marks = HopMarks::of_v6(v6.header().hop_limit(), label);
            (base_bytes + v6.extensions().slice().len(), declared_bytes, None, hop_marks)
        }
    };
    let header_bytes = saturating_u32(header_bytes);
    if declared_bytes != 0 && declared_bytes < saturating_u32(slice_header_bytes(&slice)) {
        let message = format!("a packet of {declared_bytes} bytes is shorter than its header");
        return Err(DecodeError::Damaged { layer: "IP", message });
    }
    let total_bytes = if declared_bytes == 0 { wire_bytes } else { declared_bytes };
    let fragment = fragment::find_fragment(&slice, bytes, total_bytes);
    Ok(IpPacket {
        source: slice.source_addr(),
        destination: slice.destination_addr(),
        protocol: slice.payload_ip_number(),
        payload: slice.payload().payload,
        length: total_bytes.saturating_sub(header_bytes),
        identification,
        hop_marks,
        fragment,
    })
}

fn slice_header_bytes(slice: &LaxIpSlice<'_>) -> usize {
    match slice {
        LaxIpSlice::Ipv4(v4) => v4.header().slice().len(),
        LaxIpSlice::Ipv6(v6) => v6.header().slice().len(),
    }
}

/// Takes off the extension headers with which reassembled bytes may begin.
/// `None` where they are fragments once more, which no host sends.
///
/// # Errors
///
/// Where an extension header is cut or damaged.
pub(super) fn skip_extensions(
    protocol: IpNumber,
    bytes: &[u8],
) -> Result<Option<(IpNumber, &[u8])>, DecodeError> {
    let (extensions, protocol, payload, stop) =
        Ipv6ExtensionsSlice::from_slice_lax(protocol, bytes);
    if let Some((error, layer)) = stop {
        return Err(stopped(error, layer));
    }
    Ok((!extensions.is_fragmenting_payload()).then_some((protocol, payload)))
}

/// Separates headers and payload as far as they go: the addresses are there in
/// any case, the error is what stopped the reading of extension headers.
///
/// # Errors
///
/// Where the fixed part of the header is cut or damaged.
pub(super) fn slice_ip(bytes: &[u8]) -> Result<(LaxIpSlice<'_>, Option<DecodeError>), DecodeError> {
    let (slice, stop) = LaxIpSlice::from_slice(bytes).map_err(|error| match error {
        LaxHeaderSliceError::Len(error) => cut(&error),
        LaxHeaderSliceError::Content(error) => {
            DecodeError::Damaged { layer: "IP", message: error.to_string() }
        }
    })?;
    Ok((slice, stop.map(|(error, layer)| stopped(error, layer))))
}

fn stopped(error: HeaderSliceError, layer: Layer) -> DecodeError {
    match error {
        HeaderSliceError::Len(error) => cut(&error),
        HeaderSliceError::Content(error) => {
            DecodeError::Damaged { layer: layer_name(layer), message: error.to_string() }
        }
    }
}

fn cut(error: &LenError) -> DecodeError {
    DecodeError::Cut {
        layer: layer_name(error.layer),
        required_bytes: error.required_len,
        found_bytes: error.len,
    }
}

const fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Ipv4Header => "IPv4",
        Layer::Ipv6Header => "IPv6",
        Layer::IpAuthHeader => "IP authentication",
        Layer::Ipv6ExtHeader => "IPv6 extension",
        Layer::Ipv6HopByHopHeader => "IPv6 hop-by-hop",
        Layer::Ipv6DestOptionsHeader => "IPv6 destination options",
        Layer::Ipv6RouteHeader => "IPv6 routing",
        Layer::Ipv6FragHeader => "IPv6 fragment",
        _ => "IP",
    }
}
