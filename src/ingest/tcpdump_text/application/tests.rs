//! Summaries of every protocol, in both families.

use super::*;
use crate::model::endpoint::Endpoint;
use crate::model::identity::{DnsQuestion, hash_fields, is_of_words};
use crate::model::packet::{Transaction, TransactionRole};

fn flow(addresses: (&str, &str), source_port: u16, destination_port: u16) -> FlowKey {
    FlowKey::udp(
        Endpoint::new(addresses.0.parse().unwrap(), source_port),
        Endpoint::new(addresses.1.parse().unwrap(), destination_port),
    )
}

const BOTH: [(&str, &str); 2] = [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")];

fn read(ports: (u16, u16), summary: &str, body: &[&str]) -> Reading {
    let body: Vec<String> = body.iter().map(|line| (*line).to_owned()).collect();
    let [v4, v6] =
        BOTH.map(|addresses| read_application(&flow(addresses, ports.0, ports.1), summary, &body));
    assert_eq!(v4, v6, "the family makes no difference: {summary}");
    v4
}

#[test]
fn protocols_without_identity_are_plain() {
    let unknown = Application::Unknown { tftp_shape: None };
    let cases = [
        ((5000, 6000), "UDP, length 35", unknown.clone(), Some(35)),
        ((5000, 6000), "UDP, bad length 100 > 64", unknown.clone(), Some(100)),
        ((5000, 6000), "[|udp]", unknown.clone(), None),
        ((5000, 6000), "udp 64 (ttl 64, id 1234, len 92)", unknown.clone(), Some(64)),
        ((5000, 6000), "udp 35 (DF)", unknown.clone(), Some(35)),
        ((5000, 6000), "udp 64 [flowlabel 0xb3c1e]", unknown, Some(64)),
        (
            (514, 1234),
            "SYSLOG local0.info, length: 159",
            Application::Report(Protocol::Syslog),
            Some(159),
        ),
        (
            (68, 67),
            "BOOTP/DHCP, Request from 02:00:00:00:00:01, length 272",
            Application::Plain(Protocol::Dhcp),
            Some(272),
        ),
        ((546, 547), "dhcp6 inf-req (elapsed-time 0)", Application::Plain(Protocol::Dhcpv6), None),
        ((500, 500), "isakmp: phase 1 R ident", Application::Plain(Protocol::Ike), None),
        (
            (4500, 4500),
            "NONESP-encap: isakmp: child_sa  ikev2_auth[I]",
            Application::Plain(Protocol::Ike),
            None,
        ),
        ((5000, 4789), "VXLAN, flags [I] (0x08), vni 5", Application::Plain(Protocol::Vxlan), None),
        (
            (5000, 6081),
            "Geneve, Flags [none], vni 0xb: IP 10.0.0.1.5 > 10.0.0.2.6: UDP, length 7",
            Application::Plain(Protocol::Geneve),
            None,
        ),
        (
            (5000, 6343),
            "sFlowv5, IPv4 agent 192.0.2.1, length 200",
            Application::Report(Protocol::Sflow),
            Some(200),
        ),
        ((5000, 123), "NTPv4, Client, length 48", Application::Plain(Protocol::Ntp), Some(48)),
        ((5060, 5060), "SIP, length: 971", Application::Plain(Protocol::Sip), Some(971)),
        ((5000, 514), "[|syslog]", Application::Plain(Protocol::Syslog), None),
        ((5000, 2055), "UDP, length 1376", Application::Plain(Protocol::NetFlow), Some(1376)),
        (
            (5353, 5353),
            "0 [2q] PTR (QU)? _smb._tcp.local. (46)",
            Application::Plain(Protocol::Mdns),
            Some(46),
        ),
    ];
    for (ports, summary, application, length) in cases {
        assert_eq!(read(ports, summary, &[]), Reading { application, length }, "{summary}");
    }
}

fn transaction(ports: (u16, u16), summary: &str, body: &[&str]) -> Transaction {
    match read(ports, summary, body).application {
        Application::Transaction(transaction) => transaction,
        other => panic!("{summary}: {other:?}"),
    }
}

#[test]
fn answers_have_the_identity_of_their_questions() {
    type Side<'a> = (&'a str, &'a [&'a str]);
    let cases: [(Protocol, u16, Side, Side); 9] = [
        (
            Protocol::Dns,
            53,
            ("12345+ A? example.com. (29)", &[]),
            ("12345 1/0/0 A 192.0.2.1 (45)", &[]),
        ),
        (
            Protocol::Dns,
            53,
            ("12345+ [1au] AAAA? example.com. (40)", &[]),
            ("12345 NXDomain*- 0/1/1 (115)", &[]),
        ),
        (
            Protocol::Dns,
            53,
            ("12345+% A? example.com. (29)", &[]),
            ("12345*-$ q: A? example.com. 1/0/0 example.com. A 192.0.2.1 (45)", &[]),
        ),
        (
            Protocol::Snmp,
            161,
            ("C=\"secret\" GetRequest(28)  .1.3.6.1.2.1.1.1.0", &[]),
            ("C=\"secret\" GetResponse(162)  .1.3.6.1.2.1.1.1.0=\"a .1 b\"", &[]),
        ),
        (
            Protocol::Snmp,
            161,
            ("{ SNMPv2c C=\"secret\" { GetRequest(28) R=1234  .1.3.6.1.2.1.1.1.0 } }", &[]),
            ("{ SNMPv2c C=\"secret\" { GetResponse(38) R=1234  .1.3.6.1.2.1.1.2.0=.1.3 } }", &[]),
        ),
        (
            Protocol::Radius,
            1812,
            ("RADIUS, Access-Request (1), id: 0x05 length: 139", &[]),
            ("RADIUS, Access-Challenge (11), id: 0x05 length: 109", &[]),
        ),
        (
            Protocol::Radius,
            1812,
            ("RADIUS, length: 139", &["\tAccess-Request (1), id: 0x05, Authenticator: ec"]),
            ("RADIUS, length: 20", &["\tAccess-Accept (2), id: 0x05, Authenticator: ed"]),
        ),
        (
            Protocol::Ntp,
            123,
            (
                "NTPv4, Client, length 48",
                &["\t  Transmit Timestamp:   3970467044.679772961 (2025-10-26T11:30:44Z)"],
            ),
            (
                "NTPv4, Server, length 48",
                &["\t  Originator Timestamp: 3970467044.679772961 (2025-10-26T11:30:44Z)"],
            ),
        ),
        (
            Protocol::Sip,
            5060,
            (
                "SIP, length: 467",
                &["\tREGISTER sip:example.com SIP/2.0", "\tCall-ID: a@b", "\tCSeq: 68 REGISTER"],
            ),
            (
                "SIP, length: 486",
                &["\tSIP/2.0 401 Unauthorized", "\tCall-ID: a@b", "\tCSeq: 68 REGISTER"],
            ),
        ),
    ];
    for (protocol, port, (asks, asks_body), (answers, answers_body)) in cases {
        let request = transaction((5000, port), asks, asks_body);
        let reply = transaction((port, 5000), answers, answers_body);
        assert_eq!(
            (request.protocol, request.role),
            (protocol, TransactionRole::Request),
            "{asks}"
        );
        assert_eq!((reply.protocol, reply.role), (protocol, TransactionRole::Reply), "{answers}");
        assert_eq!(request.identity, reply.identity, "{asks}");
    }
}

#[test]
fn the_same_question_is_known_again_under_a_new_identity() {
    let cases = [
        (53, "1+ A? example.com. (29)", "2+ A? example.com. (29)"),
        (
            161,
            "{ SNMPv1 { GetRequest(28) R=1  .1.3.6 } }",
            "{ SNMPv1 { GetRequest(28) R=2  .1.3.6 } }",
        ),
    ];
    for (port, first, second) in cases {
        let first = transaction((5000, port), first, &[]);
        let second = transaction((5001, port), second, &[]);
        assert_ne!(first.identity, second.identity);
        assert_eq!(first.question, second.question);
        assert!(first.question.is_some());
    }
}

#[test]
fn traps_expect_no_answer() {
    for summary in [
        "C=\"secret\" V2Trap(90)  .1.3.6.1.2.1.1.3.0=5",
        "C=\"secret\" Trap(28)  .1.3.6.1.4.1 192.0.2.1 linkDown 5",
    ] {
        let trap = transaction((5000, 162), summary, &[]);
        assert_eq!((trap.protocol, trap.role), (Protocol::SnmpTrap, TransactionRole::Notification));
    }
}

#[test]
fn lengths_are_found() {
    let cases = [
        ((5000, 53), "12345+ A? example.com. (29)", Some(29)),
        ((53, 5000), "12345 1/0/0 TXT \"length 9\" (45)", Some(45)),
        ((5000, 69), " 64 WRQ \"a\" octet", Some(64)),
        ((5000, 69), "TFTP, length 64, WRQ \"a\" octet", Some(64)),
        ((7001, 7000), "rx data fs reply fetch-status (148)", Some(148)),
        ((5000, 6000), "udp 35", Some(35)),
        ((5000, 161), "GetResponse(42)  .1.3.6=\"length 9\"", None),
    ];
    for (ports, summary, length) in cases {
        assert_eq!(read(ports, summary, &[]).length, length, "{summary}");
    }
}

#[test]
fn a_text_has_the_numbers_that_the_bytes_have() {
    let dns = |labels: &[&[u8]], kind: u16| {
        let mut question = DnsQuestion::default();
        for label in labels {
            question.add_label(label);
        }
        Some(question.finish(kind))
    };
    let id = 12_345_u16.to_be_bytes();
    let request_id = (-7_i64).to_be_bytes();
    // 1.3.6.1.4.1.2636.3 as it is encoded.
    let object = [0x2b, 6, 1, 4, 1, 0x94, 0x4c, 3];
    let get = hash_fields(&[&[0xa0]]);
    let cases = [
        (53, "12345+ A? Example.com. (29)", hash_fields(&[&id]), dns(&[b"example", b"com"], 1)),
        (53, "12345+ [1au] NS? . (29)", hash_fields(&[&id]), dns(&[], 2)),
        (
            53,
            "12345+ Type65? example.com. (29)",
            hash_fields(&[&id]),
            dns(&[b"example", b"com"], 65),
        ),
        (
            161,
            "{ SNMPv2c C=\"x\" { GetRequest(28) R=-7  .1.3.6.1.4.1.2636.3 } }",
            hash_fields(&[&request_id]),
            Some(hash_fields(&[&get.to_be_bytes(), &object])),
        ),
        (1812, "RADIUS, Access-Request (1), id: 0x05 length: 139", hash_fields(&[&[5]]), None),
    ];
    for (port, summary, identity, question) in cases {
        let read = transaction((5000, port), summary, &[]);
        assert_eq!((read.identity, read.question), (identity, question), "{summary}");
    }
}

#[test]
fn what_a_text_words_otherwise_is_no_number_of_bytes() {
    let cases = [
        (53, "12345+ A? cut-off (29)"),
        (53, "12345+ TXT CHAOS? version.bind. (30)"),
        (161, "C=\"x\" GetRequest(28)  .1.3.6.1.2.1.1.1.0"),
    ];
    for (port, summary) in cases {
        let read = transaction((5000, port), summary, &[]);
        assert!(read.question.is_some_and(is_of_words), "{summary}");
    }
}
