//! DNS (RFC 1035), mDNS (RFC 6762) and LLMNR (RFC 4795): one header, one question.

use super::Payload;
use crate::decode::field::{find_u8, find_u16};
use crate::model::failure::dns_label;
use crate::model::identity::{DnsQuestion, hash_fields};
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const HEADER_BYTES: usize = 12;
/// Identity and flags, which a small snap length leaves.
const LEAST_BYTES: usize = 4;
/// A name's longest form, with its length bytes.
const MAX_NAME_BYTES: usize = 255;
/// The highest assigned opcode: DNS stateful operations (RFC 8490).
const MAX_OPCODE: u16 = 6;

/// Reads the header and, where it is captured whole, the first question.
///
/// The identity is the id alone: a snap length can cut the question of one
/// side, and then both would not agree.
pub(super) fn find_transaction(protocol: Protocol, payload: &Payload<'_>) -> Option<Transaction> {
    let bytes = payload.captured;
    let least = if payload.is_whole() { HEADER_BYTES } else { LEAST_BYTES };
    if bytes.len() < least || usize::try_from(payload.length).is_ok_and(|all| all < HEADER_BYTES) {
        return None;
    }
    let (id, flags) = (find_u16(bytes, 0)?, find_u16(bytes, 2)?);
    let opcode = flags >> 11 & 0xf;
    if opcode > MAX_OPCODE {
        return None;
    }
    let question =
        find_u16(bytes, 4).filter(|questions| *questions > 0).and_then(|_| find_question(bytes));
    let is_response = flags & 0x8000 != 0;
    let (role, label) = match (is_response, opcode) {
        (true, _) => (TransactionRole::Reply, response_label(protocol, flags & 0xf)),
        (false, 4) => (TransactionRole::Request, "notify"),
        (false, 5) => (TransactionRole::Request, "update"),
        (false, _) => (TransactionRole::Request, query_label(question.map(|(_, kind)| kind))),
    };
    Some(Transaction {
        protocol,
        role,
        identity: hash_fields(&[&id.to_be_bytes()]),
        question: question.map(|(hash, _)| hash),
        label,
        reply_to: None,
    })
}

/// Whether bytes are a query and nothing else: one question, no answers, and behind it
/// nothing but an option record (RFC 6891 section 6.1.2). Of the flags a client sets
/// at most three: recursion desired, authentic data, checking disabled.
pub(super) fn is_whole_query(bytes: &[u8]) -> bool {
    const MAY_BE_SET: u16 = 0x0130;
    const OPTION_RECORD_BYTES: usize = 11;
    /// Internet, chaos, any.
    const CLASSES: [u16; 3] = [1, 3, 255];
    let counts = [4, 6, 8, 10].map(|offset| find_u16(bytes, offset));
    let [Some(1), Some(0), Some(0), Some(additional @ (0 | 1))] = counts else { return false };
    if find_u16(bytes, 2).is_none_or(|flags| flags & !MAY_BE_SET != 0) {
        return false;
    }
    let Some(end) = find_question_end(bytes) else { return false };
    let class = find_u16(bytes, end.saturating_sub(2));
    let rest = bytes.get(end..).unwrap_or_default();
    let ends = if additional == 0 {
        rest.is_empty()
    } else {
        let option_bytes = find_u16(rest, OPTION_RECORD_BYTES - 2).map(usize::from);
        // The root's name and type 41.
        rest.starts_with(&[0, 0, 41])
            && option_bytes.is_some_and(|options| OPTION_RECORD_BYTES + options == rest.len())
    };
    ends && class.is_some_and(|class| CLASSES.contains(&class))
}

/// Whether bytes are a header that refuses a question and leaves it out, as servers do with
/// what they could not read, or will not answer: the id is the question's (RFC 1035 section
/// 4.1.1), the code says why, and all counts are zero.
pub(super) fn is_bare_refusal(payload: &Payload<'_>) -> bool {
    /// Answer, opcode 0; recursion may be desired.
    const ANSWERS: [u8; 2] = [0x80, 0x81];
    /// FORMERR, SERVFAIL, NOTIMP, REFUSED; recursion may be available.
    const REFUSES: [u8; 8] = [0x01, 0x02, 0x04, 0x05, 0x81, 0x82, 0x84, 0x85];
    let bytes = payload.captured;
    payload.is_whole()
        && bytes.len() == HEADER_BYTES
        && find_u8(bytes, 2).is_some_and(|flags| ANSWERS.contains(&flags))
        && find_u8(bytes, 3).is_some_and(|code| REFUSES.contains(&code))
        && bytes.iter().skip(4).all(|count| *count == 0)
}

/// Where the first question ends.
fn find_question_end(bytes: &[u8]) -> Option<usize> {
    let mut offset = HEADER_BYTES;
    while offset < HEADER_BYTES + MAX_NAME_BYTES {
        match find_u8(bytes, offset)? {
            0 => return Some(offset + 5).filter(|end| *end <= bytes.len()),
            label_bytes @ 1..=63 => offset += 1 + usize::from(label_bytes),
            64.. => return None,
        }
    }
    None
}

/// Hash of the first question's name and type, and the type.
/// `None` where it is cut, or its name points elsewhere, which a first name
/// has no reason to do.
fn find_question(bytes: &[u8]) -> Option<(u64, u16)> {
    let mut question = DnsQuestion::default();
    let mut offset = HEADER_BYTES;
    while offset < HEADER_BYTES + MAX_NAME_BYTES {
        let label_bytes = find_u8(bytes, offset)?;
        offset += 1;
        if label_bytes == 0 {
            let kind = find_u16(bytes, offset)?;
            // The class is captured too, so the question is whole.
            find_u16(bytes, offset + 2)?;
            return Some((question.finish(kind), kind));
        }
        if label_bytes > 63 {
            return None;
        }
        let label = bytes.get(offset..offset + usize::from(label_bytes))?;
        question.add_label(label);
        offset += label.len();
    }
    None
}

/// Multicast responses carry no code that counts (RFC 6762 section 18.11).
fn response_label(protocol: Protocol, code: u16) -> &'static str {
    match code {
        _ if protocol != Protocol::Dns => dns_label::RESPONSE,
        1 => dns_label::FORMAT_ERROR,
        2 => dns_label::SERVER_FAILURE,
        3 => dns_label::NO_SUCH_NAME,
        4 => dns_label::NOT_IMPLEMENTED,
        5 => dns_label::REFUSED,
        9 => dns_label::NOT_AUTHORITATIVE,
        _ => dns_label::RESPONSE,
    }
}

const fn query_label(kind: Option<u16>) -> &'static str {
    match kind {
        Some(1) => "query A",
        Some(2) => "query NS",
        Some(5) => "query CNAME",
        Some(6) => "query SOA",
        Some(12) => "query PTR",
        Some(15) => "query MX",
        Some(16) => "query TXT",
        Some(28) => "query AAAA",
        Some(33) => "query SRV",
        Some(35) => "query NAPTR",
        Some(65) => "query HTTPS",
        Some(255) => "query ANY",
        _ => "query",
    }
}

#[cfg(test)]
mod tests {
    use simple_dns::{CLASS, Name, Packet, QCLASS, QTYPE, Question, TYPE};

    use super::super::{cut, whole};
    use super::*;

    fn message<'a>(mut packet: Packet<'a>, name: &'a str, kind: TYPE) -> Vec<u8> {
        packet.questions.push(Question::new(
            Name::new_unchecked(name),
            QTYPE::TYPE(kind),
            QCLASS::CLASS(CLASS::IN),
            false,
        ));
        packet.build_bytes_vec().unwrap()
    }

    fn query(id: u16, name: &str, kind: TYPE) -> Vec<u8> {
        message(Packet::new_query(id), name, kind)
    }

    fn read(bytes: &[u8]) -> Transaction {
        find_transaction(Protocol::Dns, &whole(40_000, 53, bytes)).unwrap()
    }

    #[test]
    fn query_and_response_share_identity_and_question() {
        for kind in [TYPE::A, TYPE::AAAA] {
            let query = read(&query(7, "www.example.com", kind));
            let response = read(&message(Packet::new_reply(7), "WWW.eXample.com", kind));
            assert_eq!(query.role, TransactionRole::Request);
            assert_eq!(response.role, TransactionRole::Reply);
            assert_eq!(query.identity, response.identity);
            assert_eq!(query.question, response.question);
            assert!(query.question.is_some());
            assert_eq!(response.label, "response");
            assert_eq!(query.label, if kind == TYPE::A { "query A" } else { "query AAAA" });
        }
    }

    #[test]
    fn name_type_and_id_each_count() {
        let first = read(&query(7, "a.example", TYPE::A));
        let again = read(&query(8, "a.example", TYPE::A));
        assert_ne!(first.identity, again.identity);
        assert_eq!(first.question, again.question);
        for (name, kind) in
            [("b.example", TYPE::A), ("a.example", TYPE::AAAA), ("aexample", TYPE::A)]
        {
            assert_ne!(read(&query(7, name, kind)).question, first.question);
        }
    }

    #[test]
    fn a_cut_question_leaves_the_identity() {
        let bytes = query(7, "www.example.com", TYPE::A);
        for captured_bytes in LEAST_BYTES..bytes.len() {
            let payload = cut(40_000, 53, &bytes[..captured_bytes], bytes.len());
            let transaction = find_transaction(Protocol::Dns, &payload).unwrap();
            assert_eq!(transaction.identity, read(&bytes).identity);
            assert_eq!(transaction.question, None);
            assert_eq!(transaction.label, "query");
        }
        let payload = cut(40_000, 53, &bytes[..3], bytes.len());
        assert_eq!(find_transaction(Protocol::Dns, &payload), None);
        assert_eq!(find_transaction(Protocol::Dns, &whole(40_000, 53, &bytes[..11])), None);
    }

    #[test]
    fn a_name_without_end_is_no_question() {
        let head = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for name in [[0xc0, 12].repeat(200), [1, b'a'].repeat(200), vec![0x40; 400]] {
            assert_eq!(read(&[head.as_slice(), &name].concat()).question, None);
        }
    }

    #[test]
    fn response_codes_give_the_label() {
        let cases = [
            (0, "response", None),
            (2, "ServFail", Some("ServFail")),
            (3, "NXDomain", None),
            (5, "Refused", Some("Refused")),
            (15, "response", None),
        ];
        for (code, label, failure) in cases {
            let mut bytes = vec![0, 7, 0x81, 0x80 | code];
            bytes.extend([0; 8]);
            let read = |protocol| find_transaction(protocol, &whole(53, 40_000, &bytes)).unwrap();
            let response = read(Protocol::Dns);
            assert_eq!((response.label, response.failure()), (label, failure), "{code}");
            assert_eq!(read(Protocol::Mdns).failure(), None, "{code}");
        }
    }

    #[test]
    fn opcodes_give_the_label() {
        let cases = [
            (0x2000, Some("notify")),
            (0x2800, Some("update")),
            (0x0100, Some("query")),
            (0x3800, None),
        ];
        for (flags, expected) in cases {
            let mut bytes = vec![0, 7];
            bytes.extend(u16::to_be_bytes(flags));
            bytes.extend([0; 8]);
            let transaction = find_transaction(Protocol::Mdns, &whole(5353, 5353, &bytes));
            assert_eq!(transaction.map(|transaction| transaction.label), expected);
        }
    }
}
