use snmp_parser::SnmpMessage;
use snmp_parser::asn1_rs::FromBer;

use super::super::{cut, whole};
use super::*;

const SYS_DESCR: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 1, 0];
const SYS_NAME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 5, 0];

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let mut bytes = vec![tag];
    match u8::try_from(value.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        Ok(length) => bytes.extend([0x81, length]),
        Err(_) => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend(value);
    bytes
}

fn pdu(tag: u8, request_id: &[u8], names: &[&[u8]], value: &[u8]) -> Vec<u8> {
    let bindings: Vec<u8> = names
        .iter()
        .flat_map(|name| element(SEQUENCE, &[&element(OBJECT_IDENTIFIER, &[name]), value]))
        .collect();
    element(
        tag,
        &[&element(INTEGER, &[request_id]), &[2, 1, 0, 2, 1, 0], &element(SEQUENCE, &[&bindings])],
    )
}

fn v2c(pdu: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&[2, 1, 1], &element(OCTET_STRING, &[b"secret"]), pdu])
}

fn v3(message_id: u8, flags: u8, scoped: &[u8]) -> Vec<u8> {
    let header =
        element(SEQUENCE, &[&[2, 1, message_id], &[2, 2, 5, 0xdc], &[4, 1, flags], &[2, 1, 3]]);
    element(SEQUENCE, &[&[2, 1, 3], &header, &element(OCTET_STRING, &[&[0x30, 0]]), scoped])
}

fn plain(pdu: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&element(OCTET_STRING, &[b"engine"]), &element(OCTET_STRING, &[]), pdu])
}

fn read(bytes: &[u8]) -> Option<Transaction> {
    find_transaction(Protocol::Snmp, &whole(40_000, 161, bytes))
}

#[test]
fn every_kind_has_its_role() {
    use TransactionRole::{Notification, Reply, Request};
    let cases = [
        (0xa0, Some((Request, "GetRequest"))),
        (0xa1, Some((Request, "GetNextRequest"))),
        (0xa2, Some((Reply, "Response"))),
        (0xa3, Some((Request, "SetRequest"))),
        (0xa5, Some((Request, "GetBulkRequest"))),
        (0xa6, Some((Request, "InformRequest"))),
        (0xa7, Some((Notification, "SNMPv2-Trap"))),
        (0xa8, Some((Reply, "Report"))),
        (0xa9, None),
    ];
    for (tag, expected) in cases {
        let kind = |transaction: Transaction| (transaction.role, transaction.label);
        let pdu = pdu(tag, &[7], &[SYS_NAME], &[5, 0]);
        assert_eq!(read(&v2c(&pdu)).map(kind), expected, "{tag:x}");
        let version_3 = read(&v3(9, 0x04, &plain(&pdu))).map(kind);
        assert_eq!(version_3, expected.or(Some((Request, "request"))), "{tag:x}");
    }
    let trap = element(0xa4, &[&[6, 2, 0x2b, 6], &[0x40, 4, 192, 0, 2, 1], &[2, 1, 3]]);
    let trap = element(SEQUENCE, &[&[2, 1, 0], &[4, 1, b'c'], &trap]);
    assert_eq!(read(&trap).map(|trap| (trap.role, trap.label)), Some((Notification, "Trap")));
}

#[test]
fn a_response_tells_of_its_error() {
    for (status, label, fails) in [
        (0, "Response", false),
        (1, "tooBig", true),
        (2, "Response", false),
        (16, "authorizationError", true),
        (99, "Response", false),
    ] {
        let error = |tag| {
            let status = [2, 1, status, 2, 1, 1];
            let binding = element(SEQUENCE, &[&element(OBJECT_IDENTIFIER, &[SYS_NAME]), &[5, 0]]);
            element(tag, &[&[2, 1, 7], &status, &element(SEQUENCE, &[&binding])])
        };
        let same = read(&v2c(&error(0xa0))).unwrap();
        for bytes in [v2c(&error(0xa2)), v3(9, 0x00, &plain(&error(0xa2)))] {
            let response = read(&bytes).unwrap();
            assert_eq!((response.label, response.failure().is_some()), (label, fails), "{status}");
        }
        // The same numbers of a bulk request are no status.
        let bulk = read(&v2c(&error(0xa5))).unwrap();
        assert_eq!((bulk.label, bulk.failure()), ("GetBulkRequest", None));
        assert_eq!(bulk.identity, same.identity);
    }
}

#[test]
fn a_response_has_its_requests_identity() {
    // Request-ids are signed and of any length.
    for request_id in [&[7][..], &[0x80], &[0xff, 1, 2, 3], &[0, 0x80, 0, 0, 1]] {
        let request = read(&v2c(&pdu(0xa0, request_id, &[SYS_DESCR], &[5, 0]))).unwrap();
        let value = element(OCTET_STRING, &[&[b'x'; 300]]);
        let response = read(&v2c(&pdu(0xa2, request_id, &[SYS_DESCR], &value))).unwrap();
        assert_eq!(request.identity, response.identity);
        assert_eq!(response.question, None);
    }
    let request = read(&v3(9, 0x07, &element(OCTET_STRING, &[&[0xee; 90]]))).unwrap();
    let response = read(&v3(9, 0x03, &element(OCTET_STRING, &[&[0xdd; 99]]))).unwrap();
    let report = read(&v3(9, 0x00, &plain(&pdu(0xa8, &[1], &[SYS_DESCR], &[0x41, 1, 1])))).unwrap();
    assert_eq!(request.identity, response.identity);
    assert_eq!(request.identity, report.identity);
    assert_eq!((request.role, response.role), (TransactionRole::Request, TransactionRole::Reply));
}

#[test]
fn the_question_is_kind_and_names() {
    let question = |tag, request_id: &[u8], names: &[&[u8]]| {
        read(&v2c(&pdu(tag, request_id, names, &[5, 0]))).unwrap().question
    };
    let first = question(0xa0, &[7], &[SYS_DESCR, SYS_NAME]);
    assert!(first.is_some());
    assert_eq!(first, question(0xa0, &[8], &[SYS_DESCR, SYS_NAME]));
    for other in [
        question(0xa1, &[7], &[SYS_DESCR, SYS_NAME]),
        question(0xa0, &[7], &[SYS_NAME, SYS_DESCR]),
        question(0xa0, &[7], &[SYS_DESCR]),
        question(0xa2, &[7], &[SYS_DESCR, SYS_NAME]),
    ] {
        assert_ne!(first, other);
    }
}

#[test]
fn an_encrypted_notification_is_known_by_flags_and_port() {
    let scoped = element(OCTET_STRING, &[&[0xee; 90]]);
    for (flags, expected) in
        [(0x03, TransactionRole::Notification), (0x07, TransactionRole::Request)]
    {
        let bytes = v3(9, flags, &scoped);
        let payload = whole(40_000, 162, &bytes);
        assert_eq!(find_transaction(Protocol::SnmpTrap, &payload).unwrap().role, expected);
    }
}

#[test]
fn what_an_agent_sends_is_an_answer_where_the_flags_alone_are_left() {
    let report = v3(9, 0x04, &plain(&pdu(0xa8, &[7], &[SYS_DESCR], &[5, 0])));
    for (source, destination, role) in [
        (161, 40_000, TransactionRole::Reply),
        (40_000, 161, TransactionRole::Request),
        (161, 161, TransactionRole::Request),
    ] {
        let payload = cut(source, destination, &report[..30], report.len());
        let transaction = find_transaction(Protocol::Snmp, &payload).unwrap();
        assert_eq!(transaction.role, role, "{source} > {destination}");
    }
}

#[test]
fn a_cut_message_has_the_identity_of_the_whole() {
    let bytes = v2c(&pdu(0xa0, &[1, 2, 3, 4], &[SYS_DESCR], &[5, 0]));
    let expected = read(&bytes).unwrap();
    // 2 sequence, 3 version, 8 community, 2 PDU, 6 request-id
    for captured_bytes in 0..bytes.len() {
        let payload = cut(40_000, 161, &bytes[..captured_bytes], bytes.len());
        let transaction = find_transaction(Protocol::Snmp, &payload);
        assert_eq!(transaction.is_some(), captured_bytes >= 21, "{captured_bytes}");
        if let Some(transaction) = transaction {
            let whole = Transaction { question: None, ..expected.clone() };
            assert_eq!(transaction, whole);
        }
    }
}

/// The crate reads whole messages with request-ids that are not negative.
#[test]
fn our_reader_agrees_with_a_full_one() {
    for request_id in [&[7][..], &[0x12, 0x34], &[0x7f, 1, 2, 3]] {
        for tag in [0xa0, 0xa1, 0xa2, 0xa3] {
            let bytes = v2c(&pdu(tag, request_id, &[SYS_DESCR, SYS_NAME], &[5, 0]));
            let (_, message) = SnmpMessage::from_ber(&bytes).unwrap();
            let snmp_parser::SnmpPdu::Generic(full) = message.pdu else { panic!("{tag:x}") };
            let expected = hash_fields(&[&i64::from(full.req_id).to_be_bytes()]);
            assert_eq!(read(&bytes).unwrap().identity, expected);
        }
    }
}

#[test]
fn what_is_not_snmp_is_left() {
    for bytes in [
        &[][..],
        &[0x30],
        &[0x30, 0x80, 2, 1, 1],
        &[0x30, 0x85, 0, 0, 0, 0, 1, 2],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1],
        &[0x30, 3, 2, 1, 2],
        &[0x31, 3, 2, 1, 1],
        b"GET / HTTP/1.1",
    ] {
        assert_eq!(read(bytes), None, "{bytes:?}");
    }
}
