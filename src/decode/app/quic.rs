//! QUIC, as far as to tell it from what else is sent to its port.

use super::Payload;
use crate::decode::field::{find_u8, find_u32};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// RFC 8999 section 5.1, RFC 9000 section 17: set in all long headers, and in short ones
/// the bit below it.
const LONG_HEADER: u8 = 0x80;
const FIXED_BIT: u8 = 0x40;
const QUIC_PORT: u16 = 443;

/// RFC 9000 section 17.2, RFC 9369 section 3.1.
const VERSION_1: u32 = 1;
const VERSION_2: u32 = 0x6b33_43cf;

/// Reads a client's Initial packet, which it sends again until it is answered (RFC 9002
/// section 6.2). The identity is the connection id that it made up for the server, the
/// same in all of them until the server names its own; answers do not bear it.
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    let bytes = payload.captured;
    if payload.destination_port != QUIC_PORT || payload.source_port == QUIC_PORT {
        return None;
    }
    let head = (find_u8(bytes, 0)? >> 4, find_u32(bytes, 1)?);
    let is_initial = matches!(head, (0xc, VERSION_1) | (0xd, VERSION_2));
    let id_bytes = usize::from(find_u8(bytes, 5)?);
    let connection = bytes.get(6..6 + id_bytes).filter(|_| is_initial)?;
    Some(Transaction {
        protocol: Protocol::Quic,
        role: TransactionRole::Request,
        identity: hash_fields(&[connection]),
        question: None,
        label: "Initial",
        reply_to: None,
    })
}

/// Whether a payload can be QUIC's. VPNs use its port too: DTLS (RFC 9147 section 4) and
/// WireGuard begin otherwise. What servers of the versions before RFC 9000 send cannot be
/// told from other bytes, so there the port counts.
pub(super) fn may_be_quic(payload: &Payload<'_>) -> bool {
    /// Flags, connection, and the first two characters of a version.
    const OLD_HEADER_BYTES: usize = 11;
    match payload.captured {
        [] => true,
        [first, ..] if first & (LONG_HEADER | FIXED_BIT) != 0 => true,
        [20..=25, 0xfe, ..] | [1..=4, 0, 0, 0, ..] => false,
        _ if payload.source_port == QUIC_PORT => true,
        // Such as `Q043`.
        [_, _, _, _, _, _, _, _, _, b'Q', b'0', ..] => true,
        bytes => !payload.is_whole() && bytes.len() < OLD_HEADER_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    #[test]
    fn a_clients_initial_packet_asks() {
        let initial = |first: u8, version: [u8; 4], length: usize| {
            let mut bytes = vec![first];
            bytes.extend(version);
            bytes.extend(b"\x08ABCDEFGH\0\0");
            bytes.resize(length, 0x5a);
            bytes
        };
        let cases = [
            ("version 1", initial(0xc3, [0, 0, 0, 1], 1200), true),
            ("version 2", initial(0xd3, [0x6b, 0x33, 0x43, 0xcf], 1250), true),
            ("a handshake packet", initial(0xe3, [0, 0, 0, 1], 1200), false),
            ("0-RTT", initial(0xd3, [0, 0, 0, 1], 1200), false),
            ("another version", initial(0xc3, [0xba; 4], 1200), false),
        ];
        for (name, bytes, expected) in cases {
            let found = find_transaction(&whole(40_000, 443, &bytes));
            assert_eq!(found.is_some(), expected, "{name}");
            assert_eq!(find_transaction(&whole(443, 40_000, &bytes)), None, "{name}, answered");
        }
        let bytes = initial(0xc3, [0, 0, 0, 1], 1200);
        let again = initial(0xc7, [0, 0, 0, 1], 1200);
        let of = |bytes: &[u8]| find_transaction(&cut(40_000, 443, &bytes[..20], 1200)).unwrap();
        assert_eq!(of(&bytes), of(&again));
        assert_eq!(find_transaction(&cut(40_000, 443, &bytes[..10], 1200)), None);
    }

    #[test]
    fn the_first_byte_tells() {
        let cases: [(&str, &[u8], bool); 8] = [
            ("a long header", b"\xc3\0\0\0\x01\x08", true),
            ("version negotiation", b"\x80\0\0\0\0\x08", true),
            ("a short header", b"\x51\x07\x08", true),
            ("before RFC 9000", b"\x0d\x01\x02\x03\x04\x05\x06\x07\x08Q043\x01", true),
            ("DTLS", b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x40", false),
            ("WireGuard", b"\x01\0\0\0\x09\x09\x09\x09", false),
            ("nothing", b"", true),
            ("something else", b"\0\x01\0\0", false),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(may_be_quic(&whole(40_000, 443, bytes)), expected, "{name}");
        }
        assert!(may_be_quic(&cut(40_000, 443, b"\x0d\x01", 1200)));
        assert!(may_be_quic(&whole(443, 40_000, b"\x08\x01\x02\x03")));
        assert!(!may_be_quic(&whole(443, 40_000, b"\x16\xfe\xff\0")));
        assert!(!may_be_quic(&cut(40_000, 443, b"\x16\xfe\xff", 1200)));
    }
}
