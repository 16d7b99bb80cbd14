//! Runs of tcpdump with comments between their packets, as people write them into
//! forum posts and issues.

use super::bare::find_bare;
use super::section::Section;
use crate::ingest::tcpdump_text::{Resumption, find_stamp};

const SPLITS: &str = "stands between two packets and is none: what is before and behind it is taken for two captures; if it is the rest of a line, paste the lines unbroken";

/// A run behind which prose came.
pub(super) struct Paused {
    section: Section,
    /// The first line of the prose, counted from 1.
    line: u64,
    lines: u32,
    /// The prose says where what follows was captured.
    names_place: bool,
}

impl Paused {
    /// Pauses a run at a line that is none of its own.
    ///
    /// # Errors
    ///
    /// The section itself, where something else begins with the line, or the run is over.
    pub fn find(section: Section, line: u64, text: &str) -> Result<Self, Section> {
        let is_open = match &section {
            Section::Run { run, state } => run.has_packets() && !state.has_ended,
            _ => false,
        };
        if !is_open || find_bare(text).is_some() {
            return Err(section);
        }
        Ok(Self { section, line, lines: 1, names_place: names_place(text) })
    }

    /// The first line that was none of the run's.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Takes a further line of prose.
    pub fn note(&mut self, text: &str) {
        self.lines = self.lines.saturating_add(1);
        self.names_place |= names_place(text);
    }

    /// Whether the run goes on with a packet.
    pub fn may_resume(&self, text: &str) -> bool {
        let is_copied = match &self.section {
            Section::Run { state, .. } => state.last.hold_copy_of(text),
            _ => false,
        };
        self.resumption(text) == Some(Resumption::Later) && !self.names_place && !is_copied
    }

    /// What to say where a packet of the same run is taken for one of another.
    pub fn find_complaint(&self, text: &str) -> Option<&'static str> {
        let may_be_same = match self.resumption(text)? {
            Resumption::Later | Resumption::Elsewhere => false,
            Resumption::Unknown => true,
        };
        (may_be_same && self.lines == 1 && !self.names_place).then_some(SPLITS)
    }

    fn resumption(&self, text: &str) -> Option<Resumption> {
        match &self.section {
            Section::Run { run, .. } => Some(run.find_resumption(text)),
            _ => None,
        }
    }

    /// The run.
    pub const fn section(&self) -> &Section {
        &self.section
    }

    pub fn into_section(self) -> Section {
        self.section
    }
}

/// Whether a line is the heading of a capture: short, or marked as one, it names a place and
/// says nothing of a packet. `In the pod (eth0):`, `**Host:**`, `then on node3`.
pub(super) fn names_place(text: &str) -> bool {
    /// Without a colon behind it, or marks around it, a heading is not longer.
    const PLAIN_WORDS: usize = 3;
    const MARKED_WORDS: usize = 6;
    /// Capture, container, host, node, interface.
    const CHINESE: [&str; 5] = ["抓包", "容器", "主机", "节点", "网卡"];
    if CHINESE.iter().any(|place| text.contains(place)) {
        return true;
    }
    let trimmed = text.trim();
    let is_marked = trimmed.trim_end_matches(['*', '_', '#', '=', ' ']).ends_with(':')
        || trimmed.starts_with(['#', '=', '*']);
    let lower = trimmed.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.take(MARKED_WORDS + 1).collect();
    words.len() <= if is_marked { MARKED_WORDS } else { PLAIN_WORDS }
        && words.iter().any(|word| is_place(word))
        && !words.iter().any(|word| is_of_packet(word))
}

/// Whether a word is said of a packet and its sender.
fn is_of_packet(word: &str) -> bool {
    const STEMS: [&str; 18] = [
        "request", "repl", "answer", "respon", "send", "sent", "ask", "retr", "ack", "data",
        "error", "get", "icmp", "reject", "refus", "address", "port", "packet",
    ];
    word == "ip" || STEMS.iter().any(|stem| word.starts_with(stem))
}

/// Whether a word names where one captures: a kind of place, alone or with a number, or an
/// interface.
fn is_place(word: &str) -> bool {
    const PLACES: [&str; 18] = [
        "pod",
        "container",
        "host",
        "node",
        "worker",
        "master",
        "interface",
        "bridge",
        "switch",
        "router",
        "firewall",
        "device",
        "vm",
        "machine",
        "uplink",
        "namespace",
        "server",
        "client",
    ];
    const INTERFACES: [&str; 10] =
        ["eth", "ens", "eno", "enp", "cali", "veth", "cni", "bond", "docker", "flannel"];
    let is_interface = INTERFACES.iter().any(|lead| {
        word.strip_prefix(lead).is_some_and(|rest| rest.contains(|c: char| c.is_ascii_digit()))
    });
    PLACES.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())) || is_interface
}

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
    fn hold_copy_of(&self, text: &str) -> bool {
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
        /// Nobody repeats a packet so soon: RFC 8085 section 3.1.1 asks for a second.
        const SOON_NS: i64 = 10_000_000;
        /// All blocks of a transfer look like this.
        const PLAIN: &str = "UDP, length ";
        let is_soon = (0..=SOON_NS).contains(&self.at_ns.saturating_sub(last.at_ns));
        let (from, to) = (self.source == last.source, self.destination == last.destination);
        let is_copy = match (from, to) {
            (true, true) => !self.summary.starts_with(PLAIN),
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
        let asked =
            |at: &str, to: &str| format!("07:29:48.{at} IP 192.0.2.9.5 > {to}.53: 7+ A? a. (20)");
        let block = |at: &str, to: &str| {
            format!("07:29:48.{at} IP 192.0.2.9.5 > {to}.4000: UDP, length 516")
        };
        let asked6 = |at: &str, to: &str| {
            format!("07:29:48.{at} IP6 2001:db8::9.5 > {to}.53: 7+ A? a. (20)")
        };
        let block6 = |at: &str, to: &str| {
            format!("07:29:48.{at} IP6 2001:db8::9.5 > {to}.4000: UDP, length 516")
        };
        let cases = [
            ("a copy", asked("000100", "192.0.2.21"), asked("000350", "192.0.2.21"), true),
            ("asked again", asked("000100", "192.0.2.21"), asked("900100", "192.0.2.21"), false),
            ("translated", block("000100", "192.0.2.21"), block("000350", "198.51.100.7"), true),
            ("the next block", block("000100", "192.0.2.21"), block("000350", "192.0.2.21"), false),
            ("another packet", asked("000100", "192.0.2.21"), block("000350", "192.0.2.21"), false),
            ("a copy", asked6("000100", "2001:db8::21"), asked6("000350", "2001:db8::21"), true),
            (
                "asked again",
                asked6("000100", "2001:db8::21"),
                asked6("900100", "2001:db8::21"),
                false,
            ),
            (
                "translated",
                block6("000100", "2001:db8::21"),
                block6("000350", "2001:db8:1::7"),
                true,
            ),
            (
                "the next block",
                block6("000100", "2001:db8::21"),
                block6("000350", "2001:db8::21"),
                false,
            ),
            (
                "another packet",
                asked6("000100", "2001:db8::21"),
                block6("000350", "2001:db8::21"),
                false,
            ),
        ];
        for (name, first, second, expected) in cases {
            let mut last = LastPackets::default();
            last.note(&first);
            assert_eq!(last.hold_copy_of(&second), expected, "{name}: {second}");
        }
    }

    #[test]
    fn places_are_told_from_what_happens_there() {
        let cases = [
            ("then in the pod", false),
            ("then the client waits", false),
            ("On the host (ens3):", true),
            ("In the pod (eth0):", true),
            ("Inside the tftp container:", true),
            ("Capture from the pod:", true),
            ("on node3", true),
            ("Pod eth0:", true),
            ("node3:", true),
            ("## Host", true),
            ("### Pod", true),
            ("**Host:**", true),
            ("__Server__:", true),
            ("=== Switch ===", true),
            ("Pod side", true),
            ("Pod-side capture:", true),
            ("Master node", true),
            ("Auf dem Host:", true),
            ("Auf dem Server:", true),
            ("Server reply:", false),
            ("# client request", false),
            ("node address!", false),
            ("在主机网卡上抓包", true),
            ("Server answers from the node address (!!):", false),
            ("# reply from node ip", false),
            ("# follow up to vip", false),
            ("Client sends the request:", false),
            ("Client replies to VIP:", false),
            ("and gets", false),
            ("// icmp", false),
            ("^^^^^ wrong source", false),
            ("(more packets)", false),
            ("{noformat}", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(names_place(text), expected, "{text}");
        }
    }
}
