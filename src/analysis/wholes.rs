//! Captures that go on in another file, and what is held back until that is known.

use std::collections::{HashMap, HashSet};

use super::Analysis;
use crate::model::parts::CaptureParts;

/// Captures that may wait for fragments at once.
const MAX_OPEN: usize = 16;

impl Analysis {
    /// Passes on what the captures hold back, in order of time: one that goes on
    /// where another ended is followed as a part of that.
    pub(super) fn release(&mut self) {
        self.held_bytes = 0;
        for position in self.held_in_order() {
            let seams = self.captures.iter().enumerate().filter_map(|(other, before)| {
                let has_begun = other != position && before.held().is_none();
                let seam = self.captures[position].find_seam(before)?;
                has_begun.then_some((seam, other))
            });
            if let Some((_, before)) = seams.min()
                && let Ok([capture, before]) = self.captures.get_disjoint_mut([position, before])
            {
                capture.go_on_with(before);
            }
            self.captures[position].release(&mut self.feeder);
        }
        let open = self.captures.iter_mut().filter(|capture| capture.is_open());
        let mut open: Vec<_> = open.collect();
        let excess = open.len().saturating_sub(MAX_OPEN);
        for capture in &mut open[..excess] {
            capture.end(&mut self.feeder);
        }
    }

    /// The captures that hold something back, in order of time. Where a clock was set back
    /// within one, that does not tell which comes first: then what goes on with another
    /// comes behind that.
    fn held_in_order(&self) -> Vec<usize> {
        let held =
            self.captures.iter().enumerate().filter_map(|(position, capture)| {
                capture.held().map(|held| (held.span(), position))
            });
        let mut held: Vec<_> = held.collect();
        held.sort_unstable();
        let steps_back = held.iter().any(|(span, _)| span.is_some_and(|span| span.steps_back()));
        let in_time: Vec<usize> = held.into_iter().map(|(_, position)| position).collect();
        if !steps_back {
            return in_time;
        }
        let mut next = self.seams_of(&in_time);
        let behind: HashSet<usize> = next.values().copied().collect();
        let mut in_order = Vec::new();
        for head in in_time.into_iter().filter(|position| !behind.contains(position)) {
            let mut at = Some(head);
            while let Some(position) = at {
                in_order.push(position);
                at = next.remove(&position);
            }
        }
        in_order
    }

    /// Which of these captures goes on with which: the best seams first, each capture with
    /// one other at most, and none in a ring.
    fn seams_of(&self, held: &[usize]) -> HashMap<usize, usize> {
        let mut best: Vec<_> = held
            .iter()
            .flat_map(|own| held.iter().map(move |before| (*own, *before)))
            .filter(|(own, before)| own != before)
            .filter_map(|(own, before)| {
                let seam = self.captures[own].find_seam(&self.captures[before])?;
                Some((seam, before, own))
            })
            .collect();
        best.sort_unstable();
        let (mut next, mut previous) = (HashMap::new(), HashMap::new());
        for (_, before, after) in best {
            let mut first = before;
            while let Some(earlier) = previous.get(&first) {
                first = *earlier;
            }
            if first != after && !next.contains_key(&before) && !previous.contains_key(&after) {
                next.insert(before, after);
                previous.insert(after, before);
            }
        }
        next
    }

    /// Which captures are parts of one, once all have been read.
    pub(super) fn parts(&self) -> CaptureParts {
        let later = self.captures.iter().filter(|capture| capture.frames_before() > 0);
        let mut later: Vec<_> = later.collect();
        later.sort_by_key(|capture| capture.frames_before());
        let mut parts = CaptureParts::default();
        for capture in later {
            parts.add(capture.first_part(), capture.id(), capture.frames_before());
        }
        parts
    }
}
