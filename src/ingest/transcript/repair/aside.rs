//! Lines of several sources in one text, as `kubectl logs --prefix`, stern, pssh and
//! `grep -H` mix them: each source's stay together.

use std::collections::VecDeque;

use super::broken::Broken;
use super::{Line, Repaired};

/// Sources that are told apart; more share the last.
const LIMIT_SOURCES: usize = 32;
/// Bytes of lines that wait for the first source's end.
const LIMIT_BYTES: usize = 16 * 1_024 * 1_024;

/// Lines that wait while those of another source are read.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// The source that is read.
    current: Option<String>,
    waiting: VecDeque<(String, Vec<Line>)>,
    bytes: usize,
}

impl Aside {
    /// Takes a line of a source; says whether it has to wait.
    pub fn takes(&mut self, label: &str, number: u64, text: &str, node: Option<&str>) -> bool {
        let current = self.current.get_or_insert_with(|| label.to_owned());
        let cost = text.len().saturating_add(size_of::<Line>());
        if current == label || self.bytes.saturating_add(cost) > LIMIT_BYTES {
            return false;
        }
        let known = self.waiting.iter().position(|(known, _)| known == label);
        let place = known.or_else(|| {
            (self.waiting.len() < LIMIT_SOURCES).then(|| {
                self.waiting.push_back((label.to_owned(), Vec::new()));
                self.waiting.len() - 1
            })
        });
        let Some((_, lines)) = place.and_then(|place| self.waiting.get_mut(place)) else {
            return false;
        };
        self.bytes += cost;
        lines.push(Line { number, text: text.to_owned(), node: node.map(str::to_owned) });
        true
    }

    /// Hands out what waits before a line of no source, unless it is blank: a prompt or
    /// prose follows, to which the lines do not belong.
    pub fn flush_at(&mut self, text: &str, broken: &mut Broken, out: &mut dyn FnMut(Repaired)) {
        if self.current.is_some() && !text.trim().is_empty() {
            broken.finish(out);
            self.flush(broken, out);
        }
    }

    /// Hands out all that waits.
    pub fn flush(&mut self, broken: &mut Broken, out: &mut dyn FnMut(Repaired)) {
        self.current = None;
        self.bytes = 0;
        for (_, lines) in std::mem::take(&mut self.waiting) {
            out(Repaired::NextSource);
            for line in lines {
                broken.push(line, out);
            }
            broken.finish(out);
        }
    }
}
