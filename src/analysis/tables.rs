//! Connection tracking tables while inputs come in, and as the report lists them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::model::capture::{CaptureFormat, CaptureId, Clock, PointKind};
use crate::model::conntrack::{TrackedEntry, TrackingTable};
use crate::model::report::Capture;

/// Entries kept over all tables, some 400 bytes each.
const MAX_ENTRIES: usize = 500_000;

/// The tables of an analysis.
#[derive(Debug, Default)]
pub struct Tables {
    tables: Vec<Listing>,
    entries: usize,
}

#[derive(Debug)]
struct Listing {
    /// What holds it: an archive may hold several.
    input: String,
    table: TrackingTable,
    left_out: u64,
}

impl Tables {
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Takes what one listing says. Parts of one text about one node are one table: the
    /// text is the input, or an entry of it that has the name.
    pub fn add(
        &mut self,
        input: &str,
        name: &str,
        node: Option<&str>,
        mut entries: Vec<TrackedEntry>,
    ) {
        if entries.is_empty() {
            return;
        }
        let is_same = |known: &Listing| {
            let table = &known.table;
            known.input == input && table.name == name && table.node.as_deref() == node
        };
        let known = self.tables.iter().position(is_same);
        let place = known.unwrap_or_else(|| {
            let node = node.map(str::to_owned);
            let table = TrackingTable { name: name.to_owned(), node, entries: Vec::new() };
            self.tables.push(Listing { input: input.to_owned(), table, left_out: 0 });
            self.tables.len() - 1
        });
        let room = MAX_ENTRIES.saturating_sub(self.entries);
        let excess = entries.len().saturating_sub(room);
        entries.truncate(room);
        self.entries += entries.len();
        self.tables[place].left_out += u64::try_from(excess).unwrap_or(u64::MAX);
        self.tables[place].table.entries.append(&mut entries);
    }

    /// The addresses of all entries, before and after translation, some of them often.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let entries = self.tables.iter().flat_map(|table| &table.table.entries);
        let flows = entries.flat_map(|entry| [entry.flow.original, entry.flow.expected_reply]);
        flows.flat_map(|flow| [flow.source.address, flow.destination.address])
    }

    /// The tables with the captures that stand for them in the report, behind
    /// those that are there. No two have the same name.
    pub fn finish(self, captures: &[String]) -> (Vec<(CaptureId, TrackingTable)>, Vec<Capture>) {
        let mut taken: BTreeSet<String> = captures.iter().cloned().collect();
        let mut tables = Vec::with_capacity(self.tables.len());
        let mut listed = Vec::with_capacity(self.tables.len());
        for (place, Listing { input, mut table, left_out }) in (captures.len()..).zip(self.tables) {
            table.name = unique(&input, &table, &mut taken);
            listed.push(capture(&table, left_out));
            tables.push((CaptureId(u32::try_from(place).unwrap_or(u32::MAX)), table));
        }
        (tables, listed)
    }
}

fn unique(input: &str, table: &TrackingTable, taken: &mut BTreeSet<String>) -> String {
    let name = &table.name;
    let place = table.node.as_deref().unwrap_or(name);
    // As captures in archives are called where two have entries of one name.
    let is_entry = !input.is_empty() && input != name;
    let in_archive = is_entry.then(|| format!("{input}: {name}"));
    let own = format!("{place}, connection tracking");
    let first = [name.clone()].into_iter().chain(in_archive).chain([own]);
    let more = (2..).map(|count| format!("{name}, connection tracking #{count}"));
    let mut candidates = first.chain(more);
    // There is always another number.
    let free = candidates.find(|candidate| !taken.contains(candidate)).unwrap_or_default();
    taken.insert(free.clone());
    free
}

fn capture(table: &TrackingTable, left_out: u64) -> Capture {
    let times = || table.entries.iter().filter_map(|entry| entry.flow.at);
    let first = times().min();
    let warning = format!(
        "{left_out} entries were left out: no more than {MAX_ENTRIES} are kept over all tables"
    );
    Capture {
        name: table.name.clone(),
        format: CaptureFormat::Conntrack,
        point: PointKind::Host,
        node: table.node.clone(),
        interface: None,
        link_types: Vec::new(),
        clock: if first.is_some() { Clock::Absolute } else { Clock::None },
        packets: 0,
        datagrams: 0,
        icmp_errors: 0,
        bytes: 0,
        first_packet_at: first,
        last_packet_at: times().max(),
        clock_offset_us: None,
        clock_offset_error_us: None,
        continues: None,
        tunnels: Vec::new(),
        tracked_entries: u64::try_from(table.entries.len()).unwrap_or(u64::MAX),
        warnings: if left_out > 0 { vec![warning] } else { Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let table = |name: &str, node: Option<&str>| TrackingTable {
            name: name.to_owned(),
            node: node.map(str::to_owned),
            entries: Vec::new(),
        };
        let mut taken = BTreeSet::from(["session.txt".to_owned()]);
        let cases = [
            ("conntrack.txt", table("conntrack.txt", None), "conntrack.txt"),
            ("session.txt", table("session.txt", None), "session.txt, connection tracking"),
            ("session.txt", table("session.txt", Some("node3")), "node3, connection tracking"),
            ("session.txt", table("session.txt", None), "session.txt, connection tracking #2"),
            ("a.zip", table("node1/ct.txt", None), "node1/ct.txt"),
            ("b.zip", table("node1/ct.txt", None), "b.zip: node1/ct.txt"),
            ("", table("node1/ct.txt", None), "node1/ct.txt, connection tracking"),
        ];
        for (input, table, expected) in cases {
            assert_eq!(unique(input, &table, &mut taken), expected);
        }
    }
}
