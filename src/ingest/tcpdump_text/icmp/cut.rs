//! ICMP lines that are cut: `less -S`, `cut` and narrow windows leave their beginning.

use std::net::IpAddr;

/// What a cut line is worth.
pub(super) const MESSAGE: &str = "is an ICMP error of which the end is cut off, so that it is not known what it says; paste the whole line";

const UNREACHABLE: &str = "unreachable";

/// What is left of an ICMP message that is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut<'a> {
    /// All that matters: the host and its port stand before `unreachable`, which follows
    /// on nothing else.
    Before(&'a str),
    /// Too little to tell what it says.
    Unknown,
}

/// How the texts of tcpdump's print-icmp.c begin that are errors.
const LEADS: [&str; 6] = [
    "host ",
    "net ",
    "time exceeded in-transit",
    "ip reassembly time exceeded",
    "parameter problem",
    "source quench",
];

/// What may follow on `unreachable` (`unreach2str` in print-icmp.c).
const REASONS: [&str; 6] = [
    "- admin prohibited filter",
    "- tos prohibited",
    "- host precedence violation",
    "- precedence cutoff",
    "- source route failed",
    "- need to frag (mtu ",
];

/// Those among them that are whole though others begin with them: a host or a net that is
/// prohibited as such, and a router that tells no MTU (print-icmp.c).
const WHOLE: [&str; 2] = ["- admin prohibited", "- need to frag"];

/// Whether an ICMP text without `unreachable` is the beginning of one with it. Of all
/// messages only errors begin with an address.
pub(super) fn find_v4(text: &str) -> Option<Cut<'_>> {
    let text = text.trim();
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_lead = LEADS.iter().any(|lead| lead.trim_end().starts_with(text) || *lead == text)
        || matches!(first, "host" | "net");
    if is_lead || text.is_empty() {
        return Some(Cut::Unknown);
    }
    if rest.is_empty() {
        let is_part = first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        return is_part.then_some(Cut::Unknown);
    }
    let is_error = first.parse::<IpAddr>().is_ok()
        || [" udp", " tcp", " protocol"].iter().any(|word| text.contains(word));
    let whole = text.rsplit_once(' ').filter(|(before, end)| {
        UNREACHABLE.starts_with(end) && is_port_of(before.split_once(' ').map_or("", |(_, b)| b))
    });
    match whole {
        Some((before, _)) => Some(Cut::Before(before)),
        None => is_error.then_some(Cut::Unknown),
    }
}

/// `udp port 69`.
fn is_port_of(text: &str) -> bool {
    let port = text.strip_prefix("udp port ").or_else(|| text.strip_prefix("tcp port "));
    port.is_some_and(|port| !port.is_empty() && !port.contains(' '))
}

/// Whether what follows on `unreachable` is cut: prohibited, or not.
pub(super) fn is_reason_cut(reason: &str) -> bool {
    let reason = reason.trim();
    !reason.is_empty()
        && !WHOLE.contains(&reason)
        && REASONS.iter().any(|known| *known != reason && known.starts_with(reason))
}

/// Whether what follows on `destination unreachable` of ICMPv6 is cut: `leads` are all
/// that may follow.
pub(super) fn is_v6_cut<'a>(reason: &str, mut leads: impl Iterator<Item = &'a str>) -> bool {
    let reason = reason.trim_start_matches([',', ' ']).trim_end();
    "unknown unreach code (".starts_with(reason) || leads.any(|lead| lead.starts_with(reason))
}

/// Whether the part behind `unreachable port, ` lacks its end: the address and the port
/// follow, and the length on them.
pub(super) fn is_v6_port_cut(about: &str) -> bool {
    // `[|icmp6]`: tcpdump itself says that a snap length cut the packet.
    if about.starts_with("length ") || about.contains(UNREACHABLE) || about.starts_with("[|") {
        return false;
    }
    let mut words = about.split_whitespace().skip(1);
    let is_whole = matches!(words.next(), Some("udp" | "tcp"))
        && words.next() == Some("port")
        && words.next().is_some();
    !is_whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_texts_are_told_from_others() {
        let cases = [
            ("198.51.100.10 udp port 69 u", Some(Cut::Before("198.51.100.10 udp port 69"))),
            (
                "198.51.100.10 udp port tftp unreachabl",
                Some(Cut::Before("198.51.100.10 udp port tftp")),
            ),
            ("vip udp port 69 unr", Some(Cut::Before("vip udp port 69"))),
            ("198.51.100.10 udp port 69", Some(Cut::Unknown)),
            ("198.51.100.10 udp po", Some(Cut::Unknown)),
            ("198.51.100.10 unr", Some(Cut::Unknown)),
            ("198.51.100.10", Some(Cut::Unknown)),
            ("198.51", Some(Cut::Unknown)),
            ("host 198.51.100.10 unr", Some(Cut::Unknown)),
            ("net", Some(Cut::Unknown)),
            ("time exc", Some(Cut::Unknown)),
            ("", Some(Cut::Unknown)),
            ("echo request, id 1, seq 1, length 64", None),
            ("echo", None),
            ("redirect 198.51.100.10 to host 198.51.100.1, length 36", None),
            ("router advertisement lifetime 30:00 1: {198.51.100.1 0}, length 16", None),
        ];
        for (text, expected) in cases {
            assert_eq!(find_v4(text), expected, "{text}");
        }
        for (reason, expected) in [
            (" - admin pro", true),
            (" -", true),
            (" - admin prohibited filter", false),
            (" - admin prohibited", false),
            (" - admin prohibited fil", true),
            (" - need to frag", false),
            (" - need to fr", true),
            (", length 36", false),
            ("", false),
        ] {
            assert_eq!(is_reason_cut(reason), expected, "{reason}");
        }
        let leads = ["unreachable port", "unreachable prohibited"];
        for (reason, expected) in [
            (", unreachab", true),
            ("", true),
            (", unreachable p", true),
            (", unknown unreach code (7), length 112", false),
        ] {
            assert_eq!(is_v6_cut(reason, leads.into_iter()), expected, "{reason}");
        }
        for (about, expected) in [
            ("", true),
            ("2001:db8::2", true),
            ("2001:db8::21 udp po", true),
            ("2001:db8::21 udp port", true),
            ("2001:db8::21 udp port 32991", false),
            ("2001:db8::21 udp port 32991, length 83", false),
            ("2001:db8::21 u dp port 32991, length 83", true),
            ("length 112", false),
            ("[|icmp6]", false),
        ] {
            assert_eq!(is_v6_port_cut(about), expected, "{about}");
        }
    }
}
