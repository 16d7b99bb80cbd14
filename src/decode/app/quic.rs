//! QUIC, as far as to tell it from what else is sent to its port.

use super::Payload;

/// RFC 8999 section 5.1, RFC 9000 section 17: set in all long headers, and in short ones
/// the bit below it.
const LONG_HEADER: u8 = 0x80;
const FIXED_BIT: u8 = 0x40;
const QUIC_PORT: u16 = 443;

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
