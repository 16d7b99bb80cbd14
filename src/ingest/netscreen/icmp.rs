//! ICMP errors of which a trace tells type and code, and not what they quote.

use crate::model::packet::IcmpKind;

/// `icmp:type=3, code=3`.
#[must_use]
pub fn find_message(text: &str) -> Option<(u8, u8)> {
    let (kind, code) = text.strip_prefix("icmp:type=")?.split_once(", code=")?;
    Some((kind.trim().parse().ok()?, code.trim().parse().ok()?))
}

/// The error that an ICMP message is (RFC 792); `None` for other messages.
#[must_use]
pub const fn find_kind((kind, code): (u8, u8)) -> Option<IcmpKind> {
    Some(match (kind, code) {
        (3, 0) => IcmpKind::NetworkUnreachable,
        (3, 1) => IcmpKind::HostUnreachable,
        (3, 3) => IcmpKind::PortUnreachable,
        (3, 4) => IcmpKind::PacketTooBig,
        (3, 9 | 10 | 13) => IcmpKind::AdminProhibited,
        (11, 0) => IcmpKind::TimeExceeded,
        (3 | 4 | 11 | 12, _) => IcmpKind::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_other_messages() {
        let cases = [
            ("icmp:type=3, code=3", Some(IcmpKind::PortUnreachable)),
            ("icmp:type=3, code=13", Some(IcmpKind::AdminProhibited)),
            ("icmp:type=11, code=0", Some(IcmpKind::TimeExceeded)),
            ("icmp:type=8, code=0", None),
            ("icmp:type=3", None),
            ("icmp:type=300, code=0", None),
            ("udp:ports 1->2, len=9", None),
        ];
        for (text, kind) in cases {
            assert_eq!(find_message(text).and_then(find_kind), kind, "{text}");
        }
    }
}
