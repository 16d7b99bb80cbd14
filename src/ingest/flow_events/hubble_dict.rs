//! `hubble observe -o dict`: one event in several lines, which name their values.
//!
//! ```text
//!   TIMESTAMP: Jan  6 13:41:22.025
//!        NODE: node1
//!      SOURCE: default/a:5000
//! DESTINATION: 192.0.2.1:69
//!        TYPE: to-endpoint
//!     VERDICT: FORWARDED
//!     SUMMARY: UDP
//! ------------
//! ```

use super::event::{FlowEvent, Party};
use super::hubble_line::{event, find_verdict, split_stamp};
use crate::ingest::tcpdump_text::Stamp;

/// What stands between two events.
const SEPARATOR: &str = "------------";

/// An event while its lines come in.
#[derive(Debug, Default)]
pub(super) struct DictEvent {
    line: u64,
    stamp: Option<Stamp>,
    source: String,
    destination: String,
    kind: String,
    verdict: String,
}

/// What a line of it means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DictLine {
    /// The event goes on, or there is none.
    More,
    /// The event that began at this line.
    Event(u64, Box<FlowEvent>),
    /// So many events were lost.
    Lost(u64),
    /// What began at this line is none: why.
    Fault(u64, String),
}

/// Whether an event begins with this line.
pub(super) fn begins_dict(text: &str) -> bool {
    find_value(text)
        .is_some_and(|(key, value)| key == "TIMESTAMP" && split_stamp(value).0.is_some())
}

impl DictEvent {
    /// Takes the next line; `None` where it is not one of these.
    pub fn push(&mut self, line: u64, text: &str) -> Option<DictLine> {
        if text.trim() == SEPARATOR {
            return Some(DictLine::More);
        }
        let (key, value) = find_value(text)?;
        let kept = match key {
            "TIMESTAMP" => {
                *self = Self { line, stamp: split_stamp(value).0, ..Self::default() };
                return Some(DictLine::More);
            }
            "NODE" => return Some(DictLine::More),
            "SOURCE" => &mut self.source,
            "DESTINATION" => &mut self.destination,
            "TYPE" => &mut self.kind,
            "VERDICT" => &mut self.verdict,
            "SUMMARY" => return Some(std::mem::take(self).end(value)),
            _ => return None,
        };
        value.clone_into(kept);
        Some(DictLine::More)
    }

    fn end(self, summary: &str) -> DictLine {
        if self.kind == "EVENTS LOST" {
            // `CPU(0) - 12`
            let lost = summary.rsplit(' ').next().and_then(|count| count.parse().ok());
            return lost.map_or(DictLine::More, DictLine::Lost);
        }
        let (source, destination) = (Party::find(&self.source), Party::find(&self.destination));
        let (Some(source), Some(destination)) = (source, destination) else {
            let message = format!(
                "expected ends as ADDRESS:PORT or NAME:PORT, found '{}' and '{}'",
                self.source, self.destination
            );
            return DictLine::Fault(self.line, message);
        };
        let Some(fate) = find_verdict(&self.verdict) else {
            let message = format!("'{}' is not a verdict of Hubble", self.verdict);
            return DictLine::Fault(self.line, message);
        };
        let event = event(self.stamp, source, destination, &self.kind, fate, summary, None);
        DictLine::Event(self.line, Box::new(event))
    }
}

/// `DESTINATION: 192.0.2.1:69`: the name in capitals, and what is behind it.
fn find_value(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.trim().split_once(':')?;
    let is_key = key.len() >= 4 && key.bytes().all(|byte| byte.is_ascii_uppercase());
    is_key.then(|| (key, value.trim()))
}
