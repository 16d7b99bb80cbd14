//! Every link type, with and without what may stand before IP.

mod audience;
mod records;
mod sessions;
mod wireless;

use super::*;

const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

fn ethernet(tags: &[u16], ether_type: u16) -> Vec<u8> {
    let mut frame = ADDRESSES.to_vec();
    for tag in tags {
        frame.extend(tag.to_be_bytes());
        frame.extend([0, 7]);
    }
    frame.extend(ether_type.to_be_bytes());
    frame.extend(b"IP");
    frame
}

#[test]
fn ethernet_carries_ip_under_any_nesting_of_vlan_tags() {
    let cases: [(&[u16], u16, bool); 10] = [
        (&[], 0x0800, true),
        (&[], 0x86dd, true),
        (&[0x8100], 0x0800, true),
        (&[0x88a8, 0x8100], 0x86dd, true),
        (&[0x8100, 0x88a8, 0x9100], 0x0800, true),
        (&[0x8100; 16], 0x86dd, true),
        (&[0x8100; 17], 0x0800, false),
        (&[], 0x0806, false),
        (&[], 0x0026, false),
        (&[0x8100], 0x0026, false),
    ];
    for (tags, ether_type, carries_ip) in cases {
        let frame = ethernet(tags, ether_type);
        let link = parse_link(LinkType::Ethernet, &frame).unwrap();
        assert_eq!(link.is_some(), carries_ip, "{tags:x?} {ether_type:x}");
        if let Some(link) = link {
            assert_eq!(link.ip, b"IP");
            assert_eq!(link.segment == 0, tags.is_empty());
        }
    }
}

#[test]
fn cooked_headers_tell_direction_and_interface() {
    let sll = |packet_type: u8, arphrd: u16, ether_type: u16| {
        let mut bytes = vec![0, packet_type];
        bytes.extend(arphrd.to_be_bytes());
        bytes.extend([0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
        bytes.extend(ether_type.to_be_bytes());
        bytes.extend(b"IP");
        bytes
    };
    let sll2 = |packet_type: u8, arphrd: u16, ether_type: u16| {
        let mut bytes = ether_type.to_be_bytes().to_vec();
        bytes.extend([0, 0, 0, 0, 1, 2]);
        bytes.extend(arphrd.to_be_bytes());
        bytes.extend([packet_type, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
        bytes.extend(b"IP");
        bytes
    };
    let cases = [
        (0, 1, 0x0800, Some(Some(Direction::In))),
        (0, 1, 0x86dd, Some(Some(Direction::In))),
        (1, 1, 0x0800, Some(Some(Direction::In))),
        (2, 1, 0x86dd, Some(Some(Direction::In))),
        (3, 1, 0x0800, Some(None)),
        (4, 772, 0x0800, Some(Some(Direction::Out))),
        (4, 1, 0x86dd, Some(Some(Direction::Out))),
        (4, 1, 0x0806, None),
        (0, 824, 0x0800, None),
    ];
    for (packet_type, arphrd, ether_type, expected) in cases {
        let bytes = sll(packet_type, arphrd, ether_type);
        let link = parse_link(LinkType::LinuxSll, &bytes).unwrap();
        assert_eq!(link.map(|link| link.direction), expected, "SLL {packet_type} {ether_type:x}");
        assert!(link.is_none_or(|link| link.ip == b"IP" && link.kernel_interface.is_none()));

        let bytes = sll2(packet_type, arphrd, ether_type);
        let link = parse_link(LinkType::LinuxSll2, &bytes).unwrap();
        assert_eq!(link.map(|link| link.direction), expected, "SLL2 {packet_type} {ether_type:x}");
        assert!(link.is_none_or(|link| link.ip == b"IP" && link.kernel_interface == Some(258)));
    }
}

#[test]
fn a_vlan_tag_inside_a_cooked_header_is_followed() {
    let mut bytes = vec![0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0x00];
    bytes.extend([0, 7, 0x86, 0xdd]);
    bytes.extend(b"IP");
    assert_eq!(parse_link(LinkType::LinuxSll, &bytes).unwrap().unwrap().ip, b"IP");
}

#[test]
fn loopback_families_are_read_in_both_byte_orders() {
    let cases: [(u32, bool); 7] =
        [(2, true), (10, true), (24, true), (28, true), (30, true), (7, false), (0, false)];
    for link_type in [LinkType::Null, LinkType::Loop] {
        for (family, carries_ip) in cases {
            for order in [family.to_be_bytes(), family.to_le_bytes()] {
                let bytes = [order.as_slice(), b"IP"].concat();
                let link = parse_link(link_type, &bytes).unwrap();
                assert_eq!(link.is_some(), carries_ip, "{link_type} {order:?}");
            }
        }
    }
}

#[test]
fn cut_headers_say_what_is_missing() {
    let cases = [
        (LinkType::Ethernet, 13, "Ethernet header needs 14 bytes, 13 are there"),
        (LinkType::LinuxSll, 3, "Linux cooked header needs 16 bytes, 3 are there"),
        (LinkType::LinuxSll2, 19, "Linux cooked v2 header needs 20 bytes, 19 are there"),
        (LinkType::Null, 0, "NULL header needs 4 bytes, 0 are there"),
        (LinkType::Loop, 2, "LOOP header needs 4 bytes, 2 are there"),
        (LinkType::Other(147), 64, "USER0 is not supported"),
    ];
    for (link_type, found_bytes, expected) in cases {
        let error = parse_link(link_type, &vec![0; found_bytes]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let tagged = ethernet(&[0x8100], 0x0800);
    let error = parse_link(LinkType::Ethernet, &tagged[..16]).unwrap_err();
    assert_eq!(error.to_string(), "VLAN header needs 4 bytes, 2 are there");
}

/// An IPv4 and an IPv6 header, as far as the link layers look.
const HEADERS: [(&[u8], u16, u8); 2] =
    [(&[0x45, 0, 0, 20], 0x0800, 0x21), (&[0x60, 0, 0, 0], 0x86dd, 0x57)];

/// The IP bytes of a frame whose link header is right.
fn find_ip(link_type: LinkType, frame: &[u8]) -> Option<Vec<u8>> {
    parse_link(link_type, frame).unwrap().map(|link| link.ip.to_vec())
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn what_may_carry_ip_and_is_not_read_is_said() {
    let cases = [
        (0x88e5, "what is inside MACsec is not read"),
        (0x22f3, "what is inside TRILL is not read"),
        (0x8903, "what is inside FabricPath is not read"),
    ];
    for (ether_type, expected) in cases {
        for tags in [&[][..], &[0x8100]] {
            let frame = ethernet(tags, ether_type);
            let error = parse_link(LinkType::Ethernet, &frame).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn arp_is_found_wherever_ip_is() {
    let sll = |ether_type: u16| {
        let mut bytes = vec![0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        bytes.extend(ether_type.to_be_bytes());
        bytes
    };
    let mut pktap = vec![0; 108];
    (pktap[0], pktap[4], pktap[8], pktap[36]) = (108, 1, 1, 1);
    let tagged = ethernet(&[0x9100, 0x9200, 0x9300, 0x8100], 0x0806);
    let snap = join(&[&ADDRESSES, &[0, 10, 0xaa, 0xaa, 3, 0, 0, 0, 8, 6], b"IP"]);
    let extended = join(&[&ADDRESSES, &[0x89, 0x26, 0, 0, 0, 0, 8, 6], b"IP"]);
    let cases = [
        (LinkType::Ethernet, ethernet(&[], 0x0806), true),
        (LinkType::Ethernet, tagged.clone(), true),
        (LinkType::Ethernet, snap, true),
        (LinkType::Ethernet, extended, true),
        (LinkType::Ethernet, ethernet(&[], 0x0800), false),
        (LinkType::LinuxSll, join(&[&sll(0x8100), &[0, 7, 8, 6], b"IP"]), true),
        (LinkType::LinuxSll, join(&[&sll(0x86dd), b"IP"]), false),
        (LinkType::Pktap, join(&[&pktap, &tagged]), true),
        (LinkType::Other(149), join(&[&pktap, &tagged]), true),
        (LinkType::Other(150), join(&[&pktap, &tagged]), false),
    ];
    for (link_type, frame, expected) in cases {
        let found = find_arp(link_type, &frame);
        assert_eq!(found.map(|link| link.ip), expected.then_some(&b"IP"[..]), "{link_type}");
    }
}

#[test]
fn openbsd_writes_a_loopback_header_as_raw_ip() {
    for (ip, ..) in HEADERS {
        let family = if ip[0] == 0x45 { 2 } else { 24 };
        let bytes = join(&[&[0, 0, 0, family], ip]);
        for link_type in [LinkType::from(12), LinkType::from(101)] {
            assert_eq!(find_ip(link_type, &bytes).as_deref(), Some(ip));
            assert_eq!(find_ip(link_type, ip).as_deref(), Some(ip));
        }
        let other = join(&[&[0, 0, 0, 7], ip]);
        assert_eq!(find_ip(LinkType::from(12), &other), Some(other));
        assert_eq!(find_ip(LinkType::Ipv4, &bytes), Some(bytes));
    }
}

#[test]
fn headers_of_firewalls_and_zones_are_read_in_all_their_lengths() {
    use LinkType::{Enc, Ipnet, Pflog};
    for (ip, ether_type, _) in HEADERS {
        let is_v6 = ether_type == 0x86dd;
        let families: &[u8] = if is_v6 { &[24, 28, 30, 10] } else { &[2] };
        for family in families {
            for (length, padded, direction_at) in
                [(45, 48, 44), (61, 64, 60), (69, 72, 60), (100, 100, 60)]
            {
                let mut header = vec![0; padded];
                (header[0], header[1], header[direction_at]) = (length, *family, 1);
                header[4..8].copy_from_slice(b"em0\0");
                let bytes = [header.as_slice(), ip].concat();
                let link = parse_link(Pflog, &bytes).unwrap().unwrap();
                assert_eq!((link.ip, link.direction), (ip, Some(Direction::In)), "{length}");
                let logged = link.logged.unwrap();
                assert_eq!((logged.interface, logged.blocking_rule), (Some("em0"), None));
                header[2] = 1;
                header[36..40].copy_from_slice(&[0, 0, 1, 2]);
                header[4] = 0;
                let bytes = [header.as_slice(), ip].concat();
                let logged = parse_link(Pflog, &bytes).unwrap().unwrap().logged.unwrap();
                assert_eq!(logged.interface, None);
                assert_eq!(logged.blocking_rule.unwrap().to_string(), "rule 258");
            }
            for order in [[*family, 0, 0, 0], [0, 0, 0, *family]] {
                let bytes = [&order, [0; 8].as_slice(), ip].concat();
                assert_eq!(find_ip(Enc, &bytes).unwrap(), ip);
            }
        }
        for (hook, direction) in [(0, Some(Direction::In)), (1, Some(Direction::Out)), (2, None)] {
            let family = if is_v6 { 26 } else { 2 };
            let mut bytes = vec![1, family, 0, hook, 0, 0, 0, 9, 0, 0, 0, 5];
            bytes.extend([0; 12]);
            bytes.extend(ip);
            let link = parse_link(Ipnet, &bytes).unwrap().unwrap();
            assert_eq!((link.ip, link.direction, link.kernel_interface), (ip, direction, Some(5)));
            bytes[1] = 9;
            assert_eq!(parse_link(Ipnet, &bytes), Ok(None));
        }
    }
    assert_eq!(parse_link(Enc, &[7; 12]), Ok(None));
    let error = parse_link(Pflog, &[44; 64]).unwrap_err().to_string();
    assert_eq!(error, "PFLOG header is damaged: at least 45 bytes were expected, it has 44");
    let mut other = [0; 64];
    (other[0], other[1]) = (61, 7);
    assert_eq!(parse_link(Pflog, &other), Ok(None));
}

#[test]
fn records_of_cards_are_read_behind_their_extensions() {
    let record = |kind: u8, rest: &[u8]| join(&[&[0; 8], &[kind, 0, 0, 60, 0, 0, 0, 60], rest]);
    for (ip, ether_type, ppp) in HEADERS {
        let ether_type = ether_type.to_be_bytes();
        let ethernet = join(&[&[0, 0], &ADDRESSES, &ether_type, ip]);
        let hdlc = join(&[&[0xff, 3, 0, ppp], ip]);
        let channel = join(&[&[0, 0, 0, 1], &[0x0f, 0], &ether_type, ip]);
        let extended = join(&[&[0x83, 0, 0, 0, 0, 0, 0, 0], &[3, 0, 0, 0, 0, 0, 0, 0], &ethernet]);
        let cases: [(u8, &[u8], bool); 12] = [
            (2, &ethernet, true),
            (11, &ethernet, true),
            (16, &ethernet, true),
            (20, &ethernet, true),
            (0x82, &extended, true),
            (1, &hdlc, true),
            (10, &hdlc, true),
            (19, &hdlc, true),
            (17, &channel, true),
            (22, ip, true),
            (27, ip, false),
            (48, ip, false),
        ];
        for (kind, rest, carries_ip) in cases {
            let found = find_ip(LinkType::Erf, &record(kind, rest));
            assert_eq!(found, carries_ip.then(|| ip.to_vec()), "{kind}");
        }
    }
    let endless = record(0x82, &[0xff; 400]);
    assert_eq!(parse_link(LinkType::Erf, &endless).unwrap(), None);
    let error = parse_link(LinkType::Erf, &record(4, &[0; 60])).unwrap_err().to_string();
    assert_eq!(error, "what is inside ERF records of ATM is not read");
}
