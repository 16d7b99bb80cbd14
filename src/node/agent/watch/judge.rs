//! The shared analysis of one window.

use uuid::Uuid;

use super::devices::Devices;
use super::window::Snapshot;
use crate::analysis::{Analysis, Limits, ReportHeader};
use crate::model::capture::{CapturePoint, PointKind};
use crate::model::conntrack::TrackingTable;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Verdict;
use crate::model::input::InputError;
use crate::model::report::Report;
use crate::model::topology::Facts;

/// What one window's analysis may cost: some 100 MB at worst.
const LIMITS: Limits = Limits {
    expanded_bytes: 1 << 30,
    exchanges_per_device: 50,
    exchanges_per_point: 100_000,
    well_exchanges_listed: 10_000,
    other_exchanges_listed: 20_000,
};

/// What is known of the node and its devices beside the packets.
#[derive(Debug, Clone)]
pub struct Context {
    pub node: String,
    pub facts: Facts,
    pub table: Option<TrackingTable>,
}

/// Analyses what a window holds.
///
/// # Errors
///
/// Where it holds nothing that can be analysed.
pub fn judge(
    mut snapshot: Snapshot,
    devices: &Devices,
    context: Context,
    id: Uuid,
) -> Result<Report, InputError> {
    let Context { node, mut facts, table } = context;
    let mut analysis = Analysis::new(LIMITS);
    facts.devices.extend(devices.entries());
    analysis.add_facts(facts);
    if let Some(table) = table {
        analysis.add_tracking_table(table);
    }
    // The kind of each point follows from its interface.
    let point = CapturePoint { kind: PointKind::Unknown, node: Some(node), interface: None };
    analysis.read_capture("watch", Some(point), &mut snapshot)?;
    let until = snapshot.span.until;
    analysis.observe_until(until);
    analysis.finish(ReportHeader { id, title: Some("watch".to_owned()), created_at: until })
}

/// The client sockets whose exchanges did not go well: the kernel's table may say why.
pub fn find_troubled(report: &Report, devices: &Devices) -> Vec<Endpoint> {
    let watched = report.devices.iter().filter(|device| {
        let addresses = [&[device.device][..], &device.addresses].concat();
        devices.find(&addresses).is_some()
    });
    let exchanges = watched.flat_map(|device| &device.exchanges);
    let mut clients: Vec<Endpoint> = exchanges
        .filter(|exchange| exchange.verdict > Verdict::Inconclusive)
        .map(|exchange| exchange.client)
        .collect();
    clients.sort_unstable();
    clients.dedup();
    clients
}
