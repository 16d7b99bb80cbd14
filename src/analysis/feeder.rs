//! Hands packets to the correlator, on a second core where there are many.
//!
//! Reading and decoding cost about as much as correlating, and the one needs
//! nothing from the other: packets go over in batches, in order, so that the
//! result is the same as on one core.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use smallvec::SmallVec;

use super::disorder;
use crate::correlate::{Correlator, FlowHash, Hasher};
use crate::model::exchange::PointId;
use crate::model::packet::Packet;
use crate::model::time::Timestamp;

/// Packets that go over at once: some 200 KB, which a core's own cache holds.
const BATCH_PACKETS: usize = 1_024;
/// Batches on their way: enough to even out, few enough to stay small.
const BATCHES_WAITING: usize = 4;
/// Of a capture that is said to be the only one, so many batches show how many points it has.
const TELLING_BATCHES: usize = if cfg!(test) { 2 } else { 64 };

/// Collects packets for the correlator.
#[derive(Debug)]
pub struct Feeder {
    batch: Batch,
    /// The correlator has the more to do of the two: packets are hashed on this side.
    hasher: Hasher,
    side: Side,
    points: Points,
}

/// Whether packets must be kept because another point may show the rest of their exchange.
#[derive(Debug, Default)]
struct Points {
    /// One capture is all there is, for all that is known.
    is_one_capture: bool,
    first: Option<PointId>,
    has_others: bool,
    /// Batches that went over.
    batches: usize,
    /// Packets came that were not kept.
    has_let_go: bool,
}

/// Where the correlator is.
#[derive(Debug)]
enum Side {
    Here(Box<Correlator>),
    /// On another thread, once there was a full batch.
    There(Worker),
}

#[derive(Debug)]
struct Worker {
    batches: SyncSender<Batch>,
    /// Batches that were used, to be filled again.
    used: Receiver<Batch>,
    thread: JoinHandle<Correlator>,
}

#[derive(Debug, Default)]
struct Batch {
    packets: Vec<Packet>,
    /// Some that went on their way before could stand behind a packet that comes.
    is_cut_off: bool,
    /// Which point saw each of them, and its hash. Apart, so that a packet is moved only once.
    seen: Vec<(PointId, FlowHash)>,
    /// Another point may show the rest of an exchange.
    may_have_rest_elsewhere: bool,
    /// Between which times each point saw anything.
    observed: SmallVec<[(PointId, Timestamp, Timestamp); 2]>,
}

impl Feeder {
    pub fn new(correlator: Correlator) -> Self {
        let hasher = correlator.hasher();
        Self {
            batch: Batch::default(),
            hasher,
            side: Side::Here(Box::new(correlator)),
            points: Points::default(),
        }
    }

    /// Expects the packets of a single capture. If that has one point, which its beginning
    /// shows, no packet is kept for the sake of others.
    pub fn expect_one_capture(&mut self) {
        self.points.is_one_capture = true;
    }

    /// Whether another point showed up when packets had been let go for want of one.
    pub fn has_let_go_too_early(&self) -> bool {
        self.points.has_let_go && self.points.has_others
    }

    /// Takes a packet that `point` saw.
    #[inline]
    pub fn push(&mut self, point: PointId, packet: Packet) {
        self.batch.push(point, self.hasher.flow(&packet), packet);
        if self.batch.packets.len() >= BATCH_PACKETS + disorder::REACH {
            self.hand_over();
        }
    }

    /// Notes that `point` saw some other packet at `at`.
    pub fn observe(&mut self, point: PointId, at: Timestamp) {
        match self.batch.observed.iter_mut().find(|(known, ..)| *known == point) {
            Some((_, first, last)) => {
                *first = (*first).min(at);
                *last = (*last).max(at);
            }
            None => self.batch.observed.push((point, at, at)),
        }
    }

    /// The correlator, with all that was pushed.
    pub fn finish(mut self) -> Correlator {
        self.look_at_points();
        let mut batch = std::mem::take(&mut self.batch);
        match self.side {
            Side::Here(mut correlator) => {
                batch.pass_to(&mut correlator);
                *correlator
            }
            Side::There(worker) => {
                // A thread that is gone has panicked, which joining it tells.
                let _ = worker.batches.send(batch);
                drop(worker.batches);
                match worker.thread.join() {
                    Ok(correlator) => correlator,
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        }
    }

    /// Looks at the points of the packets that are still here, and notes at their batch
    /// whether others may show the rest.
    pub fn look_at_points(&mut self) {
        self.batch.may_have_rest_elsewhere = self.points.may_have_rest_elsewhere(&self.batch.seen);
    }

    fn hand_over(&mut self) {
        self.look_at_points();
        self.points.batches += 1;
        let mut next = Batch::default();
        if let Side::There(worker) = &self.side
            && let Ok(mut used) = worker.used.try_recv()
        {
            // Here, where its packets were made, and where there is less to do.
            used.clear();
            next = used;
        }
        next.take_last_of(&mut self.batch);
        let mut batch = std::mem::replace(&mut self.batch, next);
        let correlator = match &mut self.side {
            Side::There(worker) => {
                let _ = worker.batches.send(batch);
                return;
            }
            Side::Here(correlator) => correlator,
        };
        batch.pass_to(correlator);
        let here = std::mem::replace(&mut **correlator, Correlator::new(0));
        self.side = start(here);
    }
}

/// Moves the correlator to a thread of its own, if there can be one.
fn start(correlator: Correlator) -> Side {
    let (batches, waiting) = sync_channel::<Batch>(BATCHES_WAITING);
    let (give_back, used) = channel();
    // What a thread that does not start was given is lost with it: it is sent
    // over only once the thread runs.
    let (hand, take) = channel::<Correlator>();
    let body = move || {
        let mut correlator = take.recv().unwrap_or_else(|_| Correlator::new(0));
        correlate(&mut correlator, &waiting, &give_back);
        correlator
    };
    match Builder::new().name("correlate".to_owned()).spawn(body) {
        Ok(thread) => match hand.send(correlator) {
            Ok(()) => Side::There(Worker { batches, used, thread }),
            Err(unsent) => Side::Here(Box::new(unsent.0)),
        },
        Err(_) => Side::Here(Box::new(correlator)),
    }
}

fn correlate(correlator: &mut Correlator, batches: &Receiver<Batch>, give_back: &Sender<Batch>) {
    while let Ok(mut batch) = batches.recv() {
        batch.pass_to(correlator);
        // Nobody wants it back any more once all is pushed.
        let _ = give_back.send(batch);
    }
}

impl Points {
    /// Looks at which points saw a batch.
    fn may_have_rest_elsewhere(&mut self, seen: &[(PointId, FlowHash)]) -> bool {
        let Some((latest, _)) = seen.last() else { return true };
        let first = *self.first.get_or_insert(*latest);
        self.has_others = self.has_others || seen.iter().any(|(point, _)| *point != first);
        if !self.is_one_capture || self.has_others || self.batches < TELLING_BATCHES {
            return true;
        }
        self.has_let_go = true;
        false
    }
}

impl Batch {
    /// Takes a packet at its place: nearly always behind the others.
    fn push(&mut self, point: PointId, hash: FlowHash, packet: Packet) {
        let seen = &self.seen;
        let point_at = |place: usize| seen.get(place).map(|(point, _)| *point);
        match disorder::find_place(&self.packets, !self.is_cut_off, point_at, point, &packet) {
            None => {
                self.seen.push((point, hash));
                self.packets.push(packet);
            }
            Some(place) => {
                self.seen.insert(place, (point, hash));
                self.packets.insert(place, packet);
            }
        }
    }

    /// Takes over the last packets, behind which an earlier one may still come.
    fn take_last_of(&mut self, full: &mut Self) {
        let (kept, are_all) = disorder::find_kept(&full.packets);
        self.is_cut_off = !are_all;
        self.seen.extend(full.seen.drain(kept..));
        self.packets.extend(full.packets.drain(kept..));
    }

    fn pass_to(&mut self, correlator: &mut Correlator) {
        correlator.expect_rest_elsewhere(self.may_have_rest_elsewhere);
        correlator.push_hashed(&self.seen, &self.packets);
        for (point, first, last) in self.observed.drain(..) {
            correlator.observe(point, first);
            correlator.observe(point, last);
        }
    }

    fn clear(&mut self) {
        self.seen.clear();
        self.packets.clear();
    }
}
