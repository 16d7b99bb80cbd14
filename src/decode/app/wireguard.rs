//! WireGuard's handshake (the protocol's whitepaper, section 5.4).

use super::Payload;
use crate::decode::field::{find_array, find_u32};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Message types are one byte and three reserved ones, little-endian.
const INITIATION: u32 = 0x0100_0000;
const RESPONSE: u32 = 0x0200_0000;
const COOKIE_REPLY: u32 = 0x0300_0000;

/// Reads a handshake message. The identity is the index that the initiator
/// chose: the response names it as its receiver. `None` for transport data,
/// which goes on wherever the peer was heard last.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    let (role, label, index_offset) = match (find_u32(payload.captured, 0)?, payload.length) {
        (INITIATION, 148) => (TransactionRole::Request, "handshake initiation", 4),
        (RESPONSE, 92) => (TransactionRole::Reply, "handshake response", 8),
        (COOKIE_REPLY, 64) => (TransactionRole::Reply, "cookie reply", 4),
        _ => return None,
    };
    let index: [u8; 4] = find_array(payload.captured, index_offset)?;
    Some(Transaction {
        protocol: Protocol::Wireguard,
        role,
        identity: hash_fields(&[&index]),
        question: None,
        label,
        reply_to: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn message(kind: u8, length: usize, indexes: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend(indexes);
        bytes.resize(length, 0x5a);
        bytes
    }

    #[test]
    fn a_response_names_the_initiators_index() {
        let initiation = message(1, 148, &[7, 8, 9, 1]);
        let request = find_transaction(&whole(40_000, 51_820, &initiation)).unwrap();
        for (answer, label) in [
            (message(2, 92, &[1, 1, 1, 1, 7, 8, 9, 1]), "handshake response"),
            (message(3, 64, &[7, 8, 9, 1]), "cookie reply"),
        ] {
            let reply = find_transaction(&whole(51_820, 40_000, &answer)).unwrap();
            assert_eq!((reply.role, reply.label), (TransactionRole::Reply, label));
            assert_eq!(reply.identity, request.identity);
        }
        let other = message(2, 92, &[1, 1, 1, 1, 7, 8, 9, 2]);
        let reply = find_transaction(&whole(51_820, 40_000, &other)).unwrap();
        assert_ne!(reply.identity, request.identity);
    }

    #[test]
    fn what_is_no_handshake_is_left() {
        for bytes in [message(4, 92, &[0; 8]), message(2, 93, &[0; 8]), message(1, 92, &[0; 8])] {
            assert_eq!(find_transaction(&whole(51_820, 40_000, &bytes)), None);
        }
        let mut reserved = message(2, 92, &[0; 8]);
        reserved[2] = 1;
        assert_eq!(find_transaction(&whole(51_820, 40_000, &reserved)), None);
        let response = message(2, 92, &[0; 8]);
        assert_eq!(find_transaction(&cut(51_820, 40_000, &response[..11], 92)), None);
    }
}
