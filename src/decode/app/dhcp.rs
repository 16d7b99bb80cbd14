//! DHCP and BOOTP (RFC 2131, RFC 951).

use super::Payload;
use crate::decode::field::{find_array, find_u8, find_u32};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const TRANSACTION_ID: usize = 4;
const COOKIE: usize = 236;
const OPTIONS: usize = 240;
/// RFC 2132 section 2.
const MAGIC_COOKIE: u32 = 0x6382_5363;
const OPTION_PAD: u8 = 0;
const OPTION_END: u8 = 255;
const OPTION_MESSAGE_TYPE: u8 = 53;

/// What one message and its answer are about. A client's request has the transaction id
/// of the offer that it takes (RFC 2131 section 4.4.1), and is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// BOOTP, or its type was cut off.
    Untold = 0,
    Offer,
    Lease,
    Query,
}

/// Reads a message. The identity is the transaction id with what is asked: an answer
/// repeats the first (RFC 2131 section 4.1). `None` where it is neither a request nor a reply.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    use TransactionRole::{Notification, Reply, Request};
    let bytes = payload.captured;
    let operation = find_u8(bytes, 0)?;
    let transaction_id = find_array::<4>(bytes, TRANSACTION_ID)?;
    let (role, phase, label) = match find_message_type(bytes) {
        Some(1) => (Request, Phase::Offer, "DHCPDISCOVER"),
        Some(2) => (Reply, Phase::Offer, "DHCPOFFER"),
        Some(3) => (Request, Phase::Lease, "DHCPREQUEST"),
        Some(4) => (Notification, Phase::Lease, "DHCPDECLINE"),
        Some(5) => (Reply, Phase::Lease, "DHCPACK"),
        Some(6) => (Reply, Phase::Lease, "DHCPNAK"),
        Some(7) => (Notification, Phase::Lease, "DHCPRELEASE"),
        Some(8) => (Request, Phase::Lease, "DHCPINFORM"),
        // RFC 3203 and RFC 4388.
        Some(9) => (Notification, Phase::Lease, "DHCPFORCERENEW"),
        Some(10) => (Request, Phase::Query, "DHCPLEASEQUERY"),
        Some(11..=13) => (Reply, Phase::Query, "DHCPLEASE"),
        _ => match operation {
            1 => (Request, Phase::Untold, "BOOTREQUEST"),
            2 => (Reply, Phase::Untold, "BOOTREPLY"),
            _ => return None,
        },
    };
    Some(Transaction {
        protocol: Protocol::Dhcp,
        role,
        identity: hash_fields(&[&transaction_id, &[phase as u8]]),
        question: None,
        label,
        reply_to: None,
    })
}

fn find_message_type(bytes: &[u8]) -> Option<u8> {
    if find_u32(bytes, COOKIE)? != MAGIC_COOKIE {
        return None;
    }
    let mut options = bytes.get(OPTIONS..)?;
    loop {
        match options {
            [OPTION_END, ..] => return None,
            [OPTION_PAD, rest @ ..] => options = rest,
            [OPTION_MESSAGE_TYPE, 1, message_type, ..] => return Some(*message_type),
            [_, length, rest @ ..] => options = rest.get(usize::from(*length)..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn message(operation: u8, id: u8, message_type: Option<u8>) -> Vec<u8> {
        let mut bytes = vec![operation, 1, 6, 0, id, 2, 3, 4];
        bytes.resize(COOKIE, 0);
        bytes.extend(MAGIC_COOKIE.to_be_bytes());
        // Padding and a host name stand before the type.
        bytes.extend([0, 12, 2, b's', b'w']);
        bytes.extend(message_type.into_iter().flat_map(|value| [53, 1, value]));
        bytes.push(OPTION_END);
        bytes
    }

    #[test]
    fn an_answer_is_known_by_transaction_id_and_what_it_answers() {
        use TransactionRole::{Notification, Reply, Request};
        let read = |operation, id, message_type| {
            let bytes = message(operation, id, message_type);
            let found = find_transaction(&whole(68, 67, &bytes)).unwrap();
            (found.role, found.label, found.identity)
        };
        let pairs = [
            ((1, Some(1), "DHCPDISCOVER"), (2, Some(2), "DHCPOFFER")),
            ((1, Some(3), "DHCPREQUEST"), (2, Some(5), "DHCPACK")),
            ((1, Some(3), "DHCPREQUEST"), (2, Some(6), "DHCPNAK")),
            ((1, Some(8), "DHCPINFORM"), (2, Some(5), "DHCPACK")),
            ((1, Some(10), "DHCPLEASEQUERY"), (2, Some(13), "DHCPLEASE")),
            ((1, None, "BOOTREQUEST"), (2, None, "BOOTREPLY")),
        ];
        for ((operation, kind, label), (answer_operation, answer_kind, answer_label)) in pairs {
            let (role, name, asked) = read(operation, 7, kind);
            assert_eq!((role, name), (Request, label));
            let (role, name, answered) = read(answer_operation, 7, answer_kind);
            assert_eq!((role, name, answered), (Reply, answer_label, asked));
            assert_ne!(read(answer_operation, 8, answer_kind).2, asked, "of another client");
        }
        // A request takes up the offer's transaction id, and repeats no discovery.
        assert_ne!(read(1, 7, Some(3)).2, read(1, 7, Some(1)).2);
        for kind in [4, 7, 9] {
            assert_eq!(read(1, 7, Some(kind)).0, Notification, "{kind}");
        }
    }

    #[test]
    fn what_is_cut_before_its_type_is_known_by_its_operation() {
        let bytes = message(1, 7, Some(1));
        for captured in [8, 200, 240, bytes.len() - 2] {
            let found = find_transaction(&cut(68, 67, &bytes[..captured], bytes.len())).unwrap();
            assert_eq!((found.role, found.label), (TransactionRole::Request, "BOOTREQUEST"));
        }
        assert_eq!(find_transaction(&cut(68, 67, &bytes[..7], bytes.len())), None);
        assert_eq!(find_transaction(&whole(68, 67, &message(3, 7, None))), None);
        let mut damaged = message(2, 7, None);
        *damaged.last_mut().unwrap() = 12;
        assert_eq!(find_transaction(&whole(67, 68, &damaged)).unwrap().label, "BOOTREPLY");
    }
}
