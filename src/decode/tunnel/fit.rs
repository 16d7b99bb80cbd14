//! Whether bytes are an IP packet of a given length. Ports say little about a
//! payload, so this decides whether it is a tunnel's.

use super::super::field::find_u16;

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
}
