//! Live captures: packet sockets with filters that the kernel runs, streamed as pcapng.

mod assembler;
mod block;
mod bpf;
mod pcapng;
mod pending;
mod program;
mod request;
#[expect(unsafe_code, reason = "the memory of a ring is shared with the kernel")]
mod ring;
mod shared;
mod source;
mod standing;
mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};
use uuid::Uuid;

pub use self::pcapng::Counts;
use self::program::{LinkLayer, MAX_DEVICES, Outgoing, Selection};
pub use self::request::{Policy, Refusal};
use self::ring::Ring;
use self::shared::{Shared, Totals};
use self::source::{Source, SourceState};
use self::standing::{Change, MAX_STANDING_RINGS};
pub use self::standing::{Standing, StandingFilters};
use self::worker::Worker;
use super::netlink;
use crate::model::time::Timestamp;
use crate::node::wire::{CaptureEnd, CaptureLimits, CaptureRequest, CaptureStatistics, Link};

/// Kernel memory for the rings of one capture, and of one interface.
const CAPTURE_BYTES: usize = 32 << 20;
const MAX_RING_BYTES: usize = 8 << 20;

/// Pieces of the stream that wait for the client, 128 KiB and more each.
const STREAM_CHUNKS: usize = 32;

/// Captures that have ended and can still be asked about.
const REMEMBERED: usize = 64;

/// Why a capture did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("this node has no interface {name}; it has {}", .known.join(", "))]
    UnknownInterface { name: String, known: Vec<String> },
    #[error("{limit} captures run, which is as many as this agent's settings allow")]
    Busy { limit: u32 },
    #[error("the agent ends")]
    Ending,
    #[error("the capture cannot be filtered")]
    Program(#[from] assembler::Error),
    #[error("the interface {interface} cannot be captured")]
    Open { interface: String, source: io::Error },
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    #[error("no thread can be started for the capture")]
    Thread(#[source] io::Error),
    #[error("no interface that may be captured leads to the devices, or has a name that was given")]
    NoInterface,
    #[error(
        "{rings} rings are needed at {interfaces} interfaces, one for {MAX_DEVICES} addresses at each, and there are {MAX_STANDING_RINGS} at most; name fewer devices"
    )]
    TooManyRings { rings: usize, interfaces: usize },
}

/// The captures of an agent.
#[derive(Debug)]
pub struct Captures {
    node: String,
    policy: Policy,
    now: fn() -> Timestamp,
    new_id: fn() -> Uuid,
    slots: Arc<Semaphore>,
    totals: Arc<Totals>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: BTreeMap<Uuid, Arc<Shared>>,
    /// Oldest first.
    order: VecDeque<Uuid>,
    /// The one that goes on, which no client asks about.
    standing: Option<Arc<Shared>>,
}

impl Captures {
    /// No captures yet, on the node called `node`.
    pub fn new(node: String, policy: Policy, now: fn() -> Timestamp, new_id: fn() -> Uuid) -> Self {
        let slots = usize::try_from(policy.captures).unwrap_or(1).min(Semaphore::MAX_PERMITS);
        Self {
            node,
            policy,
            now,
            new_id,
            slots: Arc::new(Semaphore::new(slots)),
            totals: Arc::default(),
            known: Mutex::default(),
        }
    }

    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Starts a capture; its stream ends with it. Dropping the stream ends the capture.
    ///
    /// # Errors
    ///
    /// Where the request is not allowed or cannot be fulfilled.
    pub async fn start(
        &self,
        request: &CaptureRequest,
    ) -> Result<(Uuid, mpsc::Receiver<Bytes>), Error> {
        let selections = self.policy.check(request)?;
        let slot =
            Arc::clone(&self.slots).try_acquire_owned().map_err(|refusal| match refusal {
                TryAcquireError::NoPermits => Error::Busy { limit: self.policy.captures },
                TryAcquireError::Closed => Error::Ending,
            })?;
        let links = netlink::Tables::open()?.links().await?;
        let memory_bytes = (CAPTURE_BYTES / selections.len().max(1)).min(MAX_RING_BYTES);
        let mut sources = Vec::with_capacity(selections.len());
        for (name, selection) in selections {
            let link = links.iter().find(|link| link.name == name).ok_or_else(|| {
                let known = links.iter().map(|link| link.name.clone()).take(50).collect();
                Error::UnknownInterface { name: name.to_owned(), known }
            })?;
            sources.push(open(link, selection, request.snap_length_bytes, memory_bytes)?);
        }
        let limits = self.policy.limit(request.limits);
        let (shared, receiver) =
            self.spawn(sources, request.snap_length_bytes, limits, Lasting::Slot(slot))?;
        self.remember(Arc::clone(&shared));
        let id = shared.id();
        tracing::info!(%id, interfaces = request.interfaces.len(), "capture started");
        Ok((id, receiver))
    }

    /// Starts a capture at `links` that no limit ends, beside those that clients
    /// start; there is one at a time.
    ///
    /// # Errors
    ///
    /// Where an interface is forbidden or cannot be captured, or there are too many.
    pub fn stand(
        &self,
        links: &[Link],
        filters: StandingFilters,
        snap_length_bytes: u32,
    ) -> Result<Standing, Error> {
        if self.slots.is_closed() {
            return Err(Error::Ending);
        }
        let rings = filters.list().len().saturating_mul(links.len());
        if rings > MAX_STANDING_RINGS {
            return Err(Error::TooManyRings { rings, interfaces: links.len() });
        }
        let memory_bytes = filters.ring_bytes(links.len());
        let sources = self.open_all(links.iter(), &filters, snap_length_bytes, memory_bytes)?;
        let limits = CaptureLimits { seconds: u32::MAX, packets: u64::MAX, bytes: u64::MAX };
        let (changes, receiver) = std::sync::mpsc::channel();
        let (shared, stream) =
            self.spawn(sources, snap_length_bytes, limits, Lasting::Standing(receiver))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.standing = Some(Arc::clone(&shared));
        Ok(Standing { shared, changes, snap_length_bytes, filters, stream })
    }

    /// Captures at the interfaces of `new`, too, and no more at those with the indices
    /// of `gone`. The others are not touched.
    ///
    /// # Errors
    ///
    /// Where a new interface is forbidden or cannot be captured; then nothing changes.
    pub fn change<'a>(
        &self,
        standing: &Standing,
        gone: Vec<u32>,
        new: impl Iterator<Item = &'a Link>,
    ) -> Result<(), Error> {
        let Standing { filters, snap_length_bytes, .. } = standing;
        // As if all rings were there: what runs keeps the memory that it has.
        let memory_bytes = CAPTURE_BYTES / MAX_STANDING_RINGS;
        let new = self.open_all(new, filters, *snap_length_bytes, memory_bytes)?;
        standing.changes.send(Change { gone, new }).map_err(|_| Error::Ending)
    }

    fn open_all<'a>(
        &self,
        links: impl Iterator<Item = &'a Link>,
        filters: &StandingFilters,
        snap_length_bytes: u32,
        memory_bytes: usize,
    ) -> Result<Vec<Source>, Error> {
        let mut sources = Vec::new();
        for link in links {
            if !self.policy.allows(&link.name) {
                return Err(Refusal::InterfaceForbidden(link.name.clone()).into());
            }
            for filter in filters.list() {
                let selection = Selection::Filter(filter);
                sources.push(open(link, selection, snap_length_bytes, memory_bytes)?);
            }
        }
        Ok(sources)
    }

    /// Starts the thread of a capture.
    fn spawn(
        &self,
        sources: Vec<Source>,
        snap_length_bytes: u32,
        limits: CaptureLimits,
        lasting: Lasting,
    ) -> Result<(Arc<Shared>, mpsc::Receiver<Bytes>), Error> {
        let shared = Arc::new(Shared::new(CaptureStatistics {
            id: (self.new_id)(),
            started_at: (self.now)(),
            end: None,
            packets: 0,
            bytes: 0,
            last_packet_at: None,
            observed_until: None,
            interfaces: sources.iter().map(Source::statistics).collect(),
        }));
        let (stream, receiver) = mpsc::channel(STREAM_CHUNKS);
        let (slot, changes) = match lasting {
            Lasting::Slot(slot) => (Some(slot), None),
            Lasting::Standing(changes) => (None, Some(changes)),
        };
        let worker = Worker {
            node: self.node.clone(),
            sources,
            snap_length_bytes,
            limits,
            stream,
            shared: Arc::clone(&shared),
            totals: Arc::clone(&self.totals),
            now: self.now,
            slot,
            changes,
            retired: Vec::new(),
        };
        std::thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || worker.run())
            .map_err(Error::Thread)?;
        Ok((shared, receiver))
    }

    fn remember(&self, shared: Arc<Shared>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { by_id, order, .. } = &mut *known;
        order.push_back(shared.id());
        by_id.insert(shared.id(), shared);
        while order.len() > REMEMBERED {
            // Those that run are never forgotten: there are fewer of them.
            let ended = order
                .iter()
                .position(|id| by_id.get(id).is_none_or(|one| one.statistics().end.is_some()));
            let Some(id) = ended.and_then(|place| order.remove(place)) else { break };
            by_id.remove(&id);
        }
    }

    fn find_shared(&self, id: Uuid) -> Option<Arc<Shared>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    /// What became of a capture so far.
    pub fn find(&self, id: Uuid) -> Option<CaptureStatistics> {
        self.find_shared(id).map(|shared| shared.statistics())
    }

    /// Ends a capture, and says what became of it.
    pub async fn stop(&self, id: Uuid) -> Option<CaptureStatistics> {
        let shared = self.find_shared(id)?;
        shared.end(CaptureEnd::Stopped);
        shared.finished().await;
        Some(shared.statistics())
    }

    /// Ends all captures, waits for them, and starts no other.
    pub async fn stop_all(&self) {
        self.slots.close();
        let mut running = self.running();
        let standing = self.known.lock().unwrap_or_else(PoisonError::into_inner).standing.clone();
        running.extend(standing);
        for shared in &running {
            shared.end(CaptureEnd::AgentEnding);
        }
        for shared in &running {
            shared.finished().await;
        }
    }

    fn running(&self) -> Vec<Arc<Shared>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_id.values().filter(|one| one.statistics().end.is_none()).cloned().collect()
    }

    /// The captures that run.
    pub fn list(&self) -> Vec<CaptureStatistics> {
        self.running().iter().map(|shared| shared.statistics()).collect()
    }

    /// Packets that captures have received and the kernel dropped since the agent started.
    pub fn counts(&self) -> Counts {
        self.totals.counts()
    }

    /// When the last packet of all captures came.
    pub fn last_packet_at(&self) -> Option<Timestamp> {
        self.totals.last_packet_at()
    }
}

/// For how long a capture is there.
#[derive(Debug)]
enum Lasting {
    /// Until its limits; its place is given back then.
    Slot(OwnedSemaphorePermit),
    /// For ever, at interfaces that come and go.
    Standing(std::sync::mpsc::Receiver<Change>),
}

fn open(
    link: &Link,
    selection: Selection<'_>,
    snap_length_bytes: u32,
    memory_bytes: usize,
) -> Result<Source, Error> {
    let is_loopback = link.link_type == "loopback";
    let layer = if is_loopback || link.link_type == "ether" {
        LinkLayer::Ethernet
    } else {
        LinkLayer::Network
    };
    let outgoing = if is_loopback { Outgoing::Skipped } else { Outgoing::Captured };
    let program = program::compile(selection, layer, outgoing, snap_length_bytes)?;
    let ring = Ring::open(link.index, layer, &program, memory_bytes)
        .map_err(|source| Error::Open { interface: link.name.clone(), source })?;
    Ok(Source {
        index: link.index,
        name: link.name.clone(),
        link: layer,
        ring,
        counts: Counts::default(),
        state: SourceState::Up,
    })
}

/// The writer of streams, for tests of what reads them.
#[cfg(test)]
pub mod samples {
    pub use super::block::RingPacket;
    use super::pcapng;
    pub use super::pcapng::write_section;
    use super::program::LinkLayer;

    pub fn write_interface(out: &mut Vec<u8>, name: &str) {
        pcapng::write_interface(out, name, LinkLayer::Ethernet, 65_535);
    }

    pub fn write_packet(out: &mut Vec<u8>, interface: u32, packet: &RingPacket<'_>) {
        pcapng::write_packet(out, interface, LinkLayer::Ethernet, packet);
    }
}
