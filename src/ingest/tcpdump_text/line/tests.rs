//! Packet lines down to the network layer, in every form.

use super::*;

fn ip(family: Family, text: &str) -> Network<'_> {
    Network::Ip { family, text }
}

#[test]
fn heads_are_read_in_every_form() {
    let (v4, v6) = ("192.0.2.1.5 > 192.0.2.2.69: x", "2001:db8::1.5 > 2001:db8::2.69: x");
    let cases = [
        ("IP {4}", None, None, None, ip(Family::V4, v4)),
        ("IP6 {6}", None, None, None, ip(Family::V6, v6)),
        ("eth0  In  IP {4}", Some("eth0"), Some(Direction::In), None, ip(Family::V4, v4)),
        ("cali928 Out IP6 {6}", Some("cali928"), Some(Direction::Out), None, ip(Family::V6, v6)),
        ("eth0  B   IP {4}", Some("eth0"), Some(Direction::In), None, ip(Family::V4, v4)),
        ("eth0  M   IP6 {6}", Some("eth0"), Some(Direction::In), None, ip(Family::V6, v6)),
        ("eth0  P   IP {4}", Some("eth0"), None, None, ip(Family::V4, v4)),
        ("In IP {4}", None, Some(Direction::In), None, ip(Family::V4, v4)),
        ("Out IP6 {6}", None, Some(Direction::Out), None, ip(Family::V6, v6)),
        (
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 90: {4}",
            None,
            None,
            Some(90),
            ip(Family::V4, v4),
        ),
        (
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv6 (0x86dd), length 90: {6}",
            None,
            None,
            Some(90),
            ip(Family::V6, v6),
        ),
        (
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 94: vlan 265, p 0, ethertype IPv4 (0x0800), {4}",
            None,
            None,
            Some(94),
            ip(Family::V4, v4),
        ),
        (
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 94: vlan 265, p 0, ethertype IPv6, {6}",
            None,
            None,
            Some(94),
            ip(Family::V6, v6),
        ),
        (
            "In 22:26:27:e6:e0:07 ethertype IPv6 (0x86dd), length 105: {6}",
            None,
            Some(Direction::In),
            Some(105),
            ip(Family::V6, v6),
        ),
        (
            "ifb0  In  ifindex 2 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 112: {4}",
            Some("ifb0"),
            Some(Direction::In),
            Some(112),
            ip(Family::V4, v4),
        ),
        ("vlan 265, p 0, IP {4}", None, None, None, ip(Family::V4, v4)),
        ("AF IPv4 (2), length 60: {4}", None, None, Some(60), ip(Family::V4, v4)),
        ("AF IPv6 (30), length 80: {6}", None, None, Some(80), ip(Family::V6, v6)),
        ("ip: {4}", None, None, None, ip(Family::V4, v4)),
        ("ip: {6}", None, None, None, ip(Family::V6, v6)),
        ("PPPoE  [ses 0x11] IP6 {6}", None, None, None, ip(Family::V6, v6)),
        ("{4}", None, None, None, ip(Family::V4, v4)),
        ("{6}", None, None, None, ip(Family::V6, v6)),
        (
            "ARP, Request who-has 192.0.2.1 tell 192.0.2.2, length 28",
            None,
            None,
            None,
            Network::Other,
        ),
        ("STP 802.1d, Config, Flags [none]", None, None, None, Network::Other),
        ("eth0  B   ARP, Request who-has", Some("eth0"), Some(Direction::In), None, Network::Other),
        (
            "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 60: Request",
            None,
            None,
            Some(60),
            Network::Other,
        ),
        ("the device was restarted", None, None, None, Network::Unknown),
        ("", None, None, None, Network::Unknown),
    ];
    for (text, interface, direction, frame_length, network) in cases {
        let text = text.replace("{4}", v4).replace("{6}", v6);
        let expected = Head { interface, direction, frame_length, network };
        assert_eq!(read_head(&text), expected, "{text}");
    }
}

#[test]
fn labels_and_masked_addresses_hide_nothing() {
    let (v4, v6) = ("192.0.2.1.5 > 192.0.2.2.69: x", "2001:db8::1.5 > 2001:db8::2.69: x");
    let cases = [
        ("MPLS (label 3 (Implicit-Null), tc 0, [S], ttl 4)", None, None, None, Network::Labels),
        (
            "MPLS (label 100, tc 0, ttl 4) (label 7, tc 0, [S], ttl 4) {6}",
            None,
            None,
            None,
            ip(Family::V6, v6),
        ),
        (
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype MPLS unicast (0x8847), length 94: MPLS (label 100, tc 0, [S], ttl 64) {4}",
            None,
            None,
            Some(94),
            ip(Family::V4, v4),
        ),
        (
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype MPLS unicast (0x8847), length 94: MPLS (label 100, tc 0, [S], ttl 64)",
            None,
            None,
            Some(94),
            Network::Labels,
        ),
        (
            "xx:xx:xx:xx:xx:xx > xx:xx:xx:xx:xx:xx, ethertype IPv4 (0x0800), length 90: {4}",
            None,
            None,
            Some(90),
            ip(Family::V4, v4),
        ),
    ];
    for (text, interface, direction, frame_length, network) in cases {
        let text = text.replace("{4}", v4).replace("{6}", v6);
        let expected = Head { interface, direction, frame_length, network };
        assert_eq!(read_head(&text), expected, "{text}");
    }
}

#[test]
fn heads_of_other_systems_are_read() {
    let (v4, v6) = ("192.0.2.1.5 > 192.0.2.2.69: x", "2001:db8::1.5 > 2001:db8::2.69: x");
    let cases = [
        (
            "rule 5/0(match): block in on em0: {4}",
            Some("em0"),
            Some(Direction::In),
            None,
            ip(Family::V4, v4),
        ),
        (
            "rule 5/0(match): pass out on em0: {6}",
            Some("em0"),
            Some(Direction::Out),
            None,
            ip(Family::V6, v6),
        ),
        (
            "(en0, proc tftp:123, out, so) IP {4}",
            Some("en0"),
            Some(Direction::Out),
            None,
            ip(Family::V4, v4),
        ),
        ("(en0, in) IP6 {6}", Some("en0"), Some(Direction::In), None, ip(Family::V6, v6)),
        (
            "02:00:00:00:00:01 02:00:00:00:00:02 0800 106: {4}",
            None,
            None,
            Some(106),
            ip(Family::V4, v4),
        ),
        (
            "02:00:00:00:00:01 02:00:00:00:00:02 86dd 126: {6}",
            None,
            None,
            Some(126),
            ip(Family::V6, v6),
        ),
        ("2:0:0:0:0:1 2:0:0:0:0:2 ip 106: {4}", None, None, Some(106), ip(Family::V4, v4)),
        ("2:0:0:0:0:1 2:0:0:0:0:2 arp 42: arp who-has", None, None, Some(42), Network::Other),
        ("02:00:00:00:00:01 what {4}", None, None, None, Network::Unknown),
    ];
    for (text, interface, direction, frame_length, network) in cases {
        let text = text.replace("{4}", v4).replace("{6}", v6);
        let expected = Head { interface, direction, frame_length, network };
        assert_eq!(read_head(&text), expected, "{text}");
    }
}

#[test]
fn lines_without_a_time_are_packets_only_where_they_look_so() {
    let cases = [
        ("IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
        ("IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
        ("eth0  In  IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
        ("IP (tos 0x0, ttl 63, id 1, offset 0, flags [DF], proto UDP (17), length 9)", true),
        ("ARP, Request who-has 192.0.2.1 tell 192.0.2.2, length 28", true),
        ("IP addresses of the node", false),
        ("192.0.2.1 > 192.0.2.2 in the figure", false),
        ("192.0.2.1 > 192.0.2.2: they do not talk", false),
        ("192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
        ("2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
        ("192.0.2.1 > 192.0.2.2: ICMP 192.0.2.1 udp port 5 unreachable, length 36", true),
        ("ip: 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
        ("ip: 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
        ("AF IPv6 (30), length 80: 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
        ("MPLS (label 100, tc 0, [S], ttl 64)", true),
        ("In the pod we see", false),
    ];
    for (text, expected) in cases {
        assert_eq!(is_untimed_packet(text), expected, "{text}");
    }
}
