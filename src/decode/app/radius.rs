//! RADIUS (RFC 2865, RFC 2866) and dynamic authorization (RFC 5176).

use super::Payload;
use crate::decode::field::{find_u8, find_u16};
use crate::model::failure::radius_label;
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Code, identifier, length, authenticator.
const MIN_MESSAGE_BYTES: u16 = 20;
const USER_NAME: u8 = 1;
/// User-Name, NAS-Port, State, Calling-Station-Id, Acct-Status-Type, Acct-Session-Id and
/// EAP-Message (RFC 2865 section 5, RFC 2866 section 5, RFC 3579 section 3.1).
const TELLING_ATTRIBUTES: [u8; 7] = [USER_NAME, 5, 24, 31, 40, 44, 79];

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
    let is_question = role == Request && payload.is_whole();
    Some(Transaction {
        protocol: Protocol::Radius,
        role,
        identity: hash_fields(&[&[identifier]]),
        question: is_question.then(|| find_question(bytes)).flatten(),
        label,
        reply_to: None,
    })
}

/// Who is asked about, and where: what a client says again when it tries anew under
/// another identifier (RFC 2865 section 2.5), with other authenticators and hidden
/// passwords. `None` where nobody is named, and where the attributes are damaged.
fn find_question(message: &[u8]) -> Option<u64> {
    let code = find_u8(message, 0)?;
    let mut attributes = message.get(usize::from(MIN_MESSAGE_BYTES)..)?;
    let mut question = hash_fields(&[&[code]]);
    let mut is_named = false;
    while let [kind, length, ..] = attributes {
        let (attribute, rest) = attributes.split_at_checked(usize::from(*length).max(2))?;
        if TELLING_ATTRIBUTES.contains(kind) {
            question = hash_fields(&[&question.to_be_bytes(), attribute]);
            is_named |= *kind == USER_NAME;
        }
        attributes = rest;
    }
    is_named.then_some(question)
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

    #[test]
    fn a_question_is_the_same_under_other_identifiers_and_passwords() {
        let message = |identifier: u8, authenticator: u8, attributes: &[&[u8]]| {
            let attributes = attributes.concat();
            let mut bytes = vec![1, identifier, 0, u8::try_from(20 + attributes.len()).unwrap()];
            bytes.extend([authenticator; 16]);
            bytes.extend(attributes);
            bytes
        };
        let question = |bytes: &[u8]| {
            let length = bytes.len();
            find_transaction(&cut(40_000, 1812, bytes, length)).unwrap().question
        };
        let (user, port): (&[u8], &[u8]) = (&[1, 4, b'm', b'e'], &[5, 6, 0, 0, 0, 7]);
        let password = |value: u8| [2, 4, value, value];
        let first = question(&message(7, 1, &[user, &password(3), port]));
        assert!(first.is_some());
        assert_eq!(question(&message(8, 2, &[user, &password(4), port])), first);
        let others: [&[&[u8]]; 4] = [
            &[&[1, 4, b'y', b'u'], port],
            &[user, &[5, 6, 0, 0, 0, 8]],
            // The next step of a longer conversation.
            &[user, port, &[24, 4, 0, 1]],
            &[user, port, &[79, 4, 2, 1]],
        ];
        for other in others {
            assert_ne!(question(&message(8, 2, other)), first, "{other:?}");
        }
        assert_eq!(question(&message(8, 2, &[port])), None, "nobody is named");
        assert_eq!(question(&message(8, 2, &[user, &[5, 60, 0]])), None, "damaged");
        let bytes = message(7, 1, &[user, port]);
        let cut_off = find_transaction(&cut(40_000, 1812, &bytes[..26], 30)).unwrap();
        assert_eq!(cut_off.question, None);
    }
}
