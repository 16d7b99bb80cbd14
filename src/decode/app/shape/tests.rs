//! Messages of each protocol, what is nearly one, and what a snap length left of one.

use super::super::{cut, whole};
use super::*;

const DNS: &[u8] = b"\x11\x22\x81\x80\0\x01\0\x01\0\0\0\0\x07example\x03net\0\0\x01\0\x01";
const SNMP: &[u8] =
    b"\x30\x1a\x02\x01\x01\x04\x06public\xa2\x0d\x02\x01\x07\x02\x01\0\x02\x01\0\x30\x02\x05\0";
const RADIUS: &[u8] = b"\x02\x07\0\x1a0123456789abcdef\x12\x06well";

const COA_ACK: &[u8] = b"\x2c\x07\0\x140123456789abcdef";
const COAP: &[u8] = b"\x62\x45\0\x07\xaa\xbb\xc0\xff22.5";

const DNS_QUERY: &[u8] = b"\x11\x22\x01\0\0\x01\0\0\0\0\0\0\x07example\x03net\0\0\x01\0\x01";
const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\x04\0\x0a\0\0";
const SNMP_GET: &[u8] =
    b"\x30\x1a\x02\x01\x01\x04\x06public\xa0\x0d\x02\x01\x07\x02\x01\0\x02\x01\0\x30\x02\x05\0";
const ACCESS_REQUEST: &[u8] = b"\x01\x07\0\x1a0123456789abcdef\x01\x06mary";
const COA_REQUEST: &[u8] = b"\x2b\x07\0\x1a0123456789abcdef\x01\x06mary";
const COAP_GET: &[u8] = b"\x42\x01\0\x07\xaa\xbb\xb1t";

fn wireguard() -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0];
    bytes.resize(92, 0x5a);
    bytes
}

fn initiation() -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0];
    bytes.resize(148, 0x5a);
    bytes
}

fn sntp() -> Vec<u8> {
    let mut bytes = vec![0x23];
    bytes.resize(40, 0);
    bytes.extend([7; 8]);
    bytes
}

/// A query with an option record behind it.
fn extended() -> Vec<u8> {
    let mut bytes = [DNS_QUERY, OPT].concat();
    bytes[11] = 1;
    bytes
}

fn change(bytes: &[u8], offset: usize, to: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[offset] = to;
    bytes
}

fn ntp() -> Vec<u8> {
    let mut bytes = vec![0x24, 2, 6, 0xe9];
    bytes.resize(24, 0);
    bytes.extend(b"\xe0\0\0\x01\0\0\0\x09");
    bytes.extend(b"\xe0\0\0\x02\0\0\0\x07");
    bytes.extend(b"\xe0\0\0\x02\0\0\0\x08");
    bytes
}

#[test]
fn answers_are_known_at_any_port() {
    let cases = [
        (DNS.to_vec(), Protocol::Dns),
        (SNMP.to_vec(), Protocol::Snmp),
        (RADIUS.to_vec(), Protocol::Radius),
        (COA_ACK.to_vec(), Protocol::Radius),
        (COAP.to_vec(), Protocol::Coap),
        (wireguard(), Protocol::Wireguard),
        (ntp(), Protocol::Ntp),
    ];
    for (bytes, protocol) in cases {
        let found = find_reply(&whole(41_053, 50_001, &bytes));
        assert_eq!(found.as_ref().map(|found| found.protocol), Some(protocol));
        assert_eq!(found.map(|found| found.role), Some(TransactionRole::Reply));
    }
}

#[test]
fn questions_are_known_at_any_port() {
    use TransactionRole::{Notification, Request};
    let (inform, trap) = (change(SNMP_GET, 13, 0xa6), change(SNMP_GET, 13, 0xa7));
    let cases = [
        (DNS_QUERY.to_vec(), Protocol::Dns, Request),
        (extended(), Protocol::Dns, Request),
        (SNMP_GET.to_vec(), Protocol::Snmp, Request),
        (inform, Protocol::SnmpInform, Request),
        (trap, Protocol::Snmp, Notification),
        (ACCESS_REQUEST.to_vec(), Protocol::Radius, Request),
        (COA_REQUEST.to_vec(), Protocol::Radius, Request),
        (COAP_GET.to_vec(), Protocol::Coap, Request),
        (initiation(), Protocol::Wireguard, Request),
        (sntp(), Protocol::Ntp, Request),
    ];
    for (bytes, protocol, role) in cases {
        let found = find_message(&whole(50_001, 10_053, &bytes));
        let found = found.map(|found| (found.protocol, found.role));
        assert_eq!(found, Some((protocol, role)), "{bytes:?}");
        let is_snmp = matches!(protocol, Protocol::Snmp | Protocol::SnmpInform);
        for captured in 0..bytes.len() {
            let cut = find_message(&cut(50_001, 10_053, &bytes[..captured], bytes.len()));
            // Up to the request-id it is the same message.
            let expected = (is_snmp && captured >= 18).then_some(role);
            assert_eq!(cut.map(|cut| cut.role), expected, "{protocol}, {captured} bytes");
        }
    }
}

#[test]
fn a_question_and_its_answer_are_a_pair() {
    let cases = [
        (DNS_QUERY, DNS),
        (SNMP_GET, SNMP),
        (ACCESS_REQUEST, RADIUS),
        (COA_REQUEST, COA_ACK),
        (COAP_GET, COAP),
    ];
    for (question, answer) in cases {
        let question = find_message(&whole(50_001, 10_053, question)).unwrap();
        let answer = find_message(&whole(10_053, 50_001, answer)).unwrap();
        assert_eq!(question.identity, answer.identity, "{}", question.protocol);
        assert_eq!(answer.role, TransactionRole::Reply, "{}", question.protocol);
    }
}

#[test]
fn what_is_no_question_is_left() {
    let more = |bytes: &[u8]| [bytes, &[0]].concat();
    let cases = [
        ("a DNS question with an answer", change(DNS_QUERY, 7, 1)),
        ("two DNS questions", change(DNS_QUERY, 5, 2)),
        ("a DNS update", change(DNS_QUERY, 2, 0x29)),
        ("a class that there is not", change(DNS_QUERY, DNS_QUERY.len() - 1, 9)),
        ("bytes behind a DNS question", more(DNS_QUERY)),
        ("bytes behind its options", more(&extended())),
        ("a record that is no option record", change(&extended(), 31, 1)),
        ("bytes behind SNMP", more(SNMP_GET)),
        ("an SNMP version that there is not", change(SNMP_GET, 4, 9)),
        ("a RADIUS length that is not the payload's", more(ACCESS_REQUEST)),
        ("no RADIUS attribute", b"\x01\x07\0\x140123456789abcdef".to_vec()),
        ("a CoAP method that nobody assigned", change(COAP_GET, 1, 9)),
        ("a CoAP acknowledgement", change(COAP_GET, 0, 0x62)),
        ("CoAP without an option", COAP_GET[..6].to_vec()),
        ("an NTP broadcast", change(&sntp(), 0, 0x25)),
        ("an NTP stratum of 17", change(&sntp(), 1, 17)),
        ("an NTP clock of two seconds", change(&sntp(), 3, 1)),
        ("bytes behind NTP", more(&sntp())),
        ("bytes behind WireGuard", more(&initiation())),
    ];
    for (name, bytes) in cases {
        assert_eq!(find_message(&whole(50_001, 10_053, &bytes)), None, "{name}");
    }
}

#[test]
fn what_only_looks_like_one_is_not_taken_for_it() {
    let cases = [
        ("a question", change(DNS, 2, 0x01)),
        ("two questions", change(DNS, 5, 2)),
        ("no whole name", DNS[..20].to_vec()),
        ("an SNMP request", change(SNMP, 13, 0xa0)),
        ("a RADIUS length that is not the payload's", change(RADIUS, 3, 0x19)),
        ("an attribute without length", change(RADIUS, 21, 0)),
        ("an attribute beyond the end", change(RADIUS, 21, 7)),
        ("an Access-Request", change(RADIUS, 0, 1)),
        ("a CoA-Request", change(COA_ACK, 0, 43)),
        ("a CoAP request", change(COAP, 1, 1)),
        ("a CoAP reset", change(COAP, 0, 0x72)),
        ("a CoAP code that nobody assigned", change(COAP, 1, 0x47)),
        ("a CoAP option that nobody assigned", change(COAP, 6, 0xa0)),
        ("a CoAP payload of no bytes", COAP[..8].to_vec()),
        ("a CoAP option beyond the end", change(COAP, 6, 0xc9)),
        ("an NTP client", change(&ntp(), 0, 0x23)),
        ("a server that takes years", change(&ntp(), 40, 0xe1)),
        ("stratum 17", change(&ntp(), 1, 17)),
        ("an empty payload", Vec::new()),
    ];
    for (name, bytes) in cases {
        assert_eq!(find_reply(&whole(41_053, 50_001, &bytes)), None, "{name}");
    }
    for captured in 0..COAP.len() {
        let found = find_reply(&cut(41_053, 50_001, &COAP[..captured], COAP.len()));
        assert_eq!(found, None, "{captured} bytes");
    }
    for captured in 0..RADIUS.len() {
        let found = find_reply(&cut(41_053, 50_001, &RADIUS[..captured], RADIUS.len()));
        assert_eq!(found.is_some(), captured >= RADIUS_HEADER_BYTES, "{captured} bytes");
    }
}

#[test]
fn a_snap_length_leaves_the_header_of_a_dns_answer() {
    for captured in 0..DNS.len() {
        let found = find_reply(&cut(41_053, 50_001, &DNS[..captured], DNS.len()));
        let role = found.map(|found| found.role);
        let expected = (captured >= 6).then_some(TransactionRole::Reply);
        assert_eq!(role, expected, "{captured} bytes");
    }
}

/// What is read of a payload, of whose `length` bytes these were captured.
fn told(captured: &[u8], length: usize) -> Option<&'static str> {
    let length = u32::try_from(length).unwrap();
    let payload = Payload {
        source_port: 40_053,
        destination_port: 50_001,
        is_to_group: false,
        captured,
        length,
    };
    find_message(&payload).map(|found| found.label)
}

#[test]
fn a_refusal_that_leaves_the_question_out_is_an_answer() {
    let header = |flags: [u8; 2], questions: u8| {
        [&[0x11, 0x11], &flags[..], &[0, questions, 0, 0, 0, 0, 0, 0]].concat()
    };
    let cases = [
        ("refused", header([0x81, 0x85], 0), Some("Refused")),
        ("format", header([0x80, 0x01], 0), Some("FormErr")),
        ("failed", header([0x81, 0x82], 0), Some("ServFail")),
        ("no error", header([0x81, 0x80], 0), None),
        ("a question", header([0x01, 0x05], 0), None),
        ("another opcode", header([0xa8, 0x05], 0), None),
        ("counts a question", header([0x81, 0x85], 1), None),
        ("longer", [header([0x81, 0x85], 0), vec![0]].concat(), None),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(told(&bytes, bytes.len()), expected, "{name}");
    }
}

#[test]
fn a_kiss_that_sends_away_is_an_answer() {
    let kiss = |first: u8, stratum: u8, code: &[u8; 4]| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[1], bytes[31]) = (first, stratum, 9);
        bytes[12..16].copy_from_slice(code);
        bytes
    };
    let cases = [
        ("rate", kiss(0xe4, 0, b"RATE"), true),
        ("version 3", kiss(0xdc, 0, b"DENY"), true),
        ("no alarm", kiss(0x24, 0, b"RATE"), false),
        ("a stratum", kiss(0xe4, 2, b"RATE"), false),
        ("no letters", kiss(0xe4, 0, &[192, 0, 2, 1]), false),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(told(&bytes, bytes.len()).is_some(), expected, "{name}");
    }
}

#[test]
fn a_cut_answer_of_radius_is_known_by_what_is_there() {
    let attributes = |first_bytes: u8| [&[18, first_bytes][..], &[b'a'; 30]].concat();
    let answer = |code: u8, stated: u8, attributes: &[u8]| {
        [&[code, 7, 0, stated][..], &[0x5a; 16], attributes].concat()
    };
    let cases = [
        ("cut within one", answer(2, 70, &attributes(40)), true),
        ("cut between two", answer(2, 70, &attributes(32)), true),
        ("cut before them", answer(3, 70, &[]), true),
        ("one without its own bytes", answer(2, 70, &attributes(1)), false),
        ("another length", answer(2, 71, &attributes(40)), false),
        ("cut in the header", answer(2, 70, &[])[..12].to_vec(), false),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(told(&bytes, 70).is_some(), expected, "{name}");
    }
}
