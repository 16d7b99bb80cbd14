//! What syslog, the journal and `dmesg` write before the kernel's own words.

use crate::ingest::tcpdump_text::{Stamp, find_stamp, is_date, is_month};

/// What stands before a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head<'a> {
    /// When the line was written; syslog has whole seconds.
    pub stamp: Option<Stamp>,
    /// Since the host was started, by the kernel's own clock, in nanoseconds.
    pub uptime_ns: Option<i64>,
    pub host: Option<&'a str>,
    /// The words of the rule, which tell the places apart where one packet is logged.
    pub prefix: &'a str,
}

/// Bytes within which a time stands.
const LIMIT_BYTES: usize = 200;

/// Reads what stands before a packet. Collectors and `grep` may have put more before it.
pub(super) fn read_head(before: &str) -> Head<'_> {
    let mut head = Head { prefix: before, ..Head::default() };
    let begins = |at: usize| {
        let byte = at.checked_sub(1).and_then(|before_it| before.as_bytes().get(before_it));
        byte.is_none_or(|byte| matches!(byte, b' ' | b':' | b'|' | b'>' | b'[' | b'\t'))
    };
    let places = (0..before.len().min(LIMIT_BYTES)).filter(|at| begins(*at));
    let time = places.filter_map(|at| before.get(at..)).find_map(find_time);
    if let Some((stamp, rest)) = time {
        head.stamp = Some(stamp);
        let behind = rest.strip_prefix(']').unwrap_or(rest).trim_start();
        head.prefix = if is_date(stamp) { skip_zone(behind) } else { behind };
        let mut words = head.prefix.splitn(2, ' ');
        let first = words.next().unwrap_or_default();
        let behind = words.next().unwrap_or_default();
        // `[Fri Nov  8 07:29:48 2024] PREFIX` of dmesg names no host.
        if !rest.starts_with(']') && is_host(first) && behind.contains(':') {
            (head.host, head.prefix) = (Some(first), behind);
        }
    }
    if let Some((uptime_ns, rest)) = find_uptime(head.prefix) {
        (head.uptime_ns, head.prefix) = (Some(uptime_ns), rest);
    }
    head
}

/// `UTC ` of `journalctl -o short-full`, before the host.
fn skip_zone(text: &str) -> &str {
    let is_zone = |word: &str| {
        (2..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase())
    };
    text.split_once(' ').filter(|(word, _)| is_zone(word)).map_or(text, |(_, rest)| rest)
}

fn is_host(word: &str) -> bool {
    !word.is_empty()
        && !word.ends_with(':')
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
}

/// `Nov  8 07:29:48` (RFC 3164 section 4.1.2), `Fri Nov  8 07:29:48 2024` of `dmesg -T`, and
/// `2024-11-08T07:29:48.7+00:00` (RFC 3339). Of a date without a year the time of day is left.
fn find_time(text: &str) -> Option<(Stamp, &str)> {
    if !text.get(..3).is_some_and(is_month) {
        return find_stamp(text)
            .filter(|(stamp, _)| is_date(*stamp) && text.get(4..5) == Some("-"));
    }
    let rest = text.get(3..)?.strip_prefix(' ')?.trim_start();
    let (day, rest) = rest.split_once(' ').filter(|(day, _)| is_number(day, 2))?;
    let (time, behind) = rest.split_at_checked(rest.find([' ', ']']).unwrap_or(rest.len()))?;
    let (stamp, _) = find_stamp(time).filter(|(_, rest)| rest.is_empty())?;
    let year = behind.strip_prefix(' ').and_then(|rest| rest.split(']').next());
    let Some(year) = year.filter(|year| year.len() == 4 && is_number(year, 4)) else {
        return Some((stamp, behind));
    };
    let month = MONTHS.iter().position(|name| text.starts_with(name))? + 1;
    let (stamp, _) = find_stamp(&format!("{year}-{month:02}-{day:0>2} {time}"))?;
    Some((stamp, behind.get(1 + year.len()..)?))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn is_number(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[ 3206.543019] ` of the kernel's ring buffer: seconds since it started.
fn find_uptime(text: &str) -> Option<(i64, &str)> {
    text.match_indices('[').find_map(|(at, _)| {
        let (inside, rest) = text.get(at + 1..)?.split_once(']')?;
        let (seconds, micros) = inside.trim_start().split_once('.')?;
        let is_time = is_number(seconds, 10) && micros.len() == 6 && is_number(micros, 6);
        let seconds: i64 = seconds.parse().ok().filter(|_| is_time)?;
        let micros: i64 = micros.parse().ok()?;
        let uptime_ns = seconds.checked_mul(1_000_000_000)?.checked_add(micros * 1_000)?;
        Some((uptime_ns, rest.trim_start()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_hosts_are_found() {
        let stamp = |text: &str| find_stamp(text).map(|(stamp, _)| stamp);
        let up = Some(10_132_478_629_000);
        let cases = [
            (
                "Nov 14 13:06:43 gw1 user.warn kernel: [10132.478629] [DNAT-br0]",
                (stamp("13:06:43"), up, Some("gw1"), "[DNAT-br0]"),
            ),
            (
                "Nov  8 07:29:48 gw1 kernel: [10132.478629] TRACE: raw:PREROUTING:rule:3 ",
                (stamp("07:29:48"), up, Some("gw1"), "TRACE: raw:PREROUTING:rule:3 "),
            ),
            (
                "<4>Nov  8 07:29:48 gw1 kernel: drop: ",
                (stamp("07:29:48"), None, Some("gw1"), "kernel: drop: "),
            ),
            (
                "2024-11-08T07:29:48.700000+00:00 gw1 kernel: drop: ",
                (stamp("2024-11-08T07:29:48.7Z"), None, Some("gw1"), "kernel: drop: "),
            ),
            (
                "[Fri Nov  8 07:29:48 2024] FWD: ",
                (stamp("2024-11-08 07:29:48"), None, None, "FWD: "),
            ),
            (
                "Fri 2024-11-08 07:29:48 UTC gw1 kernel: drop: ",
                (stamp("2024-11-08 07:29:48"), None, Some("gw1"), "kernel: drop: "),
            ),
            ("[10132.478629] FWD: ", (None, up, None, "FWD: ")),
            ("[    3.000001] FWD: ", (None, Some(3_000_001_000), None, "FWD: ")),
            (
                "/var/log/kern.log:12:Nov  8 07:29:48 gw1 kernel: FWD: ",
                (stamp("07:29:48"), None, Some("gw1"), "kernel: FWD: "),
            ),
            ("FWD: ", (None, None, None, "FWD: ")),
            ("[UFW BLOCK] ", (None, None, None, "[UFW BLOCK] ")),
            ("", (None, None, None, "")),
        ];
        for (text, expected) in cases {
            let Head { stamp, uptime_ns, host, prefix } = read_head(text);
            assert_eq!((stamp, uptime_ns, host, prefix), expected, "{text}");
        }
    }
}
