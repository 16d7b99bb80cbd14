//! From everything read to the report.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Analysis;
use super::clusters;
use super::cores::{Cores, drop_aside};
use super::device_names::name_devices;
use super::ends::Ends;
use super::intake::CaptureIntake;
use super::listing::Listing;
use super::names::Names;
use super::telling::Telling;
use crate::correlate::{Correlated, Place, Tracked};
use crate::model::exchange::PointId;
use crate::model::input::{InputError, InputErrorKind};
use crate::model::report::Report;
use crate::model::stand_in::StandIns;
use crate::model::topology::Topology;
use crate::{report, topology};

impl Analysis {
    /// The report on everything read.
    ///
    /// # Errors
    ///
    /// Where neither a capture nor a connection tracking table was read.
    pub fn finish(self, header: report::Header) -> Result<Report, InputError> {
        self.finish_on(Cores::available(), header)
    }

    /// The same on so many cores.
    pub(super) fn finish_on(
        mut self,
        cores: Cores,
        header: report::Header,
    ) -> Result<Report, InputError> {
        if self.captures.is_empty() && self.tables.is_empty() {
            return Err(self.explain_emptiness());
        }
        name_devices(&mut self.facts.devices, std::mem::take(&mut self.names));
        let stand_ins = self.pass_on_all();
        let parts = self.parts();
        let inventory_faults = std::mem::take(&mut self.facts.faults);
        let mut correlator = self.feeder.finish();
        let clusters = std::mem::take(&mut self.clusters);
        if !clusters.is_empty() {
            let known = clusters::addresses_of(&clusters);
            let mut used = correlator.used_of(&known);
            used.extend(self.tables.addresses().filter(|address| known.contains(address)));
            self.facts.extend(clusters::concerning(clusters, &used, &self.facts));
        }
        let mut topology = topology::resolve(self.facts);
        topology.set_stand_ins(stand_ins);
        let names: Vec<String> =
            self.captures.iter().map(|capture| capture.name().to_owned()).collect();
        let (tables, listed_tables) = self.tables.finish(&names);
        let mut tracked = Tracked::new(tables, &mut topology);
        let places = places(&self.captures, &names, &topology);
        if let Some(at) = self.observed_until {
            correlator.observe_all(at);
        }
        for (capture, times) in self.captures.iter().filter_map(CaptureIntake::find_listening) {
            correlator.state_listening(capture, times);
        }
        correlator.state_translated(tracked.translated_clients());
        let correlated = correlator.finish(&places, &mut topology);
        if correlated.entry_count() == 0 && self.about.is_empty() {
            tracked.fall_back(&mut topology);
        }
        self.notes.extend(render_others(count_others(&correlated, &topology, &self.about)));
        let has_unread = self.captures.iter().any(CaptureIntake::tells_of_unread)
            || listed_tables.iter().any(|table| !table.warnings.is_empty());
        let summaries = self.captures.into_iter().map(|capture| {
            let before = capture.part_before().and_then(|before| usize::try_from(before.0).ok());
            let continues = before.and_then(|before| names.get(before)).cloned();
            capture.summary(&correlated, continues)
        });
        let mut captures: Vec<_> = summaries.chain(listed_tables).collect();
        if let Some(first) = captures.first_mut() {
            first.warnings.append(&mut self.server_log);
            first.warnings.append(&mut self.notes);
        }
        let mut points = correlated.points.clone();
        points.extend_from_slice(tracked.points());
        let listing = Listing::new(self.limits);
        let mut report = report::Builder::new(captures, &parts, &points, &topology, listing.room());
        if has_unread {
            report.note_unread();
        }
        let mut telling = Telling {
            cores,
            correlated: &correlated,
            topology: &topology,
            points: &points,
            about: &self.about,
            listing,
            report,
        };
        telling.tell_all(&mut tracked);
        let mut report = telling.report;
        // The exchanges need the most memory, and the report has what it needs of them.
        drop_aside(correlated.into_remains());
        let drafts = report.take_drafts();
        let devices = cores.map_into(drafts, |place, draft| report.finish_device(place, draft));
        let devices = devices.into_iter().flatten().collect();
        Ok(report.finish(devices, header, &inventory_faults))
    }

    /// Why there is nothing to report on.
    fn explain_emptiness(self) -> InputError {
        let kind = if let Some(failure) = self.server_log.into_iter().next() {
            InputErrorKind::OnlyServerLog { failure }
        } else if self.facts.is_empty() {
            InputErrorKind::NoPackets { lines: 0 }
        } else {
            InputErrorKind::OnlyFacts
        };
        InputError { name: "the inputs".to_owned(), kind }
    }

    /// Hands the correlator what still waits: for captures that go on elsewhere, for
    /// the addresses of names, for fragments. Gives the addresses that stand for names.
    fn pass_on_all(&mut self) -> StandIns {
        self.release();
        let mut stand_ins = StandIns::default();
        if self.captures.iter().any(CaptureIntake::waits_for_names) {
            let printed: Vec<_> = self.captures.iter().map(CaptureIntake::printed_names).collect();
            let mut ends = Ends::new(Names::of(&self.facts), &printed);
            // One that goes on with another comes after it.
            let mut in_order: Vec<_> = self.captures.iter_mut().collect();
            in_order.sort_by_key(|capture| capture.begins_at());
            for capture in in_order {
                capture.resolve_names(&mut ends, &mut self.feeder);
            }
            stand_ins = ends.into_stand_ins();
        }
        for capture in &mut self.captures {
            capture.end(&mut self.feeder);
        }
        stand_ins
    }
}

/// What is known of each point; `names` are the captures', by their places.
fn places(
    captures: &[CaptureIntake],
    names: &[String],
    topology: &Topology,
) -> BTreeMap<PointId, Place> {
    let wholes = captures.iter().filter(|capture| !capture.is_continued());
    wholes
        .flat_map(|last| {
            let first = usize::try_from(last.first_part().0).ok();
            let name = first.and_then(|first| names.get(first)).cloned().unwrap_or_default();
            let mut missing = BTreeMap::new();
            let mut part = Some(last);
            while let Some(capture) = part {
                capture.add_missing(&mut missing);
                let before = capture.part_before().and_then(|id| usize::try_from(id.0).ok());
                part = before.and_then(|before| captures.get(before));
            }
            last.places(topology, &name, &missing)
        })
        .collect()
}

fn count_others(correlated: &Correlated, topology: &Topology, about: &BTreeSet<IpAddr>) -> usize {
    if about.is_empty() {
        return 0;
    }
    correlated.entries(topology).filter(|entry| !entry.concerns(about)).count()
}

/// What is said of exchanges that are not told.
fn render_others(count: usize) -> Option<String> {
    let exchanges = if count == 1 { "exchange" } else { "exchanges" };
    (count > 0).then(|| {
        format!(
            "{count} {exchanges} of others are left out: the capture was wider than the question"
        )
    })
}
