//! SIP: `SIP, length: 971` or `SIP: INVITE sip:… SIP/2.0`, and under `-v` the
//! message itself.

use crate::model::failure::find_sip_failure;
use crate::model::identity::{hash_fields, hash_words};
use crate::model::packet::{Application, PayloadAddress, Transaction, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::sip::find_method;

/// Reads a SIP message. Call-ID and CSeq are the identity (RFC 3261, section
/// 8.1.1); they are printed only under `-v`.
pub fn read(summary: &str, body: &[String]) -> Application {
    let first = summary.strip_prefix("SIP: ");
    let lines = || first.into_iter().chain(body.iter().map(|line| line.trim()));
    let start = lines().find_map(|line| find_start(line));
    let call_id = lines().find_map(|line| find_header(line, "call-id", Some("i")));
    let sequence = lines().find_map(|line| find_header(line, "cseq", None));
    let (Some((role, label)), Some(call_id), Some(sequence)) = (start, call_id, sequence) else {
        if summary.trim() == "SIP" {
            return keep_alive();
        }
        return start.map_or(Application::Plain(Protocol::Sip), |(role, label)| {
            without_identity(role, label, lines().next().unwrap_or_default())
        });
    };
    let method = sequence.split_ascii_whitespace().nth(1).unwrap_or_default();
    let status = lines().find_map(find_status);
    let failure = status.and_then(|status| find_sip_failure(status, method));
    let label = failure.filter(|_| role == TransactionRole::Reply).unwrap_or(label);
    let via = lines().find_map(|line| find_header(line, "via", Some("v")));
    let asks = role == TransactionRole::Request;
    let reply_to = via.filter(|_| asks).and_then(PayloadAddress::find_in_via).map(Box::new);
    let protocol = Protocol::Sip;
    let identity = hash_fields(&[call_id.as_bytes(), sequence.as_bytes()]);
    Application::Transaction(Transaction {
        protocol,
        role,
        identity,
        question: None,
        label,
        reply_to,
    })
}

/// A message of which the first line alone is printed, which tells who asks. What pairs it
/// is given by [`Dialogs`](crate::ingest::tcpdump_text::dialogs::Dialogs), which knows what
/// was asked before.
fn without_identity(role: TransactionRole, label: &'static str, start: &str) -> Application {
    let start = hash_words(&[start]);
    Application::Transaction(Transaction {
        protocol: Protocol::Sip,
        role,
        identity: start,
        question: Some(start),
        label,
        reply_to: None,
    })
}

/// Whether a SIP socket's datagram of `length` bytes is too short for any message: two line
/// breaks, the answer's one, or four zeros (RFC 5626 section 3.5.1).
#[must_use]
pub fn is_keep_alive(length: u32) -> bool {
    (1..=4).contains(&length)
}

/// Where no line begins the message, tcpdump prints the protocol's name and no more: line
/// breaks or zeros that keep a translation alive (RFC 5626 section 3.5.1), which ask nothing.
#[must_use]
pub const fn keep_alive() -> Application {
    Application::Transaction(Transaction {
        protocol: Protocol::Sip,
        role: TransactionRole::Notification,
        identity: 0,
        question: None,
        label: "keep-alive",
        reply_to: None,
    })
}

fn find_start(line: &str) -> Option<(TransactionRole, &'static str)> {
    if line.starts_with("SIP/2.0 ") {
        return Some((TransactionRole::Reply, "response"));
    }
    let (method, rest) = line.split_once(' ')?;
    if !rest.contains("SIP/2.0") {
        return None;
    }
    find_method(method.as_bytes())
}

/// The status code of a response.
fn find_status(line: &str) -> Option<u16> {
    line.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

fn find_header<'a>(line: &'a str, name: &str, short: Option<&str>) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    let found = found.trim();
    let matches = found.eq_ignore_ascii_case(name)
        || short.is_some_and(|short| found.eq_ignore_ascii_case(short));
    matches.then(|| value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_via_says_where_answers_go() {
        let cases = [
            ("Via: SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa", Some("192.0.2.9"), 5062, false),
            ("v: SIP/2.0/UDP [2001:db8::9]:5062;rport;branch=x", Some("2001:db8::9"), 5062, true),
            ("Via: SIP/2.0/UDP phone.example.net;branch=x", None, 5060, false),
        ];
        for (via, address, port, asks_for_own_port) in cases {
            let body = ["OPTIONS sip:b@example.net SIP/2.0", via, "Call-ID: c1", "CSeq: 1 OPTIONS"];
            let body = body.map(str::to_owned);
            let Application::Transaction(request) = read("SIP, length: 392", &body) else {
                panic!("{via} is read as no request");
            };
            let address = address.map(|text| text.parse().unwrap());
            let asks_for_own_port = Some(asks_for_own_port);
            let expected = PayloadAddress { address, port, asks_for_own_port };
            assert_eq!(request.reply_to.as_deref(), Some(&expected), "{via}");
            let mut answer = body;
            answer[0] = "SIP/2.0 503 Service Unavailable".to_owned();
            let Application::Transaction(refusal) = read("SIP, length: 352", &answer) else {
                panic!("{via} is read as no response");
            };
            assert_eq!(refusal.failure(), Some("503 Service Unavailable"));
            answer[0] = "SIP/2.0 200 OK".to_owned();
            let Application::Transaction(reply) = read("SIP, length: 352", &answer) else {
                panic!("{via} is read as no response");
            };
            assert_eq!(reply.failure(), None);
            assert_eq!((reply.reply_to, reply.identity), (None, request.identity));
        }
    }
}
