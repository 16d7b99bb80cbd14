//! IKE's first messages (RFC 7296, RFC 2409), which open an association and are sent
//! again until they are answered.

use super::Payload;
use crate::decode::field::{find_array, find_u8};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const PORT: u16 = 500;
/// RFC 3948 section 2.2: behind it is IKE, and no ESP, at the port for both.
const NON_ESP_MARKER: [u8; 4] = [0; 4];
/// RFC 7296 section 3.1.
const HEADER_BYTES: usize = 28;
const FLAG_RESPONSE: u8 = 0x20;

/// Reads a message that opens an association: its responder has no SPI yet. The identity
/// is all of it, for it is sent again as it was (RFC 7296 section 2.1); answers are told
/// by their port alone.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    let is_at_own_port = [payload.source_port, payload.destination_port].contains(&PORT);
    let message = if is_at_own_port {
        payload.captured
    } else {
        payload.captured.strip_prefix(&NON_ESP_MARKER)?
    };
    let header = message.get(..HEADER_BYTES)?;
    let (initiator, responder): ([u8; 8], [u8; 8]) =
        (find_array(header, 0)?, find_array(header, 8)?);
    if initiator == [0; 8] || responder != [0; 8] {
        return None;
    }
    // Version, exchange, flags.
    let label = match (find_u8(header, 17)? >> 4, find_u8(header, 18)?, find_u8(header, 19)?) {
        (2, 34, flags) if flags & FLAG_RESPONSE == 0 => "IKE_SA_INIT request",
        (1, 2, _) => "main mode, first message",
        (1, 4, _) => "aggressive mode, first message",
        _ => return None,
    };
    Some(Transaction {
        protocol: Protocol::Ike,
        role: TransactionRole::Request,
        identity: hash_fields(&[message]),
        question: None,
        label,
        reply_to: None,
    })
}

/// RFC 3948 section 2.3: what keeps a translation alive.
pub(super) fn is_keep_alive(payload: &Payload<'_>) -> bool {
    payload.captured == [0xff] && payload.length == 1
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn message(responder: u8, version: u8, exchange: u8, flags: u8) -> Vec<u8> {
        let mut bytes = b"initspi1".to_vec();
        bytes.extend([responder; 8]);
        bytes.extend([33, version, exchange, flags, 0, 0, 0, 0, 0, 0, 0, 60]);
        bytes.resize(60, 0x5a);
        bytes
    }

    #[test]
    fn what_opens_an_association_is_a_request() {
        let cases = [
            ("IKE_SA_INIT", message(0, 0x20, 34, 0x08), true),
            ("main mode", message(0, 0x10, 2, 0), true),
            ("aggressive mode", message(0, 0x10, 4, 0), true),
            ("an answer", message(9, 0x20, 34, 0x20), false),
            ("a refusal without an SPI", message(0, 0x20, 34, 0x20), false),
            ("IKE_AUTH", message(9, 0x20, 35, 0x08), false),
            ("quick mode", message(9, 0x10, 32, 0), false),
            ("an exchange that there is not", message(0, 0x20, 9, 0x08), false),
        ];
        for (name, bytes, expected) in cases {
            let found = find_transaction(&whole(500, 500, &bytes));
            assert_eq!(found.is_some(), expected, "{name}");
            let marked = [&NON_ESP_MARKER[..], &bytes].concat();
            let found = find_transaction(&whole(4500, 4500, &marked));
            assert_eq!(found.is_some(), expected, "{name} behind the marker");
            assert_eq!(find_transaction(&whole(4500, 4500, &bytes)), None, "{name} as ESP");
        }
        let opening = message(0, 0x20, 34, 0x08);
        assert_eq!(find_transaction(&cut(500, 500, &opening[..20], 60)), None);
        assert!(find_transaction(&cut(500, 500, &opening[..40], 60)).is_some());
    }
}
