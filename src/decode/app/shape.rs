//! Messages known by their shape alone: a server, or a translation, that answers
//! from a port of its own leaves no port that says what it is, and servers in pods
//! listen above the ports that need a privilege.
//!
//! Each has to fit in every part that its protocol fixes: payloads of other protocols
//! pass through here all the time. Questions have to be there in full, but for SNMP's.

use super::{Payload, coap, dns, ntp, radius, snmp, stun, wireguard};
use crate::decode::field::{find_u8, find_u16, find_u32};
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// RFC 2865 section 5: attributes follow the header.
const RADIUS_HEADER_BYTES: usize = 20;
/// RFC 5905 section 7.3, without extension fields, and with a message digest.
const NTP_BYTES: [u32; 3] = [48, 68, 72];
/// A server answers at once; its two timestamps are seconds apart at most.
const NTP_WORK_S: u32 = 10;

/// Reads the message that a payload between two unknown ports has the shape of.
pub(super) fn find_message(payload: &Payload<'_>) -> Option<Transaction> {
    find_reply(payload).or_else(|| find_question(payload))
}

/// A question, or what is told unasked.
fn find_question(payload: &Payload<'_>) -> Option<Transaction> {
    let bytes = payload.captured;
    let found = match find_u8(bytes, 0)? {
        // Its head names its length, its version and its kind: that is enough.
        0x30 if snmp::fills(payload) => {
            snmp::find_transaction(Protocol::Snmp, payload).map(as_inform)
        }
        _ if !payload.is_whole() => None,
        _ if dns::is_whole_query(bytes) => dns::find_transaction(Protocol::Dns, payload),
        first if first & 0x7 == 3 && is_ntp_client(payload) => ntp::find_transaction(payload),
        1 | 4 | 40 | 43 if has_attributes(payload) => radius::find_transaction(payload),
        1 => wireguard::find_transaction(payload),
        0x41..=0x58 if coap::has_request_shape(payload) => coap::find_transaction(payload),
        _ => None,
    };
    found.filter(|found| found.role != TransactionRole::Reply)
}

/// No port says so, but the message does: it is no poll.
fn as_inform(transaction: Transaction) -> Transaction {
    let is_inform = transaction.label == snmp::INFORM_REQUEST;
    let protocol = if is_inform { Protocol::SnmpInform } else { transaction.protocol };
    Transaction { protocol, ..transaction }
}

fn find_reply(payload: &Payload<'_>) -> Option<Transaction> {
    let bytes = payload.captured;
    let found = match find_u8(bytes, 0)? {
        _ if is_dns(bytes) => dns::find_transaction(Protocol::Dns, payload)
            .filter(|found| found.question.is_some() || !payload.is_whole()),
        0x30 => snmp::find_transaction(Protocol::Snmp, payload),
        first if first & 0x7 == 4 && is_ntp(payload) => ntp::find_transaction(payload),
        2 | 3 | 5 | 11 | 41 | 42 | 44 | 45 if is_radius(payload) => {
            radius::find_transaction(payload)
        }
        2 | 3 => wireguard::find_transaction(payload),
        1 if stun::has_classic_response_shape(payload) => stun::find_transaction(payload),
        0x41..=0x68 if coap::has_response_shape(payload) => coap::find_transaction(payload),
        _ => None,
    };
    found.filter(|found| found.role == TransactionRole::Reply)
}

/// RFC 1035 section 4.1.1: an answer (QR) to one question.
fn is_dns(bytes: &[u8]) -> bool {
    find_u16(bytes, 4) == Some(1) && find_u8(bytes, 2).is_some_and(|flags| flags & 0xf8 == 0x80)
}

/// RFC 5905 section 7.3: version 3 or 4, a stratum that there is, and a server
/// that sent what it had just received.
fn is_ntp(payload: &Payload<'_>) -> bool {
    let bytes = payload.captured;
    let version = find_u8(bytes, 0).map(|first| first >> 3 & 7);
    let (Some(3 | 4), Some(0..=16), Some(received_s), Some(sent_s)) =
        (version, find_u8(bytes, 1), find_u32(bytes, 32), find_u32(bytes, 40))
    else {
        return false;
    };
    NTP_BYTES.contains(&payload.length)
        && received_s != 0
        && sent_s.wrapping_sub(received_s) <= NTP_WORK_S
}

/// RFC 5905 section 7.3: version 3 or 4, a stratum that there is, a poll interval of up
/// to 2^17 s, and a precision of a second or better. Clients may leave all out but the
/// time at which they sent it, and fill in others at random.
fn is_ntp_client(payload: &Payload<'_>) -> bool {
    /// As a power of two; 0x20 is what who tells nothing of itself puts there.
    const PRECISIONS: std::ops::RangeInclusive<u8> = 0xe0..=0xff;
    const UNTOLD_PRECISION: u8 = 0x20;
    let bytes = payload.captured;
    let version = find_u8(bytes, 0).map(|first| first >> 3 & 7);
    let (Some(3 | 4), Some(0..=16), Some(0..=17), Some(precision)) =
        (version, find_u8(bytes, 1), find_u8(bytes, 2), find_u8(bytes, 3))
    else {
        return false;
    };
    NTP_BYTES.contains(&payload.length)
        && (precision == 0 || precision == UNTOLD_PRECISION || PRECISIONS.contains(&precision))
}

/// As [`is_radius`], with one attribute at least: every request has some.
fn has_attributes(payload: &Payload<'_>) -> bool {
    payload.captured.len() > RADIUS_HEADER_BYTES && is_radius(payload)
}

/// RFC 2865 sections 3 and 5, RFC 5176 section 2.3: a length that is the payload's, filled by attributes.
fn is_radius(payload: &Payload<'_>) -> bool {
    find_u16(payload.captured, 2).map(u32::from) == Some(payload.length) && has_radius(payload)
}

/// Whether attributes fill the length that the header states. What is behind it is padding,
/// which nobody minds (RFC 2865 section 3).
pub(super) fn has_radius(payload: &Payload<'_>) -> bool {
    let stated_bytes = find_u16(payload.captured, 2).map_or(0, usize::from);
    let Some(stated) = payload.captured.get(..stated_bytes).filter(|_| payload.is_whole()) else {
        return false;
    };
    let mut attributes = stated.get(RADIUS_HEADER_BYTES..);
    while let Some(rest) = attributes.filter(|rest| !rest.is_empty()) {
        let attribute_bytes = rest.get(1).copied().map_or(0, usize::from);
        attributes = if attribute_bytes < 2 { None } else { rest.get(attribute_bytes..) };
    }
    attributes.is_some()
}

#[cfg(test)]
mod tests {
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
            assert_eq!(found, None, "{captured} bytes");
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
}
