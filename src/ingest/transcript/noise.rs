//! Lines that say nothing and separate nothing.

use super::inventory::is_page_noise;

/// Blank lines, line numbers, `...`, `^C`, code fences, and what tcpdump says
/// about itself.
pub(super) fn is_noise(line: &str) -> bool {
    let trimmed = line.trim().trim_start_matches("^C").trim();
    trimmed.is_empty()
        || is_page_noise(trimmed)
        || trimmed.starts_with("```")
        || trimmed.starts_with("~~~")
        || trimmed.starts_with("tcpdump: ")
        || trimmed.starts_with("dropped privs to ")
        || trimmed.starts_with("Warning: interface names might be incorrect")
        || trimmed.starts_with("[sudo] password")
        || is_of_wrapper(trimmed)
        || find_count(trimmed).is_some()
        || is_sniffer_head(trimmed)
        || is_column_head(trimmed)
        || is_ellipsis(trimmed)
}

/// What ssh, kubectl and docker say on the way to what they run.
fn is_of_wrapper(trimmed: &str) -> bool {
    const LEADS: [&str; 8] = [
        "Warning: Permanently added ",
        "Defaulted container ",
        "Defaulting container name to ",
        "Defaulting debug container name to ",
        "Unable to use a TTY",
        "the input device is not a TTY",
        "If you don't see a command prompt, try pressing enter",
        "Connection to ",
    ];
    LEADS.iter().any(|lead| trimmed.starts_with(lead))
}

/// What FortiGate's sniffer says when it begins, beside its interface.
fn is_sniffer_head(trimmed: &str) -> bool {
    trimmed == "Using Original Sniffing Mode"
        || (trimmed.starts_with("filters=[") && trimmed.ends_with(']'))
}

/// The names of Wireshark's columns, which its export repeats before each row.
fn is_column_head(trimmed: &str) -> bool {
    let mut words = trimmed.split_whitespace();
    ["No.", "Time", "Source", "Destination"].iter().all(|name| words.next() == Some(name))
}

/// `7 packets captured`: the number, where the line is tcpdump's count of what
/// it captured; `None` for the other counts is of no concern to a caller.
pub(super) fn find_captured(line: &str) -> Option<u64> {
    let trimmed = line.trim().trim_start_matches("^C").trim();
    find_count(trimmed).filter(|(_, what)| *what == "captured").map(|(count, _)| count)
}

/// `7 packets captured`, `9 packets received by filter`, `0 packets dropped by
/// kernel`.
fn find_count(trimmed: &str) -> Option<(u64, &str)> {
    let (count, rest) = trimmed.split_once(' ')?;
    let count = count.parse().ok()?;
    let rest = rest.strip_prefix("packets ").or_else(|| rest.strip_prefix("packet "))?;
    let what = rest.split([' ', ',']).next()?;
    matches!(what, "captured" | "received" | "dropped").then_some((count, what))
}

/// `---`, `[...]`, `<snip>`, `(omitted)`: marks of lines left out. grep(1) puts `--` between
/// matches with lines around them.
fn is_ellipsis(trimmed: &str) -> bool {
    if trimmed == "--" {
        return true;
    }
    let is_mark = |c: char| c.is_ascii_punctuation() || c.is_whitespace() || "…⋮·—–─".contains(c);
    if trimmed.chars().all(is_mark) {
        // A lone bracket may be JSON.
        return trimmed.chars().count() >= 3;
    }
    let words = trimmed.trim_matches(is_mark);
    trimmed.len() <= 40
        && words.len() < trimmed.len()
        && ["snip", "snipped", "omitted", "cut", "truncated", "省略", "略"].contains(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_told_from_prose() {
        let cases = [
            ("", true),
            ("12", true),
            ("...", true),
            ("…", true),
            ("^C", true),
            ("^C7 packets captured", true),
            ("9 packets received by filter", true),
            ("0 packets dropped by kernel", true),
            ("```text", true),
            ("<snip>", true),
            ("[...]", true),
            ("---", true),
            ("--", true),
            ("-", false),
            ("tcpdump: verbose output suppressed, use -v or -vv for full protocol decode", true),
            ("filters=[udp port 69]", true),
            ("No.     Time           Source        Destination   Protocol Length Info", true),
            ("No. Time flies", false),
            ("7 packets later", false),
            ("Warning: Permanently added 'node3' (ED25519) to the list of known hosts.", true),
            ("Defaulted container \"tftp\" out of: tftp, istio-proxy", true),
            ("Connection to node3 closed.", true),
            ("Then on the host:", false),
            ("在主机网卡上抓包", false),
            ("[", false),
        ];
        for (line, expected) in cases {
            assert_eq!(is_noise(line), expected, "{line}");
        }
        assert_eq!(find_captured("^C7 packets captured"), Some(7));
        assert_eq!(find_captured("9 packets received by filter"), None);
    }
}
