//! ICMP errors in the words of Wireshark's summaries.

use crate::model::packet::IcmpKind;

/// Codes of an ICMP destination unreachable, in their order.
const UNREACHABLE: [&str; 16] = [
    "network unreachable",
    "host unreachable",
    "protocol unreachable",
    "port unreachable",
    "fragmentation needed",
    "source route failed",
    "destination network unknown",
    "destination host unknown",
    "source host isolated",
    "network administratively prohibited",
    "host administratively prohibited",
    "network unreachable for tos",
    "host unreachable for tos",
    "communication administratively filtered",
    "host precedence violation",
    "precedence cutoff in effect",
];

/// As above, of ICMPv6.
const UNREACHABLE_V6: [&str; 7] = [
    "no route to destination",
    "administratively prohibited",
    "beyond scope of source address",
    "address unreachable",
    "port unreachable",
    "source address failed ingress/egress policy",
    "reject route to destination",
];

/// The error that a summary tells of: `Destination unreachable (Port unreachable)`;
/// `None` for other messages.
pub(super) fn find_kind(summary: &str) -> Option<IcmpKind> {
    let text = summary.to_ascii_lowercase();
    if text.contains("too big") {
        return Some(IcmpKind::PacketTooBig);
    }
    if text.contains("reassembly time exceeded") {
        return Some(IcmpKind::ReassemblyTimeExceeded);
    }
    // `Time-to-live exceeded (…)` and ICMPv6's `Time Exceeded (…)`.
    if text.starts_with("time-to-live exceeded") || text.starts_with("time exceeded") {
        return Some(IcmpKind::TimeExceeded);
    }
    let code_in =
        |names: &[&str]| u8::try_from(names.iter().position(|name| text.contains(name))?).ok();
    if let Some(code) = code_in(&UNREACHABLE) {
        return IcmpKind::of_v4(3, code);
    }
    if let Some(code) = code_in(&UNREACHABLE_V6) {
        return IcmpKind::of_v6(1, code);
    }
    text.starts_with("destination").then_some(IcmpKind::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_codes() {
        let cases = [
            ("Destination unreachable (Port unreachable)", Some(IcmpKind::PortUnreachable)),
            ("Destination Unreachable (Port unreachable)", Some(IcmpKind::PortUnreachable)),
            ("Destination unreachable (Host unreachable)", Some(IcmpKind::HostUnreachable)),
            ("Destination Unreachable (Address unreachable)", Some(IcmpKind::HostUnreachable)),
            (
                "Destination unreachable (Network unreachable for TOS)",
                Some(IcmpKind::NetworkUnreachable),
            ),
            (
                "Destination Unreachable (no route to destination)",
                Some(IcmpKind::NetworkUnreachable),
            ),
            (
                "Destination unreachable (Communication administratively filtered)",
                Some(IcmpKind::AdminProhibited),
            ),
            (
                "Destination unreachable (Host administratively prohibited)",
                Some(IcmpKind::AdminProhibited),
            ),
            (
                "Destination Unreachable (Administratively prohibited)",
                Some(IcmpKind::AdminProhibited),
            ),
            ("Destination unreachable (Fragmentation needed)", Some(IcmpKind::PacketTooBig)),
            ("Packet Too Big", Some(IcmpKind::PacketTooBig)),
            ("Destination unreachable (Protocol unreachable)", Some(IcmpKind::Other)),
            ("Destination unreachable (Unknown code)", Some(IcmpKind::Other)),
            (
                "Time-to-live exceeded (Time to live exceeded in transit)",
                Some(IcmpKind::TimeExceeded),
            ),
            (
                "Time-to-live exceeded (Fragment reassembly time exceeded)",
                Some(IcmpKind::ReassemblyTimeExceeded),
            ),
            ("Time Exceeded (hop limit exceeded in transit)", Some(IcmpKind::TimeExceeded)),
            ("Echo (ping) request  id=0x0001, seq=1/256, ttl=64", None),
            ("Neighbor Solicitation for 2001:db8::1", None),
        ];
        for (summary, kind) in cases {
            assert_eq!(find_kind(summary), kind, "{summary}");
        }
    }
}
