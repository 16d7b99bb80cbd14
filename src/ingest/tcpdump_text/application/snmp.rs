//! SNMP: `C="…" GetRequest(28)  .1.3.6.1.2.1.1.1.0`, and under `-v`
//! `{ SNMPv2c C="…" { GetRequest(28) R=1234  .1.3.6… } }`.
//!
//! The community string is a password: it is read over and kept nowhere.

use crate::model::failure::find_snmp_failure_named;
use crate::model::identity::{hash_fields, hash_words};
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// PDU names of tcpdump's print-snmp.c, what we call them, their roles, and whether
/// the answer names the same objects.
const PDUS: &[(&str, &str, TransactionRole, bool)] = &[
    ("GetNextRequest", "GetNextRequest", TransactionRole::Request, false),
    ("GetRequest", "GetRequest", TransactionRole::Request, true),
    ("GetResponse", "GetResponse", TransactionRole::Reply, true),
    ("SetRequest", "SetRequest", TransactionRole::Request, true),
    ("GetBulk", "GetBulk", TransactionRole::Request, false),
    ("InformRequest", "InformRequest", TransactionRole::Request, true),
    // So does tcpdump call it.
    ("Inform", "InformRequest", TransactionRole::Request, true),
    ("V2Trap", "V2Trap", TransactionRole::Notification, false),
    ("Trap", "Trap", TransactionRole::Notification, false),
    ("Report", "Report", TransactionRole::Reply, false),
];

/// Reads an SNMP summary. Only `-v` prints the request id; without it a
/// request and an answer share the objects they name, and no more.
/// `asked` is the protocol of the ports: what is asked and answered at the trap port is
/// an inform (RFC 3416 section 4.2.7).
pub(super) fn find(asked: Option<Protocol>, summary: &str, body: &[String]) -> Option<Application> {
    let (label, role, same_objects, rest) = find_pdu(summary)?;
    let failure = (label == "GetResponse").then(|| find_failure(rest)).flatten();
    let label = failure.unwrap_or(label);
    let is_inform = asked == Some(Protocol::SnmpTrap) || label == "InformRequest";
    let protocol = if is_inform { Protocol::SnmpInform } else { Protocol::Snmp };
    if role == TransactionRole::Notification {
        let protocol = Protocol::SnmpTrap;
        let identity = hash_words(&find_objects(rest).unwrap_or_default());
        let transaction =
            Transaction { protocol, role, identity, question: None, label, reply_to: None };
        return Some(Application::Transaction(transaction));
    }
    let objects = find_objects(rest).or_else(|| body.iter().find_map(|line| find_objects(line)));
    // Version 3 pairs messages by an id of the message, which is not printed.
    let is_paired = !summary.contains("SNMPv3");
    let request_id = find_request_id(rest);
    let number = request_id.and_then(|id| id.parse::<i64>().ok()).filter(|_| is_paired);
    let identity = match (number, request_id) {
        (Some(number), _) => Some(hash_fields(&[&number.to_be_bytes()])),
        (None, Some(request_id)) => Some(hash_words(&["R", request_id])),
        (None, None) => objects.as_deref().filter(|_| same_objects).map(hash_words),
    };
    let question = match (number, role) {
        (Some(_), TransactionRole::Request) => {
            objects.as_deref().map(|objects| hash_question(label, objects))
        }
        (Some(_), _) => None,
        (None, _) => objects.as_deref().map(hash_words),
    };
    Some(identity.map_or(Application::Plain(protocol), |identity| {
        Application::Transaction(Transaction {
            protocol,
            role,
            identity,
            question,
            label,
            reply_to: None,
        })
    }))
}

/// `authorizationError@1` before the first object.
fn find_failure(rest: &str) -> Option<&'static str> {
    let words = rest.split_ascii_whitespace().take_while(|word| !word.starts_with('.'));
    words.map(|word| word.split('@').next().unwrap_or_default()).find_map(find_snmp_failure_named)
}

fn find_pdu(summary: &str) -> Option<(&'static str, TransactionRole, bool, &str)> {
    // `C="GetRequest(1)"` is a community, not a message: look behind it.
    let behind = skip_community(summary);
    let word_starts = |at: usize| at == 0 || behind.get(..at).is_some_and(|b| b.ends_with(' '));
    PDUS.iter().find_map(|(printed, label, role, same_objects)| {
        let at = behind.find(printed)?;
        let rest = behind.get(at + printed.len()..)?;
        (word_starts(at) && rest.starts_with('(')).then_some((*label, *role, *same_objects, rest))
    })
}

fn skip_community(summary: &str) -> &str {
    let Some((_, rest)) = summary.split_once("C=\"") else {
        return summary;
    };
    rest.find("\" ").and_then(|at| rest.get(at + 2..)).unwrap_or(rest)
}

fn find_request_id(rest: &str) -> Option<&str> {
    let (_, id) = rest.split_once(" R=")?;
    let end = id.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(id.len());
    id.get(..end).filter(|id| !id.is_empty())
}

/// The object at the start of a text: `.1.3.6.1.2.1.1.1.0`, and without `-n` by the names
/// of print-snmp.c: `system.sysDescr.0`, `E:cisco.9.109.1`, `S:snmpUsmMIB.1`.
fn find_object(text: &str) -> Option<&str> {
    let is_named = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_part = |c: char| {
        c.is_ascii_digit() || c == '.' || (is_named && (c.is_ascii_alphanumeric() || c == ':'))
    };
    let end = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    let object = text.get(..end)?;
    let is_object = if is_named { object.contains('.') } else { object.starts_with('.') };
    (is_object && object.len() > 1).then_some(object)
}

/// The object identifiers without their values; text values are skipped.
fn find_objects(rest: &str) -> Option<Vec<&str>> {
    let mut objects = Vec::new();
    let mut text = rest;
    while let Some(at) = text.find([' ', '"']) {
        let Some((separator, behind)) = text.get(at..).map(|tail| tail.split_at(1)) else {
            break;
        };
        text = behind;
        if separator == "\"" {
            text = text.split_once('"').map_or("", |(_, rest)| rest);
            continue;
        }
        if let Some(object) = find_object(text) {
            objects.push(object);
        }
    }
    (!objects.is_empty()).then_some(objects)
}

/// The number that the request's bytes have: its kind, and the object identifiers as
/// they are encoded.
fn hash_question(label: &str, objects: &[&str]) -> u64 {
    let encoded: Option<Vec<Vec<u8>>> = objects.iter().map(|object| encode(object)).collect();
    match (find_tag(label), encoded) {
        (Some(tag), Some(names)) => names.iter().fold(hash_fields(&[&[tag]]), |question, name| {
            hash_fields(&[&question.to_be_bytes(), name])
        }),
        _ => hash_words(objects),
    }
}

/// The tag of a request's kind (RFC 3416 section 3).
fn find_tag(label: &str) -> Option<u8> {
    Some(match label {
        "GetRequest" => 0xa0,
        "GetNextRequest" => 0xa1,
        "SetRequest" => 0xa3,
        "GetBulk" => 0xa5,
        "InformRequest" => 0xa6,
        _ => return None,
    })
}

/// `.1.3.6.1` as X.690 section 8.19 encodes it: the first two numbers in one, and each in
/// groups of seven bits.
fn encode(object: &str) -> Option<Vec<u8>> {
    let numbers: Option<Vec<u32>> =
        object.strip_prefix('.')?.split('.').map(|number| number.parse().ok()).collect();
    let [first, second, rest @ ..] = numbers.as_deref()? else { return None };
    let head = first.checked_mul(40)?.checked_add(*second)?;
    let mut bytes = Vec::new();
    for number in std::iter::once(head).chain(rest.iter().copied()) {
        let groups = number.checked_ilog2().map_or(1, |highest| highest / 7 + 1);
        for group in (0..groups).rev() {
            let bits = u8::try_from(number >> (7 * group) & 0x7f).ok()?;
            bytes.push(if group > 0 { bits | 0x80 } else { bits });
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_community_leaves_no_trace() {
        let cases = [
            ("C=\"one\" GetRequest(28)  .1.3.6.1", "C=\"two\" GetRequest(28)  .1.3.6.1"),
            (
                "{ SNMPv1 C=\"Trap(1) \" { GetRequest(28) R=5  .1.3 } }",
                "{ SNMPv1 { GetRequest(28) R=5  .1.3 } }",
            ),
        ];
        for (first, second) in cases {
            let first = find(None, first, &[]);
            assert_eq!(first, find(None, second, &[]));
            assert!(matches!(first, Some(Application::Transaction(_))));
        }
    }

    #[test]
    fn objects_have_numbers_and_names() {
        let numbers = "C=\"a\" GetRequest(28)  .1.3.6.1.2.1.1.1.0 .1.3.6.1.2.1.1.5.0";
        let names = [
            "C=\"a\" GetRequest(32)  system.sysDescr.0 E:cisco.9.109.1.1.1.1.5.1",
            "C=\"a\" GetRequest(32)  S:snmpUsmMIB.1.0",
        ];
        let identity = |summary: &str| match find(None, summary, &[]) {
            Some(Application::Transaction(found)) => found.identity,
            other => panic!("{summary}: {other:?}"),
        };
        for text in [numbers, names[0], names[1]] {
            let answer = text.replace("GetRequest", "GetResponse") + "=\"to www.example.net\"";
            assert_eq!(identity(text), identity(&answer), "{text}");
        }
        assert_ne!(identity(names[0]), identity(names[1]));
        assert_eq!(
            find(None, "C=\"a\" GetBulk(28)  N=0 M=10", &[]),
            Some(Application::Plain(Protocol::Snmp))
        );
    }

    #[test]
    fn an_error_status_is_named() {
        for (summary, expected) in [
            ("C=\"a\" GetResponse(28)  genErr@1 .1.3.6.1.2.1.1.5.0=", Some("genErr")),
            (
                "{ SNMPv2c { GetResponse(28) R=7  authorizationError@1 .1.3.6.1=5 } }",
                Some("authorizationError"),
            ),
            ("C=\"a\" GetResponse(28)  tooBig .1.3.6.1.2.1.1.5.0=", Some("tooBig")),
            ("C=\"a\" GetResponse(28)  noSuchName@1 .1.3.6.1.2.1.1.5.0=", None),
            ("C=\"a\" GetResponse(28)  .1.3.6.1.2.1.1.5.0=\"x genErr y\"", None),
        ] {
            let Some(Application::Transaction(answer)) = find(None, summary, &[]) else {
                panic!("{summary}");
            };
            assert_eq!(answer.failure(), expected, "{summary}");
        }
    }

    #[test]
    fn a_walk_without_request_ids_has_no_identity() {
        for summary in ["GetNextRequest(28)  .1.3.6.1.2.1.1.5.0", "GetBulk(29)  N=0 M=10 .1.3.6"] {
            let expected = Some(Application::Plain(Protocol::Snmp));
            assert_eq!(find(None, summary, &[]), expected, "{summary}");
        }
        assert_eq!(find(None, "UDP, length 35", &[]), None);
    }

    #[test]
    fn informs_are_told_from_polls_and_traps() {
        let trap = Some(Protocol::SnmpTrap);
        let cases = [
            (trap, "C=\"a\" Inform(58)  .1.3.6.1=5", Protocol::SnmpInform),
            (trap, "{ SNMPv2c { Inform(58) R=7  .1.3.6.1=5 } }", Protocol::SnmpInform),
            (trap, "C=\"a\" GetResponse(58)  .1.3.6.1=5", Protocol::SnmpInform),
            (None, "C=\"a\" Inform(58)  .1.3.6.1=5", Protocol::SnmpInform),
            (Some(Protocol::Snmp), "C=\"a\" GetResponse(58)  .1.3.6.1=5", Protocol::Snmp),
            (trap, "C=\"a\" V2Trap(58)  .1.3.6.1=5", Protocol::SnmpTrap),
        ];
        for (asked, summary, protocol) in cases {
            let Some(Application::Transaction(found)) = find(asked, summary, &[]) else {
                panic!("{summary}");
            };
            assert_eq!(found.protocol, protocol, "{summary}");
        }
    }
}
