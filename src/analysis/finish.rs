//! From everything read to the report.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Analysis;
use super::clusters;
use super::device_names::name_devices;
use super::intake::CaptureIntake;
use super::listing::Listing;
use super::names::Names;
use crate::correlate::{Correlated, Entry, Place, Tracked, WellExchanges};
use crate::diagnose;
use crate::model::exchange::{Exchange, Point, PointId};
use crate::model::input::{InputError, InputErrorKind};
use crate::model::report::Report;
use crate::model::topology::Topology;
use crate::{report, topology};

/// Exchanges that are whole at the same time, some 1.5 KB each.
const TOLD_AT_ONCE: usize = 50_000;

impl Analysis {
    /// The report on everything read.
    ///
    /// # Errors
    ///
    /// Where neither a capture nor a connection tracking table was read.
    pub fn finish(mut self, header: report::Header) -> Result<Report, InputError> {
        if self.captures.is_empty() && self.tables.is_empty() {
            return Err(self.explain_emptiness());
        }
        name_devices(&mut self.facts.devices, std::mem::take(&mut self.names));
        self.pass_on_all();
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
        self.notes.extend(render_others(count_others(&correlated, &topology, &self.about)));
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
        let mut listing = Listing::new(self.limits);
        let room = listing.room();
        let mut report = report::Builder::new(captures, &parts, &points, &topology, room);
        let mut told = Vec::new();
        let is_told = |entry: &Entry<'_>| concerns(entry, &self.about);
        for entry in correlated.entries(&topology).filter(is_told) {
            // Its entry may say of an exchange that went well that it did not quite.
            let has_more = tracked.claim(entry.find_ends(), &topology);
            let well = entry.find_well().filter(|_| !has_more);
            match well.filter(|well| !listing.takes(well.device)) {
                Some(well) => count(&mut report, &well),
                None => told.extend(entry.exchange().map(|mut exchange| {
                    tracked.attach(&mut exchange, &topology);
                    exchange
                })),
            }
            // Rules compare exchanges with each other; so many at once suffice.
            if told.len() >= TOLD_AT_ONCE {
                tell(&mut report, &mut told, &topology, &points);
            }
        }
        for exchange in tracked.exchanges(&topology) {
            told.push(exchange);
            if told.len() >= TOLD_AT_ONCE {
                tell(&mut report, &mut told, &topology, &points);
            }
        }
        tell(&mut report, &mut told, &topology, &points);
        for well in correlated.well_exchanges(&topology) {
            let about = &self.about;
            if about.is_empty() || well.ends.iter().any(|address| about.contains(address)) {
                count(&mut report, &well);
            }
        }
        // The exchanges need the most memory, and the report has what it needs of them.
        drop(correlated);
        Ok(report.finish(header, &inventory_faults))
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
    /// the addresses of names, for fragments.
    fn pass_on_all(&mut self) {
        self.release();
        if self.captures.iter().any(CaptureIntake::waits_for_names) {
            let names = Names::of(&self.facts);
            for capture in &mut self.captures {
                capture.resolve_names(&names, &mut self.feeder);
            }
        }
        for capture in &mut self.captures {
            capture.end(&mut self.feeder);
        }
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
            last.places(topology, &name)
        })
        .collect()
}

/// Whether an exchange is told, where only those of some addresses are.
fn concerns(entry: &Entry<'_>, about: &BTreeSet<IpAddr>) -> bool {
    about.is_empty() || entry.concerns(about)
}

fn count_others(correlated: &Correlated, topology: &Topology, about: &BTreeSet<IpAddr>) -> usize {
    if about.is_empty() {
        return 0;
    }
    correlated.entries(topology).filter(|entry| !concerns(entry, about)).count()
}

/// Diagnoses exchanges and puts them into the report.
fn tell(
    report: &mut report::Builder<'_>,
    exchanges: &mut Vec<Exchange>,
    topology: &Topology,
    points: &[Point],
) {
    let diagnoses = diagnose::diagnose(exchanges, topology, points);
    for (exchange, diagnosis) in exchanges.drain(..).zip(diagnoses) {
        report.add(&exchange, &diagnosis);
    }
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

fn count(report: &mut report::Builder<'_>, well: &WellExchanges) {
    let WellExchanges { device, device_rule, protocol, verdict, exchanges, .. } = *well;
    report.count(device, device_rule, verdict, protocol, exchanges);
}
