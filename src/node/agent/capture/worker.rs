//! The thread of one capture: from the rings to the stream.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use super::pcapng::{self, Listening};
use super::pending::Pending;
use super::ring::{self, RETIRE_TIME};
use super::shared::{Shared, Totals};
use super::source::Source;
use super::standing::Change;
use crate::model::time::Timestamp;
use crate::node::wire::{CaptureEnd, CaptureLimits, InterfaceStatistics};

/// How long packets wait for earlier ones of another interface: the kernel may
/// hold those back for as long as a block lives.
const HOLD_TIME: Duration = Duration::from_millis(110);

/// Packets wait no longer than this many bytes allow.
const MAX_PENDING_BYTES: usize = 4 << 20;

/// Bytes of one piece of the stream.
const CHUNK_BYTES: usize = 128 << 10;

/// How often the kernel is asked what it dropped.
const COUNT_TIME: Duration = Duration::from_millis(500);

/// How long the client may take nothing; the ring fills meanwhile.
const STALL_TIME: Duration = Duration::from_secs(20);

/// The same once the capture shall end.
const LAST_STALL_TIME: Duration = Duration::from_secs(2);

/// Blocks of one ring that are read before the others, and the limits, have their turn.
const BLOCKS_AT_ONCE: usize = 32;

/// Interfaces that went and whose counts are kept: pods come and go.
const MAX_RETIRED: usize = 1_024;

/// How often a full channel is tried again.
const RETRY_TIME: Duration = Duration::from_millis(2);

/// All that the thread needs.
#[derive(Debug)]
pub struct Worker {
    pub node: String,
    pub sources: Vec<Source>,
    pub snap_length_bytes: u32,
    pub limits: CaptureLimits,
    pub stream: Sender<Bytes>,
    pub shared: Arc<Shared>,
    pub totals: Arc<Totals>,
    pub now: fn() -> Timestamp,
    /// Its place among the captures that may run at once, if it needs one.
    pub slot: Option<OwnedSemaphorePermit>,
    /// Interfaces that come and go, where they may.
    pub changes: Option<Receiver<Change>>,
    /// What was counted at interfaces that went, each name once.
    pub retired: Vec<InterfaceStatistics>,
}

/// What the thread has in hand.
#[derive(Debug, Default)]
struct State {
    pending: Pending,
    chunk: Vec<u8>,
    packets: u64,
    /// Bytes of the stream, those in `chunk` included.
    bytes: u64,
    last_packet_at: Option<Timestamp>,
    /// Until when all packets are in the stream, once it has ended.
    observed_until: Option<Timestamp>,
}

impl Worker {
    /// Captures until something ends it, and says what.
    pub fn run(mut self) {
        // Whoever waits for the end is told of it, even if this thread panics.
        let _end = FinishOnDrop(Arc::clone(&self.shared));
        let mut state = State::default();
        let end = match self.capture(&mut state) {
            Ok(end) => end,
            Err(error) => {
                tracing::error!(%error, "a capture failed");
                CaptureEnd::Failed
            }
        };
        self.count();
        let sent = if matches!(end, CaptureEnd::ClientGone | CaptureEnd::ClientStalled) {
            Ok(())
        } else {
            self.write_statistics(&mut state);
            self.send(&mut state, LAST_STALL_TIME)
        };
        self.publish(&state);
        let end = sent.err().unwrap_or(end);
        tracing::info!(id = %self.shared.id(), packets = state.packets, ?end, "capture ended");
        // Who hears that it has ended may begin the next.
        drop(self.slot.take());
        self.shared.finish(end);
    }

    fn capture(&mut self, state: &mut State) -> std::io::Result<CaptureEnd> {
        // Timers of the kernel do not jump, as its clock may.
        let started = Instant::now();
        let mut counted = started;
        self.begin_section(state);
        loop {
            if let Some(end) = self.take_changes(state) {
                return Ok(end);
            }
            if let Err(end) = self.send(state, STALL_TIME) {
                return Ok(end);
            }
            self.publish(state);
            if let Some(end) = self.shared.wish() {
                return Ok(self.conclude(state, end));
            }
            if started.elapsed() >= Duration::from_secs(self.limits.seconds.into()) {
                return Ok(self.conclude(state, CaptureEnd::Time));
            }
            if self.stream.is_closed() {
                return Ok(CaptureEnd::ClientGone);
            }
            if self.sources.iter().all(Source::is_gone) {
                return Ok(self.drain(state).unwrap_or(CaptureEnd::InterfacesGone));
            }
            if let Some(end) = self.read(state, Some(HOLD_TIME))? {
                if matches!(end, CaptureEnd::Packets | CaptureEnd::Bytes) {
                    state.observed_until = state.last_packet_at;
                }
                return Ok(end);
            }
            if counted.elapsed() >= COUNT_TIME {
                counted = Instant::now();
                self.sources.iter_mut().for_each(Source::look_again);
                if self.count() {
                    // Told at once: the stream may end without a word.
                    self.write_statistics(state);
                }
            }
        }
    }

    /// Describes the interfaces as they are now, before packets of them.
    fn begin_section(&self, state: &mut State) {
        let before = state.chunk.len();
        let program = concat!("replyscope agent ", env!("CARGO_PKG_VERSION"));
        pcapng::write_section(&mut state.chunk, &self.node, program);
        for source in &self.sources {
            let name = &source.name;
            pcapng::write_interface(&mut state.chunk, name, source.link, self.snap_length_bytes);
        }
        state.bytes += u64::try_from(state.chunk.len() - before).unwrap_or(u64::MAX);
    }

    /// Takes interfaces that came and lets go those that went, in a new section of the
    /// stream. The rings of the others go on: no packet is missed.
    fn take_changes(&mut self, state: &mut State) -> Option<CaptureEnd> {
        let mut has_changed = false;
        while let Some(change) = self.changes.as_ref().and_then(|changes| changes.try_recv().ok()) {
            if !has_changed {
                // Packets that wait name the interfaces of the section that ends.
                if let Some(end) = self.write(state, None) {
                    return Some(end);
                }
                self.count();
                has_changed = true;
            }
            let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sources)
                .into_iter()
                .partition(|source| change.gone.contains(&source.index));
            for source in gone {
                self.retire(source.statistics());
            }
            self.sources = kept;
            self.sources.extend(change.new);
        }
        if has_changed {
            self.begin_section(state);
            let interfaces = self.retired.iter().cloned();
            let interfaces =
                interfaces.chain(self.sources.iter().map(Source::statistics)).collect();
            self.shared.publish(|statistics| statistics.interfaces = interfaces);
        }
        None
    }

    /// Remembers what was counted at an interface that went.
    fn retire(&mut self, last: InterfaceStatistics) {
        if let Some(known) = self.retired.iter_mut().find(|known| known.name == last.name) {
            known.received = known.received.saturating_add(last.received);
            known.dropped = known.dropped.saturating_add(last.dropped);
        } else if self.retired.len() < MAX_RETIRED {
            self.retired.push(last);
        }
    }

    /// Takes what is in the rings, or comes until their blocks retire. `hold`
    /// is how long packets wait for earlier ones. Why the capture must end, if it must.
    fn read(
        &mut self,
        state: &mut State,
        hold: Option<Duration>,
    ) -> std::io::Result<Option<CaptureEnd>> {
        let waiting = self.sources.iter().filter(|source| !source.is_gone());
        let troubled = ring::wait(waiting.map(|source| &source.ring), RETIRE_TIME)?;
        let waited = self.sources.iter_mut().filter(|source| !source.is_gone());
        for (source, is_troubled) in waited.zip(troubled) {
            if is_troubled {
                source.take_error();
            }
        }
        // Packets of one interface are in order already.
        let hold = hold.filter(|_| self.sources.len() > 1);
        for number in 0..self.sources.len() {
            for _ in 0..BLOCKS_AT_ONCE {
                let Some(source) = self.sources.get_mut(number) else { break };
                let index = u32::try_from(number).unwrap_or(u32::MAX);
                let (link, pending) = (source.link, &mut state.pending);
                if !source.ring.read_block(&mut |packet| pending.push(index, link, &packet)) {
                    break;
                }
                if (hold.is_none() || state.pending.len_bytes() > MAX_PENDING_BYTES)
                    && let Some(end) = self.write(state, None)
                {
                    return Ok(Some(end));
                }
                if state.chunk.len() >= CHUNK_BYTES
                    && let Err(end) = self.send(state, STALL_TIME)
                {
                    return Ok(Some(end));
                }
            }
        }
        let until = hold.map(|hold| (self.now)() - hold);
        Ok(self.write(state, until))
    }

    /// Takes the last packets, and says why the capture ended. What came less than
    /// [`HOLD_TIME`] before may still be on its way through the kernel.
    fn conclude(&mut self, state: &mut State, end: CaptureEnd) -> CaptureEnd {
        let until = (self.now)() - HOLD_TIME;
        let cut = self.drain(state);
        state.observed_until = match cut {
            None => Some(until).max(state.last_packet_at),
            // Those that came later were left out.
            Some(CaptureEnd::Packets | CaptureEnd::Bytes) => state.last_packet_at,
            Some(_) => None,
        };
        cut.unwrap_or(end)
    }

    /// The last packets before the end: those in blocks that are not full yet.
    fn drain(&mut self, state: &mut State) -> Option<CaptureEnd> {
        let mut end = None;
        for hold in [Some(HOLD_TIME), Some(HOLD_TIME), None] {
            if end.is_none() && self.sources.iter().any(|source| !source.is_gone()) {
                end = self.read(state, hold).unwrap_or(Some(CaptureEnd::Failed));
            }
        }
        end.or_else(|| self.write(state, None))
    }

    /// Puts pending packets up to `until` into the stream, as far as the limits go.
    fn write(&self, state: &mut State, until: Option<Timestamp>) -> Option<CaptureEnd> {
        let State { pending, chunk, packets, bytes, last_packet_at, .. } = state;
        let limits = self.limits;
        let mut end = None;
        pending.drain(until, &mut |at, packet| {
            let length = u64::try_from(packet.len()).unwrap_or(u64::MAX);
            if *packets >= limits.packets {
                end = Some(CaptureEnd::Packets);
            } else if bytes.saturating_add(length) > limits.bytes {
                end = Some(CaptureEnd::Bytes);
            } else {
                chunk.extend_from_slice(packet);
                *packets += 1;
                *bytes += length;
                *last_packet_at = (*last_packet_at).max(Some(at));
            }
            end.is_none()
        });
        end.or_else(|| (*packets >= limits.packets).then_some(CaptureEnd::Packets))
    }

    /// Sends what is written. While the client takes nothing the rings fill,
    /// and what they have no room for is counted.
    fn send(&self, state: &mut State, patience: Duration) -> Result<(), CaptureEnd> {
        if state.chunk.is_empty() {
            return Ok(());
        }
        let mut chunk = Bytes::from(std::mem::take(&mut state.chunk));
        let began = Instant::now();
        loop {
            chunk = match self.stream.try_send(chunk) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => return Err(CaptureEnd::ClientGone),
                Err(TrySendError::Full(chunk)) => chunk,
            };
            let patience =
                if self.shared.wish().is_some() { LAST_STALL_TIME.min(patience) } else { patience };
            if began.elapsed() > patience {
                return Err(CaptureEnd::ClientStalled);
            }
            std::thread::sleep(RETRY_TIME);
        }
    }

    /// Asks the kernel what it received and dropped; whether it dropped more.
    fn count(&mut self) -> bool {
        let mut has_dropped = false;
        for source in &mut self.sources {
            let Ok(new) = source.ring.take_counts() else { continue };
            source.counts.received += new.received;
            source.counts.dropped += new.dropped;
            self.totals.add(new);
            has_dropped |= new.dropped > 0;
        }
        has_dropped
    }

    fn write_statistics(&self, state: &mut State) {
        let (started_at, at) = (self.shared.started_at(), (self.now)());
        let before = state.chunk.len();
        for (number, source) in (0..).zip(&self.sources) {
            let until = state.observed_until.filter(|_| source.saw_all());
            let listening = Listening { started_at, until };
            pcapng::write_statistics(&mut state.chunk, number, at, listening, source.counts);
        }
        state.bytes += u64::try_from(state.chunk.len() - before).unwrap_or(u64::MAX);
    }

    fn publish(&self, state: &State) {
        self.totals.note(state.last_packet_at);
        self.shared.publish(|statistics| {
            statistics.packets = state.packets;
            statistics.bytes = state.bytes;
            statistics.last_packet_at = state.last_packet_at;
            let saw_all = self.sources.iter().all(Source::saw_all);
            statistics.observed_until = state.observed_until.filter(|_| saw_all);
            for (told, source) in
                statistics.interfaces.iter_mut().skip(self.retired.len()).zip(&self.sources)
            {
                told.received = source.counts.received;
                told.dropped = source.counts.dropped;
            }
        });
    }
}

struct FinishOnDrop(Arc<Shared>);

impl Drop for FinishOnDrop {
    fn drop(&mut self) {
        if self.0.statistics().end.is_none() {
            self.0.finish(CaptureEnd::Failed);
        }
    }
}
