//! Whether a packet behind prose is one of the run before it, seen at another point.

use crate::ingest::tcpdump_text::find_stamp;

/// The last packets of a run, by their lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LastPackets {
    lines: [String; 4],
    next: usize,
}

impl LastPackets {
    /// Notes a line of the run.
    pub fn note(&mut self, text: &str) {
        // Lines below a packet are indented.
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return;
        }
        if let Some(line) = self.lines.get_mut(self.next) {
            line.clear();
            line.push_str(text);
        }
        self.next = (self.next + 1) % self.lines.len();
    }

    /// Whether a line tells of the same datagram as one of them, seen at another point: it is
    /// its copy, or what translation made of it, before anybody repeats a packet.
    pub fn hold_copy_of(&self, text: &str) -> bool {
        let Some(packet) = Told::find(text) else { return false };
        self.lines.iter().filter_map(|line| Told::find(line)).any(|last| packet.is_copy_of(&last))
    }
}

/// What a packet's line tells.
struct Told<'a> {
    at_ns: i64,
    source: &'a str,
    destination: &'a str,
    summary: &'a str,
}

impl<'a> Told<'a> {
    fn find(text: &'a str) -> Option<Self> {
        let (stamp, rest) = find_stamp(text)?;
        let (source, rest) = rest.split_once(" > ")?;
        let (destination, summary) = rest.split_once(": ")?;
        let source = source.rsplit(' ').next()?;
        Some(Self { at_ns: stamp.value.nanoseconds(), source, destination, summary })
    }

    fn is_copy_of(&self, last: &Self) -> bool {
        /// Nobody who waits for an answer repeats a packet so soon: RFC 8085 section 3.1.1
        /// asks for a second.
        const SOON_NS: i64 = 10_000_000;
        /// All blocks of a transfer look like the first, and messages of one burst like each
        /// other, which nobody answers (RFC 5426 section 3.1) and nobody sends again.
        const ALIKE: [&str; 3] = ["UDP, length ", "SYSLOG ", "sFlow"];
        let is_soon = (0..=SOON_NS).contains(&self.at_ns.saturating_sub(last.at_ns));
        let (from, to) = (self.source == last.source, self.destination == last.destination);
        let is_copy = match (from, to) {
            (true, true) => !ALIKE.iter().any(|lead| self.summary.starts_with(lead)),
            (true, false) => is_translated(self.destination, last.destination),
            (false, true) => is_translated(self.source, last.source),
            (false, false) => false,
        };
        is_soon && is_copy && self.summary == last.summary
    }
}

/// Whether two ends have different addresses and the same port.
fn is_translated(one: &str, other: &str) -> bool {
    let port = |end: &str| end.rsplit_once('.').map(|(_, port)| port.to_owned());
    port(one).is_some_and(|of_one| port(other) == Some(of_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_datagram_elsewhere_is_told_from_the_next() {
        let families = [
            ("IP 192.0.2.9.5", "192.0.2.21", "198.51.100.7"),
            ("IP6 2001:db8::9.5", "2001:db8::21", "2001:db8:1::7"),
        ];
        for (from, to, other) in families {
            let asked =
                |at: &str, to: &str| format!("07:29:48.{at} {from} > {to}.53: 7+ A? a. (20)");
            let block =
                |at: &str, to: &str| format!("07:29:48.{at} {from} > {to}.69: UDP, length 516");
            let log = |at: &str, to: &str| {
                format!("07:29:48.{at} {from} > {to}.514: SYSLOG local0.info, length: 54")
            };
            let cases = [
                ("a burst", log("000100", to), log("002100", to), false),
                ("a translated message", log("000100", to), log("000350", other), true),
                ("a copy", asked("000100", to), asked("000350", to), true),
                ("asked again", asked("000100", to), asked("900100", to), false),
                ("translated", block("000100", to), block("000350", other), true),
                ("the next block", block("000100", to), block("000350", to), false),
                ("another packet", asked("000100", to), block("000350", to), false),
            ];
            for (name, first, second, expected) in cases {
                let mut last = LastPackets::default();
                last.note(&first);
                assert_eq!(last.hold_copy_of(&second), expected, "{name}: {second}");
            }
        }
    }
}
