//! IPv4, IPv6 and its extension headers.

use std::net::IpAddr;

use etherparse::err::ip::LaxHeaderSliceError;
use etherparse::err::ipv6_exts::HeaderSliceError;
use etherparse::err::{Layer, LenError};
use etherparse::{IpNumber, Ipv6ExtensionSlice, LaxIpSlice};

use super::DecodeError;
use super::field::saturating_u32;

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
    /// Whether the payload begins in the middle of a datagram.
    pub is_later_fragment: bool,
    /// IPv4 only; `None` where zero.
    pub identification: Option<u16>,
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
    let (slice, stop) = slice_ip(bytes)?;
    let is_later_fragment = is_later_fragment(&slice);
    // What stops a later fragment is the middle of a datagram taken for a header.
    if let Some(error) = stop
        && !is_later_fragment
    {
        return Err(error);
    }
    let (header_bytes, declared_bytes, identification) = match &slice {
        LaxIpSlice::Ipv4(v4) => {
            let authentication = v4.extensions().auth.map_or(0, |auth| auth.slice().len());
            (
                v4.header().slice().len() + authentication,
                u32::from(v4.header().total_len()),
                Some(v4.header().identification()).filter(|value| *value != 0),
            )
        }
        LaxIpSlice::Ipv6(v6) => {
            let base_bytes = v6.header().slice().len();
            let declared_bytes = match v6.header().payload_length() {
                0 => 0,
                payload_bytes => u32::from(payload_bytes) + saturating_u32(base_bytes),
            };
            (base_bytes + v6.extensions().slice().len(), declared_bytes, None)
        }
    };
    let header_bytes = saturating_u32(header_bytes);
    let total_bytes = if declared_bytes == 0 { wire_bytes } else { declared_bytes };
    Ok(IpPacket {
        source: slice.source_addr(),
        destination: slice.destination_addr(),
        protocol: slice.payload_ip_number(),
        payload: slice.payload().payload,
        length: total_bytes.saturating_sub(header_bytes),
        is_later_fragment,
        identification,
    })
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
    let stop = stop.map(|(error, layer)| match error {
        HeaderSliceError::Len(error) => cut(&error),
        HeaderSliceError::Content(error) => {
            DecodeError::Damaged { layer: layer_name(layer), message: error.to_string() }
        }
    });
    Ok((slice, stop))
}

/// Whether a packet carries a fragment other than the first.
pub(super) fn is_later_fragment(slice: &LaxIpSlice<'_>) -> bool {
    match slice {
        LaxIpSlice::Ipv4(v4) => v4.header().fragments_offset().value() != 0,
        LaxIpSlice::Ipv6(v6) => {
            v6.is_payload_fragmented()
                // Not a step further than the header that says so: what follows it may be
                // cut or out of order, and etherparse's iterator does not look.
                && v6.extensions().clone().into_iter().find_map(|extension| match extension {
                    Ipv6ExtensionSlice::Fragment(fragment)
                        if fragment.is_fragmenting_payload() =>
                    {
                        Some(fragment.fragment_offset().value() != 0)
                    }
                    _ => None,
                }) == Some(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 header whose payload follows: UDP, 28 bytes in all.
    const V4: [u8; 20] =
        [0x45, 0, 0, 28, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7];

    fn v4(changes: &[(usize, u8)], rest: &[u8]) -> Vec<u8> {
        let mut bytes = V4.to_vec();
        for (offset, value) in changes {
            bytes[*offset] = *value;
        }
        bytes.extend(rest);
        bytes
    }

    fn v6(payload_bytes: u8, next_header: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, payload_bytes, next_header, 64];
        bytes.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn both_versions_give_addresses_protocol_and_lengths() {
        let udp = [1_u8; 8];
        let options = v4(&[(0, 0x46), (3, 32)], &[&[1, 1, 1, 0], udp.as_slice()].concat());
        let hop_by_hop = [17, 0, 1, 4, 0, 0, 0, 0];
        let destination_options = [17, 0, 1, 4, 0, 0, 0, 0];
        let routing = [60, 0, 4, 0, 0, 0, 0, 0];
        let authentication =
            [17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let cases: [(&str, Vec<u8>, usize, u32); 12] = [
            ("IPv4", v4(&[], &udp), 8, 8),
            ("IPv6", v6(8, 17, &udp), 8, 8),
            ("IPv4, padded by Ethernet", v4(&[], &[1; 26]), 8, 8),
            ("IPv6, padded by Ethernet", v6(8, 17, &[1; 26]), 8, 8),
            ("IPv4, cut", v4(&[(3, 128)], &udp), 8, 108),
            ("IPv6, cut", v6(108, 17, &udp), 8, 108),
            ("IPv4, length left to the hardware", v4(&[(3, 0)], &udp), 8, 1000 - 20),
            ("IPv6, jumbo", v6(0, 17, &udp), 8, 1000 - 40),
            ("IPv4 options", options, 8, 8),
            ("IPv6 hop-by-hop", v6(16, 0, &[hop_by_hop, udp].concat()), 8, 8),
            (
                "IPv6 routing, destination options",
                v6(24, 43, &[routing, destination_options, udp].concat()),
                8,
                8,
            ),
            ("IPv6 authentication", v6(32, 51, &[authentication.as_slice(), &udp].concat()), 8, 8),
        ];
        for (name, bytes, captured_bytes, length) in cases {
            let packet = parse_ip(&bytes, 1000).unwrap();
            assert_eq!(packet.protocol, IpNumber::UDP, "{name}");
            assert_eq!((packet.payload.len(), packet.length), (captured_bytes, length), "{name}");
            assert!(!packet.is_later_fragment, "{name}");
            let addresses = if packet.source.is_ipv4() {
                ("192.0.2.1", "198.51.100.7", Some(0x1234))
            } else {
                ("2001:db8::1", "2001:db8::7", None)
            };
            assert_eq!(packet.source.to_string(), addresses.0, "{name}");
            assert_eq!(packet.destination.to_string(), addresses.1, "{name}");
            assert_eq!(packet.identification, addresses.2, "{name}");
        }
    }

    #[test]
    fn only_later_fragments_count_as_such() {
        // next header UDP, offset and flags, identification
        let fragment =
            |offset: [u8; 2]| [&[17, 0], offset.as_slice(), &[0, 0, 0, 9], &[1; 8]].concat();
        let cases = [
            ("IPv4 first", v4(&[(6, 0x20)], &[1; 8]), false),
            ("IPv6 first", v6(16, 44, &fragment([0, 1])), false),
            ("IPv6 atomic", v6(16, 44, &fragment([0, 0])), false),
            ("IPv4 middle", v4(&[(6, 0x20), (7, 185)], &[1; 8]), true),
            ("IPv6 middle", v6(16, 44, &fragment([5, 0xc9])), true),
            ("IPv4 last", v4(&[(7, 185)], &[1; 8]), true),
            ("IPv6 last", v6(16, 44, &fragment([5, 0xc8])), true),
            // The bytes after the fragment header are no authentication header.
            ("IPv4 last, AH", v4(&[(7, 185), (9, 51)], &[255; 8]), true),
            (
                "IPv6 last, AH",
                v6(16, 44, &[51, 0, 5, 0xc8, 0, 0, 0, 9, 255, 255, 0, 0, 0, 0, 0, 0]),
                true,
            ),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(parse_ip(&bytes, 1000).unwrap().is_later_fragment, expected, "{name}");
        }
    }

    #[test]
    fn a_zero_identification_is_none() {
        let bytes = v4(&[(4, 0), (5, 0)], &[1; 8]);
        assert_eq!(parse_ip(&bytes, 28).unwrap().identification, None);
    }

    #[test]
    fn cut_and_damaged_headers_say_so() {
        let cases = [
            (Vec::new(), "IP header needs 1 bytes, 0 are there"),
            (V4[..19].to_vec(), "IPv4 header needs 20 bytes, 19 are there"),
            (v6(8, 17, &[])[..39].to_vec(), "IPv6 header needs 40 bytes, 39 are there"),
            (v4(&[(0, 0x46)], &[1, 1]), "IPv4 header needs 24 bytes, 22 are there"),
            (v6(16, 0, &[17, 0, 1]), "IPv6 extension header needs 8 bytes, 3 are there"),
            (v6(16, 44, &[17]), "IPv6 fragment header needs 8 bytes, 1 are there"),
            // Of first fragments whose next header is not all there no byte behind
            // the packet is read.
            (
                v6(10, 44, &[60, 0, 0, 1, 0, 0, 0, 9, 17, 9]),
                "IPv6 extension header needs 8 bytes, 2 are there",
            ),
            (
                v6(8, 44, &[0, 0, 0, 1, 0, 0, 0, 9]),
                "IPv6 hop-by-hop header is damaged: hop-by-hop header is not at the start",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse_ip(&bytes, 1000).unwrap_err().to_string(), expected);
        }
        for bytes in [v4(&[(0, 0x44)], &[1; 8]), v4(&[(0, 0x55)], &[1; 8])] {
            let error = parse_ip(&bytes, 1000).unwrap_err();
            assert!(matches!(error, DecodeError::Damaged { layer: "IP", .. }), "{error}");
        }
    }
}
