use super::*;

/// `source > destination point side fate carries reply`.
fn told(event: Option<FlowEvent>) -> String {
    event.map_or_else(
        || "none".to_owned(),
        |event| {
            format!(
                "{} > {} {} {:?} {:?} {:?} {}",
                event.source.as_text(),
                event.destination.as_text(),
                event.point,
                event.side,
                event.fate,
                event.carries,
                event.is_reply.map_or("-", |reply| if reply { "reply" } else { "request" }),
            )
        },
    )
}

#[test]
fn compact_lines_are_read() {
    let cases = [
        (
            "Nov  8 07:19:25.894: 192.0.2.9:50007 (world) -> default/tftp-0:69 (ID:47074) to-endpoint FORWARDED (UDP)",
            "192.0.2.9:50007 > default/tftp-0:69 to-endpoint Endpoint Forwarded Udp request",
        ),
        (
            "Nov  8 07:19:25.894: [2001:db8::9]:50007 (world) <- [2001:db8:1::7]:69 (ID:47074) to-network FORWARDED (UDP)",
            "[2001:db8:1::7]:69 > [2001:db8::9]:50007 to-network Network Forwarded Udp reply",
        ),
        (
            "Nov 18 07:19:25.894 [node1]: 198.51.100.7:5063 (ID:4) <> 192.0.2.9:50007 (world) No mapping for NAT masquerade DROPPED (UDP)",
            "198.51.100.7:5063 > 192.0.2.9:50007 No mapping for NAT masquerade Network Dropped Udp -",
        ),
        (
            "2024-11-18T07:19:25.894Z: 198.51.100.7:5063 -> 192.0.2.9:69 policy-verdict:none EGRESS DENIED (UDP)",
            "198.51.100.7:5063 > 192.0.2.9:69 policy-verdict:none EGRESS Endpoint Dropped Udp request",
        ),
        (
            "Nov  8 07:19:25.894: 192.0.2.9:50007 -> 198.51.100.7:69 Policy denied DROPPED (UDP)",
            "192.0.2.9:50007 > 198.51.100.7:69 Policy denied Endpoint Dropped Udp request",
        ),
        (
            "Nov  8 07:19:25.894: 192.0.2.1 (host) -> 198.51.100.7 (ID:4) to-endpoint FORWARDED (ICMPv4 DestinationUnreachable(Port))",
            "192.0.2.1 > 198.51.100.7 to-endpoint Endpoint Forwarded IcmpError(PortUnreachable) request",
        ),
        (
            "Nov  8 07:19:25.894: a/b:1 (ID:4) <> c/d (ID:5) pre-xlate-rev TRACED (UDP)",
            "a/b:1 > c/d pre-xlate-rev Network NoPacket Udp -",
        ),
        (
            "Nov  8 07:19:25.894: a/b:1 -> c/d:53 dns-request proxy FORWARDED (DNS Query example.com. A)",
            "a/b:1 > c/d:53 dns-request proxy Network NoPacket Other request",
        ),
        (
            "Nov  8 07:19:25.894: a/b:1 -> c/d:80 to-stack FORWARDED (TCP Flags: SYN)",
            "a/b:1 > c/d:80 to-stack Network Forwarded Other request",
        ),
        (
            "a/b:1 -> c/d:69 to-overlay FORWARDED (UDP)",
            "a/b:1 > c/d:69 to-overlay Network Forwarded Udp request",
        ),
        ("It was DROPPED (UDP)", "none"),
        ("the packet goes 192.0.2.1:5 -> 192.0.2.2:69 (UDP)", "none"),
        ("FORWARDED (UDP)", "none"),
        ("", "none"),
        (")", "none"),
    ];
    for (text, expected) in cases {
        assert_eq!(told(find_compact(text)), expected, "{text}");
    }
}

#[test]
fn rows_of_the_table_are_read() {
    let cases = [
        (
            "Nov  8 07:19:25.894   192.0.2.9:50007   default/tftp-0:69   to-endpoint   FORWARDED   UDP",
            "192.0.2.9:50007 > default/tftp-0:69 to-endpoint Endpoint Forwarded Udp -",
        ),
        (
            "Nov  8 07:19:25.894   node1   [2001:db8::9]:5   [2001:db8::7]:69   Policy denied   DROPPED   UDP",
            "[2001:db8::9]:5 > [2001:db8::7]:69 Policy denied Endpoint Dropped Udp -",
        ),
        ("TIMESTAMP   SOURCE   DESTINATION   TYPE   VERDICT   SUMMARY", "none"),
        ("one   two   three   FORWARDED", "none"),
    ];
    for (text, expected) in cases {
        assert_eq!(told(find_row(text)), expected, "{text}");
    }
    assert!(is_header("TIMESTAMP             SOURCE      DESTINATION   TYPE   VERDICT   SUMMARY"));
}

#[test]
fn lost_events_are_counted() {
    assert_eq!(find_lost("EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 12"), Some(12));
    assert_eq!(find_lost("EVENTS LOST: many"), None);
}
