//! Exchanges and findings, sorted into one report.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use uuid::Uuid;

use super::exchange_part::{Names, exchange_part};
use super::filter::display_filter;
use super::headline::{device_headline, report_headline};
use crate::model::exchange::{Exchange, Point};
use crate::model::finding::{Cause, Diagnosis, Finding, Severity, Verdict};
use crate::model::input::Fault;
use crate::model::report::{
    Address, Capture, Device, DeviceFinding, FrameEvidence, Report, Summary,
};
use crate::model::time::Timestamp;
use crate::model::topology::{FactSource, Role, Topology};

/// Evidence frames listed with a finding.
const MAX_EVIDENCE: usize = 12;
/// Addresses that an inventory names though no packet does.
const MAX_UNSEEN_ADDRESSES: usize = 200;

/// What a report is made from.
#[derive(Debug)]
pub struct Material<'a> {
    pub id: Uuid,
    /// `None`: named after the captures.
    pub title: Option<String>,
    pub created_at: Timestamp,
    pub captures: Vec<Capture>,
    pub exchanges: Vec<Exchange>,
    /// One for each exchange, in their order.
    pub diagnoses: Vec<Diagnosis>,
    pub points: &'a [Point],
    pub topology: &'a Topology,
    pub inventory_faults: Vec<Fault>,
    pub exchanges_per_device: usize,
}

/// An exchange and what was found out about it.
type Diagnosed = (Exchange, Diagnosis);

/// Sorts the material into a report: worst device first, and the same for the same input.
#[must_use]
pub fn build(material: Material<'_>) -> Report {
    let Material {
        id,
        title,
        created_at,
        mut captures,
        exchanges,
        diagnoses,
        points,
        topology,
        ..
    } = material;
    if let Some(first) = captures.first_mut() {
        first
            .warnings
            .extend(material.inventory_faults.iter().map(|fault| format!("inventory: {fault}")));
    }
    let addresses = addresses(&exchanges, topology);
    let mut by_device: BTreeMap<DeviceKey, Vec<Diagnosed>> = BTreeMap::new();
    for diagnosed in exchanges.into_iter().zip(diagnoses) {
        by_device.entry(DeviceKey::of(&diagnosed.0, topology)).or_default().push(diagnosed);
    }
    let names = Names { captures: &captures, points };
    let mut devices: Vec<Device> = by_device
        .into_values()
        .map(|exchanges| device(exchanges, topology, names, material.exchanges_per_device))
        .collect();
    devices
        .sort_by_key(|device| (Reverse(device.verdict), Reverse(gravest(device)), device.device));
    let mut verdicts = BTreeMap::new();
    for device in &devices {
        *verdicts.entry(device.verdict).or_insert(0) += 1;
    }
    Report {
        id,
        title: title.unwrap_or_else(|| title_of(&captures)),
        created_at,
        verdict: devices.first().map_or(Verdict::Inconclusive, |device| device.verdict),
        headline: report_headline(&devices, &verdicts, &captures),
        summary: Summary { devices: u64::try_from(devices.len()).unwrap_or(u64::MAX), verdicts },
        captures,
        addresses,
        devices,
    }
}

/// Exchanges of a listed device belong together, whatever address they use.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum DeviceKey {
    Listed(String),
    Address(IpAddr),
}

impl DeviceKey {
    fn of(exchange: &Exchange, topology: &Topology) -> Self {
        topology
            .device_of(exchange.device)
            .map_or(Self::Address(exchange.device), |entry| Self::Listed(entry.name.clone()))
    }
}

fn device(
    mut exchanges: Vec<Diagnosed>,
    topology: &Topology,
    names: Names<'_>,
    max_exchanges: usize,
) -> Device {
    exchanges.sort_by_key(|(exchange, diagnosis)| {
        (Reverse(diagnosis.verdict), exchange.primary().first_at, exchange.client)
    });
    let findings = merge_findings(&exchanges, names);
    let parts: Vec<_> = exchanges
        .iter()
        .take(max_exchanges)
        .map(|(exchange, diagnosis)| exchange_part(exchange, diagnosis.verdict, names))
        .collect();
    let count = u64::try_from(exchanges.len()).unwrap_or(u64::MAX);
    let listed = u64::try_from(parts.len()).unwrap_or(u64::MAX);
    // A device without exchanges is not made: the first is the worst.
    let (device, rule, verdict) = exchanges.first().map_or(
        (IpAddr::from([0, 0, 0, 0]), "", Verdict::Inconclusive),
        |(exchange, diagnosis)| {
            (exchange.device, exchange.device_rule.as_text(), diagnosis.verdict)
        },
    );
    let entry = topology.device_of(device);
    let addresses = entry.map_or_else(|| vec![device], |entry| entry.addresses.clone());
    Device {
        device,
        name: entry.map(|entry| entry.name.clone()),
        addresses,
        verdict,
        headline: device_headline(verdict, &findings, &parts, count),
        device_rule: rule.to_owned(),
        findings,
        exchanges: parts,
        exchanges_omitted: count - listed,
    }
}

/// One finding per cause: the worst exchange's words, the evidence of all.
fn merge_findings(exchanges: &[Diagnosed], names: Names<'_>) -> Vec<DeviceFinding> {
    let mut merged: Vec<DeviceFinding> = Vec::new();
    for (exchange, diagnosis) in exchanges {
        for finding in &diagnosis.findings {
            match merged.iter_mut().find(|known| known.cause == finding.cause) {
                Some(known) => {
                    known.severity = known.severity.max(finding.severity);
                    known.confidence = known.confidence.max(finding.confidence);
                    let room = MAX_EVIDENCE.saturating_sub(known.evidence.len());
                    known.evidence.extend(evidence(finding, names).take(room));
                }
                None => merged.push(DeviceFinding {
                    cause: finding.cause,
                    severity: finding.severity,
                    confidence: finding.confidence,
                    title: finding.title.clone(),
                    explanation: finding.explanation.clone(),
                    evidence: evidence(finding, names).take(MAX_EVIDENCE).collect(),
                    remedies: finding.remedies.clone(),
                    display_filter: display_filter(exchange),
                }),
            }
        }
    }
    merged.sort_by_key(|finding| {
        (Reverse(finding.severity), Cause::ALL.iter().position(|cause| *cause == finding.cause))
    });
    merged
}

fn evidence<'a>(
    finding: &'a Finding,
    names: Names<'a>,
) -> impl Iterator<Item = FrameEvidence> + 'a {
    finding.evidence.iter().map(move |evidence| FrameEvidence {
        capture: names.capture_of(evidence.frame),
        frame: evidence.frame.number,
        at: evidence.frame.at,
        summary: evidence.summary.clone(),
    })
}

fn gravest(device: &Device) -> Option<Severity> {
    device.findings.iter().map(|finding| finding.severity).max()
}

/// The addresses that packets used, then some that only the inventory names.
fn addresses(exchanges: &[Exchange], topology: &Topology) -> Vec<Address> {
    let mut seen = BTreeSet::new();
    for exchange in exchanges {
        seen.insert(exchange.device);
        for view in &exchange.views {
            seen.extend(view.asked.map(|asked| asked.address));
            seen.extend(view.replies.iter().map(|replies| replies.source.address));
            seen.extend(view.follow_ups.iter().map(|follow_ups| follow_ups.destination.address));
            seen.extend(view.follow_ups.iter().map(|follow_ups| follow_ups.source.address));
            seen.extend(view.icmp_errors.iter().map(|error| error.from));
        }
        seen.insert(exchange.client.address);
    }
    let unseen = topology
        .beliefs()
        .map(|(address, _)| address)
        .filter(|address| !seen.contains(address))
        .take(MAX_UNSEEN_ADDRESSES)
        .collect::<Vec<_>>();
    seen.iter().copied().chain(unseen).map(|address| address_part(address, topology)).collect()
}

fn address_part(address: IpAddr, topology: &Topology) -> Address {
    if let Some(belief) = topology.find(address) {
        return Address {
            address,
            role: belief.role,
            node: belief.node.clone(),
            pod: belief.pod.clone(),
            source: belief.source,
            reason: belief.reason.clone(),
        };
    }
    let role = topology.role_of(address);
    let (source, reason) = match role {
        Role::Multicast | Role::Broadcast => (FactSource::Address, "by its form"),
        _ => (FactSource::Packets, "no inventory names it, and the packets do not tell"),
    };
    Address { address, role, node: None, pod: None, source, reason: reason.to_owned() }
}

fn title_of(captures: &[Capture]) -> String {
    match captures {
        [] => "Nothing captured".to_owned(),
        [only] => only.name.clone(),
        [first, second] => format!("{} and {}", first.name, second.name),
        [first, rest @ ..] => format!("{} and {} more captures", first.name, rest.len()),
    }
}
