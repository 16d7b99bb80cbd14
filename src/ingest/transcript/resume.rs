//! Runs of tcpdump with comments between their packets, as people write them into
//! forum posts and issues.

use super::bare::find_bare;
use super::section::Section;
use crate::ingest::tcpdump_text::Resumption;

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
        self.resumption(text) == Some(Resumption::Later) && !self.names_place
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

    pub fn into_section(self) -> Section {
        self.section
    }
}

/// Whether a line says where a capture was taken: `then in the pod`, `On node3:`,
/// `Pod (eth0):`, `**Host:**`, `Auf dem Host`, `在主机网卡上抓包`.
pub(super) fn names_place(text: &str) -> bool {
    /// Words between a preposition and the place: `on the other node`.
    const REACH: usize = 4;
    /// A heading is not longer.
    const HEADING: usize = 3;
    const CHINESE: [&str; 8] = ["容器", "主机", "节点", "网卡", "抓包", "设备", "宿主机", "交换机"];
    if CHINESE.iter().any(|place| text.contains(place)) {
        return true;
    }
    let lower = text.to_lowercase();
    let is_break = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '/' | '-');
    let words: Vec<&str> = lower
        .split(is_break)
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    // `Pod`, `Master node`, `Host-side capture`; `server reply` is said of a packet.
    let is_heading = words.len() <= HEADING
        && words.iter().any(|word| is_place(word))
        && !words.iter().any(|word| is_of_packet(word));
    let is_marked = text.trim_start().starts_with("# ") || text.trim_start().starts_with("##");
    let begins_heading = words.first().is_some_and(|word| is_place(word));
    let is_led = words.iter().enumerate().any(|(at, word)| {
        let behind = words.iter().enumerate().skip(at + 1).take(REACH);
        leads_to_place(word)
            && behind.filter(|(_, word)| is_place(word)).any(|(at, _)| {
                // `from the node address`: of a packet, not of a capture.
                !words.get(at + 1).is_some_and(|next| matches!(*next, "ip" | "address" | "port"))
            })
    });
    is_led || is_heading || (begins_heading && is_marked && words.len() > HEADING)
}

/// Whether a word stands before the place of a capture, in the languages of most posts.
fn leads_to_place(word: &str) -> bool {
    const LEADS: [&str; 16] = [
        "on", "in", "inside", "at", "within", "from", "side", "auf", "im", "am", "vom", "sur",
        "dans", "depuis", "en", "desde",
    ];
    LEADS.contains(&word)
}

/// Whether a word is said of a packet and its sender.
fn is_of_packet(word: &str) -> bool {
    const STEMS: [&str; 17] = [
        "request", "repl", "answer", "respon", "send", "sent", "ask", "retr", "ack", "data",
        "error", "get", "icmp", "reject", "refus", "address", "port",
    ];
    word == "ip" || STEMS.iter().any(|stem| word.starts_with(stem))
}

/// Whether a word names where one captures.
fn is_place(word: &str) -> bool {
    const PLACES: [&str; 26] = [
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
        "knoten",
        "rechner",
        "schnittstelle",
        "gerät",
        "hôte",
        "conteneur",
        "serveur",
        "servidor",
    ];
    const INTERFACES: [&str; 10] =
        ["eth", "ens", "eno", "enp", "cali", "veth", "cni", "bond", "docker", "flannel"];
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    let is_interface = INTERFACES.iter().any(|lead| {
        word.strip_prefix(lead).is_some_and(|rest| rest.contains(|c: char| c.is_ascii_digit()))
    });
    PLACES.contains(&word) || PLACES.contains(&stem) || is_interface
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_what_happens_there() {
        let cases = [
            ("then in the pod", true),
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
