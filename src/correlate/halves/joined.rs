//! What a table knows of exchanges that are put together from several points.

use hashbrown::HashMap;

use crate::correlate::record::ExchangeIndex;
use crate::model::capture::FrameRef;
use crate::model::exchange::{Beside, Point, View};
use crate::model::time::Timestamp;

/// Frames have numbers from here on while they are put in order; no capture is so long.
const FIRST_BORROWED: u64 = 1 << 31;

/// The exchanges of a table whose packets other points saw as well.
#[derive(Debug, Default)]
pub struct JoinedHere {
    exchanges: HashMap<ExchangeIndex, Joined>,
    frames: Vec<FrameRef>,
}

/// What an exchange has beside its own point.
#[derive(Debug, Clone, Copy)]
pub struct Joined {
    /// When its points were listening, by the clock of the first.
    pub observed: Option<(Timestamp, Timestamp)>,
    pub beside: Option<Beside>,
}

impl JoinedHere {
    /// The number that stands for the next frame that is [borrowed](Self::borrow).
    pub fn next_number(&self) -> u64 {
        let borrowed = u64::try_from(self.frames.len()).unwrap_or(u64::MAX);
        FIRST_BORROWED.saturating_add(borrowed)
    }

    /// Notes which frames the numbers stand for, in their order.
    pub fn borrow(&mut self, frames: impl IntoIterator<Item = FrameRef>) {
        self.frames.extend(frames);
    }

    pub fn insert(&mut self, index: ExchangeIndex, joined: Joined) {
        self.exchanges.insert(index, joined);
    }

    pub fn remove(&mut self, index: ExchangeIndex) {
        self.exchanges.remove(&index);
    }

    /// The exchange at `position`, if it was put together.
    pub fn find(&self, position: usize) -> Option<&Joined> {
        if self.exchanges.is_empty() {
            return None;
        }
        self.exchanges.get(&ExchangeIndex::new(position)?)
    }

    /// Gives borrowed frames their own numbers and times.
    pub fn restore_frames(&self, view: &mut View) {
        view.visit_frames(&mut |frame| {
            let borrowed = frame.number.checked_sub(FIRST_BORROWED);
            let place = borrowed.and_then(|borrowed| usize::try_from(borrowed).ok());
            if let Some(own) = place.and_then(|place| self.frames.get(place)) {
                *frame = *own;
            }
        });
    }
}

impl Joined {
    /// The point as this exchange saw it.
    pub fn point(&self, point: &Point) -> Point {
        Point { observed: self.observed.or(point.observed), ..point.clone() }
    }
}
