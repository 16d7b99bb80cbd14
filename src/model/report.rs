//! The report: the contract that other programs read. Names change only by addition.

mod capture;
mod exchange;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::capture::{Capture, CaptureTunnel};
pub use self::exchange::{
    DeviceExchange, FollowUpPart, IcmpPart, Quotes, ReplyPart, RequestPart, Step, StepKind,
    Translation,
};
use super::finding::{Cause, Confidence, Remedy, Severity, Verdict};
use super::time::Timestamp;
use super::topology::{FactSource, Role};

/// What an analysis found: sorted worst first, and the same for the same input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    pub id: Uuid,
    pub title: String,
    pub created_at: Timestamp,
    /// The worst of the devices' verdicts; `inconclusive` where there is no device.
    pub verdict: Verdict,
    /// The answer in one sentence.
    pub headline: String,
    pub summary: Summary,
    pub captures: Vec<Capture>,
    pub addresses: Vec<Address>,
    /// Addresses that packets used and `addresses` leaves out; at most 98,000 are counted.
    #[serde(default)]
    pub addresses_omitted: u64,
    /// Devices that `devices` leaves out, the best of all, where only a part was
    /// asked for; `summary` counts them all the same.
    #[serde(default)]
    pub devices_omitted: u64,
    /// Worst first.
    pub devices: Vec<Device>,
}

impl Report {
    /// The report without its devices, all of which count as left out.
    #[must_use]
    pub fn frame(&self) -> Self {
        let listed = u64::try_from(self.devices.len()).unwrap_or(u64::MAX);
        Self {
            id: self.id,
            title: self.title.clone(),
            created_at: self.created_at,
            verdict: self.verdict,
            headline: self.headline.clone(),
            summary: self.summary.clone(),
            captures: self.captures.clone(),
            addresses: self.addresses.clone(),
            addresses_omitted: self.addresses_omitted,
            devices_omitted: self.devices_omitted.saturating_add(listed),
            devices: Vec::new(),
        }
    }

    /// Leaves out all devices but the worst `most`.
    pub fn keep_worst(&mut self, most: usize) {
        let omitted = self.devices.len().saturating_sub(most);
        self.devices.truncate(most);
        self.devices_omitted =
            self.devices_omitted.saturating_add(u64::try_from(omitted).unwrap_or(u64::MAX));
    }
}

/// One line about a stored report: what lists show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisSummary {
    pub id: Uuid,
    pub title: String,
    pub created_at: Timestamp,
    pub verdict: Verdict,
    pub headline: String,
    pub devices: u64,
    /// The captures' names.
    pub captures: Vec<String>,
}

/// One device in one stored report: a line of its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceSummary {
    #[schema(value_type = String)]
    pub device: IpAddr,
    pub name: Option<String>,
    pub analysis: Uuid,
    pub analysed_at: Timestamp,
    pub verdict: Verdict,
    pub headline: String,
    /// The causes found, the one that explains most first.
    pub causes: Vec<Cause>,
}

/// Counts over all devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    pub devices: u64,
    /// Devices per verdict; verdicts without a device are left out.
    pub verdicts: BTreeMap<Verdict, u64>,
}

/// An address of the analysis and its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Address {
    #[schema(value_type = String)]
    pub address: IpAddr,
    pub role: Role,
    pub node: Option<String>,
    pub pod: Option<String>,
    pub source: FactSource,
    pub reason: String,
    /// The host's name in a text that does not tell its address: `address` is then one that
    /// stands for the name, and that no host has (of 240.0.0.0/4 or 100::/64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One device: its verdict, why, and its exchanges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// The address that identifies it in links.
    #[schema(value_type = String)]
    pub device: IpAddr,
    pub name: Option<String>,
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    pub verdict: Verdict,
    pub headline: String,
    /// Why this side of the exchange is taken for the device.
    pub device_rule: String,
    /// One per cause, the one that explains most first.
    pub findings: Vec<DeviceFinding>,
    /// Worst first, then by time.
    pub exchanges: Vec<DeviceExchange>,
    pub exchanges_omitted: u64,
    /// Exchanges that a server answered last with an error of its protocol
    /// (`error_answer`), those that are not listed as well.
    #[serde(default)]
    pub error_answers: u64,
}

/// A cause that this device's packets prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceFinding {
    pub cause: Cause,
    /// Where the service explains the cause: `/docs/causes/{cause}`, a path on the
    /// host of the service that serves the report.
    #[serde(default)]
    pub documentation: String,
    pub severity: Severity,
    pub confidence: Confidence,
    pub title: String,
    pub explanation: String,
    pub evidence: Vec<FrameEvidence>,
    pub remedies: Vec<Remedy>,
    /// Wireshark display filter by addresses and ports: a protocol's name would hide the answer.
    /// Where only a name is known, `<address of …>` stands for what has to be filled in.
    pub display_filter: String,
}

/// A frame that proves a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FrameEvidence {
    /// The capture's name.
    pub capture: String,
    /// Counted from 1, as in Wireshark; of a connection tracking table its line.
    pub frame: u64,
    pub at: Timestamp,
    pub summary: String,
}
