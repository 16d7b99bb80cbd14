//! A capture as part of a longer one, which goes on in another file.

use std::collections::BTreeMap;
use std::time::Duration;

use super::CaptureIntake;
use super::points::FIRST_KERNEL_INTERFACE;
use crate::analysis::held::Held;
use crate::analysis::span::{Span, TakenAt};
use crate::decode::{self, Decoder};
use crate::ingest::InterfaceHeader;
use crate::model::capture::{CaptureId, Clock, PointKind};
use crate::model::time::Timestamp;

/// How well a capture goes on with another, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seam {
    /// Nobody who speaks in the one speaks to the same in the other.
    are_others: bool,
    pause: Duration,
}

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

    /// How this capture goes on with `before`, if it does: taken at the same place, next
    /// in time, and on a wire where the same stations talk.
    pub fn find_seam(&self, before: &Self) -> Option<Seam> {
        let (own, earlier) = self.span().zip(before.span())?;
        let is_single = self.interfaces.len() <= 1;
        let taken_at = if is_single { TakenAt::OneInterface } else { TakenAt::Several };
        let pause = own.find_pause_after(&earlier, taken_at)?;
        let clock = self.header.clock;
        let same_clock = clock == before.header.clock && clock != Clock::None;
        if !same_clock || before.is_continued {
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
        // A tap writes a file for each direction; these begin before the other ends.
        let same_direction = self.talkers.share_direction(&before.talkers);
        let is_beside =
            own.overlaps(&earlier) && !same_direction && self.talkers.share_any(&before.talkers);
        let goes_on = same_place && same_wire && !is_beside;
        goes_on.then_some(Seam { are_others: !same_direction, pause })
    }

    /// The times of its frames, those that are kept back among them.
    pub fn span(&self) -> Option<Span> {
        self.held.as_ref().map_or_else(|| self.passed_span(), Held::span)
    }

    /// Whether it goes on with `before`, once both have been passed on.
    pub fn goes_on_after(&self, before: &Self) -> bool {
        self.find_seam(before).is_some()
    }

    /// Its first packet, of what was passed on, or waits for names.
    pub fn begins_at(&self) -> Option<Timestamp> {
        self.passed_span().map(|span| span.earliest)
    }

    /// The times of its frames that were passed on, or wait for names.
    fn passed_span(&self) -> Option<Span> {
        let spans = [self.counts.span, self.unresolved.span()];
        spans.into_iter().flatten().reduce(|one, behind| one.and_then(&behind))
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
        self.networks = std::mem::take(&mut before.networks);
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
    #[inline]
    pub fn number_in_whole(&mut self, own: u32) -> u32 {
        if self.whole.is_none() { own } else { self.find_number_in_whole(own) }
    }

    fn find_number_in_whole(&mut self, own: u32) -> u32 {
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
