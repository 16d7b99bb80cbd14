//! What `tcpdump -e` prints of the logs of firewalls before a packet.

use super::line::split_word;
use crate::model::capture::LinkType;
use crate::model::packet_filter::FilterRule;

/// What `pf` says of a packet that a rule of its logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedLine<'a> {
    rule: Option<FilterRule<'a>>,
    action: &'a str,
    /// `in`, `out`.
    pub direction: &'a str,
    pub interface: &'a str,
    pub rest: &'a str,
}

/// `rule 5/0(match): block in on em0: ` of `tcpdump -e -i pflog0`; OpenBSD prints
/// `rule 5/(match) block in on em0: `, behind which processes may be named in brackets.
pub fn find_logged(text: &str) -> Option<LoggedLine<'_>> {
    let text = text.strip_prefix("rule ")?;
    let (rule, rest) = text.split_once('(')?;
    let (rule, _reason) = rule.rsplit_once('/')?;
    let (_, rest) = rest.split_once(')')?;
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(processes) => processes.split_once(']')?.1.trim_start(),
        None => rest,
    };
    let (action, rest) = split_word(rest);
    let (direction, rest) = split_word(rest);
    let (interface, rest) = rest.strip_prefix("on ")?.split_once(": ")?;
    let rule = FilterRule::find(rule);
    Some(LoggedLine { rule, action, direction, interface, rest: rest.trim_start() })
}

/// Why the packet of a line was dropped, if a rule blocked it.
pub fn find_block(text: &str) -> Option<Box<str>> {
    let logged = find_logged(text.trim_start()).filter(|logged| logged.action == "block")?;
    Some(logged.rule?.block_reason(Some(logged.interface)))
}

/// The log that a line is from: `rule 5/…` of `pf`, `version 0, resource ID 5, …` of
/// Linux' netfilter.
pub fn find_log(text: &str) -> Option<LinkType> {
    let text = text.trim_start();
    if find_logged(text).is_some() {
        return Some(LinkType::Pflog);
    }
    let (version, rest) = text.strip_prefix("version ")?.split_once(", ")?;
    let is_version = version.bytes().all(|digit| digit.is_ascii_digit());
    (is_version && rest.starts_with("resource ID ")).then_some(LinkType::Nflog)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_firewalls_logged_is_read() {
        let packets = [
            "192.0.2.9.50000 > 198.51.100.5.53: UDP, length 4",
            "2001:db8::9.50000 > 2001:db8:1::5.53: UDP, length 4",
        ];
        let cases = [
            ("rule 3/0(match): block in on em0: ", Some("rule 3 blocks it on em0")),
            ("rule 3/0(match): pass in on em0: ", None),
            (
                "rule 3.userrules.12/0(match): block out on em0.7: ",
                Some("rule 12 of anchor userrules (rule 3) blocks it on em0.7"),
            ),
            (
                "rule 9.relayd/a.0/0(match): block in on em0: ",
                Some("rule 0 of anchor relayd/a (rule 9) blocks it on em0"),
            ),
            (
                "rule 4294967295/0(match): block in on em0: ",
                Some("the default rule blocks it on em0"),
            ),
            ("rule 3/(match) block in on em0: ", Some("rule 3 blocks it on em0")),
            (
                "rule def/(short) [uid 0, pid 9] block in on em0: ",
                Some("the default rule blocks it on em0"),
            ),
        ];
        for packet in packets {
            for (remark, reason) in cases {
                let text = format!("{remark}{packet}");
                assert_eq!(find_logged(&text).unwrap().rest, packet, "{text}");
                assert_eq!(find_block(&text).as_deref(), reason, "{text}");
                assert_eq!(find_log(&text), Some(LinkType::Pflog), "{text}");
            }
            let netfilter = format!("version 0, resource ID 5, family IPv4, length 9: {packet}");
            assert_eq!(find_log(&netfilter), Some(LinkType::Nflog));
            assert_eq!(find_log(&format!("IP {packet}")), None);
            assert_eq!(find_log(&format!("rule of thumb: {packet}")), None);
        }
    }
}
