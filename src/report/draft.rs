//! One device's part while exchanges are added to it.

mod count;
mod finding;
mod listed;

pub use self::count::DeviceCount;
use self::finding::{FindingDraft, device_finding};
use self::listed::Listed;
use super::exchange_part::Names;
use super::headline::{Counted, device_headline};
use super::shelf::RemedyShelf;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Exchange;
use crate::model::finding::{Cause, Diagnosis, Verdict};
use crate::model::protocol::Protocol;
use crate::model::report::{Device, DeviceExchange, DeviceFinding};
use crate::model::time::Timestamp;
use crate::model::topology::Topology;

/// A device's worst exchanges so far, and its findings.
#[derive(Debug, Default)]
pub struct DeviceDraft {
    listed: Vec<Listed>,
    findings: Vec<FindingDraft>,
    error: Option<FirstError>,
}

/// The earliest exchange that ended with an error, whether it is listed or not.
#[derive(Debug)]
struct FirstError {
    first_packet_at: Timestamp,
    client: Endpoint,
    protocol: Protocol,
    words: Box<str>,
}

/// How much there is to say of an exchange: the more, the earlier it is listed.
///
/// What did not go well goes by its verdict. Of the others, to which a symmetric
/// exchange and one that nobody answers belong alike, those come first that ended with
/// an error as answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    unwell: Option<Verdict>,
    has_error: bool,
    verdict: Verdict,
}

/// Whether there is room to list another exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Another,
    InPlaceOfABetterOne,
    None,
}

impl Weight {
    /// Of an exchange with this verdict, of which the last answer is `error`.
    pub fn new<T>(verdict: Verdict, error: Option<&T>) -> Self {
        let is_well = matches!(verdict, Verdict::Symmetric | Verdict::OneWay);
        Self { unwell: (!is_well).then_some(verdict), has_error: error.is_some(), verdict }
    }

    fn of(listed: &DeviceExchange) -> Self {
        Self::new(listed.verdict, listed.error_answer.as_ref())
    }

    /// The verdict that it stands for.
    pub const fn verdict(self) -> Verdict {
        self.verdict
    }

    /// Whether it went well in all respects.
    pub const fn is_well(self) -> bool {
        self.unwell.is_none() && !self.has_error
    }
}

impl DeviceDraft {
    /// Takes up the error with which a server answered `exchange`; says whether it did.
    #[must_use]
    pub fn take_error(&mut self, exchange: &Exchange) -> bool {
        let view = exchange.primary();
        let Some(answer) = &view.error_answer else { return false };
        let (first_packet_at, client) = (view.first_at, exchange.client);
        let is_earlier = self
            .error
            .as_ref()
            .is_none_or(|error| (first_packet_at, client) < (error.first_packet_at, error.client));
        if is_earlier {
            let (protocol, words) = (exchange.protocol, answer.words.clone());
            self.error = Some(FirstError { first_packet_at, client, protocol, words });
        }
        true
    }

    /// Whether an exchange is listed already.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Whether an exchange of this weight can be listed, at most `most` in all.
    #[must_use]
    pub fn room_for(&self, weight: Weight, most: usize) -> Room {
        if self.listed.len() < most {
            Room::Another
        } else if self.listed.iter().any(|listed| listed.weight() < weight) {
            Room::InPlaceOfABetterOne
        } else {
            Room::None
        }
    }

    /// Lists the exchange `number`, in place of the best one where there is no other room.
    /// Its part is still to be [put](Self::put) there. False where there is no room.
    pub fn list(&mut self, number: usize, weight: Weight, room: Room) -> bool {
        match room {
            Room::None => return false,
            Room::Another => {}
            Room::InPlaceOfABetterOne => {
                let listed = self.listed.iter().enumerate();
                let best = listed.min_by_key(|(_, listed)| listed.weight());
                if let Some(position) = best.map(|(position, _)| position) {
                    self.listed.swap_remove(position);
                }
            }
        }
        self.listed.push(Listed::Chosen { number, weight });
        true
    }

    /// The weight of the exchange `number`, where it is listed still and has no part.
    #[must_use]
    pub fn find_chosen(&self, number: usize) -> Option<Weight> {
        // What was chosen last stands last.
        self.listed.iter().rev().find_map(|listed| listed.find_chosen(number))
    }

    /// Puts the part of the exchange `number` where it is listed.
    pub fn put(&mut self, number: usize, part: Box<DeviceExchange>) {
        let place = self.listed.iter().rposition(|one| one.find_chosen(number).is_some());
        if let Some(listed) = place.and_then(|place| self.listed.get_mut(place)) {
            *listed = Listed::Told(part);
        }
    }

    /// Takes up the findings of an exchange of the device `count`: one per cause, in
    /// the words of the worst exchange, with the evidence of all.
    pub fn find(
        &mut self,
        count: &DeviceCount,
        exchange: &Exchange,
        diagnosis: &Diagnosis,
        names: Names<'_>,
        told: &mut RemedyShelf,
    ) {
        for finding in &diagnosis.findings {
            let device = count.device;
            let mut make = || {
                let remedies = told.tell(finding.cause, device, &finding.remedies);
                device_finding(finding, names, remedies)
            };
            let known = self.findings.iter_mut().find(|known| known.cause() == finding.cause);
            match known {
                Some(known) => known.take(finding, diagnosis.verdict, exchange, names, make),
                None => {
                    self.findings.push(FindingDraft::new(make(), diagnosis.verdict, exchange));
                }
            }
        }
    }

    /// The device as the report tells it; exchanges worst first, then by time.
    #[must_use]
    pub fn finish(self, count: &DeviceCount, topology: &Topology) -> Device {
        let DeviceCount {
            device,
            device_rule,
            verdict,
            protocol,
            exchanges,
            waiting,
            one_way,
            failed,
        } = *count;
        let mut exchanges_listed: Vec<DeviceExchange> = Vec::with_capacity(self.listed.len());
        exchanges_listed.extend(self.listed.into_iter().filter_map(Listed::into_part));
        // What only waits is worse than the device's verdict, and tells least.
        exchanges_listed.sort_by_key(|exchange| {
            (
                exchange.verdict > verdict,
                std::cmp::Reverse(Weight::of(exchange)),
                exchange.first_packet_at,
                exchange.client,
            )
        });
        let mut findings: Vec<DeviceFinding> =
            self.findings.into_iter().map(FindingDraft::finish).collect();
        findings.sort_by_key(|finding| {
            let rank = Cause::ALL.iter().position(|cause| *cause == finding.cause);
            (std::cmp::Reverse(finding.severity), rank)
        });
        let answered = exchanges - waiting;
        let entry = topology.device_of(device);
        let listed = u64::try_from(exchanges_listed.len()).unwrap_or(u64::MAX);
        Device {
            device,
            name: entry.map(|entry| entry.name.clone()),
            addresses: entry.map_or_else(|| vec![device], |entry| entry.addresses.clone()),
            verdict,
            headline: device_headline(
                verdict,
                protocol,
                &findings,
                &exchanges_listed,
                Counted {
                    all: if answered > 0 { answered } else { exchanges },
                    one_way,
                    failed,
                    error: self.error.as_ref().map(|error| (error.protocol, &*error.words)),
                },
            ),
            device_rule: device_rule.as_text().to_owned(),
            findings,
            exchanges_omitted: exchanges.saturating_sub(listed),
            exchanges: exchanges_listed,
            error_answers: failed,
        }
    }
}
