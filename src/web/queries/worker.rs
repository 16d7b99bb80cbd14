//! The thread that owns the analysis of a query.

use std::io::Read;
use std::net::IpAddr;

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;

use super::super::chunks::{ChunkReader, Fault, Next, Source};
use super::super::error::Error;
use super::observed::Observed;
use crate::analysis::{Analysis, Limits, ReportHeader};
use crate::model::capture::{CapturePoint, PointKind};
use crate::model::cluster::ClusterFacts;
use crate::model::input::InputError;
use crate::model::progress::Counts;
use crate::model::report::Report;
use crate::model::time::Timestamp;
use crate::model::topology::{DeviceEntry, Facts, Role};
use crate::store::CaptureBlobs;

/// What the queue holds: bytes of the capture, and then the rest.
#[derive(Debug)]
pub enum Piece {
    Bytes(Bytes),
    End(Box<Rest>),
}

/// What a report needs beside packets.
#[derive(Debug)]
pub struct Rest {
    pub header: ReportHeader,
    pub node: String,
    pub device: IpAddr,
    /// All addresses of the device.
    pub addresses: Vec<IpAddr>,
    pub observed: Observed,
    /// Until when the agent says that it saw every packet, by its clock.
    pub observed_until: Option<Timestamp>,
    pub clusters: Vec<ClusterFacts>,
}

/// Analyses a capture while it comes, and keeps it as it came.
///
/// # Errors
///
/// Where it cannot be stored, or nothing came that can be analysed. Where the
/// queue ends without the rest, the service ends: the capture stays for its next start.
pub fn analyse(
    queue: Receiver<Piece>,
    limits: Limits,
    counts: Counts,
    node: &str,
    mut captures: CaptureBlobs,
) -> Result<(Report, CaptureBlobs), Error> {
    let file = captures.create()?;
    let mut input = ChunkReader::new(Live { queue, rest: None }, Some(file));
    let mut analysis = Analysis::new(limits).counting_into(counts);
    let read = analysis.read_capture(&label_of(node), Some(point_of(node)), &mut input);
    // A capture that cannot be read any further is kept whole.
    input.read_rest();
    let (live, kept) = input.finish();
    match (live.rest, kept) {
        (_, Err(Fault::Store(error))) => Err(error.into()),
        (Some(rest), Ok(())) => Ok((conclude(analysis, read, *rest)?, captures)),
        (_, Err(Fault::Gone)) | (None, Ok(())) => {
            captures.keep();
            Err(Error::Internal("the service ends"))
        }
    }
}

/// Analyses what an earlier run of the service captured.
///
/// # Errors
///
/// Where nothing of it can be analysed.
pub fn analyse_again(
    file: &mut dyn Read,
    limits: Limits,
    rest: Rest,
) -> Result<Report, InputError> {
    let mut analysis = Analysis::new(limits);
    let node = rest.node.clone();
    let read = analysis.read_capture(&label_of(&node), Some(point_of(&node)), file);
    conclude(analysis, read, rest)
}

fn label_of(node: &str) -> String {
    format!("{node}.pcapng")
}

/// Where an agent captures is its node; which side of a translation each
/// interface is on, its facts say.
fn point_of(node: &str) -> CapturePoint {
    CapturePoint { kind: PointKind::Unknown, node: Some(node.to_owned()), interface: None }
}

fn conclude(
    mut analysis: Analysis,
    read: Result<(), InputError>,
    rest: Rest,
) -> Result<Report, InputError> {
    let Rest { header, node, device, addresses, observed, observed_until, clusters } = rest;
    // At the pods' cables, packets of others are captured too.
    analysis.tell_about(addresses.iter().copied());
    if let Some(at) = observed_until {
        analysis.observe_until(at);
    }
    observed.notes.into_iter().for_each(|note| analysis.add_note(note));
    if let Some(facts) = observed.facts {
        analysis.add_facts(without_doubles(facts.to_facts(), &clusters));
    }
    if let Some(flows) = observed.flows {
        analysis.add_tracking_table(flows.to_table(&format!("conntrack of {node}")));
    }
    for cluster in clusters {
        analysis.add_cluster(cluster);
    }
    if addresses.len() > 1 {
        let devices = vec![DeviceEntry { name: device.to_string(), addresses }];
        analysis.add_facts(Facts { devices, ..Facts::default() });
    }
    match (analysis.finish(header), read) {
        (Ok(report), _) => Ok(report),
        // What stopped the reading says more than that nothing was read.
        (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
    }
}

/// The agent knows where a pod's cable is, the cluster the pod's name: both would
/// be told, and the cluster says more.
fn without_doubles(mut facts: Facts, clusters: &[ClusterFacts]) -> Facts {
    let named = |address: IpAddr| {
        let known = clusters.iter().flat_map(|cluster| &cluster.facts.addresses);
        known.into_iter().any(|fact| fact.address == address && fact.pod.is_some())
    };
    facts.addresses.retain(|fact| fact.role != Role::Pod || !named(fact.address));
    facts
}

/// A live capture, and what its end brings.
struct Live {
    queue: Receiver<Piece>,
    rest: Option<Box<Rest>>,
}

impl Source for Live {
    fn next(&mut self) -> Next {
        match self.queue.blocking_recv() {
            Some(Piece::Bytes(chunk)) => Next::Bytes(chunk),
            Some(Piece::End(rest)) => {
                self.rest = Some(rest);
                Next::End
            }
            None => Next::Gone,
        }
    }
}
