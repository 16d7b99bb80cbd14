//! Filters, and what they show.

use super::*;
use crate::model::capture::CaptureFilter;
use crate::model::endpoint::Endpoint;

fn end(text: &str) -> Endpoint {
    text.parse::<std::net::SocketAddr>().unwrap().into()
}

/// Whether the answer of a DNS server, or its ICMP error, would be hidden.
fn hidden(text: &str, is_v6: bool) -> Option<(bool, bool)> {
    let (client, asked) = if is_v6 {
        (end("[2001:db8::7]:40000"), end("[2001:db8:1::10]:53"))
    } else {
        (end("192.0.2.7:40000"), end("198.51.100.10:53"))
    };
    let text = if is_v6 {
        text.replace("192.0.2.7", "2001:db8::7")
            .replace("192.0.2.0/24", "2001:db8::/64")
            .replace("198.51.100.10", "2001:db8:1::10")
            .replace("192.0.2.9", "2001:db8::9")
    } else {
        text.to_owned()
    };
    let filter = CaptureFilter { condition: find_condition(&text)?, text };
    let answers = filter.hides_answers(client, asked, Some(asked.port));
    Some((answers, filter.hides_errors(client, asked)))
}

#[test]
fn a_filter_shows_both_directions_or_one() {
    // filter, whether it hides the answer, whether it hides an ICMP error
    let cases = [
        ("udp", false, true),
        ("port 53", false, true),
        ("udp port domain", false, true),
        ("port 53 or icmp or icmp6", false, false),
        ("host 192.0.2.7", false, false),
        ("192.0.2.7", false, false),
        ("host 192.0.2.7 and not tcp", false, false),
        ("host 198.51.100.10 and (udp or icmp or icmp6)", false, false),
        ("src 192.0.2.7", true, true),
        ("src host 192.0.2.7 or dst host 192.0.2.7", false, false),
        ("src or dst host 192.0.2.7", false, false),
        ("src and dst net 192.0.2.0/24", false, false),
        ("src net 192.0.2.0/24", true, true),
        ("net 192.0.2.0/24 and port 53", false, true),
        ("dst host 198.51.100.10 or dst host 192.0.2.9", true, true),
        ("dst 198.51.100.10 or src 198.51.100.10", false, false),
        ("udp dst port 53", true, true),
        ("udp and (src port 53 or dst port 53)", false, true),
        ("udp src portrange 40000-40010", true, true),
        ("not src 192.0.2.9", false, false),
        ("not dst port 22", false, false),
        ("port 53 or 69", false, true),
        ("!(src host 192.0.2.9)&&udp", false, true),
        ("src web1", true, false),
        ("src web1 or dst web1", false, false),
        ("host web1 and port 53", false, true),
        ("inbound and port 53", true, true),
        ("not multicast and udp", false, true),
        ("vlan 7 and port 53", false, true),
        ("ether src 02:00:00:00:00:01", true, false),
        // Bytes, and lengths: nobody knows whether the answer has them.
        ("udp[8:2] = 1", true, false),
        ("udp[10] & 0x80 = 0", true, false),
        ("port 53 and udp[10]&0x80!=0", true, true),
        ("not (udp[10] & 0x80 = 0)", true, false),
        ("udp and less 60", true, true),
        ("greater 100", true, false),
        ("len <= 100 and host 192.0.2.7", true, false),
        ("port 53 or ip[6:2] & 0x1fff != 0", false, false),
        ("src 192.0.2.7 and ip[8] < 64", true, true),
        ("gateway rtr and dst port 53", true, true),
        ("gateway rtr and port 53", false, true),
        ("not host web1 and dst port 53", true, true),
        ("not host web1 and port 53", false, true),
        // Whatever the direction is, it is one.
        ("not inbound", true, true),
        ("not (inbound and port 53)", true, false),
        ("not (tcp or outbound)", true, true),
        // They are of another command, or of an exchange that it does not show.
        ("port 69", false, false),
        ("tcp", false, false),
    ];
    for (text, answers, errors) in cases {
        for is_v6 in [false, true] {
            assert_eq!(hidden(text, is_v6), Some((answers, errors)), "{text}, {is_v6}");
        }
    }
}

#[test]
fn a_transfer_s_answers_come_from_another_port() {
    for (client, asked) in
        [("192.0.2.7:40000", "198.51.100.10:69"), ("[2001:db8::7]:40000", "[2001:db8:1::10]:69")]
    {
        for (text, expected) in [
            ("udp port 69", true),
            ("udp", false),
            ("udp portrange 1024-65535", false),
            ("udp src portrange 1024-65535", false),
            ("udp src portrange 30000-65535", true),
            ("udp portrange 60-90", true),
            ("udp and not port 22", false),
            ("udp and not port 4789", false),
            ("udp and not portrange 6000-6100", true),
        ] {
            let condition = find_condition(text).unwrap();
            let filter = CaptureFilter { condition, text: text.to_owned() };
            assert_eq!(filter.hides_answers(end(client), end(asked), None), expected, "{text}");
        }
    }
}

#[test]
fn an_answer_from_elsewhere_may_match_no_filter() {
    let families = [
        ("192.0.2.7:40000", "198.51.100.10:69", "198.51.100.4", "198.51.100.0/24"),
        ("[2001:db8::7]:40000", "[2001:db8:1::10]:69", "2001:db8:1::4", "2001:db8:1::/64"),
    ];
    for (client, asked, node, network) in families {
        let (client, asked) = (end(client), end(asked));
        let (device, vip) = (client.address, asked.address);
        let cases = [
            (format!("host {vip} and udp"), true),
            (format!("dst host {vip}"), true),
            (format!("host {vip} and (udp or icmp or icmp6)"), true),
            (format!("host {device}"), false),
            (format!("host {device} and host {vip}"), true),
            (format!("host {vip} or host {node}"), false),
            (format!("net {network}"), false),
            (format!("udp and not host {vip}"), false),
            ("host web1 and udp".to_owned(), false),
            ("udp".to_owned(), false),
            ("ip or ip6".to_owned(), false),
        ];
        for (text, expected) in cases {
            let condition = find_condition(&text).unwrap();
            let filter = CaptureFilter { text, condition };
            let hides = filter.hides_other_answers(client, asked, None);
            assert_eq!(hides, expected, "{}", filter.text);
        }
    }
}

#[test]
fn what_tcpdump_refuses_is_no_filter() {
    let deep = "(".repeat(200);
    for text in ["", "src", "port", "(udp", "udp)", "udp udp )", "(udp[8] = 1", "port 53 ]"] {
        assert_eq!(find_condition(text), None, "{text}");
    }
    assert_eq!(find_condition(&deep), None);
    assert_eq!(find_condition(&"not ".repeat(200)), None);
}
