//! Rows of the packet list, in both families.

use super::*;

#[test]
fn rows_with_ports_are_read() {
    for (one, two, headers) in [("192.0.2.1", "192.0.2.2", 42), ("2001:db8::1", "2001:db8::2", 62)]
    {
        let cases = [
            (
                format!(
                    "7\t2.994698590\t{one}\t5000\t{two}\t69\tTFTP\t{}\tRead Request, File: mod, Transfer type: octet",
                    headers + 22
                ),
                22,
            ),
            (format!("    7   2.994698 {one} → {two} UDP 106 5000 → 69 Len=64"), 64),
            (
                format!(
                    "7\t2.994698590\t{one}\t5000\t{two}\t69\tTFTP\t{}\tData Packet, Block: 1",
                    headers + 516
                ),
                516,
            ),
        ];
        for (text, length) in cases {
            let RowReading::Content(Content::Datagram(datagram)) = find_row(&text).unwrap().read()
            else {
                panic!("{text}");
            };
            assert_eq!(datagram.flow.source, Endpoint::new(one.parse().unwrap(), 5_000));
            assert_eq!(datagram.flow.destination, Endpoint::new(two.parse().unwrap(), 69));
            assert_eq!(datagram.length, length, "{text}");
        }
        let refused = format!(
            "9 3.000000 {one} 69 {two} 5000 ICMP 586 Destination unreachable (Port unreachable)"
        );
        let RowReading::Content(Content::IcmpError(error)) = find_row(&refused).unwrap().read()
        else {
            panic!("{refused}");
        };
        let quote = error.quote.unwrap();
        assert_eq!(quote.source_endpoint(), Some(Endpoint::new(two.parse().unwrap(), 69)));
    }
}

#[test]
fn rows_without_ports_are_faults_where_the_protocol_does_not_tell_them() {
    let text = "1 0.000000 192.0.2.1 → 192.0.2.2 TFTP 106 Write Request, File: a";
    assert!(matches!(find_row(text).unwrap().read(), RowReading::Unported(_)));
    let text = "1 0.000000 2001:db8::1 → 2001:db8::2 OpenVPN 106 MessageType: P_DATA_V2";
    assert!(matches!(find_row(text).unwrap().read(), RowReading::Fault(_)));
}

#[test]
fn times_of_all_kinds_are_read() {
    for (one, two) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
        let cases = [
            ("2.994698", StampValue::Span(2_994_698_000), true),
            ("1700000000.654684000", StampValue::Date(1_700_000_000_654_684_000), false),
            ("1970-01-01 00:00:01.5", StampValue::Date(1_500_000_000), false),
            ("00:00:01.500000", StampValue::Span(1_500_000_000), false),
        ];
        for (time, value, counts_from_first) in cases {
            let text = format!("    7 {time} {one} → {two} UDP 106 5000 → 69 Len=64");
            let row = find_row(&text).unwrap();
            assert_eq!((row.stamp.value, row.counts_from_first), (value, counts_from_first));
            assert!(matches!(row.read(), RowReading::Content(Content::Datagram(_))), "{text}");
        }
    }
}

#[test]
fn only_what_udp_carries_is_a_datagram() {
    for (one, two) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
        let cases = [
            ("SSHv2", "Client: Encrypted packet (len=36)", false),
            ("TLSv1", "Application Data", false),
            ("HTTP/JSON", "POST / HTTP/1.1", false),
            ("SMB2", "Negotiate Protocol Request", false),
            ("BGP", "KEEPALIVE Message", false),
            ("TCP", "5000 → 22 [SYN] Seq=0 Win=64240 Len=0", false),
            ("SIP/SDP", "Request: INVITE sip:a@example.com", true),
            ("WireGuard", "Transport Data", true),
            ("BFD Control", "Diag: No Diagnostic, State: Up, Flags: 0x00", true),
            ("ESP", "ESP (SPI=0xc1c1c1c1)", true),
            ("DTLSv1.2", "Client Hello", true),
            ("NEWPROTO", "5000 → 69 Len=64", true),
        ];
        for (protocol, summary, is_datagram) in cases {
            let text = format!("7\t2.994698\t{one}\t5000\t{two}\t69\t{protocol}\t100\t{summary}");
            let reading = find_row(&text).unwrap().read();
            let found = matches!(reading, RowReading::Content(Content::Datagram(_)));
            assert_eq!(found, is_datagram, "{text}");
        }
    }
    let frame = "1 0.000000000 02:00:00:00:00:01 → Broadcast ARP 42 Who has 192.0.2.1?";
    assert_eq!(find_row(frame).unwrap().read(), RowReading::Other);
    for (one, two) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
        let text = format!("9 3.000000 {one} → {two} ESP 150 ESP (SPI=0xc1c1c1c1)");
        assert_eq!(find_row(&text).unwrap().read(), RowReading::Other, "not in UDP");
    }
    let expired = "9 3.000000 2001:db8::2 2001:db8::1 ICMPv6 586 Time Exceeded (hop limit exceeded in transit)";
    assert!(matches!(
        find_row(expired).unwrap().read(),
        RowReading::Content(Content::IcmpError(IcmpError { kind: IcmpKind::TimeExceeded, .. }))
    ));
}

#[test]
fn other_text_is_no_row() {
    for text in ["", "7 packets captured", "1. First 192.0.2.1", "1 2.5 a b c", "12"] {
        assert_eq!(find_row(text), None, "{text}");
    }
}
