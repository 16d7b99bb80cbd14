//! Headers of both versions, whole, cut and damaged.

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
    let authentication = [17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
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
        assert_eq!(packet.fragment, None, "{name}");
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
fn fragments_say_where_they_belong() {
    use FragmentPlace::{Earlier, Last};
    // next header UDP, offset and flags, identification
    let fragment = |offset: [u8; 2]| [&[17, 0], offset.as_slice(), &[0, 0, 0, 9], &[1; 8]].concat();
    let options = [44, 0, 1, 4, 0, 0, 0, 0];
    let after_options = [options.as_slice(), &fragment([5, 0xc9])].concat();
    let cases = [
        ("IPv4 first", v4(&[(6, 0x20)], &[1; 8]), Some((0, Earlier))),
        ("IPv6 first", v6(16, 44, &fragment([0, 1])), Some((0, Earlier))),
        ("IPv4 whole", v4(&[(6, 0x40)], &[1; 8]), None),
        ("IPv6 atomic", v6(16, 44, &fragment([0, 0])), None),
        ("IPv4 middle", v4(&[(6, 0x20), (7, 185)], &[1; 8]), Some((185, Earlier))),
        ("IPv6 middle", v6(16, 44, &fragment([5, 0xc9])), Some((185, Earlier))),
        ("IPv6 after options", v6(24, 60, &after_options), Some((185, Earlier))),
        ("IPv4 last", v4(&[(7, 185)], &[1; 8]), Some((185, Last))),
        ("IPv6 last", v6(16, 44, &fragment([5, 0xc8])), Some((185, Last))),
        ("IPv4 padded", v4(&[(7, 185)], &[1; 26]), Some((185, Last))),
        (
            "IPv6 padded",
            v6(16, 44, &[fragment([5, 0xc8]), vec![0; 20]].concat()),
            Some((185, Last)),
        ),
        // The bytes after the fragment header are no authentication header.
        ("IPv4 last, AH", v4(&[(7, 185), (9, 51)], &[255; 8]), Some((185, Last))),
        (
            "IPv6 last, AH",
            v6(16, 44, &[51, 0, 5, 0xc8, 0, 0, 0, 9, 255, 255, 0, 0, 0, 0, 0, 0]),
            Some((185, Last)),
        ),
    ];
    for (name, bytes, expected) in cases {
        let fragment = parse_ip(&bytes, 1000).unwrap().fragment;
        let actual = fragment.as_ref().map(|fragment| (fragment.offset.value(), fragment.place));
        assert_eq!(actual, expected, "{name}");
        if let Some(fragment) = fragment {
            let is_v6 = bytes[0] >> 4 == 6;
            assert_eq!(fragment.identification, if is_v6 { 9 } else { 0x1234 }, "{name}");
            assert_eq!((fragment.payload.len(), fragment.length), (8, 8), "{name}");
        }
    }
}

#[test]
fn tcp_is_told_by_one_byte() {
    let cases = [
        (v4(&[(9, 6)], &[]), true),
        (v6(20, 6, &[]), true),
        (v4(&[(0, 0x46), (9, 6)], &[]), true),
        (v4(&[], &[]), false),
        (v6(8, 17, &[]), false),
        (v4(&[(9, 6)], &[])[..9].to_vec(), false),
        (v6(20, 6, &[])[..6].to_vec(), false),
        (vec![0x05; 40], false),
    ];
    for (bytes, expected) in cases {
        assert_eq!(is_tcp(&bytes), expected, "{bytes:x?}");
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
    ];
    for (bytes, expected) in cases {
        assert_eq!(parse_ip(&bytes, 1000).unwrap_err().to_string(), expected);
    }
    let misplaced = parse_ip(&v6(8, 44, &[0, 0, 0, 1, 0, 0, 0, 9]), 1000).unwrap_err();
    assert!(
        matches!(misplaced, DecodeError::Damaged { layer: "IPv6 hop-by-hop", .. }),
        "{misplaced}"
    );
    for bytes in [
        v4(&[(0, 0x44)], &[1; 8]),
        v4(&[(0, 0x55)], &[1; 8]),
        v4(&[(3, 19)], &[1; 8]),
        v4(&[(0, 0x46), (3, 23)], &[1; 8]),
    ] {
        let error = parse_ip(&bytes, 1000).unwrap_err();
        assert!(matches!(error, DecodeError::Damaged { layer: "IP", .. }), "{error}");
    }
}
