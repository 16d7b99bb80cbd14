//! What a search's pattern says of the lines that it finds, as far as that can be told from
//! the pattern alone.

use std::borrow::Cow;

/// Whether a search tells capitals from small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Case {
    #[default]
    Told,
    Ignored,
}

/// The patterns of which a line has to have one, as simple as they are written: `a|b` are
/// two. Where more stands around a group of them, they are one.
pub(super) fn split_alternatives(pattern: &str) -> Vec<String> {
    let simple = simplify(pattern);
    let bare = find_inside(&simple).unwrap_or(&simple);
    if bare.contains('(') {
        return vec![bare.to_owned()];
    }
    bare.split('|').map(str::to_owned).collect()
}

/// Whether an alternative stands in a packet's line as it does in its answer's: the addresses
/// and ports of both are the same, and so is the word before them. A colon stands behind
/// the destination only, and a space or `>` tells the sides apart, too.
pub(super) fn is_of_both_directions(alternative: &str, case: Case) -> bool {
    split_group(alternative).all(|part| is_part_of_both(part, case))
}

/// Whether an alternative is of lines only that are no packet of an exchange: of other
/// protocols, of what tcpdump says of itself, or empty.
pub(super) fn is_never_of_packets(alternative: &str) -> bool {
    const WORDS: [&str; 20] = [
        "arp",
        "rarp",
        "stp",
        "lldp",
        "cdp",
        "lacp",
        "tcp",
        "flags",
        "flags [",
        "igmp",
        "ospf",
        "vrrp",
        "pim",
        "listening",
        "listening on",
        "tcpdump",
        "link-type",
        "verbose output",
        "dropped by",
        "length 0",
    ];
    // A packet's line begins with its time, or with the word before its addresses.
    let begins_otherwise = alternative.strip_prefix('^').is_some_and(|rest| {
        rest.starts_with(|c: char| !c.is_ascii_digit() && !"iI.[(\\".contains(c))
    });
    begins_otherwise || consists_of(alternative, &WORDS)
}

/// Whether an alternative is a protocol's or a service's name, which stands in a request's
/// line if it does in its answer's.
pub(super) fn is_of_protocol(alternative: &str) -> bool {
    consists_of(
        alternative,
        &[
            "ip", "ip6", "udp", "ntp", "dhcp", "dhcp6", "bootp", "bootps", "bootpc", "ssh", "http",
            "https", "nbt", "mdns", "llmnr", "ssdp", "domain", "snmp", "syslog", "radius", "sip",
            "quic", "isakmp",
        ],
    )
}

/// Whether an alternative stands in lines of one direction: the mark of a question, or what
/// tells the sides apart.
pub(super) fn is_of_one_direction(alternative: &str) -> bool {
    alternative.contains(['?', '>'])
        || split_group(alternative).any(|part| part.ends_with(':') && !part.ends_with("::"))
}

/// Whether an alternative is of ICMP's messages only.
pub(super) fn is_of_errors(alternative: &str) -> bool {
    consists_of(alternative, &["icmp", "icmp6", "unreachable"])
}

/// The parts of a group, and what stands around it.
fn split_group(alternative: &str) -> impl Iterator<Item = &str> {
    alternative.split(['|', '(', ')']).filter(|part| !part.is_empty())
}

/// Whether all its parts are some of these words.
fn consists_of(alternative: &str, words: &[&str]) -> bool {
    let mut parts = split_group(alternative)
        .map(|part| part.trim_matches(['^', ' ', ',', ':']))
        .filter(|part| !part.is_empty())
        .peekable();
    parts.peek().is_some()
        && parts.all(|part| words.iter().any(|word| word.eq_ignore_ascii_case(part)))
}

fn is_part_of_both(part: &str, case: Case) -> bool {
    const WORDS: [&str; 3] = ["IP", "IP6", "UDP"];
    let is_word = |word: &&str| match case {
        Case::Told => *word == part.trim(),
        Case::Ignored => word.eq_ignore_ascii_case(part.trim()),
    };
    if matches!(part, "" | "." | "^" | "$") || WORDS.iter().any(is_word) {
        return true;
    }
    let is_of_ends = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '\\' | '^');
    let has_number = part.contains(|c: char| c.is_ascii_digit());
    let ends_a_side = part.ends_with(':') && !part.ends_with("::");
    has_number && part.chars().all(is_of_ends) && !ends_a_side
}

/// A pattern without what regular expressions write in several ways: `\|` is `|`, `\.` is a
/// dot, and a class of digits is one of them.
fn simplify(pattern: &str) -> Cow<'_, str> {
    const WRITTEN: [(&str, &str); 18] = [
        (r"\|", "|"),
        (r"\(", "("),
        (r"\)", ")"),
        (r"\.", "."),
        (r"\b", ""),
        (r"\<", ""),
        (r"\>", ""),
        ("[.]", "."),
        ("[[:digit:]]", "0"),
        ("[0-9]", "0"),
        (r"\d", "0"),
        ("0*", "0"),
        (r"0\+", "0"),
        ("0+", "0"),
        // Whatever stands there: which side is first may matter.
        (".*", " "),
        (".+", " "),
        ("^ ", ""),
        (" $", ""),
    ];
    let mut simple = Cow::Borrowed(pattern);
    for (written, meant) in WRITTEN {
        if simple.contains(written) {
            simple = Cow::Owned(simple.replace(written, meant));
        }
    }
    simple
}

/// What stands in parentheses, where nothing stands outside.
fn find_inside(pattern: &str) -> Option<&str> {
    let inside = pattern.strip_prefix('(')?.strip_suffix(')')?;
    (!inside.contains(['(', ')'])).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_both_directions_or_of_one() {
        let cases = [
            ("192.0.2.7", true),
            ("2001:db8::7", true),
            ("2001:db8::", true),
            (r"192\.0\.2\.7\.[0-9]*", true),
            (r"192\.0\.2\.\d+\.53", true),
            ("(192\\.0\\.2\\.7|192\\.0\\.2\\.8)\\.", true),
            ("(query|192.0.2.7)", true),
            ("IP", true),
            ("ip", false),
            ("", true),
            (".", true),
            ("192.0.2.7.53:", false),
            ("> 192.0.2.7", false),
            ("192.0.2.7.*198.51.100.10", false),
            ("(192.0.2.7|192.0.2.8).*A\\?", false),
            ("(192.0.2.7|query) >", false),
            ("A?", false),
            ("In", false),
            ("query", false),
        ];
        let is_of_both = |pattern: &str, case| {
            let mut parts = split_alternatives(pattern).into_iter();
            parts.any(|part| is_of_both_directions(&part, case))
        };
        for (pattern, expected) in cases {
            assert_eq!(is_of_both(pattern, Case::Told), expected, "{pattern}");
        }
        assert!(is_of_both("ip6", Case::Ignored));
    }

    #[test]
    fn patterns_of_no_packet_are_known() {
        let cases = [
            ("ARP", true),
            ("ARP,", true),
            ("^$", true),
            ("^#", true),
            ("^listening", true),
            ("tcp", true),
            ("length 0", true),
            ("(ARP|STP)", true),
            ("(ARP|STP),", true),
            ("", false),
            ("^12:", false),
            ("^IP6", false),
            ("NXDomain", false),
            ("length 45", false),
            ("(ARP|NXDomain),", false),
        ];
        for (pattern, expected) in cases {
            let mut parts = split_alternatives(pattern).into_iter();
            assert_eq!(parts.all(|part| is_never_of_packets(&part)), expected, "{pattern}");
        }
    }

    #[test]
    fn patterns_of_errors_are_known() {
        for (pattern, expected) in [("ICMP", true), ("ICMP6,", true), ("ICMP echo", false)] {
            assert_eq!(is_of_errors(pattern), expected, "{pattern}");
        }
    }
}
