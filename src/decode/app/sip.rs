//! SIP (RFC 3261).

use super::Payload;
use crate::model::failure::find_sip_failure;
use crate::model::identity::hash_fields;
use crate::model::packet::{PayloadAddress, Transaction, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::sip::find_method;

/// A request line longer than this is not looked for.
const MAX_FIRST_LINE_BYTES: usize = 1024;
/// The first bytes, among which a method ends.
const MAX_METHOD_BYTES: usize = 16;
/// Header fields looked at for Call-ID and CSeq.
const MAX_HEADER_FIELDS: usize = 128;

/// Reads a request or response. Its answers have the request's Call-ID and
/// CSeq (section 8.2.6). An ACK is never answered. `None` where one of the two
/// is missing, or cut off a request. A response of which they are cut off is one
/// all the same, of a request that nobody knows.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    let (role, label) = find_start_line(payload.captured)?;
    let is_cut_reply = role == TransactionRole::Reply && !payload.is_whole();
    let (call_id, sequence) = find_identity(payload.captured)
        .or_else(|| is_cut_reply.then_some((payload.captured, &[][..])))?;
    let failure = find_status(payload.captured).zip(method_of(sequence));
    let failure = failure.and_then(|(status, method)| find_sip_failure(status, method));
    Some(Transaction {
        protocol: Protocol::Sip,
        role,
        identity: hash_fields(&[call_id, sequence]),
        question: None,
        label: failure.unwrap_or(label),
        reply_to: find_reply_to(payload.captured).map(Box::new),
    })
}

/// What the topmost Via names.
fn find_reply_to(bytes: &[u8]) -> Option<PayloadAddress> {
    if !matches!(find_start_line(bytes), Some((TransactionRole::Request, _))) {
        return None;
    }
    let mut start = 0;
    for line_end in memchr::memchr_iter(b'\n', bytes).take(MAX_HEADER_FIELDS) {
        let line = bytes.get(start..line_end)?.trim_ascii_end();
        start = line_end + 1;
        let Some((name, value)) = split_field(line) else { continue };
        if name.eq_ignore_ascii_case(b"via") || name.eq_ignore_ascii_case(b"v") {
            return PayloadAddress::find_in_via(std::str::from_utf8(value).ok()?);
        }
    }
    None
}

/// `Name: value` of a header field.
fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = line.split_at(memchr::memchr(b':', line)?);
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// Whether a payload without SIP's start line does nothing but keep a translation: line
/// ends (RFC 5626 section 3.5.1), NULs, or a few bytes, as phones and proxies send them.
pub(super) fn is_keep_alive(payload: &Payload<'_>) -> bool {
    /// No start line is so short.
    const MIN_MESSAGE_BYTES: u32 = 16;
    let is_blank = |byte: &u8| matches!(byte, b'\r' | b'\n' | b' ' | b'\t' | 0);
    payload.is_whole()
        && (payload.length < MIN_MESSAGE_BYTES || payload.captured.iter().all(is_blank))
}

/// Whether the first line is SIP's.
pub(super) fn has_sip_shape(bytes: &[u8]) -> bool {
    find_start_line(bytes).is_some()
}

fn find_start_line(bytes: &[u8]) -> Option<(TransactionRole, &'static str)> {
    if let Some(status) = bytes.strip_prefix(b"SIP/2.0 ") {
        let is_provisional = status.first() == Some(&b'1');
        let label = if is_provisional { "provisional response" } else { "response" };
        return Some((TransactionRole::Reply, label));
    }
    // Asked of every payload of an unknown port: one byte answers nearly all.
    if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    let name_bytes = memchr::memchr(b' ', bytes.get(..MAX_METHOD_BYTES).unwrap_or(bytes))?;
    let (role, method) = find_method(bytes.get(..name_bytes)?)?;
    let head = bytes.get(..MAX_FIRST_LINE_BYTES).unwrap_or(bytes);
    let line_end = memchr::memchr(b'\n', head)?;
    let line = head.get(..line_end)?.trim_ascii_end();
    line.ends_with(b" SIP/2.0").then_some((role, method))
}

/// The status code of a response.
fn find_status(bytes: &[u8]) -> Option<u16> {
    let status = bytes.strip_prefix(b"SIP/2.0 ")?.get(..3)?;
    std::str::from_utf8(status).ok()?.parse().ok()
}

/// The method that CSeq names: `7 REGISTER`.
fn method_of(sequence: &[u8]) -> Option<&str> {
    std::str::from_utf8(sequence).ok()?.split_ascii_whitespace().nth(1)
}

/// The values of Call-ID (`i` in compact form) and CSeq. The last line counts
/// only with its end: a snap length may have cut it.
fn find_identity(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut call_id, mut sequence) = (None, None);
    let mut start = 0;
    for line_end in memchr::memchr_iter(b'\n', bytes).take(MAX_HEADER_FIELDS) {
        let line = bytes.get(start..line_end)?.trim_ascii_end();
        start = line_end + 1;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = split_field(line) else { continue };
        if name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i") {
            call_id = Some(value);
        } else if name.eq_ignore_ascii_case(b"cseq") {
            sequence = Some(value);
        }
    }
    Some((call_id?, sequence?))
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn read(text: &str) -> Option<Transaction> {
        find_transaction(&whole(5060, 5060, text.as_bytes()))
    }

    #[test]
    fn an_answer_has_its_requests_call_id_and_sequence() {
        for address in ["192.0.2.1", "[2001:db8::1]"] {
            let register = read(&format!(
                "REGISTER sip:{address} SIP/2.0\r\nVia: SIP/2.0/UDP {address}\r\nCall-ID: a84b@host\r\nCSeq: 7 REGISTER\r\n\r\n"
            ));
            let register = register.unwrap();
            let ok = read("SIP/2.0 200 OK\r\ni:a84b@host\r\ncseq: 7 REGISTER\r\n\r\n").unwrap();
            assert_eq!((register.role, register.label), (TransactionRole::Request, "REGISTER"));
            assert_eq!((ok.role, ok.label), (TransactionRole::Reply, "response"));
            assert_eq!(register.identity, ok.identity);
            let next =
                read("SIP/2.0 100 Trying\r\ni: a84b@host\r\nCSeq: 8 REGISTER\r\n\r\n").unwrap();
            assert_eq!(next.label, "provisional response");
            assert_ne!(register.identity, next.identity);
        }
    }

    #[test]
    fn the_topmost_via_says_where_answers_go() {
        let named = |address: Option<&str>, port, asks_for_own_port| {
            let address = address.map(|address| address.parse().unwrap());
            Some(PayloadAddress { address, port, asks_for_own_port: Some(asks_for_own_port) })
        };
        let cases = [
            (
                "Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1",
                named(Some("192.0.2.7"), 5062, false),
            ),
            (
                "Via: SIP/2.0/UDP [2001:db8::7]:5062;branch=z9hG4bK1",
                named(Some("2001:db8::7"), 5062, false),
            ),
            (
                "v: SIP/2.0/UDP 192.0.2.7;rport;branch=z9hG4bK1",
                named(Some("192.0.2.7"), 5060, true),
            ),
            ("v: SIP/2.0/UDP [2001:db8::7] ;rport=", named(Some("2001:db8::7"), 5060, true)),
            ("Via: SIP/2.0/UDP phone.example:5062", named(None, 5062, false)),
            ("Via: SIP / 2.0 / UDP 192.0.2.7: 4000;ttl=16", named(Some("192.0.2.7"), 4000, false)),
            ("Via: SIP / 2.0 / UDP first.example.com: 4000;ttl=16", named(None, 4000, false)),
            ("v: SIP/2.0/UDP\t[2001:db8::7] : 4000", named(Some("2001:db8::7"), 4000, false)),
            (
                "Via: SIP/2.0/UDP 192.0.2.7:5062;maddr=192.0.2.9;rport",
                named(Some("192.0.2.9"), 5062, true),
            ),
            (
                "Via: SIP/2.0/UDP [2001:db8::7];maddr=[2001:db8::9]",
                named(Some("2001:db8::9"), 5060, false),
            ),
            ("Via: SIP/2.0/UDP phone.example;maddr=x", named(None, 5060, false)),
            ("Via: 192.0.2.7:5062", None),
            (
                "Via: SIP/2.0/UDP 192.0.2.7:5062, SIP/2.0/UDP 192.0.2.9",
                named(Some("192.0.2.7"), 5062, false),
            ),
            ("Via: SIP/2.0/UDP 192.0.2.7:99999", None),
            ("Via:", None),
            ("To: x", None),
        ];
        for (line, expected) in cases {
            let text =
                format!("OPTIONS sip:a SIP/2.0\r\n{line}\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n");
            assert_eq!(read(&text).unwrap().reply_to.as_deref().copied(), expected, "{line}");
        }
        let answer = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.7:5062\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";
        assert_eq!(read(answer).unwrap().reply_to, None);
    }

    #[test]
    fn a_refusal_is_named() {
        for (status, method, expected) in [
            ("403 Forbidden", "REGISTER", Some("403 Forbidden")),
            ("403 No such realm", "REGISTER", Some("403 Forbidden")),
            ("503 Service Unavailable", "OPTIONS", Some("503 Service Unavailable")),
            ("404 Not Found", "OPTIONS", None),
            ("401 Unauthorized", "REGISTER", None),
            ("486 Busy Here", "INVITE", None),
            ("200 OK", "REGISTER", None),
            ("40", "REGISTER", None),
            ("4\u{fc}3 x", "REGISTER", None),
        ] {
            let text = format!("SIP/2.0 {status}\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\r\n");
            let answer = read(&text).unwrap();
            assert_eq!(answer.failure(), expected, "{status}");
            assert_eq!(answer.label, expected.unwrap_or("response"), "{status}");
        }
    }

    #[test]
    fn an_ack_expects_no_answer() {
        let ack = read("ACK sip:a@b SIP/2.0\nCall-ID: x\nCSeq: 1 ACK\n\n").unwrap();
        assert_eq!(ack.role, TransactionRole::Notification);
    }

    #[test]
    fn other_texts_and_cut_headers_are_left() {
        let texts = [
            "NOTIFY * HTTP/1.1\r\nHost: x\r\n\r\n",
            "INVITED sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\nCall-ID: in the body\r\n",
            "OPTIONS sip:a SIP/2.0",
            "\r\n\r\n",
            "",
        ];
        for text in texts {
            assert_eq!(read(text), None, "{text}");
        }
        let options = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 12 OPTIONS\r\n\r\n";
        assert_eq!(find_transaction(&cut(5060, 5060, &options[..45], options.len())), None);
        assert!(has_sip_shape(&options[..45]));
    }

    #[test]
    fn a_cut_answer_answers_no_request_that_is_known() {
        let answer = b"SIP/2.0 200 OK\r\nCall-ID: x\r\nCSeq: 12 OPTIONS\r\n\r\n";
        let whole = find_transaction(&whole(5060, 5060, answer)).unwrap();
        let cut = find_transaction(&cut(5060, 5060, &answer[..30], answer.len())).unwrap();
        assert_eq!(cut.role, TransactionRole::Reply);
        assert_ne!(cut.identity, whole.identity);
    }
}
