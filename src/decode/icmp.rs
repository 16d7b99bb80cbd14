//! ICMP (RFC 792) and ICMPv6 (RFC 4443) errors, and what they quote.

use super::DecodeError;
use super::field::find_u8;
use super::ip::IpPacket;
use super::quote::{Quoted, read_quote};
use crate::model::identity::hash_fields;
use crate::model::packet::{IcmpError, IcmpKind};

/// Type, code, checksum, and four bytes that differ by type.
const HEADER_BYTES: usize = 8;

/// Behind type and code (RFC 792, RFC 4443 section 2.1).
const CHECKSUM_END: usize = 4;

/// How much of a quote goes into a fingerprint: the headers, with their identification
/// and checksum, and what follows until the shortest quotes end (RFC 1812 section
/// 4.3.2.3 lets them be longer).
const FINGERPRINT_BYTES: usize = 64;

/// The type whose codes tell apart what a device must do about it.
const UNREACHABLE: u8 = 3;
const UNREACHABLE_V6: u8 = 1;

/// Reads an ICMP error; `None` for other messages (echo, redirect) and for
/// errors about something else than UDP and the handshakes of TCP.
///
/// # Errors
///
/// Where the type, or the code of a destination unreachable, is cut.
pub(super) fn parse_icmp(packet: &IpPacket<'_>) -> Result<Option<IcmpError>, DecodeError> {
    parse_error("ICMP", packet, UNREACHABLE, IcmpKind::of_v4)
}

/// Reads an ICMPv6 error; `None` for other messages (echo, neighbour
/// discovery) and for errors about something else than UDP and the handshakes of TCP.
///
/// # Errors
///
/// Where the type, or the code of a destination unreachable, is cut.
pub(super) fn parse_icmpv6(packet: &IpPacket<'_>) -> Result<Option<IcmpError>, DecodeError> {
    parse_error("ICMPv6", packet, UNREACHABLE_V6, IcmpKind::of_v6)
}

fn parse_error(
    layer: &'static str,
    packet: &IpPacket<'_>,
    unreachable: u8,
    kind_of: impl FnOnce(u8, u8) -> Option<IcmpKind>,
) -> Result<Option<IcmpError>, DecodeError> {
    let message = parse_u8(layer, packet.payload, 0)?;
    let code = match parse_u8(layer, packet.payload, 1) {
        Err(cut) if message == unreachable => return Err(cut),
        code => code.unwrap_or_default(),
    };
    Ok(kind_of(message, code).and_then(|kind| find_error(kind, packet)))
}

fn parse_u8(layer: &'static str, bytes: &[u8], offset: usize) -> Result<u8, DecodeError> {
    find_u8(bytes, offset).ok_or(DecodeError::Cut {
        layer,
        required_bytes: offset + 1,
        found_bytes: bytes.len(),
    })
}

fn find_error(kind: IcmpKind, packet: &IpPacket<'_>) -> Option<IcmpError> {
    let quoted = packet.payload.get(HEADER_BYTES..).unwrap_or_default();
    let quote = match read_quote(quoted) {
        Quoted::Packet(quote) => Some(quote),
        Quoted::Unknown => None,
        Quoted::Other => return None,
    };
    let head = quoted.get(..FINGERPRINT_BYTES).unwrap_or(quoted);
    // The checksum is over all of the message: where the quote is cut off, it is its mark.
    let has_checksum = packet.payload.len() >= CHECKSUM_END;
    let head = if head.is_empty() && has_checksum { packet.payload } else { head };
    let identification = packet.identification.unwrap_or_default().to_be_bytes();
    let fingerprint = (!head.is_empty()).then(|| hash_fields(&[head, &identification]));
    Some(IcmpError { kind, from: packet.source, to: packet.destination, quote, fingerprint })
}

#[cfg(test)]
mod tests {
    use crate::model::hop::HopMarks;
    use etherparse::IpNumber;

    use super::*;
    use crate::model::segment::{QuotedKind, SegmentKind};

    fn v4_quote(protocol: u8, fragment_offset: u8) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 60, 0, 1, 0, fragment_offset, 64, protocol, 0, 0];
        bytes.extend([198, 51, 100, 7, 192, 0, 2, 1]);
        bytes.extend([0xa1, 0x0a, 0, 69, 0, 40, 0, 0]);
        bytes
    }

    fn v6_quote(next_header: u8, extension: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, 40, next_header, 64];
        bytes.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
        bytes.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend(extension);
        bytes.extend([0xa1, 0x0a, 0, 69, 0, 40, 0, 0]);
        bytes
    }

    fn parse(kind: u8, code: u8, quote: &[u8]) -> Result<Option<IcmpError>, DecodeError> {
        let payload = [&[kind, code, 0, 0, 0, 0, 0, 0], quote].concat();
        parse_payload(&payload, quote.first().is_some_and(|byte| byte >> 4 == 6))
    }

    fn parse_payload(payload: &[u8], is_v6: bool) -> Result<Option<IcmpError>, DecodeError> {
        let (from, to) =
            if is_v6 { ("2001:db8::1", "2001:db8::7") } else { ("192.0.2.1", "198.51.100.7") };
        let packet = IpPacket {
            source: from.parse().unwrap(),
            destination: to.parse().unwrap(),
            protocol: if is_v6 { IpNumber::IPV6_ICMP } else { IpNumber::ICMP },
            payload,
            length: 0,
            identification: None,
            hop_marks: HopMarks::UNKNOWN,
            fragment: None,
        };
        if is_v6 { parse_icmpv6(&packet) } else { parse_icmp(&packet) }
    }

    #[test]
    fn errors_of_one_meaning_share_a_kind() {
        let (v4, v6) = (v4_quote(17, 0), v6_quote(17, &[]));
        let cases = [
            (&v4, 3, 3, Some(IcmpKind::PortUnreachable)),
            (&v6, 1, 4, Some(IcmpKind::PortUnreachable)),
            (&v4, 3, 1, Some(IcmpKind::HostUnreachable)),
            (&v6, 1, 3, Some(IcmpKind::HostUnreachable)),
            (&v4, 3, 0, Some(IcmpKind::NetworkUnreachable)),
            (&v6, 1, 0, Some(IcmpKind::NetworkUnreachable)),
            (&v4, 3, 9, Some(IcmpKind::AdminProhibited)),
            (&v4, 3, 10, Some(IcmpKind::AdminProhibited)),
            (&v4, 3, 13, Some(IcmpKind::AdminProhibited)),
            (&v6, 1, 1, Some(IcmpKind::AdminProhibited)),
            (&v6, 1, 5, Some(IcmpKind::AdminProhibited)),
            (&v6, 1, 6, Some(IcmpKind::AdminProhibited)),
            (&v4, 3, 4, Some(IcmpKind::PacketTooBig)),
            (&v6, 2, 0, Some(IcmpKind::PacketTooBig)),
            (&v4, 11, 0, Some(IcmpKind::TimeExceeded)),
            (&v4, 11, 1, Some(IcmpKind::ReassemblyTimeExceeded)),
            (&v6, 3, 0, Some(IcmpKind::TimeExceeded)),
            (&v6, 3, 1, Some(IcmpKind::ReassemblyTimeExceeded)),
            (&v4, 3, 2, Some(IcmpKind::Other)),
            (&v4, 3, 5, Some(IcmpKind::Other)),
            (&v4, 3, 6, Some(IcmpKind::NetworkUnreachable)),
            (&v4, 3, 7, Some(IcmpKind::HostUnreachable)),
            (&v4, 3, 8, Some(IcmpKind::HostUnreachable)),
            (&v4, 3, 11, Some(IcmpKind::NetworkUnreachable)),
            (&v4, 3, 12, Some(IcmpKind::HostUnreachable)),
            (&v4, 3, 14, Some(IcmpKind::HostUnreachable)),
            (&v4, 3, 15, Some(IcmpKind::HostUnreachable)),
            (&v6, 1, 2, Some(IcmpKind::HostUnreachable)),
            (&v6, 1, 7, Some(IcmpKind::Other)),
            (&v4, 4, 0, None),
            (&v4, 12, 0, Some(IcmpKind::Other)),
            (&v6, 4, 1, Some(IcmpKind::Other)),
            (&v4, 5, 1, None),
            (&v4, 8, 0, None),
            (&v6, 128, 0, None),
            (&v6, 135, 0, None),
        ];
        for (quote, kind, code, expected) in cases {
            let error = parse(kind, code, quote).unwrap();
            assert_eq!(error.map(|error| error.kind), expected, "{kind}/{code}");
        }
    }

    #[test]
    fn the_quoted_datagram_is_read_as_far_as_it_goes() {
        let ports = (Some(0xa10a), Some(69));
        let destination_options: &[u8] = &[17, 0, 1, 4, 0, 0, 0, 0];
        let fragment: &[u8] = &[17, 0, 0, 1, 0, 0, 0, 9];
        let later_fragment: &[u8] = &[17, 0, 5, 0xc8, 0, 0, 0, 9];
        let v6_options = v6_quote(60, destination_options);
        let cases = [
            ("IPv4", v4_quote(17, 0), Some(Some(ports))),
            ("IPv6", v6_quote(17, &[]), Some(Some(ports))),
            ("IPv6 with destination options", v6_options.clone(), Some(Some(ports))),
            ("IPv6 first fragment", v6_quote(44, fragment), Some(Some(ports))),
            ("IPv4 later fragment", v4_quote(17, 185), Some(Some((None, None)))),
            ("IPv6 later fragment", v6_quote(44, later_fragment), Some(Some((None, None)))),
            // Eight bytes: they may be those of a SYN.
            ("IPv4 TCP", v4_quote(6, 0), Some(Some(ports))),
            ("IPv6 TCP", v6_quote(6, &[]), Some(Some(ports))),
            ("IPv4 TCP ports", v4_quote(6, 0)[..24].to_vec(), None),
            ("IPv6 TCP ports", v6_quote(6, &[])[..44].to_vec(), None),
            ("IPv4 TCP later fragment", v4_quote(6, 185), None),
            ("IPv6 TCP in fragments", v6_quote(44, &[6, 0, 5, 0xc8, 0, 0, 0, 9]), None),
            ("IPv4 SCTP", v4_quote(132, 0), None),
            ("IPv6 SCTP", v6_quote(132, &[]), None),
            ("IPv4 ports", v4_quote(17, 0)[..24].to_vec(), Some(Some(ports))),
            ("IPv6 ports", v6_quote(17, &[])[..44].to_vec(), Some(Some(ports))),
            ("IPv4 source port", v4_quote(17, 0)[..23].to_vec(), Some(Some((ports.0, None)))),
            ("IPv6 source port", v6_quote(17, &[])[..42].to_vec(), Some(Some((ports.0, None)))),
            ("IPv4 no ports", v4_quote(17, 0)[..21].to_vec(), Some(Some((None, None)))),
            ("IPv6 no ports", v6_quote(17, &[])[..40].to_vec(), Some(Some((None, None)))),
            ("IPv6 options cut", v6_options[..45].to_vec(), Some(Some((None, None)))),
            ("IPv4 protocol", v4_quote(17, 0)[..19].to_vec(), Some(None)),
            ("IPv6 protocol", v6_quote(17, &[])[..39].to_vec(), Some(None)),
            ("IPv4 TCP cut", v4_quote(6, 0)[..10].to_vec(), None),
            ("IPv6 TCP cut", v6_quote(6, &[])[..7].to_vec(), None),
            ("IPv4 version", v4_quote(6, 0)[..9].to_vec(), Some(None)),
            ("IPv6 version", v6_quote(6, &[])[..6].to_vec(), Some(None)),
        ];
        for (name, quote, expected) in cases {
            let is_v6 = quote[0] >> 4 == 6;
            let error = if is_v6 { parse(1, 4, &quote) } else { parse(3, 3, &quote) }.unwrap();
            let actual = error.map(|error| {
                error.quote.map(|quote| {
                    let addresses = if is_v6 {
                        ["2001:db8::7", "2001:db8::1"]
                    } else {
                        ["198.51.100.7", "192.0.2.1"]
                    };
                    assert_eq!(quote.source.to_string(), addresses[0], "{name}");
                    assert_eq!(quote.destination.to_string(), addresses[1], "{name}");
                    (quote.source_port, quote.destination_port)
                })
            });
            assert_eq!(actual, expected, "{name}");
        }
    }

    #[test]
    fn a_quote_tells_what_it_is_of() {
        let acknowledgement = [0, 0, 0, 9, 0x50, 0x12, 0, 0];
        let data = [0, 0, 0, 9, 0x50, 0x18, 0, 0];
        let sequence = 40 << 16;
        let syn = Some(SegmentKind::Syn { awaits: sequence + 1 });
        let syn_ack = Some(SegmentKind::SynAck { acknowledges: 9 });
        for (protocol, rest, expected) in [
            (17, &[][..], Some(QuotedKind::Datagram)),
            (6, &[], Some(QuotedKind::Segment(syn))),
            (6, &acknowledgement, Some(QuotedKind::Segment(syn_ack))),
            (6, &data, None),
        ] {
            for quote in [v4_quote(protocol, 0), v6_quote(protocol, &[])] {
                let quote = [&quote, rest].concat();
                let is_v6 = quote[0] >> 4 == 6;
                let error = if is_v6 { parse(1, 1, &quote) } else { parse(3, 13, &quote) };
                let kind = error.unwrap().map(|error| error.quote.unwrap().kind);
                assert_eq!(kind, expected, "{protocol} {rest:?}");
            }
        }
    }

    #[test]
    fn an_ipv4_quote_cut_in_its_options_keeps_the_addresses() {
        let mut quote = v4_quote(17, 0)[..20].to_vec();
        quote[0] = 0x4f;
        let quote = parse(3, 3, &quote).unwrap().unwrap().quote.unwrap();
        assert_eq!(quote.source.to_string(), "198.51.100.7");
        assert_eq!(quote.source_port, None);
    }

    #[test]
    fn an_error_without_its_quote_is_known_by_its_checksum() {
        for is_v6 in [false, true] {
            let (kind, code) = if is_v6 { (1, 4) } else { (3, 3) };
            let mark = |checksum: u8, length: usize| {
                let message = [kind, code, checksum, 7, 0, 0, 0, 0];
                let error = parse_payload(&message[..length], is_v6).unwrap().unwrap();
                assert_eq!(error.quote, None);
                error.fingerprint
            };
            for length in [4, 6, 8] {
                assert!(mark(1, length).is_some(), "{length}");
                assert_eq!(mark(1, length), mark(1, length), "{length}");
                assert_ne!(mark(1, length), mark(2, length), "{length}");
            }
            assert_eq!(mark(1, 3), None, "cut in the checksum");
        }
    }

    #[test]
    fn a_cut_icmp_header_is_an_error_only_where_it_decides() {
        for (is_v6, payload, expected) in [
            (false, &[][..], Err("ICMP header needs 1 bytes, 0 are there")),
            (true, &[][..], Err("ICMPv6 header needs 1 bytes, 0 are there")),
            (false, &[3][..], Err("ICMP header needs 2 bytes, 1 are there")),
            (true, &[1][..], Err("ICMPv6 header needs 2 bytes, 1 are there")),
            (false, &[8][..], Ok(false)),
            (true, &[128][..], Ok(false)),
            (false, &[3, 3][..], Ok(true)),
            (true, &[1, 4, 0][..], Ok(true)),
        ] {
            let actual = parse_payload(payload, is_v6).map(|error| error.is_some());
            assert_eq!(actual.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
        }
    }
}
