//! The head that syslog and the journal write before a line.

use super::{Part, times};

/// A longer tag is none (RFC 3164 section 4.1.3 allows 32 characters; unit names are longer).
const LIMIT_TAG_BYTES: usize = 100;

/// `Nov 08 07:29:48 node3 tcpdump[1234]: LINE` (RFC 3164 section 4.1, `journalctl`), and with
/// the time of RFC 3339 (rsyslog, `journalctl -o short-iso`). The source is the host and the
/// program; its process id may change.
pub(super) fn find_syslog(text: &str) -> Option<Part<'_>> {
    let (time, rest) = times::split_time(skip_priority(text))?;
    let (time, head) = (time?, rest.strip_prefix(' ')?);
    let (host, rest) = head.split_once(' ')?;
    let (tag, rest) = rest.split_once(':')?;
    let is_tag = !tag.is_empty() && tag.len() <= LIMIT_TAG_BYTES && !tag.contains([' ', '>']);
    if host.is_empty() || host.contains('>') || !is_tag {
        return None;
    }
    let program = tag.split('[').next().unwrap_or(tag);
    let source = head.get(..host.len() + 1 + program.len())?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    Some(Part { rest, source: Some(source), node: Some(host), time: Some(time) })
}

/// `<13>`: the priority, as the message has it on the wire.
fn skip_priority(text: &str) -> &str {
    let digits = |inside: &str| inside.len() <= 3 && inside.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .filter(|(priority, _)| digits(priority))
        .map_or(text, |(_, rest)| rest)
}
