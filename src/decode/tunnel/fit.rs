//! Whether bytes are an IP packet of a given length. Ports say little about a
//! payload, so this decides whether it is a tunnel's.

use super::super::field::{find_u8, find_u16};
use super::super::ip;

/// An Ethernet frame is padded to 60 bytes, so a packet in it may be followed
/// by as much as fills 46.
const MIN_ETHERNET_PAYLOAD_BYTES: u32 = 46;

/// How well a packet has to fill the bytes it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Nothing may follow the packet: no port spoke for the tunnel.
    Exact,
    /// As [`Fit::Exact`], but for the padding of a short Ethernet frame.
    Padded,
    /// The port spoke for the tunnel.
    Within,
    /// As [`Fit::Within`], or longer than the bytes: mirrors cut the frames that
    /// they copy, as a snap length does.
    Cut,
}

/// Whether `ip` begins with an IP header whose length fits the `wire_bytes`
/// that are there for it.
pub(super) fn is_ip(ip: &[u8], wire_bytes: u32, fit: Fit) -> bool {
    let Some((header_bytes, total_bytes)) = find_lengths(ip) else { return false };
    let fits = match fit {
        Fit::Exact => total_bytes == wire_bytes,
        Fit::Padded => {
            total_bytes == wire_bytes
                || total_bytes < wire_bytes && wire_bytes <= MIN_ETHERNET_PAYLOAD_BYTES
        }
        Fit::Within => total_bytes <= wire_bytes,
        Fit::Cut => header_bytes <= wire_bytes,
    };
    fits && total_bytes >= header_bytes
}

/// Whether bytes can be nothing but an IP packet that fills `wire_bytes`: no port
/// spoke for a tunnel, and no header of one stands before them. An IPv4 header has a
/// checksum; of an IPv6 packet, which has none, the header behind it has to fit.
pub(super) fn is_surely_ip(ip: &[u8], wire_bytes: u32) -> bool {
    if !is_ip(ip, wire_bytes, Fit::Exact) {
        return false;
    }
    if matches!(ip, [0x45..=0x4f, ..]) {
        let is_known = matches!(find_u8(ip, 9), Some(1 | 2 | 4 | 6 | 17 | 41 | 47 | 50 | 132));
        return is_known && find_u8(ip, 8) != Some(0) && ip::has_right_checksum(ip);
    }
    let Some(payload_bytes) = find_u16(ip, 4) else { return false };
    let is_whole = match find_u8(ip, 6) {
        Some(17) => find_u16(ip, 44) == Some(payload_bytes),
        Some(6) => find_u8(ip, 52).is_some_and(|offset| {
            let header_bytes = u16::from(offset >> 4) * 4;
            offset & 0x0e == 0 && (20..=payload_bytes).contains(&header_bytes)
        }),
        Some(58) => matches!(find_u8(ip, 40), Some(1..=4 | 128..=137)) && payload_bytes >= 8,
        // A fragment: offset and flags leave two bits that are zero.
        Some(44) => {
            find_u8(ip, 41) == Some(0) && find_u16(ip, 42).is_some_and(|word| word & 6 == 0)
        }
        _ => false,
    };
    is_whole && find_u8(ip, 7) != Some(0) && !matches!(ip.get(8), None | Some(0xff))
}

/// The lengths in bytes of header and packet, as the header says.
fn find_lengths(ip: &[u8]) -> Option<(u32, u32)> {
    match ip.first()? {
        first @ 0x45..=0x4f => Some((u32::from(first & 0x0f) * 4, find_u16(ip, 2)?.into())),
        0x60..=0x6f => Some((40, u32::from(find_u16(ip, 4)?) + 40)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::datagram;
    use super::*;

    #[test]
    fn lengths_decide() {
        // first byte, length field, bytes on the wire, fits exactly, padded, within, cut
        let cases = [
            (0x45, 28, 28, [true, true, true, true]),
            (0x60, 8, 48, [true, true, true, true]),
            (0x45, 28, 46, [false, true, true, true]),
            (0x60, 0, 46, [false, true, true, true]),
            (0x45, 28, 47, [false, false, true, true]),
            (0x60, 8, 49, [false, false, true, true]),
            (0x45, 29, 28, [false, false, false, true]),
            (0x60, 9, 48, [false, false, false, true]),
            (0x45, 900, 20, [false, false, false, true]),
            (0x60, 900, 40, [false, false, false, true]),
            (0x45, 900, 19, [false, false, false, false]),
            (0x60, 900, 39, [false, false, false, false]),
            (0x45, 19, 19, [false, false, false, false]),
            (0x46, 23, 23, [false, false, false, false]),
            (0x44, 28, 28, [false, false, false, false]),
            (0x70, 8, 48, [false, false, false, false]),
        ];
        for (first, length, wire_bytes, expected) in cases {
            let length_offset = if first == 0x60 { 4 } else { 2 };
            let mut ip = vec![first, 0, 0, 0, 0, 0];
            ip[length_offset..length_offset + 2].copy_from_slice(&u16::to_be_bytes(length));
            let actual = [Fit::Exact, Fit::Padded, Fit::Within, Fit::Cut]
                .map(|fit| is_ip(&ip, wire_bytes, fit));
            assert_eq!(actual, expected, "{first:x} {length} {wire_bytes}");
        }
        assert!(!is_ip(&[], 0, Fit::Within));
        assert!(!is_ip(&[0x45, 0, 0], 28, Fit::Within));
    }

    #[test]
    fn what_cannot_be_there_by_chance_decides_alone() {
        for is_v6 in [false, true] {
            let whole = datagram(is_v6, b"request");
            let length = u32::try_from(whole.len()).unwrap();
            assert!(is_surely_ip(&whole, length));
            assert!(is_surely_ip(&whole[..if is_v6 { 46 } else { 20 }], length), "cut");
            assert!(!is_surely_ip(&whole, length + 1));
            // Each of these bytes is one that counts.
            let counted: &[usize] =
                if is_v6 { &[0, 4, 5, 6, 44, 45] } else { &[0, 2, 3, 8, 9, 10, 12, 16, 19] };
            for offset in counted {
                let mut damaged = whole.clone();
                damaged[*offset] ^= 0x81;
                assert!(!is_surely_ip(&damaged, length), "{is_v6} {offset}");
            }
            let mut spent = whole.clone();
            spent[if is_v6 { 7 } else { 8 }] = 0;
            assert!(!is_surely_ip(&spent, length), "no hop left");
        }
        assert!(!is_surely_ip(&[], 0));
    }
}
