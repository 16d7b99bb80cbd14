//! Lines of logs, which programs write between the packets of a terminal.

use crate::ingest::server_log::is_of_server;
use crate::ingest::tcpdump_text::{find_stamp, is_date, split_month};

/// Whether a line is a log's: it begins with a date, or a TFTP server wrote it. It
/// stands between the packets of one capture by chance, as prose does not.
pub(super) fn is_log_line(text: &str) -> bool {
    let trimmed = text.trim();
    let opened = trimmed.trim_start_matches(['[', '<']);
    begins_with_date(opened)
        || begins_with_month(opened)
        || is_klog(trimmed)
        || ["time=\"", "ts=", "{\"time\"", "{\"ts\"", "{\"level\""]
            .iter()
            .any(|lead| trimmed.starts_with(lead))
        || is_of_server(trimmed)
}

/// `2024-11-08 07:29:48`, `2024/11/08 07:29:48`, `07:29:48.654`.
fn begins_with_date(text: &str) -> bool {
    let dashed = text.get(..10).map(|date| date.replace('/', "-"));
    let with_dashes = dashed.zip(text.get(10..)).map(|(date, rest)| format!("{date}{rest}"));
    let text = with_dashes.as_deref().unwrap_or(text);
    // Brackets may stand right behind the time.
    let end = text.find([']', '>']).unwrap_or(text.len());
    text.get(..end)
        .and_then(find_stamp)
        .is_some_and(|(stamp, _)| stamp.has_fraction || is_date(stamp))
}

/// `Nov  8 07:29:48 node3 …`, the time of RFC 3164.
fn begins_with_month(text: &str) -> bool {
    let time = split_month(text).and_then(|(.., rest)| rest.split_whitespace().next());
    time.is_some_and(|time| find_stamp(time).is_some())
}

/// `I1108 07:29:48.654684       1 server.go:652] …` of Kubernetes' programs.
fn is_klog(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_head = words.next().is_some_and(|head| {
        head.len() == 5
            && head.starts_with(['I', 'W', 'E', 'F'])
            && head.bytes().skip(1).all(|byte| byte.is_ascii_digit())
    });
    is_head && words.next().is_some_and(|time| find_stamp(time).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_told_from_prose() {
        let cases = [
            ("Nov  8 07:29:48 node3 in.tftpd[77]: WRQ from 192.0.2.9 filename a", true),
            ("Nov 08 07:29:48.123 node3 x: y", true),
            ("2024/11/08 07:29:48 [info] 192.0.2.9", true),
            ("2024-11-08T07:29:48.123Z INFO x", true),
            ("[2024-11-08 07:29:48,123] INFO x", true),
            ("2024-11-08 07:29:48 INFO 2001:db8::9", true),
            ("07:29:48.654 INFO x", true),
            ("I1108 07:29:48.654684       1 server.go:652] x", true),
            ("time=\"2024-11-08T07:29:48Z\" level=info", true),
            ("in.tftpd[77]: WRQ from 2001:db8::9 filename a", true),
            ("dnsmasq-tftp: sent /srv/a to 192.0.2.9", true),
            ("07:29:48 on the host:", false),
            ("Nov 8 was the day", false),
            ("On the host:", false),
            ("[1] see below", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_log_line(text), expected, "{text}");
        }
    }
}
