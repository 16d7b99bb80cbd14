//! STUN (RFC 8489), TURN (RFC 8656), and classic STUN (RFC 3489) at its port.

use super::Payload;
use crate::decode::field::{find_array, find_u16, find_u32};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const MAGIC_COOKIE: u32 = 0x2112_a442;
const HEADER_BYTES: u32 = 20;
const BINDING: u16 = 1;

/// Reads a message at STUN's port, with or without the cookie that RFC 5389
/// introduced. Without it, only Binding is believed.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    find_message(payload).filter(|_| {
        has_cookie(payload.captured)
            || find_u16(payload.captured, 0).is_some_and(|kind| method_of(kind) == BINDING)
    })
}

/// Reads a message at any port, known by its cookie.
pub(super) fn find_transaction_by_cookie(payload: &Payload<'_>) -> Option<Transaction> {
    if has_cookie(payload.captured) { find_message(payload) } else { None }
}

fn find_message(payload: &Payload<'_>) -> Option<Transaction> {
    use TransactionRole::{Notification, Reply, Request};
    let kind = find_u16(payload.captured, 0)?;
    let attribute_bytes = find_u16(payload.captured, 2)?;
    // Cookie and transaction id; in classic STUN all of it is the id.
    let identity: [u8; 16] = find_array(payload.captured, 4)?;
    let fits = attribute_bytes.is_multiple_of(4)
        && u32::from(attribute_bytes) + HEADER_BYTES == payload.length;
    if kind & 0xc000 != 0 || !fits {
        return None;
    }
    // The class is spread over two bits of the type (section 5).
    let (role, label) = match (kind & 0x0110, method_of(kind)) {
        (0x0000, BINDING) => (Request, "Binding request"),
        (0x0000, _) => (Request, "request"),
        (0x0010, BINDING) => (Notification, "Binding indication"),
        (0x0010, _) => (Notification, "indication"),
        (0x0100, BINDING) => (Reply, "Binding response"),
        (0x0100, _) => (Reply, "response"),
        (_, BINDING) => (Reply, "Binding error"),
        _ => (Reply, "error"),
    };
    Some(Transaction {
        protocol: Protocol::Stun,
        role,
        identity: hash_fields(&[&identity]),
        question: None,
        label,
        reply_to: None,
    })
}

fn has_cookie(bytes: &[u8]) -> bool {
    find_u32(bytes, 4) == Some(MAGIC_COOKIE)
}

const fn method_of(kind: u16) -> u16 {
    kind & 0x3eef
}

#[cfg(test)]
mod tests {
    use super::super::whole;
    use super::*;

    fn message(kind: u16, cookie: u32) -> Vec<u8> {
        let mut bytes = kind.to_be_bytes().to_vec();
        bytes.extend([0, 4]);
        bytes.extend(cookie.to_be_bytes());
        bytes.extend([7; 12]);
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn classes_are_read_at_any_port() {
        use TransactionRole::{Notification, Reply, Request};
        let cases = [
            (0x0001, Some((Request, "Binding request"))),
            (0x0101, Some((Reply, "Binding response"))),
            (0x0111, Some((Reply, "Binding error"))),
            (0x0011, Some((Notification, "Binding indication"))),
            (0x0003, Some((Request, "request"))),
            (0x0103, Some((Reply, "response"))),
            (0x0113, Some((Reply, "error"))),
            (0x0016, Some((Notification, "indication"))),
            (0x4001, None),
        ];
        for (kind, expected) in cases {
            let bytes = message(kind, MAGIC_COOKIE);
            let payload = whole(40_000, 50_000, &bytes);
            let transaction = find_transaction_by_cookie(&payload);
            let identity = hash_fields(&[&bytes[4..20]]);
            assert!(
                transaction.as_ref().is_none_or(|transaction| transaction.identity == identity)
            );
            let actual = transaction.map(|transaction| (transaction.role, transaction.label));
            assert_eq!(actual, expected, "{kind:x}");
        }
    }

    #[test]
    fn without_the_cookie_only_binding_at_its_port_is_stun() {
        for (kind, expected) in [(0x0001, true), (0x0101, true), (0x0003, false)] {
            let bytes = message(kind, 0x0102_0304);
            let payload = whole(40_000, 3478, &bytes);
            assert_eq!(find_transaction(&payload).is_some(), expected, "{kind:x}");
            assert_eq!(find_transaction_by_cookie(&payload), None);
        }
        let mut bytes = message(0x0001, MAGIC_COOKIE);
        bytes.pop();
        assert_eq!(find_transaction(&whole(40_000, 3478, &bytes)), None);
    }
}
