//! Captures that ended before an answer which another point saw.
//!
//! A server may take its time (RFC 5080 section 2.2.1: RADIUS clients wait for half a
//! minute and repeat meanwhile). The capture nearest to the device may end in that time,
//! and then it shows repeats in vain. That the server answered in the end, the pod's shows;
//! whether that got through nobody saw.

use std::collections::BTreeMap;

use super::bypass::ahead_ns;
use super::join::ClockOffset;
use super::sayings::PACE;
use super::view::Sighting;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::Endpoint;

/// Notes of a first view without answers that another point saw its answers, the first of
/// them only when that view's capture was about to end, or had.
pub fn note_late_answers(
    seen: &mut [(Endpoint, Sighting)],
    offsets: &BTreeMap<CaptureId, ClockOffset>,
) {
    let Some(((_, first), others)) = seen.split_first_mut() else { return };
    let near = &mut first.view;
    if !near.replies.is_empty() || near.asked.is_none() {
        return;
    }
    let is_late = others.iter().any(|(_, other)| {
        let far = &other.view;
        let firsts = far.replies.iter().filter_map(|replies| replies.tally.first);
        firsts.min_by_key(|frame: &FrameRef| frame.at).is_some_and(|frame| {
            frame.at.back(ahead_ns(near, far, offsets)) + PACE >= near.observed_until
        })
    });
    near.may_be_answered_elsewhere |= is_late;
}
