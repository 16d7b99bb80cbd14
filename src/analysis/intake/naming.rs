//! What the report calls the captures.

use std::collections::{BTreeMap, BTreeSet};

use super::CaptureIntake;

/// Names the captures of one input, which begin at `first`: after the input where
/// it is one capture, after their entries where it is an archive, after node and
/// interface where it is a transcript of several. No two captures of the analysis
/// have the same name: evidence cites them by it.
pub fn name_captures(captures: &mut [CaptureIntake], first: usize, input: &str) {
    let Some((earlier, captures)) = captures.split_at_mut_checked(first) else { return };
    let elsewhere: BTreeSet<&str> = earlier.iter().map(CaptureIntake::name).collect();
    let mut taken: BTreeMap<String, u32> =
        elsewhere.iter().map(|name| ((*name).to_owned(), 1)).collect();
    let is_alone = captures.len() == 1;
    for capture in captures {
        let own = if is_alone {
            capture.header.name.clone().unwrap_or_else(|| input.to_owned())
        } else {
            capture.name_among_others(input)
        };
        let name = if elsewhere.contains(own.as_str()) { format!("{input}: {own}") } else { own };
        capture.name = unique(name, &mut taken);
    }
}

/// The name with a number behind it where it is taken: `a.pcap #2`. `taken` counts
/// the captures that wanted a name.
fn unique(name: String, taken: &mut BTreeMap<String, u32>) -> String {
    let mut free = name.clone();
    let mut count = taken.get(&name).copied().unwrap_or(0);
    while taken.contains_key(&free) {
        count = count.saturating_add(1);
        free = format!("{name} #{count}");
    }
    taken.insert(name, count.max(1));
    taken.entry(free.clone()).or_insert(1);
    free
}

impl CaptureIntake {
    /// The entry of an archive, or the place of a run, in the words of its prompt.
    fn name_among_others(&self, input: &str) -> String {
        let line = self.header.line.map(|line| format!("line {line}"));
        let place = match (&self.header.node, &self.header.interface) {
            (Some(node), Some(interface)) => Some(format!("{node}/{interface}")),
            (None, Some(interface)) => Some(interface.clone()),
            (Some(node), None) => Some(node.clone()),
            (None, None) => None,
        };
        match (&self.header.name, place, line) {
            (Some(entry), Some(place), Some(line)) => format!("{entry}: {place} ({line})"),
            (Some(entry), None, Some(line)) => format!("{entry} ({line})"),
            (Some(entry), _, None) => entry.clone(),
            (None, Some(place), Some(line)) => format!("{place} ({line})"),
            (None, Some(place), None) => place,
            (None, None, Some(line)) => format!("{input} ({line})"),
            (None, None, None) => input.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::CaptureHeader;
    use crate::model::capture::{CaptureFormat, CaptureId, Clock};

    fn capture(name: Option<&str>, node: Option<&str>, line: Option<u64>) -> CaptureIntake {
        let format = if line.is_some() { CaptureFormat::TcpdumpText } else { CaptureFormat::Pcap };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let header = CaptureHeader {
            name: owned(name),
            node: owned(node),
            line,
            ..CaptureHeader::of(format, Clock::Absolute)
        };
        CaptureIntake::new(CaptureId(0), "input", None, header)
    }

    fn names(captures: &[(Option<&str>, Option<&str>, Option<u64>)]) -> Vec<String> {
        let mut captures: Vec<_> =
            captures.iter().map(|(name, node, line)| capture(*name, *node, *line)).collect();
        name_captures(&mut captures, 0, "input");
        captures.into_iter().map(|capture| capture.name).collect()
    }

    #[test]
    fn captures_are_named_after_where_they_come_from() {
        assert_eq!(names(&[(None, Some("node3"), Some(7))]), ["input"]);
        assert_eq!(names(&[(Some("a.pcap"), None, None)]), ["a.pcap"]);
        let transcript = [(None, Some("node3"), Some(7)), (None, None, Some(9))];
        assert_eq!(names(&transcript), ["node3 (line 7)", "input (line 9)"]);
        let archive = [
            (Some("a.pcap"), None, None),
            (Some("a.pcap"), None, None),
            (Some("b.txt"), Some("node3"), Some(7)),
            (Some("b.txt"), None, Some(9)),
        ];
        assert_eq!(
            names(&archive),
            ["a.pcap", "a.pcap #2", "b.txt: node3 (line 7)", "b.txt (line 9)"]
        );
    }

    #[test]
    fn captures_of_several_inputs_have_names_of_their_own() {
        let session = [(None, Some("node3"), Some(1)), (None, Some("node3"), Some(9))];
        let archive = [(Some("a.pcap"), None, None), (Some("a.pcap"), None, None)];
        let cases: [(&[_], [&str; 4]); 3] = [
            (
                &session,
                ["node3 (line 1)", "node3 (line 9)", "two: node3 (line 1)", "two: node3 (line 9)"],
            ),
            (&archive, ["a.pcap", "a.pcap #2", "two: a.pcap", "two: a.pcap #2"]),
            (&archive[..1], ["a.pcap", "two: a.pcap", "", ""]),
        ];
        for (input, expected) in cases {
            let mut captures: Vec<CaptureIntake> = Vec::new();
            for name in ["one", "two"] {
                let first = captures.len();
                captures
                    .extend(input.iter().map(|(name, node, line)| capture(*name, *node, *line)));
                name_captures(&mut captures, first, name);
            }
            let names: Vec<&str> = captures.iter().map(CaptureIntake::name).collect();
            assert_eq!(names, expected[..names.len()]);
        }
    }
}
