//! What stands before a packet on its line: log collectors write times, hosts and pods,
//! `grep` names and numbers, people marks and words.

use std::borrow::Cow;

use super::several::head;
use crate::ingest::tcpdump_text::{
    find_stamp, is_month, is_timed_packet, is_untimed_packet_line, looks_like_packet,
    looks_like_row,
};
use crate::ingest::transcript::tracked::begins_table;

/// A longer start of a line is no prefix.
const LIMIT_BYTES: usize = 160;

/// A packet's ends stand within so many bytes of its time.
const LIMIT_HEAD_BYTES: usize = 200;

/// A packet behind something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Behind<'a> {
    /// From the packet on.
    pub text: Cow<'a, str>,
    pub prefix: &'a str,
    /// The source of the line: a host, a pod, a file.
    pub label: Option<String>,
    /// The host, where it is surely one.
    pub node: Option<String>,
    /// Words of a person stand before it.
    pub is_told: bool,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// Nothing stands before a packet.
    Plain,
    Behind(Behind<'a>),
    /// A packet within a sentence, from its time on.
    Quoted(&'a str),
}

/// Finds the packet, or the entry of connection tracking, behind a prefix.
pub(super) fn find(text: &str) -> Found<'_> {
    if is_timed_packet(text) || begins_table(text.trim()) || looks_like_row(text) {
        return Found::Plain;
    }
    find_timed(text).or_else(|| find_other(text)).unwrap_or(Found::Plain)
}

fn find_timed(text: &str) -> Option<Found<'_>> {
    let bytes = text.as_bytes();
    let begins = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        bytes.get(*at).is_some_and(u8::is_ascii_digit)
            && before.is_none_or(|before| !before.is_ascii_alphanumeric() && *before != b'.')
    };
    let mut starts = (0..bytes.len().min(LIMIT_BYTES)).filter(begins);
    starts.find_map(|at| {
        // `29:48.654684`: of the time the hours are missing.
        let rest = text.get(at..)?;
        let is_clock = rest.find(':').is_some_and(|colon| colon <= 2);
        if !is_clock && text.get(..at)?.ends_with(':') {
            return None;
        }
        let packet = read_packet(rest)?;
        let prefix = text.get(..at)?;
        Some(match judge(prefix) {
            Some(is_told) => Found::Behind(Behind {
                text: packet,
                prefix,
                label: find_label(prefix),
                node: find_node(prefix),
                is_told: is_told && !is_program(prefix),
            }),
            None => Found::Quoted(text.get(at..)?),
        })
    })
}

/// The packet whose time begins the text. The time may be in brackets, or in a table's
/// cell of its own: `07:29:48.654684] IP …`, `07:29:48.654684 | IP …`.
fn read_packet(text: &str) -> Option<Cow<'_, str>> {
    // What tells a packet stands at its beginning; a line may be long and full of times.
    let beginning = head(text, LIMIT_HEAD_BYTES);
    if is_timed_packet(beginning) {
        return Some(Cow::Borrowed(text));
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ',')))?;
    let (time, behind) = text.split_at_checked(end)?;
    find_stamp(time).filter(|(_, rest)| rest.is_empty())?;
    let rest = behind.trim_start_matches([' ', '\t', '|', ']', ')', ';']);
    if rest.len() == behind.trim_start().len() {
        return None;
    }
    let packet = |rest: &str| format!("{time} {}", rest.trim_end_matches(['|', ' ']));
    is_timed_packet(&packet(head(rest, LIMIT_HEAD_BYTES))).then(|| Cow::Owned(packet(rest)))
}

/// Packets without a time behind numbers and quotes, and entries of connection tracking.
fn find_other(text: &str) -> Option<Found<'_>> {
    let starts = ["IP ", "IP6 ", "udp ", "ipv4 ", "ipv6 ", "tcp ", "icmp", "["];
    let found = |word: &str| text.find(word).filter(|at| (1..=LIMIT_BYTES).contains(at));
    let mut starts: Vec<usize> = starts.into_iter().filter_map(found).collect();
    starts.sort_unstable();
    starts.into_iter().find_map(|at| {
        let (prefix, packet) = text.split_at_checked(at)?;
        let is_packet = is_untimed_packet_line(packet) && is_mark(prefix);
        let entry = packet.trim_end_matches(['`', '"', ' ']);
        let is_entry = begins_table(entry) && judge(prefix) == Some(false);
        (is_packet || is_entry).then_some(Found::Behind(Behind {
            text: Cow::Borrowed(entry),
            prefix,
            label: if is_entry { None } else { find_label(prefix) },
            node: None,
            is_told: false,
        }))
    })
}

/// A line's number, a quote, a list's mark; indentation alone is none.
fn is_mark(prefix: &str) -> bool {
    let trimmed = prefix.trim();
    let is_quote = |c: char| matches!(c, '"' | '`' | '\'' | '“');
    let digits = trimmed.trim_end_matches([':', '.', ')', '|', ']']);
    !trimmed.is_empty()
        && (trimmed.chars().all(is_quote)
            || (digits.len() <= 7 && digits.bytes().all(|byte| byte.is_ascii_digit())))
}

/// Whether what stands before a packet is a person's words (`Some(true)`) or a
/// program's; `None` for the beginning of a sentence.
fn judge(prefix: &str) -> Option<bool> {
    /// `tftp-0 tcpdump 07:29:48.654684 IP …` of stern has one.
    const MACHINE_WORDS: usize = 1;
    /// `Server answers from the node:`.
    const TOLD_WORDS: usize = 8;
    let words = prefix.split_whitespace().filter(|word| is_plain(word)).count();
    let trimmed = prefix.trim_end();
    let introduces = trimmed.ends_with([':', '>', '-', '|', '=', '→', '"', '`', '(', '[']);
    match words {
        0 => Some(false),
        MACHINE_WORDS => Some(introduces),
        2..=TOLD_WORDS if introduces => Some(true),
        _ => None,
    }
}

/// Whether a program surely wrote a prefix with a word in it: `server  | ` of compose, and
/// what begins with a time.
fn is_program(prefix: &str) -> bool {
    let first = prefix.split_whitespace().next();
    prefix.trim_end().ends_with('|')
        || first.is_some_and(is_month)
        || find_stamp(prefix.trim_start_matches(['[', '<', '('])).is_some()
}

/// A word of a language, which no collector writes.
fn is_plain(word: &str) -> bool {
    const OF_COLLECTORS: [&str; 4] = ["stdout", "stderr", "tcpdump", "netshoot"];
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.chars().count() > 1
        && word.chars().all(char::is_alphabetic)
        && !is_month(word)
        && !OF_COLLECTORS.contains(&word)
}

/// What names the source in a prefix: words with marks or digits within, such as
/// `tftp-0`, `pod/tftp-0/tcpdump`, `node3`, `host.txt`.
fn find_label(prefix: &str) -> Option<String> {
    let mut label = String::new();
    for word in prefix.split_whitespace() {
        // `tcpdump[1234]:`, `host.txt:12:`.
        let word = word.trim_start_matches(['[', '(', '<', '"', '`', '|', '{']);
        let word = word.split(['[', ']', ':', '|', ')']).next().unwrap_or(word);
        let begins = word.starts_with(char::is_alphabetic);
        let has_mark = word.contains(|c: char| c.is_ascii_digit() || "-./_".contains(c));
        if begins && has_mark {
            label.push_str(word);
            label.push(' ');
        }
    }
    (!label.is_empty()).then_some(label)
}

/// The host of syslog's head (RFC 3164 section 4.1.2): `Nov 08 07:29:48 node3 tcpdump[1]: `.
fn find_node(prefix: &str) -> Option<String> {
    let mut words = prefix.split_whitespace();
    words.next().filter(|word| is_month(word))?;
    words.next().filter(|day| day.len() <= 2 && day.parse::<u8>().is_ok())?;
    words.next().and_then(find_stamp)?;
    let host = words.next()?;
    words.next().filter(|program| program.ends_with(':'))?;
    Some(host.to_owned())
}

/// What the lines behind a packet line have before them, if a program put it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    words: usize,
    /// With a zero for each number.
    form: String,
}

impl Shape {
    /// The form of a prefix.
    pub fn of(prefix: &str) -> Option<Self> {
        let words = prefix.split_whitespace().count();
        (words > 0 && prefix.ends_with(' ')).then(|| Self { words, form: form(prefix) })
    }

    /// What stands behind a prefix of this form, with its indentation: the lines that
    /// tcpdump prints below a packet, and what it says of itself.
    ///
    /// Gives the source too.
    pub fn find_behind<'a>(&self, text: &'a str) -> Option<(Option<String>, &'a str)> {
        let (prefix, rest) = self.find_rest(text)?;
        (!looks_like_packet(text)).then(|| (find_label(prefix), rest))
    }

    /// A prefix of this form, and what stands behind it.
    pub fn find_rest<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        let mut rest = text;
        for _ in 0..self.words {
            rest = rest.trim_start();
            rest = rest.get(rest.find(char::is_whitespace)?..)?;
        }
        let rest = rest.get(1..)?;
        let prefix = text.get(..text.len() - rest.len())?;
        (form(prefix) == self.form).then_some((prefix, rest))
    }
}

/// A prefix with a zero for each number: of a fraction collectors leave out the last zeros,
/// and line numbers grow.
pub(super) fn form(prefix: &str) -> String {
    // `Nov` and `Dec` are alike.
    let words = prefix.split_whitespace().map(|word| {
        let word = if is_month(word) { "Jan" } else { word };
        word.chars().fold(String::new(), |mut form, c| {
            match c {
                '0'..='9' if form.ends_with('0') => {}
                '0'..='9' => form.push('0'),
                _ => form.push(c),
            }
            form
        })
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKETS: [&str; 2] = [
        "07:29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.69: UDP, length 4",
        "07:29:48.654684 IP6 2001:db8::9.41226 > 2001:db8::21.69: UDP, length 4",
    ];

    #[test]
    fn what_collectors_and_people_write_before_packets_is_taken_off() {
        // prefix, label, node, told by a person
        let cases = [
            ("Nov 08 07:29:48 node3 tcpdump[1234]: ", Some("node3 "), Some("node3"), false),
            ("Nov 08 07:29:48 ", None, None, false),
            ("2024-11-08T07:29:48.700000001Z ", None, None, false),
            ("2024-11-08T07:29:48.700000001Z stdout F ", None, None, false),
            ("[2024-11-08 07:29:48] ", None, None, false),
            ("2024/11/08 ", None, None, false),
            ("08.11.2024 ", None, None, false),
            ("[pod/tftp-0/tcpdump] ", Some("pod/tftp-0/tcpdump "), None, false),
            ("tftp-0 tcpdump ", Some("tftp-0 "), None, false),
            ("tftp-0 sidecar ", Some("tftp-0 "), None, false),
            ("tcpdump-1  | ", Some("tcpdump-1 "), None, false),
            ("node3: ", Some("node3 "), None, false),
            ("12:", None, None, false),
            ("cap.txt:12:", Some("cap.txt "), None, false),
            ("1. `", None, None, false),
            ("(4) ", None, None, false),
            ("{code}", None, None, false),
            ("\"", None, None, false),
            ("server  | ", None, None, false),
            ("Nov 08 07:29:48 gateway tcpdump[12]: ", None, Some("gateway"), false),
            ("2024-11-08T07:29:48.7Z gateway: ", None, None, false),
            ("Output: ", None, None, true),
            ("The server answers from the node: ", None, None, true),
        ];
        for packet in PACKETS {
            for (prefix, label, node, is_told) in cases {
                let text = format!("{prefix}{packet}");
                let Found::Behind(behind) = find(&text) else { panic!("{text}") };
                assert_eq!(behind.text, packet, "{text}");
                assert_eq!(behind.label.as_deref(), label, "{text}");
                assert_eq!(behind.node.as_deref(), node, "{text}");
                assert_eq!(behind.is_told, is_told, "{text}");
            }
            let bracketed = packet.replacen("07:29:48.654684", "[07:29:48.654684]", 1);
            let cell = packet.replacen("07:29:48.654684", "| 07:29:48.654684 |", 1);
            for text in [bracketed, format!("{cell} |")] {
                let Found::Behind(behind) = find(&text) else { panic!("{text}") };
                assert_eq!(behind.text, packet, "{text}");
            }
            let quoted = format!("See how {packet} goes to the VIP");
            assert_eq!(find(&quoted), Found::Quoted(&quoted[8..]));
            assert_eq!(find(packet), Found::Plain);
            let untimed = packet.split_once(' ').map(|(_, rest)| rest).unwrap();
            for prefix in ["    1  ", "12: ", "\""] {
                let text = format!("{prefix}{untimed}");
                let Found::Behind(behind) = find(&text) else { panic!("{text}") };
                assert_eq!(behind.text, untimed, "{text}");
            }
            assert_eq!(find(&format!("    {untimed}")), Found::Plain);
        }
    }

    #[test]
    fn entries_of_connection_tracking_are_found_behind_marks() {
        let entries = [
            "udp      17 29 src=192.0.2.7 dst=192.0.2.8 sport=7 dport=69",
            "ipv6     10 udp      17 29 src=2001:db8::7 dst=2001:db8::8 sport=7 dport=69",
        ];
        for entry in entries {
            for (before, behind) in [("- `", "`"), ("0:", ""), ("ct.txt:12:", ""), ("* ", "")] {
                let text = format!("{before}{entry}{behind}");
                let Found::Behind(found) = find(&text) else { panic!("{text}") };
                assert_eq!(found.text, entry, "{text}");
            }
            assert_eq!(find(entry), Found::Plain);
            assert_eq!(find(&format!("In the table {entry} stands")), Found::Plain);
        }
    }

    #[test]
    fn lines_below_a_packet_have_its_prefix() {
        let shape = Shape::of("2024-11-08T07:29:48.7Z stdout F ").unwrap();
        assert_eq!(
            shape.find_behind("2024-11-08T07:29:49.1Z stdout F     192.0.2.9.5 > 192.0.2.21.69: x"),
            Some((None, "    192.0.2.9.5 > 192.0.2.21.69: x"))
        );
        // Of the fraction the last zeros are left out.
        assert_eq!(
            shape.find_behind("2024-11-08T07:29:49.123456789Z stdout F below"),
            Some((None, "below"))
        );
        assert_eq!(shape.find_behind("2024-11-08T07:29:49.1Z stderr F listening"), None);
        assert_eq!(shape.find_behind("short"), None);
        assert_eq!(Shape::of(""), None);
    }

    #[test]
    fn other_lines_stay() {
        let cases = [
            "Nov  8 07:29:48 node3 in.tftpd[77]: WRQ from 192.0.2.9 filename a",
            "2024-11-08 07:29:48,123 INFO state > ready",
            "29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.69: UDP, length 4",
            "the device was restarted at 07:29:48",
            "    192.0.2.9.41226 > 192.0.2.21.69: UDP, length 4",
            "GREv0, length 84: IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4",
            "",
        ];
        for text in cases {
            assert_eq!(find(text), Found::Plain, "{text}");
        }
    }
}
