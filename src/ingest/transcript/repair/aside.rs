//! Lines of several sources in one text, as `kubectl logs --prefix`, stern, pssh and
//! `grep -H` mix them: each source's stay together.

use std::collections::VecDeque;

use super::broken::Broken;
use super::{Line, Repaired};
use crate::model::input::{self, Fault};

/// Sources that wait while one is read; lines of more are left out.
const LIMIT_SOURCES: usize = 32;
/// Bytes of lines that wait for the first source's end; what comes then is left out.
const LIMIT_BYTES: usize = 16 * 1_024 * 1_024;

/// What becomes of a line of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Its source is the one that is read.
    Read,
    Waits,
    /// There is no room; the first such line is told.
    LeftOut(Option<Fault>),
}

/// Lines that wait while those of another source are read.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// The source that is read.
    current: Option<String>,
    waiting: VecDeque<(String, Vec<Line>)>,
    bytes: usize,
    /// A line did not fit: no later one may, or a source would have a hole.
    is_full: bool,
    is_told: bool,
}

impl Aside {
    /// Takes a line of a source; says whether it has to wait.
    pub fn take(&mut self, label: &str, number: u64, text: &str, node: Option<&str>) -> Place {
        let current = self.current.get_or_insert_with(|| label.to_owned());
        let cost = text.len().saturating_add(size_of::<Line>());
        if current == label {
            return Place::Read;
        }
        self.is_full |= self.bytes.saturating_add(cost) > LIMIT_BYTES;
        if self.is_full {
            return self.leave_out(number);
        }
        let known = self.waiting.iter().position(|(known, _)| known == label);
        let place = known.or_else(|| {
            (self.waiting.len() < LIMIT_SOURCES).then(|| {
                self.waiting.push_back((label.to_owned(), Vec::new()));
                self.waiting.len() - 1
            })
        });
        let Some((_, lines)) = place.and_then(|place| self.waiting.get_mut(place)) else {
            return self.leave_out(number);
        };
        self.bytes += cost;
        lines.push(Line { number, text: text.to_owned(), node: node.map(str::to_owned) });
        Place::Waits
    }

    fn leave_out(&mut self, number: u64) -> Place {
        let is_first = !std::mem::replace(&mut self.is_told, true);
        Place::LeftOut(is_first.then(|| {
            let message = format!(
                "lines of more than {} sources, or more than {} MiB of them, are mixed here: those that find no room are left out, from here on; give each source's lines as a text of its own",
                LIMIT_SOURCES + 1,
                LIMIT_BYTES >> 20
            );
            Fault { place: input::Place::Line(number), message }
        }))
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
        self.is_full = false;
        for (_, lines) in std::mem::take(&mut self.waiting) {
            out(Repaired::NextSource);
            for line in lines {
                broken.push(line, out);
            }
            broken.finish(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_joins_no_other_source() {
        let mut aside = Aside::default();
        let packets = ["IP 192.0.2.1.5 > 192.0.2.2.69: x", "IP6 2001:db8::1.5 > 2001:db8::2.69: x"];
        for (number, packet) in (0..).zip(packets) {
            assert_eq!(aside.take("pod-0 ", number, packet, None), Place::Read);
            for source in 1..=LIMIT_SOURCES {
                let label = format!("pod-{source} ");
                assert_eq!(aside.take(&label, number, packet, None), Place::Waits);
            }
        }
        let first = aside.take("pod-x ", 9, packets[0], None);
        assert!(matches!(first, Place::LeftOut(Some(_))), "{first:?}");
        assert_eq!(aside.take("pod-y ", 10, packets[1], None), Place::LeftOut(None));
    }

    #[test]
    fn a_source_for_which_there_is_no_room_has_no_hole() {
        let mut aside = Aside::default();
        assert_eq!(aside.take("a-0 ", 1, "x", None), Place::Read);
        let half = "x".repeat(LIMIT_BYTES / 2);
        assert_eq!(aside.take("b-0 ", 2, &half, None), Place::Waits);
        assert!(matches!(aside.take("b-0 ", 3, &half, None), Place::LeftOut(Some(_))));
        assert_eq!(aside.take("b-0 ", 4, "x", None), Place::LeftOut(None));
        assert_eq!(aside.take("a-0 ", 5, "x", None), Place::Read);
    }
}
