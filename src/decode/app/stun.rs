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

/// Whether a payload between unknown ports is a Binding Response of classic STUN: asked
/// to change its port, a server answers from another one (RFC 3489 section 8.1). Its
/// attributes fill it, and one of them is the client's address, which is mandatory
/// (section 11.2).
pub(super) fn has_classic_response_shape(payload: &Payload<'_>) -> bool {
    const BINDING_RESPONSE: u16 = 0x0101;
    const MAPPED_ADDRESS: u16 = 1;
    const IPV4: u16 = 1;
    let bytes = payload.captured;
    if !payload.is_whole()
        || find_u16(bytes, 0) != Some(BINDING_RESPONSE)
        || find_message(payload).is_none()
    {
        return false;
    }
    let mut attributes = bytes.get(20..).unwrap_or_default();
    let mut is_mapped = false;
    while !attributes.is_empty() {
        let (Some(kind), Some(length)) = (find_u16(attributes, 0), find_u16(attributes, 2)) else {
            return false;
        };
        let value_bytes = usize::from(length).next_multiple_of(4);
        is_mapped |= kind == MAPPED_ADDRESS && length == 8 && find_u16(attributes, 4) == Some(IPV4);
        let Some(rest) = attributes.get(4 + value_bytes..) else { return false };
        attributes = rest;
    }
    is_mapped
}

/// Whether it is what a relay passes on under a channel's number, which is no message of
/// STUN: RFC 8656 section 12.4.
pub(super) fn is_channel_data(payload: &Payload<'_>) -> bool {
    const CHANNEL_HEADER_BYTES: u32 = 4;
    let fields = (find_u16(payload.captured, 0), find_u16(payload.captured, 2));
    let (Some(0x4000..=0x4fff), Some(length)) = fields else { return false };
    u32::from(length) + CHANNEL_HEADER_BYTES <= payload.length
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
    use super::super::{cut, whole};
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
    fn a_classic_response_is_known_by_its_shape_at_any_port() {
        let mapped = [0, 1, 0, 8, 0, 1, 0x9c, 0x40, 192, 0, 2, 7];
        let other = [0, 5, 0, 8, 0, 1, 0x0d, 0x97, 192, 0, 2, 8];
        let cut_short = &mapped[..8];
        let cases: [(&str, u16, Vec<u8>, bool); 6] = [
            ("a response", 0x0101, mapped.to_vec(), true),
            ("with more", 0x0101, [mapped, other].concat(), true),
            ("without the address", 0x0101, other.to_vec(), false),
            ("none at all", 0x0101, Vec::new(), false),
            ("not filled", 0x0101, cut_short.to_vec(), false),
            ("a request", 0x0001, mapped.to_vec(), false),
        ];
        for (name, kind, attributes, expected) in cases {
            let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
            let bytes = [&kind.to_be_bytes(), &length, &[7; 16][..], &attributes].concat();
            let payload = whole(3_479, 40_000, &bytes);
            assert_eq!(has_classic_response_shape(&payload), expected, "{name}");
            let cut = cut(3_479, 40_000, &bytes[..bytes.len() - 1], bytes.len());
            assert!(!has_classic_response_shape(&cut), "{name}, cut");
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
