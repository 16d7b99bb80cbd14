//! Every link type, with and without what may stand before IP.

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
        (&[0x8100; 8], 0x86dd, true),
        (&[0x8100; 9], 0x0800, false),
        (&[], 0x0806, false),
        (&[], 0x0026, false),
        (&[0x8100], 0x0026, false),
    ];
    for (tags, ether_type, carries_ip) in cases {
        let frame = ethernet(tags, ether_type);
        let link = parse_link(LinkType::Ethernet, &frame).unwrap();
        let expected = carries_ip.then_some(Link::bare(b"IP".as_slice()));
        assert_eq!(link, expected, "{tags:x?} {ether_type:x}");
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
        (LinkType::Other(147), 64, "link type 147 is not supported"),
    ];
    for (link_type, found_bytes, expected) in cases {
        let error = parse_link(link_type, &vec![0; found_bytes]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let tagged = ethernet(&[0x8100], 0x0800);
    let error = parse_link(LinkType::Ethernet, &tagged[..16]).unwrap_err();
    assert_eq!(error.to_string(), "VLAN header needs 4 bytes, 2 are there");
}
