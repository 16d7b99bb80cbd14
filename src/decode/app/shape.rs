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
        _ if dns::is_bare_refusal(payload) => dns::find_transaction(Protocol::Dns, payload),
        0x30 => snmp::find_transaction(Protocol::Snmp, payload),
        first if first & 0x7 == 4 && (is_ntp(payload) || is_kiss(payload)) => {
            ntp::find_transaction(payload)
        }
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

/// RFC 5905 section 7.4: a server that sends its client away says so at stratum 0, with the
/// alarm of the leap indicator and a code of four letters. Its times may be zero.
fn is_kiss(payload: &Payload<'_>) -> bool {
    let bytes = payload.captured;
    let code = bytes.get(12..16).unwrap_or_default();
    NTP_BYTES.contains(&payload.length)
        && matches!(find_u8(bytes, 0), Some(0xdc | 0xe4))
        && find_u8(bytes, 1) == Some(0)
        && code.len() == 4
        && code.iter().all(u8::is_ascii_uppercase)
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

/// Whether attributes fill the length that the header states, as far as it was captured. What
/// is behind it is padding, which nobody minds (RFC 2865 section 3).
pub(super) fn has_radius(payload: &Payload<'_>) -> bool {
    let stated_bytes = find_u16(payload.captured, 2).map_or(0, usize::from);
    let stated = match payload.captured.get(..stated_bytes) {
        Some(stated) => stated,
        None if payload.is_whole() => return false,
        None => payload.captured,
    };
    let is_cut = stated.len() < stated_bytes;
    let mut attributes = stated.get(RADIUS_HEADER_BYTES..);
    while let Some(rest) = attributes.filter(|rest| !rest.is_empty()) {
        attributes = match rest.get(1).copied().map(usize::from) {
            Some(0 | 1) => None,
            Some(attribute_bytes) if rest.len() >= attribute_bytes => rest.get(attribute_bytes..),
            _ => return is_cut,
        };
    }
    attributes.is_some()
}

#[cfg(test)]
mod tests;
