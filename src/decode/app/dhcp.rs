//! DHCP and BOOTP (RFC 2131, RFC 951).

use std::net::Ipv4Addr;

use super::Payload;
use crate::decode::field::{find_array, find_u8, find_u32};
use crate::model::identity::{LeasePhase, hash_fields, identity_in_phase};
use crate::model::packet::{PayloadAddress, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const TRANSACTION_ID: usize = 4;
const YOUR_ADDRESS: usize = 16;
const COOKIE: usize = 236;
const OPTIONS: usize = 240;
/// RFC 2132 section 2.
const MAGIC_COOKIE: u32 = 0x6382_5363;
const OPTION_PAD: u8 = 0;
const OPTION_END: u8 = 255;
const OPTION_MESSAGE_TYPE: u8 = 53;

/// Reads a message. The identity is the transaction id with what is asked: an answer
/// repeats the first (RFC 2131 section 4.1). `None` where it is neither a request nor a reply.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    use TransactionRole::{Notification, Reply, Request};
    let bytes = payload.captured;
    let operation = find_u8(bytes, 0)?;
    let transaction_id = find_array::<4>(bytes, TRANSACTION_ID)?;
    let (role, phase, label) = match find_message_type(bytes) {
        Some(1) => (Request, LeasePhase::Offer, "DHCPDISCOVER"),
        Some(2) => (Reply, LeasePhase::Offer, "DHCPOFFER"),
        Some(3) => (Request, LeasePhase::Lease, "DHCPREQUEST"),
        Some(4) => (Notification, LeasePhase::Lease, "DHCPDECLINE"),
        Some(5) => (Reply, LeasePhase::Lease, "DHCPACK"),
        Some(6) => (Reply, LeasePhase::Lease, "DHCPNAK"),
        Some(7) => (Notification, LeasePhase::Lease, "DHCPRELEASE"),
        Some(8) => (Request, LeasePhase::Lease, "DHCPINFORM"),
        // RFC 3203 and RFC 4388.
        Some(9) => (Notification, LeasePhase::Lease, "DHCPFORCERENEW"),
        Some(10) => (Request, LeasePhase::Query, "DHCPLEASEQUERY"),
        Some(11..=13) => (Reply, LeasePhase::Query, "DHCPLEASE"),
        _ => match operation {
            1 => (Request, LeasePhase::Untold, "BOOTREQUEST"),
            2 => (Reply, LeasePhase::Untold, "BOOTREPLY"),
            _ => return None,
        },
    };
    Some(Transaction {
        protocol: Protocol::Dhcp,
        role,
        identity: identity_in_phase(hash_fields(&[&transaction_id]), phase),
        question: None,
        label,
        reply_to: find_own_address(bytes).filter(|_| role == Reply).map(Box::new),
    })
}

/// The address that a server gives a client, `yiaddr`, and to which it sends then what is not
/// for all hosts (RFC 2131 section 4.1).
fn find_own_address(bytes: &[u8]) -> Option<PayloadAddress> {
    let address = Ipv4Addr::from(find_array::<4>(bytes, YOUR_ADDRESS)?);
    (!address.is_unspecified()).then(|| PayloadAddress::of_lease(address))
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
    fn an_answer_names_the_address_that_it_gives() {
        let named = |operation, kind, own: [u8; 4]| {
            let mut bytes = message(operation, 7, Some(kind));
            bytes[YOUR_ADDRESS..YOUR_ADDRESS + 4].copy_from_slice(&own);
            let found = find_transaction(&whole(67, 68, &bytes)).unwrap();
            found.reply_to.map(|named| (named.address.unwrap().to_string(), named.port))
        };
        let given = Some(("192.0.2.77".to_owned(), 68));
        assert_eq!(named(2, 2, [192, 0, 2, 77]), given);
        assert_eq!(named(2, 5, [192, 0, 2, 77]), given);
        assert_eq!(named(2, 6, [0; 4]), None, "refused");
        assert_eq!(named(1, 3, [192, 0, 2, 77]), None, "a request");
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
