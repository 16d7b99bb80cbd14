//! The pipeline that upload, node query and command line share.
//!
//! Push captures and inventories in any order, then [`Analysis::finish`].

mod clusters;
mod cores;
mod device_names;
mod feeder;
mod finish;
mod held;
mod intake;
mod listing;
mod names;
mod node_tables;
mod order;
mod session;
mod tables;
mod talkers;
mod telling;
mod together;
mod wholes;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::IpAddr;

use self::feeder::Feeder;
use self::held::Held;
use self::intake::{CaptureIntake, name_captures};
use self::order::Began;
use self::session::Session;
use self::tables::Tables;
use self::together::run_together;
use crate::correlate::Correlator;
use crate::ingest::{self, Event, InventoryText, Layers};
use crate::model::capture::{CaptureId, CapturePoint};
use crate::model::cluster::ClusterFacts;
use crate::model::conntrack::TrackingTable;
use crate::model::input::{InputError, InputErrorKind};
use crate::model::progress::Counts;
use crate::model::time::Timestamp;
use crate::model::topology::Facts;
use crate::topology;

pub use self::node_tables::{read_device_list, read_node_tables};
pub use crate::diagnose::{
    CauseDocumentation, CauseIllustration, Reference, documentation, illustration,
};
pub use crate::report::Header as ReportHeader;
pub use crate::topology::kubernetes_object;

/// Facts are small; a longer inventory is not one.
const MAX_INVENTORY_BYTES: u64 = 64 << 20;

/// Failures that servers logged, over all inputs.
const MAX_SERVER_LOG: usize = 50;
/// What captures may hold back, together, until it is known which belong together.
const MAX_HELD_BYTES: usize = 8 << 20;

/// What one analysis may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one input after decompression, over all entries of an archive.
    pub expanded_bytes: u64,
    /// Exchanges listed per device; the rest is counted.
    pub exchanges_per_device: usize,
    /// Exchanges followed at one capture point; packets of further clients are counted.
    pub exchanges_per_point: usize,
    /// Exchanges listed over all devices that went well; the rest is counted.
    pub well_exchanges_listed: usize,
    /// Exchanges listed over all devices that did not; the rest is counted.
    pub other_exchanges_listed: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            expanded_bytes: 64 << 30,
            exchanges_per_device: 50,
            exchanges_per_point: 4_000_000,
            well_exchanges_listed: 2_000,
            other_exchanges_listed: 50_000,
        }
    }
}

/// An analysis that is taking inputs.
#[derive(Debug)]
pub struct Analysis {
    limits: Limits,
    /// Inputs come in a content coding.
    is_coded: bool,
    feeder: Feeder,
    captures: Vec<CaptureIntake>,
    /// When each of them began.
    began: Vec<Began>,
    /// Inputs with captures so far.
    inputs: usize,
    /// How often the captures handed on what they held back, before the end.
    releases: usize,
    /// Its captures are read once more: what else is in their inputs is known.
    reads_again: bool,
    /// What the captures hold back, about.
    held_bytes: usize,
    facts: Facts,
    tables: Tables,
    names: BTreeMap<IpAddr, String>,
    /// What servers logged of failures.
    server_log: Vec<String>,
    /// What whoever captured says of that.
    notes: Vec<String>,
    /// Whose exchanges are told; without any, all are.
    about: BTreeSet<IpAddr>,
    clusters: Vec<ClusterFacts>,
    packets: u64,
    counts: Counts,
    observed_until: Option<Timestamp>,
}

impl Analysis {
    /// An analysis without inputs.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            is_coded: false,
            feeder: Feeder::new(Correlator::new(limits.exchanges_per_point)),
            captures: Vec::new(),
            began: Vec::new(),
            inputs: 0,
            releases: 0,
            reads_again: false,
            held_bytes: 0,
            facts: Facts::default(),
            tables: Tables::default(),
            names: BTreeMap::new(),
            server_log: Vec::new(),
            notes: Vec::new(),
            about: BTreeSet::new(),
            clusters: Vec::new(),
            packets: 0,
            counts: Counts::default(),
            observed_until: None,
        }
    }

    /// Keeps `counts` up to date while it reads, so that others can see how
    /// far it has come.
    #[must_use]
    pub fn counting_into(self, counts: Counts) -> Self {
        Self { counts, ..self }
    }

    /// Expects a single input with captures, as most are: where that shows one point, no
    /// packet has to be kept for the sake of others. More may come all the same; ask
    /// [`find_order_to_read_again`](Self::find_order_to_read_again) then.
    #[must_use]
    pub fn of_one_input(mut self) -> Self {
        self.feeder.expect_one_capture();
        self
    }

    /// Expects inputs in a content coding of their transfer: what it holds may be a
    /// compressed file.
    #[must_use]
    pub fn of_coded_inputs(self) -> Self {
        Self { is_coded: true, ..self }
    }

    /// Reads one capture, tcpdump text, connection tracking table or transcript to
    /// its end, or to the fault that stops it. `point` says where it was taken, if the sender knows.
    ///
    /// # Errors
    ///
    /// Where nothing of the input can be analysed; inputs read before remain.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the place belongs to this capture; callers have no use for it afterwards"
    )]
    pub fn read_capture(
        &mut self,
        name: &str,
        point: Option<CapturePoint>,
        input: &mut dyn Read,
    ) -> Result<(), InputError> {
        let limits = ingest::Limits { expanded_bytes: self.limits.expanded_bytes };
        let first = self.captures.len();
        let layers = if self.is_coded { Layers::CODED } else { Layers::FILE };
        let result =
            ingest::read_ahead(input, &limits, run_together, layers, &mut |event| match event {
                // Nearly all events: an event is large, a frame is not.
                Event::Frame(frame) => self.take_part(first, 1, |capture, feeder| {
                    capture.take_frame(&frame, feeder);
                }),
                event => self.take(name, point.as_ref(), first, event),
            });
        name_captures(&mut self.captures, first, name);
        self.inputs += 1;
        result.map_err(|kind| InputError { name: name.to_owned(), kind })
    }

    /// Reads facts about addresses: what `ip`, `kubectl` and `conntrack` print,
    /// alone or in a terminal session, or a device list.
    ///
    /// # Errors
    ///
    /// Where the text is none of these.
    pub fn read_inventory(&mut self, name: &str, input: &mut dyn Read) -> Result<(), InputError> {
        let error = |kind| InputError { name: name.to_owned(), kind };
        let bytes = ingest::read_plain(input, MAX_INVENTORY_BYTES).map_err(error)?;
        if bytes.is_empty() {
            return Err(error(InputErrorKind::Empty));
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut session = Session::read(&bytes);
        if !session.shows_command {
            // It is what one command printed; else perhaps a session that shows none.
            let facts = topology::parse("", None, &text, 1);
            if !facts.is_empty() {
                session.facts = vec![(None, facts)];
            }
        }
        let has_facts = session.facts.iter().any(|(_, facts)| !facts.is_empty());
        for (node, facts) in session.facts {
            self.take_facts(name, name, node.as_deref(), facts);
        }
        if !has_facts {
            let first_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let found = first_line.chars().filter(|c| !c.is_control()).take(60).collect::<String>();
            return Err(error(InputErrorKind::NotAnInventory(format!("it begins with '{found}'"))));
        }
        Ok(())
    }

    /// Adds facts that no text states: a node's agent, or the Kubernetes API.
    pub fn add_facts(&mut self, facts: Facts) {
        self.take_facts("", "connection tracking", None, facts);
    }

    /// Adds the entries of a node's connection tracking table.
    pub fn add_tracking_table(&mut self, table: TrackingTable) {
        let TrackingTable { name, node, entries } = table;
        self.tables.add("", &name, node.as_deref(), entries);
    }

    /// States that the captures were running until `at`, so that silence after
    /// the last packet was observed. A file does not say this; whoever captures knows it.
    pub fn observe_until(&mut self, at: Timestamp) {
        self.observed_until = self.observed_until.max(Some(at));
    }

    /// Tells only of exchanges in which one of these addresses takes part, and counts
    /// the others: a capture that had to be wider than its question has them.
    pub fn tell_about(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        self.about.extend(addresses);
    }

    /// Adds what whoever captured knows of the capture, such as what it leaves out.
    pub fn add_note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Names a device, as the metadata of an upload does: this counts more than
    /// the name that an inventory gives it.
    pub fn name_device(&mut self, address: IpAddr, name: &str) {
        self.names.insert(address, name.to_owned());
    }

    /// Adds what a live cluster says of itself. Only what it says about addresses that
    /// the packets use counts, and only where no inventory of the analysis speaks:
    /// that one is of the capture's time.
    pub fn add_cluster(&mut self, cluster: ClusterFacts) {
        self.clusters.push(cluster);
    }

    /// Packets read so far, over all captures.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Takes what a text of the input `input` states, which is called `name`; entries of a
    /// table were listed on `node`.
    fn take_facts(&mut self, input: &str, name: &str, node: Option<&str>, mut facts: Facts) {
        self.tables.add(input, name, node, std::mem::take(&mut facts.tracked));
        self.facts.extend(facts);
    }

    /// Takes what the reader found in the input, whose captures begin at `first`.
    fn take(&mut self, input: &str, point: Option<&CapturePoint>, first: usize, event: Event<'_>) {
        match event {
            Event::CaptureBegins(header) => {
                let id = CaptureId(u32::try_from(self.captures.len()).unwrap_or(u32::MAX));
                self.captures.push(CaptureIntake::new(id, input, point.cloned(), header));
                self.began.push(Began { input: self.inputs, after_releases: self.releases });
                let begun = u64::try_from(self.captures.len()).unwrap_or(u64::MAX);
                self.counts.set_captures(begun);
                return;
            }
            Event::Inventory(_) | Event::Fact(_) | Event::ServerLog(_) if self.reads_again => {
                return;
            }
            Event::Inventory(text) => {
                let stated = point.and_then(|point| point.node.as_deref());
                let name = text.entry.unwrap_or(input);
                self.take_facts(input, name, text.node.or(stated), parse(&text));
                return;
            }
            Event::Fact(fact) => {
                self.facts.addresses.push(fact);
                return;
            }
            Event::ServerLog(failure) => {
                if self.server_log.len() < MAX_SERVER_LOG {
                    self.server_log.push(failure);
                }
                return;
            }
            _ => {}
        }
        let packets = u64::from(event.is_packet());
        self.take_part(first, packets, |capture, feeder| capture.take(event, feeder));
    }

    /// Has the capture that is read take a part of it, which stands for so many packets.
    /// Its beginning came before.
    fn take_part(
        &mut self,
        first: usize,
        packets: u64,
        take: impl FnOnce(&mut CaptureIntake, &mut Feeder),
    ) {
        let Some(capture) = self.captures[first..].last_mut() else { return };
        self.packets += packets;
        let held_before = capture.held().map_or(0, Held::size_bytes);
        take(capture, &mut self.feeder);
        let held = capture.held().map_or(0, Held::size_bytes);
        self.held_bytes += held.saturating_sub(held_before);
        if self.held_bytes > MAX_HELD_BYTES {
            self.release();
            self.releases += 1;
        }
        self.counts.set_packets(self.packets);
    }
}

fn parse(text: &InventoryText<'_>) -> Facts {
    topology::parse(text.command, text.node, text.text, text.line)
}
