//! One device's part while exchanges are added to it.

use std::net::IpAddr;

use super::exchange_part::{Names, exchange_part};
use super::filter::DisplayFilter;
use super::headline::{Counted, device_headline};
use super::shelf::RemedyShelf;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{DeviceRule, Exchange};
use crate::model::finding::{Cause, Confidence, Diagnosis, Finding, Remedy, Severity, Verdict};
use crate::model::protocol::Protocol;
use crate::model::report::{Device, DeviceExchange, DeviceFinding, FrameEvidence};
use crate::model::time::Timestamp;
use crate::model::topology::Topology;

/// Evidence frames listed with a finding.
const MAX_EVIDENCE: usize = 12;

/// Endpoints asked that a finding names beside the one that its words are about.
const OTHERS_MAX: usize = 4;

/// A device and how many exchanges it has.
///
/// Of most exchanges this is all that changes, so it stands apart: that of many
/// thousand devices fits a cache.
#[derive(Debug)]
pub struct DeviceCount {
    device: IpAddr,
    pub device_rule: DeviceRule,
    verdict: Verdict,
    protocol: Protocol,
    exchanges: u64,
    /// Exchanges that wait for an answer at the capture's end, among them.
    waiting: u64,
    /// Exchanges of which no answer is expected, among them.
    one_way: u64,
    /// Exchanges that ended with an error as answer, among them.
    failed: u64,
}

/// A device's worst exchanges so far, and its findings.
#[derive(Debug, Default)]
pub struct DeviceDraft {
    listed: Vec<DeviceExchange>,
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

/// A finding and the verdict of the exchange whose words it has.
#[derive(Debug)]
struct FindingDraft {
    finding: DeviceFinding,
    verdict: Verdict,
    /// Whom that exchange asked.
    asked: Option<Endpoint>,
    /// Whom other exchanges with this cause asked.
    others_asked: Vec<Endpoint>,
    /// Lets through the evidence.
    filter: DisplayFilter,
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

    /// Whether it went well in all respects.
    pub const fn is_well(self) -> bool {
        self.unwell.is_none() && !self.has_error
    }
}

impl DeviceCount {
    pub fn new(
        device: IpAddr,
        device_rule: DeviceRule,
        verdict: Verdict,
        protocol: Protocol,
    ) -> Self {
        Self {
            device,
            device_rule,
            verdict,
            protocol,
            exchanges: 0,
            waiting: 0,
            one_way: 0,
            failed: 0,
        }
    }

    /// Counts `exchanges` with this verdict; the worst one names the device.
    pub fn count(
        &mut self,
        device: IpAddr,
        device_rule: DeviceRule,
        verdict: Verdict,
        protocol: Protocol,
        exchanges: u64,
    ) {
        // Those that only wait say nothing of the device.
        let is_first = self.exchanges == self.waiting;
        self.exchanges += exchanges;
        if verdict == Verdict::OneWay {
            self.one_way += exchanges;
        }
        if verdict > self.verdict || is_first {
            (self.device, self.device_rule) = (device, device_rule);
            (self.verdict, self.protocol) = (verdict, protocol);
        }
    }

    /// Counts an exchange that ended with an error as answer, beside its verdict.
    pub fn count_failed(&mut self) {
        self.failed += 1;
    }

    /// Counts an exchange that still waits for its answer: the device has the
    /// verdict of the others, if there are any.
    pub fn count_waiting(&mut self) {
        self.exchanges += 1;
        self.waiting += 1;
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
        } else if self.listed.iter().any(|listed| Weight::of(listed) < weight) {
            Room::InPlaceOfABetterOne
        } else {
            Room::None
        }
    }

    /// Lists an exchange, in place of the best one where there is no other room.
    pub fn list(&mut self, exchange: &Exchange, verdict: Verdict, room: Room, names: Names<'_>) {
        match room {
            Room::None => return,
            Room::Another => {}
            Room::InPlaceOfABetterOne => {
                let listed = self.listed.iter().enumerate();
                let best = listed.min_by_key(|(_, listed)| Weight::of(listed));
                if let Some(position) = best.map(|(position, _)| position) {
                    self.listed.swap_remove(position);
                }
            }
        }
        self.listed.push(exchange_part(exchange, verdict, names));
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
            let asked = exchange.primary().asked;
            let known = self.findings.iter_mut().find(|known| known.finding.cause == finding.cause);
            let Some(known) = known else {
                self.findings.push(FindingDraft {
                    finding: make(),
                    verdict: diagnosis.verdict,
                    asked,
                    others_asked: Vec::new(),
                    filter: DisplayFilter::of(exchange),
                });
                continue;
            };
            if diagnosis.verdict > known.verdict {
                let better = std::mem::replace(&mut known.finding, make());
                known.verdict = diagnosis.verdict;
                known.take_evidence(better.severity, better.confidence, better.evidence);
                known.filter.take(&DisplayFilter::of(exchange));
                let asked_before = std::mem::replace(&mut known.asked, asked);
                known.note_asked(asked_before);
            } else if known.finding.evidence.len() < MAX_EVIDENCE {
                let evidence = frames(finding, names);
                known.take_evidence(finding.severity, finding.confidence, evidence);
                known.filter.take(&DisplayFilter::of(exchange));
            }
            known.note_asked(asked);
        }
    }

    /// The device as the report tells it; exchanges worst first, then by time.
    #[must_use]
    pub fn finish(mut self, count: &DeviceCount, topology: &Topology) -> Device {
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
        // What only waits is worse than the device's verdict, and tells least.
        self.listed.sort_by_key(|exchange| {
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
        let listed = u64::try_from(self.listed.len()).unwrap_or(u64::MAX);
        Device {
            device,
            name: entry.map(|entry| entry.name.clone()),
            addresses: entry.map_or_else(|| vec![device], |entry| entry.addresses.clone()),
            verdict,
            headline: device_headline(
                verdict,
                protocol,
                &findings,
                &self.listed,
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
            exchanges: self.listed,
            error_answers: failed,
        }
    }
}

impl FindingDraft {
    /// One more than are named are kept, so that it is known that there are more.
    fn note_asked(&mut self, asked: Option<Endpoint>) {
        let Some(asked) = asked else { return };
        if self.others_asked.len() <= OTHERS_MAX && !self.others_asked.contains(&asked) {
            self.others_asked.push(asked);
        }
    }

    fn finish(self) -> DeviceFinding {
        let Self { mut finding, asked, others_asked, filter, .. } = self;
        finding.display_filter = filter.render();
        let others = others_asked.iter().filter(|other| asked != Some(**other));
        let others: Vec<String> = others.map(ToString::to_string).collect();
        if !others.is_empty() {
            let named = others[..others.len().min(OTHERS_MAX)].join(", ");
            let more = if others.len() > OTHERS_MAX { " and more" } else { "" };
            finding.explanation.push_str(" The same was seen where this device asked ");
            finding.explanation.push_str(&named);
            finding.explanation.push_str(more);
            finding.explanation.push('.');
        }
        finding
    }

    fn take_evidence(
        &mut self,
        severity: Severity,
        confidence: Confidence,
        evidence: Vec<FrameEvidence>,
    ) {
        let finding = &mut self.finding;
        finding.severity = finding.severity.max(severity);
        finding.confidence = finding.confidence.max(confidence);
        let room = MAX_EVIDENCE.saturating_sub(finding.evidence.len());
        finding.evidence.extend(evidence.into_iter().take(room));
    }
}

fn frames(finding: &Finding, names: Names<'_>) -> Vec<FrameEvidence> {
    let evidence = finding.evidence.iter().take(MAX_EVIDENCE).map(|evidence| {
        let (capture, frame) = names.frame(evidence.frame);
        FrameEvidence { capture, frame, at: evidence.frame.at, summary: evidence.summary.clone() }
    });
    evidence.collect()
}

fn device_finding(finding: &Finding, names: Names<'_>, remedies: Vec<Remedy>) -> DeviceFinding {
    DeviceFinding {
        cause: finding.cause,
        documentation: finding.cause.documentation_path(),
        severity: finding.severity,
        confidence: finding.confidence,
        title: finding.title.clone(),
        explanation: finding.explanation.clone(),
        evidence: frames(finding, names),
        remedies,
        display_filter: String::new(),
    }
}
