//! Lines that TFTP servers log about a transfer that failed. They prove no
//! packet by themselves, but beside a capture they say what the server saw.

/// Characters of a line that are quoted.
const LIMIT_QUOTE_CHARS: usize = 160;

/// What servers log (tftp-hpa's `tftpd.c`, dnsmasq's `tftp.c`), and what it means.
const MEANINGS: [(&str, &str); 6] = [
    (
        "Operation not permitted",
        "the server's own host refused to send the packet: a firewall rule for what leaves it. A rule that lets related packets pass does so only where the TFTP helper is assigned, which kernels since 6.0 do not do by themselves",
    ),
    (
        "Connection refused",
        "the server's packet was answered with ICMP port unreachable: the client's socket did not expect it from this address and port, or was closed",
    ),
    ("sending NAK", "the server refused the request with a TFTP error"),
    (
        "Network is unreachable",
        "the server's host has no route back to the client in this address family",
    ),
    (
        "failed sending",
        "the transfer did not finish: the client stopped answering, or ended it with an error of its own, as boot ROMs do once they know a file's size",
    ),
    ("not found", "the server has no such file"),
];

/// What a line of a server's log says, as a sentence without a full stop;
/// `None` where it is none, or tells of no failure.
pub fn find_failure(line: &str) -> Option<String> {
    let text = line.trim();
    let message = find_message(text)?;
    let (_, meaning) = MEANINGS.iter().find(|(words, _)| message.contains(words))?;
    let quote: String = text.chars().filter(|c| !c.is_control()).take(LIMIT_QUOTE_CHARS).collect();
    Some(format!("a TFTP server logged '{quote}': {meaning}"))
}

/// Whether a line is one of a TFTP server's log.
pub fn is_of_server(text: &str) -> bool {
    find_message(text.trim()).is_some()
}

/// The message behind `in.tftpd[123]: ` or `dnsmasq-tftp[123]: `, with any
/// prefix that syslog or journald put before it.
fn find_message(text: &str) -> Option<&str> {
    const PROGRAMS: [&str; 4] = ["in.tftpd", "tftpd", "atftpd", "dnsmasq-tftp"];
    PROGRAMS.iter().find_map(|program| {
        let at = text.find(program)?;
        let is_word = text.get(..at)?.chars().next_back().is_none_or(char::is_whitespace);
        let rest = text.get(at + program.len()..)?;
        let rest = match rest.strip_prefix('[') {
            Some(number) => {
                number
                    .split_once(']')
                    .filter(|(number, _)| {
                        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                    })?
                    .1
            }
            None => rest,
        };
        is_word.then(|| rest.strip_prefix(": "))?
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_told_is_one_short_line(
            before in "\\PC{0,9}|[a-z ]{0,200}",
            program in "(in\\.|a)?tftpd|dnsmasq-tftp",
            number in "(\\[[0-9]{0,3}\\]?)?",
            behind in "\\PC{0,9}|.{0,300}",
            words in proptest::sample::select(vec!["", "Connection refused", "sending NAK"]),
        ) {
            let failure = find_failure(&format!("{before}{program}{number}: {words}{behind}"));
            if let Some(failure) = failure {
                prop_assert!(!failure.chars().any(char::is_control), "{failure:?}");
                let longest = MEANINGS.iter().map(|(_, meaning)| meaning.len()).max().unwrap();
                prop_assert!(failure.chars().count() <= 40 + LIMIT_QUOTE_CHARS + longest);
            }
        }
    }

    #[test]
    fn failures_are_told_from_other_lines() {
        let cases = [
            (
                "Nov  8 07:19:25 node3 in.tftpd[123]: tftpd: oack: Operation not permitted",
                Some("refused to send"),
            ),
            ("in.tftpd[9]: tftpd: read: Connection refused", Some("ICMP port unreachable")),
            ("tftpd: read: Connection refused", Some("ICMP port unreachable")),
            (
                "2024-11-08T07:19:25+00:00 n in.tftpd[1]: sending NAK (1, File not found) to 2001:db8::9",
                Some("TFTP error"),
            ),
            ("dnsmasq-tftp[77]: failed sending /srv/a to 192.0.2.9", Some("did not finish")),
            ("dnsmasq-tftp[77]: failed sending /srv/a to 2001:db8::9", Some("did not finish")),
            ("dnsmasq-tftp[77]: file /srv/b not found for 192.0.2.9", Some("no such file")),
            ("dnsmasq-tftp[77]: file /srv/b not found for 2001:db8::9", Some("no such file")),
            // The client's own doing, on a healthy network too.
            ("dnsmasq-tftp[77]: error 8 User aborted the transfer received from 192.0.2.9", None),
            ("dnsmasq-tftp[77]: error 8 User aborted the transfer received from 2001:db8::9", None),
            ("in.tftpd[123]: RRQ from 192.0.2.9 filename startup.cfg", None),
            ("in.tftpd[x]: tftpd: read: Connection refused", None),
            ("the tftpd said: read: Connection refused", None),
            ("myin.tftpd[1]: read: Connection refused", None),
            ("curl: (7) Connection refused", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let actual = find_failure(line);
            match expected {
                Some(words) => assert!(
                    actual.as_ref().is_some_and(|text| text.contains(words)),
                    "{line}: {actual:?}"
                ),
                None => assert_eq!(actual, None, "{line}"),
            }
        }
    }
}
