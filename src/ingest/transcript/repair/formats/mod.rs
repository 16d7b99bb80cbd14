//! What programs put before each line of another program's output: one small grammar for
//! each, and how they are chosen.
//!
//! A format is chosen where it leaves a packet of a line; it then explains every line of
//! the run, so that what `-v` and `-X` print below a packet comes off by grammar too. Up to
//! [`LIMIT_LAYERS`] stand one behind the other: `docker compose logs -t`, `grep` in a log.
//! What none explains is not guessed.

mod containers;
mod people;
mod shell;
mod syslog;
mod times;

use std::borrow::Cow;

use super::several::{LIMIT_HEAD_BYTES, head};
use crate::ingest::flow_events::is_event_line;
use crate::ingest::tcpdump_text::{is_timed_packet, is_untimed_packet_line, looks_like_row};
use crate::ingest::transcript::announcement::find_announcement;
use crate::ingest::transcript::prompt::find_prompt;
use crate::ingest::transcript::tracked::begins_table;
pub(super) use containers::find_entry;

/// Formats that stand one behind the other before one line.
const LIMIT_LAYERS: usize = 3;
/// A line as a format reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part<'a> {
    /// What the other program printed, with its indentation.
    rest: &'a str,
    /// Who printed it.
    source: Option<&'a str>,
    /// The host, where the format has one.
    node: Option<&'a str>,
    /// When, as tcpdump would print it.
    time: Option<&'a str>,
}

impl<'a> Part<'a> {
    const fn of(rest: &'a str) -> Self {
        Self { rest, source: None, node: None, time: None }
    }
}

/// What a format's names of sources are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Names {
    /// It has none.
    None,
    /// Each line has its number: prompts and what commands print are numbered too.
    Numbers,
    /// No person writes such names: each is a place where packets were seen.
    Places,
    /// People write such words too, of a packet's sender or its number.
    Words,
}

/// One program's way to write lines of another.
struct Format {
    find: for<'a> fn(&'a str) -> Option<Part<'a>>,
    names: Names,
}

/// All that are known; those that say more of a line come first.
const FORMATS: [Format; 16] = [
    // `kubectl logs --prefix`: kubernetes/kubectl, pkg/cmd/logs, `addPrefixIfNeeded`.
    Format { find: containers::find_kubectl, names: Names::Places },
    // Files of the kubelet: kubernetes, design proposal kubelet-cri-logging.
    Format { find: containers::find_cri, names: Names::None },
    // RFC 3164 section 4.1, rsyslog's RSYSLOG_FileFormat, journalctl(1) `-o short*`.
    Format { find: syslog::find_syslog, names: Names::Places },
    // RFC 5424 section 6.
    Format { find: syslog::find_protocol, names: Names::Places },
    // `docker logs -t`, `kubectl logs --timestamps`, ts(1), logs of terminals.
    Format { find: times::find_time, names: Names::None },
    // `docker compose logs`: docker/compose, cmd/formatter/logs.go.
    Format { find: containers::find_compose, names: Names::Words },
    // grep(1) `-H` of files whose names have no dot: before hosts, which a space follows.
    Format { find: shell::find_file, names: Names::Words },
    // pssh -P, pdsh(1), clush(1).
    Format { find: shell::find_host, names: Names::Words },
    // grep(1) `-n`, `-H`, and the lines around a match.
    Format { find: shell::find_grep, names: Names::Places },
    // cat(1) -n, nl(1), numbers of editors.
    Format { find: shell::find_number, names: Names::Numbers },
    // Cisco's `show capture`.
    Format { find: shell::find_count, names: Names::None },
    // stern: README, "templates".
    Format { find: containers::find_stern, names: Names::Words },
    Format { find: containers::find_stern_all, names: Names::Words },
    Format { find: people::find_item, names: Names::None },
    Format { find: people::find_cell, names: Names::None },
    Format { find: people::find_mark, names: Names::None },
];

/// The formats that stand before the lines of a run, outermost first.
#[derive(Clone, Default)]
pub(super) struct Layers(Vec<&'static Format>);

/// A line without what collectors wrote before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Explained<'a> {
    pub text: &'a str,
    /// When a collector took it, as tcpdump would print it.
    pub time: Option<&'a str>,
    /// The line's source; empty where the formats have none.
    pub source: String,
    pub node: Option<&'a str>,
}

impl Layers {
    /// The formats that leave a packet of this line, or tcpdump's first words, or an entry
    /// of connection tracking; `None` where nothing stands before it, or none explains it.
    pub fn find(text: &str) -> Option<Self> {
        (!is_printed(text)).then(|| Self::find_below(text, LIMIT_LAYERS)).flatten()
    }

    fn find_below(text: &str, layers: usize) -> Option<Self> {
        FORMATS.iter().find_map(|format| {
            let part = (format.find)(text)?;
            let is_numbered = || format.names == Names::Numbers && is_sure_prompt(part.rest);
            if is_printed(part.rest) || is_numbered() {
                return Some(Self(vec![format]));
            }
            let mut below = Self::find_below(part.rest, layers.checked_sub(1).filter(|n| *n > 0)?)?;
            below.0.insert(0, format);
            Some(below)
        })
    }

    /// The line without them; `None` where one of them does not stand there.
    pub fn explain<'a>(&self, text: &'a str) -> Option<Explained<'a>> {
        let (mut rest, mut source, mut node, mut time) = (text, String::new(), None, None);
        for format in &self.0 {
            let part = (format.find)(rest)?;
            rest = part.rest;
            if let Some(name) = part.source {
                source.push_str(name);
                source.push(' ');
            }
            node = part.node.or(node);
            time = part.time.or(time);
        }
        Some(Explained { text: without_quotes(rest), time, source, node })
    }

    /// Whether lines of other programs, and of people, hardly look like it: one line is
    /// enough to choose them.
    pub fn are_sure(&self) -> bool {
        self.names() < Names::Words
    }

    /// What the names of sources are.
    pub fn names(&self) -> Names {
        self.0.iter().map(|format| format.names).max().unwrap_or(Names::None)
    }
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Layers({})", self.0.len())
    }
}

/// A packet with the collector's time, where `tcpdump -t` printed none of its own.
pub(super) fn add_time<'a>(text: &'a str, time: Option<&str>) -> Cow<'a, str> {
    let beginning = head(text, LIMIT_HEAD_BYTES);
    let lacks_time = !text.starts_with(char::is_whitespace)
        && is_untimed_packet_line(beginning)
        && !is_timed_packet(beginning);
    match time.filter(|_| lacks_time) {
        Some(time) => Cow::Owned(format!("{time} {text}")),
        None => Cow::Borrowed(text),
    }
}

/// Whether a text begins with what tcpdump, conntrack or Cilium printed.
pub(super) fn is_printed(text: &str) -> bool {
    is_packet(text)
        || is_event_line(text)
        || find_announcement(text).is_some()
        || begins_table(without_quotes(text.trim()))
}

/// Whether a text begins with a shell's prompt, with its mark: a list of commands, such as
/// `history` prints, has none.
pub(super) fn is_sure_prompt(text: &str) -> bool {
    find_prompt(text).is_some_and(|prompt| {
        prompt.names_user || text.starts_with(['$', '#', '%', '[']) && !prompt.command.is_empty()
    })
}

/// Whether a text begins with a packet.
pub(super) fn is_packet(text: &str) -> bool {
    let beginning = without_quotes(head(text, LIMIT_HEAD_BYTES));
    is_timed_packet(beginning) || is_untimed_packet_line(beginning) || looks_like_row(beginning)
}

/// Without the quotes that people put around code.
fn without_quotes(text: &str) -> &str {
    match text.strip_prefix('`') {
        Some(rest) => rest.trim_matches('`'),
        None => text,
    }
}

/// The first word, where all its characters are such, and what follows on it.
fn split_word(text: &str, is_such: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !is_such(byte)).filter(|end| *end > 0)?;
    text.split_at_checked(end)
}

#[cfg(test)]
mod tests;
