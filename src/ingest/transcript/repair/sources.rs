//! Lines of several sources in one text, as `kubectl logs --prefix`, stern, pdsh and
//! `grep -H` mix them: each source's lines are a capture of their own.

use super::{Line, Repaired};
use crate::model::input::{Fault, Place};

/// Sources of one text; lines of more are left out.
const LIMIT_SOURCES: usize = 33;
/// Bytes of lines that wait for the first source's end; what comes then is left out.
const LIMIT_BYTES: usize = 16 * 1_024 * 1_024;
/// Senders that are known of one source.
const LIMIT_SENDERS: usize = 4;

/// The sources of a run, and the lines that wait while the first one's are read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: Vec<Source>,
    /// In order, with the index of its source.
    waiting: Vec<(usize, Line)>,
    waiting_bytes: usize,
    /// The names are words, and nothing shows yet that they are of places.
    is_doubtful: bool,
    /// A line did not fit: no later one may, or a source would have a hole.
    is_full: bool,
    is_told: bool,
}

#[derive(Debug)]
struct Source {
    name: String,
    /// Who sent its packets.
    senders: Vec<String>,
    packets: u64,
    /// Lines that were left out.
    lost: u64,
}

impl Sources {
    /// Whether no line of any came.
    pub const fn are_none(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether lines of that name came before.
    pub fn knows(&self, name: &str) -> bool {
        self.known.iter().any(|source| source.name == name)
    }

    /// Takes a line of a source: hands it out, or lets it wait. `is_word` says that people
    /// write such names too, of who sent a packet, or to count packets.
    pub fn take(&mut self, name: &str, is_word: bool, line: Line, out: &mut dyn FnMut(Repaired)) {
        let known = self.known.iter().position(|source| source.name == name);
        let at = match known {
            Some(at) => at,
            None if self.known.len() < LIMIT_SOURCES => {
                self.is_doubtful = is_word && (self.known.is_empty() || self.is_doubtful);
                let name = name.to_owned();
                self.known.push(Source { name, senders: Vec::new(), packets: 0, lost: 0 });
                self.known.len() - 1
            }
            None => return self.leave_out(None, line.number, out),
        };
        if let Some(source) = self.known.get_mut(at) {
            source.note(&line.text);
        }
        if self.is_doubtful && self.are_places() {
            self.is_doubtful = false;
            self.hand_out_first(out);
        }
        if at == 0 && !self.is_doubtful {
            out(Repaired::Line(line));
            return;
        }
        let cost = line.text.len().saturating_add(size_of::<(usize, Line)>());
        self.is_full |= self.waiting_bytes.saturating_add(cost) > LIMIT_BYTES;
        if self.is_full {
            return self.leave_out(Some(at), line.number, out);
        }
        self.waiting_bytes += cost;
        self.waiting.push((at, line));
    }

    /// Whether the names are of places where packets were seen: under one of them are packets
    /// of two senders, or one sender's are under two of them. Names of senders, and such as
    /// come once each (`pkt1: `, `pkt2: `), are none.
    fn are_places(&self) -> bool {
        /// So many packets in succession have no other name: nobody writes it so often.
        const MANY: u64 = 16;
        if let [only] = &self.known[..]
            && only.packets > MANY
        {
            return true;
        }
        let comes_again = self.known.iter().any(|source| source.packets > 1);
        let has_two = self.known.iter().any(|source| source.senders.len() > 1);
        let shares = |at: usize, source: &Source| {
            self.known
                .iter()
                .skip(at + 1)
                .any(|other| other.senders.iter().any(|sender| source.senders.contains(sender)))
        };
        comes_again
            && (has_two || self.known.iter().enumerate().any(|(at, source)| shares(at, source)))
    }

    /// Hands out the lines of the first source that waited in vain.
    fn hand_out_first(&mut self, out: &mut dyn FnMut(Repaired)) {
        for (at, line) in std::mem::take(&mut self.waiting) {
            if at == 0 {
                self.waiting_bytes -= line.text.len() + size_of::<(usize, Line)>();
                out(Repaired::Line(line));
            } else {
                self.waiting.push((at, line));
            }
        }
    }

    /// What is left out is told once, and counted against what else is not seen.
    fn leave_out(&mut self, at: Option<usize>, number: u64, out: &mut dyn FnMut(Repaired)) {
        match at.and_then(|at| self.known.get_mut(at)) {
            Some(source) => source.lost = source.lost.saturating_add(1),
            None => out(Repaired::Unread { packets: 1, fault: None }),
        }
        if !std::mem::replace(&mut self.is_told, true) {
            let message = format!(
                "lines of more than {LIMIT_SOURCES} sources, or more than {} MiB of them, are mixed here: those that find no room are left out, from here on; give each source's lines as a text of its own",
                LIMIT_BYTES >> 20
            );
            out(Repaired::Fault(Fault { place: Place::Line(number), message }));
        }
    }

    /// Hands out all that waits: the run is over.
    pub fn flush(&mut self, out: &mut dyn FnMut(Repaired)) {
        let Self { known, waiting, is_doubtful, .. } = std::mem::take(self);
        let is_one = matches!(&known[..], [only] if only.packets > 1);
        let mut parts: Vec<Vec<Line>> = known.iter().map(|_| Vec::new()).collect();
        for (at, mut line) in waiting {
            let at = if is_doubtful { 0 } else { at };
            line.node = line.node.filter(|_| is_one || !is_doubtful);
            if let Some(part) = parts.get_mut(at) {
                part.push(line);
            }
        }
        for (at, (source, lines)) in known.iter().zip(parts).enumerate() {
            if at > 0 && !lines.is_empty() {
                out(Repaired::NextSource);
            }
            for line in lines {
                out(Repaired::Line(line));
            }
            if source.lost > 0 {
                out(Repaired::Unread { packets: source.lost, fault: None });
            }
        }
    }
}

impl Source {
    fn note(&mut self, text: &str) {
        let Some(sender) = find_sender(text) else { return };
        self.packets = self.packets.saturating_add(1);
        if self.senders.len() < LIMIT_SENDERS && !self.senders.iter().any(|known| known == sender) {
            self.senders.push(sender.to_owned());
        }
    }
}

/// The address, or its name, from which a line's packet comes.
fn find_sender(text: &str) -> Option<&str> {
    let (before, _) = text.split_once(" > ")?;
    let source = before.rsplit(' ').next()?;
    let dots = source.bytes().filter(|byte| *byte == b'.').count();
    // `192.0.2.9` of an ICMP error has no port.
    let has_port = dots == 4 || (dots > 0 && source.contains(':'));
    let host = if has_port { source.rsplit_once('.')?.0 } else { source };
    host.contains(['.', ':']).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIES: [[&str; 2]; 2] = [
        [
            "07:29:48.1 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4",
            "07:29:48.2 IP 192.0.2.2.69 > 192.0.2.1.5: UDP, length 4",
        ],
        [
            "07:29:48.1 IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4",
            "07:29:48.2 IP6 2001:db8::2.69 > 2001:db8::1.5: UDP, length 4",
        ],
    ];

    /// What comes out: a line's number, `|` between sources, `!` for what is unread.
    fn outline(lines: &[(&str, &str)], is_word: bool) -> String {
        let (mut sources, mut outline) = (Sources::default(), String::new());
        let mut note = |done| match done {
            Repaired::Line(line) => outline.push_str(&line.number.to_string()),
            Repaired::NextSource => outline.push('|'),
            Repaired::Unread { .. } => outline.push('!'),
            Repaired::Fault(_) | Repaired::OtherProgram(_) => outline.push('?'),
        };
        for (number, (name, text)) in (1..).zip(lines) {
            let line = Line { number, text: (*text).to_owned(), node: None };
            sources.take(name, is_word, line, &mut note);
        }
        sources.flush(&mut note);
        outline
    }

    #[test]
    fn places_are_told_from_senders_and_numbers() {
        for [asks, answers] in FAMILIES {
            let mixed = [("a", asks), ("b", asks), ("a", answers), ("b", answers)];
            assert_eq!(outline(&mixed, false), "13|24");
            assert_eq!(outline(&mixed, true), "13|24");
            let senders = [("client", asks), ("server", answers), ("client", asks)];
            assert_eq!(outline(&senders, true), "123");
            assert_eq!(outline(&senders, false), "13|2");
            let numbers = [("pkt1", asks), ("pkt2", answers), ("pkt3", asks)];
            assert_eq!(outline(&numbers, true), "123");
            // Two places that see one direction only.
            let one_way = [("a", asks), ("b", asks), ("a", asks), ("b", asks)];
            assert_eq!(outline(&one_way, true), "13|24");
        }
    }

    #[test]
    fn what_finds_no_room_joins_no_other_source() {
        for [asks, _] in FAMILIES {
            let names: Vec<String> = (0..=LIMIT_SOURCES).map(|at| format!("pod-{at}")).collect();
            let lines: Vec<(&str, &str)> = names.iter().map(|name| (&**name, asks)).collect();
            let outline = outline(&lines, false);
            assert_eq!(outline.matches('|').count(), LIMIT_SOURCES - 1);
            assert!(outline.starts_with("1!?|2|3"), "{outline}");
        }
    }

    #[test]
    fn a_source_for_which_there_is_no_room_has_no_hole() {
        let half = "x".repeat(LIMIT_BYTES / 2);
        let lines = [("a", "x"), ("b", &*half), ("b", &*half), ("b", "x"), ("a", "x")];
        assert_eq!(outline(&lines, false), "1?5|2!");
    }
}
