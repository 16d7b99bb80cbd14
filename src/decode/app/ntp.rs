//! NTP and SNTP (RFC 5905).

use super::Payload;
use crate::decode::field::{find_array, find_u8};
use crate::model::identity::{hash_fields, hash_ntp_timestamp};
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const ORIGIN_TIMESTAMP: usize = 24;
const TRANSMIT_TIMESTAMP: usize = 40;

/// The bit that marks an answer in a control message (RFC 9327 section 2).
const CONTROL_RESPONSE: u8 = 0x80;

/// Reads a client's or server's message. A server copies the request's
/// transmit timestamp into the reply's origin timestamp (section 8). Nobody answers a
/// broadcast server (section 3). `None` where the timestamp is cut, and for requests of
/// clients without a clock, which may leave it zero (RFC 4330 section 5): all of those
/// are alike. Their answers are known by their own timestamp.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    let bytes = payload.captured;
    let first = find_u8(bytes, 0)?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) {
        return None;
    }
    if let 6 | 7 = mode {
        return find_control(bytes, mode);
    }
    let timestamp = |offset| find_array::<8>(bytes, offset);
    let (role, label) = match mode {
        // A symmetric peer has no origin timestamp to give before it has heard
        // the other one.
        1 | 2 => {
            let role = if timestamp(ORIGIN_TIMESTAMP)? == [0; 8] {
                TransactionRole::Request
            } else {
                TransactionRole::Reply
            };
            (role, if mode == 1 { "symmetric active" } else { "symmetric passive" })
        }
        3 => (TransactionRole::Request, "client"),
        4 => (TransactionRole::Reply, "server"),
        5 => (TransactionRole::Notification, "broadcast"),
        _ => return None,
    };
    let given = |timestamp: &[u8; 8]| *timestamp != [0; 8];
    let transmit = || timestamp(TRANSMIT_TIMESTAMP).filter(given);
    let shared = match role {
        TransactionRole::Reply => timestamp(ORIGIN_TIMESTAMP).filter(given).or_else(transmit)?,
        TransactionRole::Notification => timestamp(TRANSMIT_TIMESTAMP).unwrap_or_default(),
        TransactionRole::Request | TransactionRole::Unread => transmit()?,
    };
    Some(message(role, label, identity_of(shared)))
}

/// Whether a payload is as long as a message (RFC 5905 section 7.3) and has a version
/// and a mode.
pub(super) fn has_ntp_shape(bytes: &[u8]) -> bool {
    let is_message =
        |first: u8| (1..=4).contains(&(first >> 3 & 7)) && (1..=5).contains(&(first & 7));
    bytes.len() >= TRANSMIT_TIMESTAMP + 8 && find_u8(bytes, 0).is_some_and(is_message)
}

/// What `ntpq` (mode 6, RFC 9327) and `ntpdc` (mode 7, `ntp_request.h` of ntpd) ask and
/// are answered: the sequence number pairs them.
fn find_control(bytes: &[u8], mode: u8) -> Option<Transaction> {
    let (marks, sequence) = if mode == 6 {
        (find_u8(bytes, 1)?, find_array::<2>(bytes, 2)?)
    } else {
        let sequence = find_u8(bytes, 1)? & 0x7f;
        (find_u8(bytes, 0)?, [sequence, find_u8(bytes, 3)?])
    };
    let role = if marks & CONTROL_RESPONSE == 0 {
        TransactionRole::Request
    } else {
        TransactionRole::Reply
    };
    Some(message(role, "control message", hash_fields(&[&[mode], &sequence])))
}

/// The identity that a timestamp is. Four of its fractions share a nanosecond, which is
/// what a text prints of them.
fn identity_of([a, b, c, d, fraction @ ..]: [u8; 8]) -> u64 {
    let fraction = u64::from(u32::from_be_bytes(fraction));
    let nanoseconds = u32::try_from((fraction * 1_000_000_000) >> 32).unwrap_or_default();
    hash_ntp_timestamp(u32::from_be_bytes([a, b, c, d]), nanoseconds)
}

fn message(role: TransactionRole, label: &'static str, identity: u64) -> Transaction {
    Transaction { protocol: Protocol::Ntp, role, identity, question: None, label, reply_to: None }
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn message(first: u8, origin: u8, transmit: u8) -> Vec<u8> {
        let mut bytes = vec![0; 48];
        bytes[0] = first;
        bytes[ORIGIN_TIMESTAMP..ORIGIN_TIMESTAMP + 8].fill(origin);
        bytes[TRANSMIT_TIMESTAMP..].fill(transmit);
        bytes
    }

    #[test]
    fn a_reply_carries_the_requests_timestamp() {
        use TransactionRole::{Notification, Reply, Request};
        let identity = |value: u8| identity_of([value; 8]);
        let cases = [
            ("client", 0x23, 0, 5, Some((Request, identity(5)))),
            ("server", 0x24, 5, 9, Some((Reply, identity(5)))),
            ("client, version 1", 0x0b, 0, 5, Some((Request, identity(5)))),
            ("SNTP client without clock", 0x23, 0, 0, None),
            ("answer to a client without clock", 0x24, 0, 9, Some((Reply, identity(9)))),
            ("peer without clock", 0x21, 0, 0, None),
            ("first of a peer", 0x21, 0, 5, Some((Request, identity(5)))),
            ("answer of a peer", 0x22, 5, 9, Some((Reply, identity(5)))),
            ("broadcast", 0x25, 0, 5, Some((Notification, identity(5)))),
            ("version 0", 0x03, 0, 5, None),
            ("version 7", 0x3b, 0, 5, None),
        ];
        for (name, first, origin, transmit, expected) in cases {
            let bytes = message(first, origin, transmit);
            let transaction = find_transaction(&whole(123, 123, &bytes));
            let actual = transaction.map(|transaction| (transaction.role, transaction.identity));
            assert_eq!(actual, expected, "{name}");
        }
    }

    #[test]
    fn control_messages_are_paired_by_their_sequence() {
        use TransactionRole::{Reply, Request};
        let cases = [
            ("ntpq", [0x16, 0x02, 0, 9], [0x16, 0x82, 0, 9], [0x16, 0x82, 0, 8]),
            ("ntpdc", [0x17, 0x09, 3, 42], [0x97, 0x09, 3, 42], [0x97, 0x08, 3, 42]),
        ];
        for (name, request, reply, other) in cases {
            let read = |bytes: &[u8]| find_transaction(&whole(40_000, 123, bytes)).unwrap();
            let (asked, answered) = (read(&request), read(&reply));
            assert_eq!((asked.role, answered.role), (Request, Reply), "{name}");
            assert_eq!(asked.identity, answered.identity, "{name}");
            assert_ne!(asked.identity, read(&other).identity, "{name}");
            assert_eq!(find_transaction(&cut(40_000, 123, &request[..2], 12)), None, "{name}");
        }
    }

    #[test]
    fn a_reply_needs_only_its_origin_timestamp() {
        let (client, server) = (message(0x23, 0, 5), message(0x24, 5, 9));
        assert_eq!(find_transaction(&cut(123, 123, &client[..47], 48)), None);
        assert!(find_transaction(&cut(123, 123, &server[..32], 48)).is_some());
        assert_eq!(find_transaction(&cut(123, 123, &server[..31], 48)), None);
    }
}
