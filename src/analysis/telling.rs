//! Exchanges into the report: looked at, made whole and diagnosed on all cores, and
//! told in their order.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;

use super::cores::Cores;
use super::listing::Listing;
use crate::correlate::{Correlated, Tracked, WellExchanges};
use crate::diagnose::Comparison;
use crate::model::exchange::{Exchange, Point};
use crate::model::topology::Topology;
use crate::report::{self, Chosen, Uncounted};

/// Exchanges that are whole at the same time, some 1.5 KB each.
const TOLD_AT_ONCE: usize = 50_000;
/// Exchanges that one core looks at before it hands them over: some 300 KB.
const LOOKED_AT: usize = 4_096;

/// What the report is made of.
#[derive(Debug)]
pub struct Telling<'a, 'r> {
    pub cores: Cores,
    pub correlated: &'a Correlated,
    pub topology: &'a Topology,
    pub points: &'a [Point],
    /// Whose exchanges are told; without any, all are.
    pub about: &'a BTreeSet<IpAddr>,
    pub listing: Listing,
    pub report: report::Builder<'r>,
}

/// What a look at an exchange shows.
#[derive(Debug)]
enum Look {
    /// It can be counted.
    Well(WellExchanges),
    /// It has to be made whole.
    Other,
    /// It is not asked for.
    LeftOut,
}

impl Telling<'_, '_> {
    /// Tells all exchanges: those of the packets, then those of which only
    /// connection tracking tells.
    pub fn tell_all(&mut self, tracked: &mut Tracked) {
        let Self { cores, correlated, topology, about, .. } = *self;
        let count = correlated.entry_count();
        let numbers = |part: usize| part * LOOKED_AT..count.min((part + 1) * LOOKED_AT);
        let mut waiting = Vec::new();
        cores.make_ahead(
            count.div_ceil(LOOKED_AT),
            |part| (numbers(part), look_at(numbers(part), correlated, topology, about)),
            |(numbers, looks)| self.take(numbers, looks, &mut waiting, tracked),
        );
        let mut exchanges = self.make_whole(&waiting, tracked);
        for exchange in tracked.exchanges(topology) {
            exchanges.push(exchange);
            if exchanges.len() >= TOLD_AT_ONCE {
                self.tell(std::mem::take(&mut exchanges));
            }
        }
        self.tell(exchanges);
        self.count_folded();
    }

    /// Counts what can be counted. What has to be told is told once there is much of
    /// it: rules compare exchanges with each other, and so many at once suffice.
    fn take(
        &mut self,
        numbers: Range<usize>,
        looks: Vec<Look>,
        waiting: &mut Vec<usize>,
        tracked: &mut Tracked,
    ) {
        let mut counted = Vec::with_capacity(looks.len());
        for (number, look) in numbers.zip(looks) {
            if matches!(look, Look::LeftOut) {
                continue;
            }
            // Its entry may say of an exchange that went well that it did not quite.
            let has_more = !tracked.is_empty() && self.claim(number, tracked);
            match look {
                Look::Well(well) if !has_more && !self.listing.takes(well.device) => {
                    counted.push(uncounted(&well));
                }
                _ => waiting.push(number),
            }
            if waiting.len() >= TOLD_AT_ONCE {
                self.report.count_all(&counted);
                counted.clear();
                let exchanges = self.make_whole(waiting, tracked);
                self.tell(exchanges);
                waiting.clear();
            }
        }
        self.report.count_all(&counted);
    }

    fn claim(&self, number: usize, tracked: &mut Tracked) -> bool {
        let entry = self.correlated.entry(number, self.topology);
        tracked.claim(entry.and_then(|entry| entry.find_ends()), self.topology)
    }

    fn make_whole(&self, numbers: &[usize], tracked: &mut Tracked) -> Vec<Exchange> {
        let make = |number: &usize| self.correlated.entry(*number, self.topology)?.exchange();
        let mut exchanges: Vec<Exchange> = self.cores.filter_map(numbers, make);
        if !tracked.is_empty() {
            for exchange in &mut exchanges {
                tracked.attach(exchange, self.topology);
            }
        }
        exchanges
    }

    /// Diagnoses exchanges and puts them into the report.
    fn tell(&mut self, exchanges: Vec<Exchange>) {
        let comparison = Comparison::new(&exchanges, self.topology, self.points);
        let mut diagnoses = self.cores.map(&exchanges, |exchange| comparison.diagnose(exchange));
        comparison.compare(&mut diagnoses);
        for (number, (exchange, diagnosis)) in exchanges.iter().zip(&diagnoses).enumerate() {
            self.report.add(number, exchange, diagnosis);
        }
        drop(diagnoses);
        self.list(exchanges);
    }

    /// Makes the parts of those exchanges that the report lists. Each takes about as much
    /// memory as its exchange, which is given back.
    fn list(&mut self, exchanges: Vec<Exchange>) {
        let mut chosen = self.report.take_chosen().into_iter().peekable();
        let find = |(number, exchange)| {
            Some((chosen.next_if(|chosen| chosen.number == number)?, exchange))
        };
        let listed: Vec<_> = exchanges.into_iter().enumerate().filter_map(find).collect();
        let report = &self.report;
        let make = |_, (chosen, exchange): (Chosen, Exchange)| {
            (chosen, report.make_part(chosen, &exchange))
        };
        let parts = self.cores.map_into(listed, make);
        self.report.put_parts(parts);
    }

    /// Counts the exchanges that went well long before the capture ended.
    fn count_folded(&mut self) {
        let about = self.about;
        let all = self.correlated.well_exchanges(self.topology).filter(|well| {
            about.is_empty() || well.ends.iter().any(|address| about.contains(address))
        });
        let mut counted = Vec::new();
        for well in all {
            counted.push(uncounted(&well));
            if counted.len() >= LOOKED_AT {
                self.report.count_all(&counted);
                counted.clear();
            }
        }
        self.report.count_all(&counted);
    }
}

fn look_at(
    numbers: Range<usize>,
    correlated: &Correlated,
    topology: &Topology,
    about: &BTreeSet<IpAddr>,
) -> Vec<Look> {
    let look = |number| {
        let entry = correlated.entry(number, topology);
        match entry.filter(|entry| about.is_empty() || entry.concerns(about)) {
            Some(entry) => entry.find_well().map_or(Look::Other, Look::Well),
            None => Look::LeftOut,
        }
    };
    numbers.map(look).collect()
}

const fn uncounted(well: &WellExchanges) -> Uncounted {
    let WellExchanges { device, device_rule, protocol, verdict, exchanges, .. } = *well;
    Uncounted { device, device_rule, verdict, protocol, exchanges }
}

#[cfg(test)]
#[path = "telling_tests.rs"]
mod tests;
