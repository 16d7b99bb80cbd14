//! RADIUS (RFC 2865, RFC 2866) and dynamic authorization (RFC 5176).

use super::Payload;
use crate::decode::field::{find_u8, find_u16};
use crate::decode::fingerprint::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::refusal::radius_label;

/// Code, identifier, length, authenticator.
const MIN_MESSAGE_BYTES: u16 = 20;

/// Reads code and identifier; an answer has its request's identifier. `None`
/// for unknown codes and where the length field does not fit the datagram.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    use TransactionRole::{Reply, Request};
    let bytes = payload.captured;
    let (role, label) = match find_u8(bytes, 0)? {
        1 => (Request, "Access-Request"),
        2 => (Reply, "Access-Accept"),
        3 => (Reply, radius_label::ACCESS_REJECT),
        4 => (Request, "Accounting-Request"),
        5 => (Reply, "Accounting-Response"),
        11 => (Reply, "Access-Challenge"),
        12 => (Request, "Status-Server"),
        40 => (Request, "Disconnect-Request"),
        41 => (Reply, "Disconnect-ACK"),
        42 => (Reply, radius_label::DISCONNECT_NAK),
        43 => (Request, "CoA-Request"),
        44 => (Reply, "CoA-ACK"),
        45 => (Reply, radius_label::COA_NAK),
        _ => return None,
    };
    let identifier = find_u8(bytes, 1)?;
    let message_bytes = find_u16(bytes, 2)?;
    if message_bytes < MIN_MESSAGE_BYTES || u32::from(message_bytes) > payload.length {
        return None;
    }
    Some(Transaction {
        protocol: Protocol::Radius,
        role,
        identity: hash_fields(&[&[identifier]]),
        question: None,
        label,
        reply_to: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::cut;
    use super::*;

    #[test]
    fn code_and_identifier_are_read() {
        use TransactionRole::{Reply, Request};
        let cases = [
            ([1, 9, 0, 20], 20, Some((Request, "Access-Request"))),
            ([2, 9, 0, 20], 20, Some((Reply, "Access-Accept"))),
            ([4, 9, 0, 44], 44, Some((Request, "Accounting-Request"))),
            ([12, 9, 0, 20], 22, Some((Request, "Status-Server"))),
            ([43, 9, 0, 20], 20, Some((Request, "CoA-Request"))),
            ([41, 9, 0, 20], 20, Some((Reply, "Disconnect-ACK"))),
            ([3, 9, 0, 20], 20, Some((Reply, "Access-Reject"))),
            ([11, 9, 0, 20], 20, Some((Reply, "Access-Challenge"))),
            ([45, 9, 0, 20], 20, Some((Reply, "CoA-NAK"))),
            ([77, 9, 0, 20], 20, None),
            ([1, 9, 0, 19], 20, None),
            ([1, 9, 0, 21], 20, None),
        ];
        for (bytes, length, expected) in cases {
            let transaction = find_transaction(&cut(40_000, 1812, &bytes, length));
            assert_eq!(
                transaction.as_ref().map(|transaction| (transaction.role, transaction.label)),
                expected,
                "{bytes:?}"
            );
            let failure = transaction.as_ref().and_then(Transaction::failure);
            let refuses = matches!(bytes[0], 3 | 45);
            assert_eq!(failure.is_some(), refuses, "{bytes:?}");
            let identity = transaction.map(|transaction| transaction.identity);
            assert_eq!(identity, expected.map(|_| hash_fields(&[&[9]])));
        }
    }
}
