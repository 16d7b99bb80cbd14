//! SNMP v1 (RFC 1157), v2c (RFC 3416) and v3 (RFC 3412).
//!
//! A reader of BER heads, because a message must give the same identity whole
//! and cut by a snap length, and request-ids are signed. It reads no values and
//! never looks at the community string.

use super::Payload;
use crate::model::failure::{find_snmp_failure, snmp_label};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

const RESPONSE: u8 = 0xa2;
const TRAP_V1: u8 = 0xa4;
const REPORT: u8 = 0xa8;
pub(super) const INFORM_REQUEST: &str = "InformRequest";
/// RFC 3412, section 6.4: the sender waits for an answer.
const REPORTABLE_FLAG: u8 = 0x04;
const AGENT_PORT: u16 = 161;
const TRAP_PORT: u16 = 162;
/// Bindings that count for a question; no request has so many.
const MAX_BINDINGS: usize = 256;

/// Reads the message's kind and identity: the request-id, in version 3 the
/// message id, which answers and reports repeat even where the rest is
/// encrypted. `None` where it is cut before that.
pub(super) fn find_transaction(protocol: Protocol, payload: &Payload<'_>) -> Option<Transaction> {
    let transaction = find_message(protocol, payload)?;
    // What is asked and answered at the trap port is an inform (RFC 3416 section 4.2.7).
    let is_inform =
        protocol == Protocol::SnmpTrap && transaction.role != TransactionRole::Notification;
    let protocol = if is_inform { Protocol::SnmpInform } else { protocol };
    Some(Transaction { protocol, ..transaction })
}

fn find_message(protocol: Protocol, payload: &Payload<'_>) -> Option<Transaction> {
    let message = find_value(payload.captured, SEQUENCE)?.value;
    let version = find_value(message, INTEGER)?;
    match find_integer(&version)? {
        0 | 1 => {
            let community = find_value(version.rest, OCTET_STRING)?;
            let pdu = find_element(community.rest)?;
            find_pdu(protocol, payload, &pdu, None)
        }
        3 => find_version_3(protocol, payload, version.rest),
        _ => None,
    }
}

/// Header (message id, size, flags, security model), security parameters,
/// then the scoped PDU, plain or encrypted.
fn find_version_3(protocol: Protocol, payload: &Payload<'_>, bytes: &[u8]) -> Option<Transaction> {
    let header = find_value(bytes, SEQUENCE)?;
    let message_id = find_value(header.value, INTEGER)?;
    let identity = find_integer(&message_id)?;
    let size = find_value(message_id.rest, INTEGER)?;
    let flags = *find_value(size.rest, OCTET_STRING)?.value.first()?;
    let plain = find_value(header.rest, OCTET_STRING)
        .and_then(|security| find_value(security.rest, SEQUENCE))
        .and_then(|scoped| find_value(scoped.value, OCTET_STRING))
        .and_then(|engine| find_value(engine.rest, OCTET_STRING))
        .and_then(|name| find_element(name.rest))
        .and_then(|pdu| find_pdu(protocol, payload, &pdu, Some(identity)));
    // Agents send from their port answers alone; some of them set the flag in reports.
    let is_from_agent = payload.source_port == AGENT_PORT && payload.destination_port != AGENT_PORT;
    let (role, label) = if flags & REPORTABLE_FLAG != 0 && !is_from_agent {
        (TransactionRole::Request, "request")
    } else if payload.destination_port == TRAP_PORT {
        (TransactionRole::Notification, "notification")
    } else {
        (TransactionRole::Reply, "response")
    };
    // Encrypted, or cut: the flags tell who waits for an answer.
    plain.or(Some(Transaction {
        protocol,
        role,
        identity: hash_fields(&[&identity.to_be_bytes()]),
        question: None,
        label,
        reply_to: None,
    }))
}

fn find_pdu(
    protocol: Protocol,
    payload: &Payload<'_>,
    pdu: &Element<'_>,
    message_id: Option<i64>,
) -> Option<Transaction> {
    use TransactionRole::{Notification, Reply, Request};
    let (role, label) = match pdu.tag {
        0xa0 => (Request, "GetRequest"),
        0xa1 => (Request, "GetNextRequest"),
        RESPONSE => (Reply, "Response"),
        0xa3 => (Request, "SetRequest"),
        TRAP_V1 => (Notification, "Trap"),
        0xa5 => (Request, "GetBulkRequest"),
        0xa6 => (Request, INFORM_REQUEST),
        0xa7 => (Notification, "SNMPv2-Trap"),
        REPORT => (Reply, find_report(pdu.value).unwrap_or("Report")),
        _ => return None,
    };
    // A version 1 trap begins with the enterprise and has no id; nothing is
    // ever paired with it.
    let request_id = if pdu.tag == TRAP_V1 { None } else { Some(find_value(pdu.value, INTEGER)?) };
    let identity = match (message_id, &request_id) {
        (Some(message_id), _) => hash_fields(&[&message_id.to_be_bytes()]),
        (None, Some(request_id)) => hash_fields(&[&find_integer(request_id)?.to_be_bytes()]),
        (None, None) => hash_fields(&[pdu.value]),
    };
    let question = match (role, &request_id) {
        (Request, Some(request_id)) if payload.is_whole() => {
            find_question(pdu.tag, request_id.rest)
        }
        _ => None,
    };
    let failure = request_id.filter(|_| pdu.tag == RESPONSE).and_then(|request_id| {
        let error_status = find_integer(&find_value(request_id.rest, INTEGER)?)?;
        if error_status == 0 { None } else { find_snmp_failure(error_status) }
    });
    let label = failure.unwrap_or(label);
    Some(Transaction { protocol, role, identity, question, label, reply_to: None })
}

/// The counter that a report names, where it says that the agent refuses (RFC 3414
/// section 3.2, RFC 3412 section 7.1): whose time or engine is asked for first is told
/// so every time (RFC 3414 section 4), and goes on.
fn find_report(pdu: &[u8]) -> Option<&'static str> {
    /// 1.3.6.1.6.3
    const MODULES: &[u8] = &[0x2b, 6, 1, 6, 3];
    let request_id = find_value(pdu, INTEGER)?;
    let error_status = find_value(request_id.rest, INTEGER)?;
    let error_index = find_value(error_status.rest, INTEGER)?;
    let binding = find_value(find_value(error_index.rest, SEQUENCE)?.value, SEQUENCE)?;
    let name = find_value(binding.value, OBJECT_IDENTIFIER)?;
    Some(match name.value.strip_prefix(MODULES)?.strip_suffix(&[0])? {
        [15, 1, 1, 1] => snmp_label::UNSUPPORTED_LEVEL,
        [15, 1, 1, 3] => snmp_label::UNKNOWN_USER,
        [15, 1, 1, 5] => snmp_label::WRONG_DIGEST,
        [15, 1, 1, 6] => snmp_label::DECRYPTION_ERROR,
        [11, 2, 1, 1] => snmp_label::UNKNOWN_SECURITY_MODEL,
        [11, 2, 1, 3] => snmp_label::UNKNOWN_HANDLER,
        [12, 1, 4] => snmp_label::UNAVAILABLE_CONTEXT,
        [12, 1, 5] => snmp_label::UNKNOWN_CONTEXT,
        _ => return None,
    })
}

/// Whether the message says that it is as long as the payload, cut or not.
pub(super) fn fills(payload: &Payload<'_>) -> bool {
    let Some((&SEQUENCE, bytes)) = payload.captured.split_first() else { return false };
    find_length(bytes).is_some_and(|(length, rest)| {
        let head_bytes = payload.captured.len() - rest.len();
        usize::try_from(payload.length).is_ok_and(|all| head_bytes.checked_add(length) == Some(all))
    })
}

/// Hash of the PDU's kind and the object identifiers asked for. `bytes` go on
/// after the request-id: two integers, then the list of bindings.
fn find_question(tag: u8, bytes: &[u8]) -> Option<u64> {
    let error_status = find_value(bytes, INTEGER)?;
    let error_index = find_value(error_status.rest, INTEGER)?;
    let mut bindings = find_value(error_index.rest, SEQUENCE)?.value;
    let mut question = hash_fields(&[&[tag]]);
    for _ in 0..MAX_BINDINGS {
        if bindings.is_empty() {
            break;
        }
        let binding = find_value(bindings, SEQUENCE)?;
        let name = find_value(binding.value, OBJECT_IDENTIFIER)?.value;
        question = hash_fields(&[&question.to_be_bytes(), name]);
        bindings = binding.rest;
    }
    Some(question)
}

/// One BER element: what is there of its value, and what follows.
#[derive(Debug, Clone, Copy)]
struct Element<'a> {
    tag: u8,
    value: &'a [u8],
    /// Whether all of the value was captured.
    is_whole: bool,
    rest: &'a [u8],
}

/// The element with this tag at the start of `bytes`.
fn find_value(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    find_element(bytes).filter(|element| element.tag == tag)
}

/// The element at the start of `bytes`, with one tag byte and a definite
/// length: X.690 section 8.1; SNMP forbids the indefinite form (RFC 3417).
fn find_element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, bytes) = bytes.split_first()?;
    let (length, bytes) = find_length(bytes)?;
    Some(match bytes.split_at_checked(length) {
        Some((value, rest)) => Element { tag, value, is_whole: true, rest },
        None => Element { tag, value: bytes, is_whole: false, rest: &[] },
    })
}

/// The length that `bytes` begin with, and what follows it.
fn find_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, bytes) = bytes.split_first()?;
    match first {
        0..=0x7f => Some((usize::from(first), bytes)),
        0x81..=0x84 => {
            let (digits, rest) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            Some((digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest))
        }
        _ => None,
    }
}

/// A signed integer of up to eight bytes, captured whole.
fn find_integer(element: &Element<'_>) -> Option<i64> {
    let first = *element.value.first()?;
    if !element.is_whole || element.value.len() > 8 {
        return None;
    }
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Some(element.value.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte)))
}

#[cfg(test)]
mod tests;
