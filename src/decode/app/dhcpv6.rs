//! DHCPv6 (RFC 8415).

use super::Payload;
use crate::decode::field::{find_array, find_u8, find_u16};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;
/// Type, hop count, and the addresses of link and peer (section 9).
const RELAY_HEADER_BYTES: usize = 34;
const OPTION_RELAY_MESSAGE: u16 = 9;
/// Relays that one message passes at most (section 7.6).
const MAX_HOPS: usize = 8;

/// Reads a message: an answer repeats the transaction id of what it answers (section
/// 16.1). What a relay passes on is known by the client's message in it.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    use TransactionRole::{Notification, Reply, Request};
    let bytes = payload.captured;
    let (role, label) = match find_u8(bytes, 0)? {
        1 => (Request, "Solicit"),
        2 => (Reply, "Advertise"),
        3 => (Request, "Request"),
        4 => (Request, "Confirm"),
        5 => (Request, "Renew"),
        6 => (Request, "Rebind"),
        7 => (Reply, "Reply"),
        8 => (Request, "Release"),
        9 => (Request, "Decline"),
        10 => (Notification, "Reconfigure"),
        11 => (Request, "Information-request"),
        RELAY_FORWARD => (Request, "Relay-forward"),
        RELAY_REPLY => (Reply, "Relay-reply"),
        _ => return None,
    };
    let transaction_id = find_array::<3>(find_client_message(bytes)?, 1)?;
    Some(Transaction {
        protocol: Protocol::Dhcpv6,
        role,
        identity: hash_fields(&[&transaction_id]),
        question: None,
        label,
        reply_to: None,
    })
}

/// The message inside those of relays.
fn find_client_message(message: &[u8]) -> Option<&[u8]> {
    let mut message = message;
    for _ in 0..=MAX_HOPS {
        if !matches!(message.first()?, &(RELAY_FORWARD | RELAY_REPLY)) {
            return Some(message);
        }
        message = find_relayed(message.get(RELAY_HEADER_BYTES..)?)?;
    }
    None
}

/// The message that options carry, as far as it was captured.
fn find_relayed(options: &[u8]) -> Option<&[u8]> {
    let mut options = options;
    loop {
        let (code, length) = (find_u16(options, 0)?, usize::from(find_u16(options, 2)?));
        let value = options.get(4..)?;
        if code == OPTION_RELAY_MESSAGE {
            return Some(value.get(..length).unwrap_or(value));
        }
        options = value.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn relayed(kind: u8, message: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0];
        bytes.resize(RELAY_HEADER_BYTES, 0);
        // Interface-Id stands before the message.
        bytes.extend([0, 18, 0, 2, 7, 7, 0, 9]);
        bytes.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
        bytes.extend(message);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<(TransactionRole, &'static str, u64)> {
        let found = find_transaction(&whole(546, 547, bytes))?;
        Some((found.role, found.label, found.identity))
    }

    #[test]
    fn an_answer_has_the_transaction_id_of_its_request_relayed_or_not() {
        use TransactionRole::{Notification, Reply, Request};
        let identity = |bytes: &[u8]| read(bytes).unwrap().2;
        let (solicit, advertise) = ([1, 5, 6, 7, 0, 1], [2, 5, 6, 7, 0, 1]);
        assert_eq!(read(&solicit).unwrap(), (Request, "Solicit", identity(&advertise)));
        assert_ne!(identity(&[2, 5, 6, 8]), identity(&solicit));
        let forward = relayed(12, &relayed(12, &solicit));
        let reply = relayed(13, &relayed(13, &advertise));
        assert_eq!(read(&forward).unwrap(), (Request, "Relay-forward", identity(&solicit)));
        assert_eq!(read(&reply).unwrap(), (Reply, "Relay-reply", identity(&solicit)));
        assert_eq!(read(&[10, 0, 0, 0]).unwrap().0, Notification);
        assert_eq!(read(&[7, 0, 0, 0]).unwrap().0, Reply);
    }

    #[test]
    fn what_is_cut_or_none_is_left() {
        let forward = relayed(12, &[1, 5, 6, 7, 0, 1]);
        let at_id = forward.len() - 2;
        let cut = |captured| find_transaction(&cut(547, 547, &forward[..captured], forward.len()));
        assert!(cut(at_id).is_some());
        assert!((0..at_id).all(|captured| cut(captured).is_none()));
        for bytes in [&[0, 1, 2, 3][..], &[14, 1, 2, 3], &[1, 2, 3], &[]] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
        let mut nested = vec![1, 5, 6, 7];
        for _ in 0..=MAX_HOPS {
            nested = relayed(12, &nested);
        }
        assert_eq!(read(&nested), None);
    }
}
