//! ICMP errors of which a trace tells type and code, and not what they quote.

/// `icmp:type=3, code=3`.
#[must_use]
pub fn find_message(text: &str) -> Option<(u8, u8)> {
    let (kind, code) = text.strip_prefix("icmp:type=")?.split_once(", code=")?;
    Some((kind.trim().parse().ok()?, code.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::IcmpKind;

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
            assert_eq!(
                find_message(text).and_then(|(kind, code)| IcmpKind::of_v4(kind, code)),
                kind,
                "{text}"
            );
        }
    }
}
