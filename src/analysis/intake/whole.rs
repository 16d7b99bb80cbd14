//! A capture as part of a longer one, which goes on in another file.

use std::collections::BTreeMap;
use std::time::Duration;

use super::CaptureIntake;
use super::points::FIRST_KERNEL_INTERFACE;
use crate::decode::{self, Decoder};
use crate::ingest::InterfaceHeader;
use crate::model::capture::{CaptureId, Clock, PointKind};
use crate::model::time::Timestamp;

/// A capture that goes on later than this did not listen in between, for all
/// that its packets show: a device that repeats itself does so more often.
const MAX_PAUSE: Duration = Duration::from_mins(1);
/// Frames of several queues are written this much out of order.
const DISORDER: Duration = Duration::from_millis(10);
/// Those of several interfaces are read in turn.
const DISORDER_OF_INTERFACES: Duration = Duration::from_secs(1);

/// What a capture goes on with.
#[derive(Debug)]
pub struct Whole {
    /// The capture that began it.
    pub first: CaptureId,
    /// The part before this one.
    pub before: CaptureId,
    /// Frames of all parts before this one.
    pub frames_before: u64,
    /// The interfaces of all parts so far, as the whole numbers them.
    interfaces: BTreeMap<u32, InterfaceHeader>,
    /// This part's own numbers, and those in the whole.
    numbers: BTreeMap<u32, u32>,
}

impl CaptureIntake {
    /// The first part of the whole that it belongs to: itself where it stands alone.
    pub fn first_part(&self) -> CaptureId {
        self.whole.as_ref().map_or(self.id, |whole| whole.first)
    }

    /// Frames of the parts before this one.
    pub fn frames_before(&self) -> u64 {
        self.whole.as_ref().map_or(0, |whole| whole.frames_before)
    }

    /// The capture that it goes on with.
    pub fn part_before(&self) -> Option<CaptureId> {
        self.whole.as_ref().map(|whole| whole.before)
    }

    /// How long the break after `before` is, if this capture, which lasts
    /// `times`, goes on with it: taken at the same place, next in time, and on
    /// a wire where the same stations talk.
    pub fn find_pause_after(
        &self,
        before: &Self,
        (first, _): (Timestamp, Timestamp),
    ) -> Option<Duration> {
        let (_, ended) = before.times()?;
        let is_single = self.interfaces.len() <= 1;
        let disorder = if is_single { DISORDER } else { DISORDER_OF_INTERFACES };
        let is_next = ended.since(first) <= disorder && first.since(ended) <= MAX_PAUSE;
        let clock = self.header.clock;
        let same_clock = clock == before.header.clock && clock != Clock::None;
        if !is_next || !same_clock || before.is_continued {
            return None;
        }
        let agrees = |own: &Option<String>, other: &Option<String>| {
            own.is_none() || other.is_none() || own == other
        };
        let same_place = self.stated == before.stated
            && agrees(&self.header.node, &before.header.node)
            && agrees(&self.header.interface, &before.header.interface)
            && self.has_interface_of(before);
        let is_stated = self.stated.as_ref().is_some_and(|point| point.kind != PointKind::Unknown);
        let same_wire =
            is_stated || self.has_interfaces_of(before) || self.talkers.share_any(&before.talkers);
        (same_place && same_wire).then(|| first.since(ended))
    }

    /// Whether it goes on with `before`, once both have been passed on.
    pub fn goes_on_after(&self, before: &Self) -> bool {
        self.times().is_some_and(|times| self.find_pause_after(before, times).is_some())
    }

    /// Its first packet, of what was passed on, or waits for names.
    pub fn begins_at(&self) -> Option<Timestamp> {
        self.times().map(|(first, _)| first)
    }

    /// The first and the last packet of these.
    fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let times = [self.counts.times, self.unresolved.times()];
        let known = times.into_iter().flatten();
        known.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// Goes on with `before`: with its frame and interface numbers, and with
    /// the fragments and names that it was waiting for.
    pub fn go_on_with(&mut self, before: &mut Self) {
        before.is_continued = true;
        if before.waits_for_names() {
            self.unresolved.follow();
        }
        self.talkers.absorb(&before.talkers);
        self.decoder =
            std::mem::replace(&mut before.decoder, Decoder::new(decode::Limits::default()));
        self.kernel_interfaces.clone_from(&before.kernel_interfaces);
        self.shares_point |= before.shares_point;
        self.whole = Some(Whole {
            first: before.first_part(),
            before: before.id,
            frames_before: before.frames_before()
                + before.counts.packets
                + before.unresolved.packets(),
            interfaces: before.whole_interfaces().clone(),
            numbers: BTreeMap::new(),
        });
    }

    /// The interfaces of this capture and of all parts before it.
    pub fn whole_interfaces(&self) -> &BTreeMap<u32, InterfaceHeader> {
        self.whole.as_ref().map_or(&self.interfaces, |whole| &whole.interfaces)
    }

    /// The number of the interface `own` in the whole.
    pub fn number_in_whole(&mut self, own: u32) -> u32 {
        let Some(whole) = &mut self.whole else { return own };
        if let Some(number) = whole.numbers.get(&own) {
            return *number;
        }
        let known = self.interfaces.get(&own);
        let is_it = |other: &InterfaceHeader| known.is_none_or(|known| is_same(known, other));
        let same_number = whole.interfaces.get(&own).filter(|other| is_it(other)).map(|_| own);
        let number = same_number
            .or_else(|| whole.interfaces.iter().find(|(_, other)| is_it(other)).map(|(at, _)| *at))
            .unwrap_or_else(|| {
                let numbers = whole.interfaces.keys().rev();
                let last = numbers.copied().find(|number| *number < FIRST_KERNEL_INTERFACE);
                last.map_or(0, |last| last + 1)
            });
        if let Some(known) = known {
            whole.interfaces.entry(number).or_insert_with(|| known.clone());
        }
        whole.numbers.insert(own, number);
        number
    }

    fn has_interface_of(&self, before: &Self) -> bool {
        let earlier = before.whole_interfaces();
        self.interfaces.is_empty()
            || earlier.is_empty()
            || self.interfaces.values().any(|own| earlier.values().any(|other| is_same(own, other)))
    }

    /// Whether both were taken at the same several interfaces, by their names.
    fn has_interfaces_of(&self, before: &Self) -> bool {
        let earlier = before.whole_interfaces();
        self.interfaces.len() > 1
            && self.interfaces.len() == earlier.len()
            && self.interfaces.values().zip(earlier.values()).all(|(own, other)| {
                own.name.is_some() && own.name == other.name && own.link_type == other.link_type
            })
    }
}

fn is_same(one: &InterfaceHeader, other: &InterfaceHeader) -> bool {
    let same_name = one.name.is_none() || other.name.is_none() || one.name == other.name;
    let same_link = one.link_type == other.link_type;
    same_name && same_link
}
