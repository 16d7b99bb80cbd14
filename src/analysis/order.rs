//! Whether captures have to be read once more: in the order in which they were taken, or
//! as several points.
//!
//! A program that writes one file after the other numbers them so that a shell lists the
//! tenth before the second. What fits into memory is held back until all is there, and put
//! in order; larger captures are followed as they come. Of those the order is known only
//! once all have been read, and whoever has them still can give them once more. Likewise
//! what passes for one point may show a second one very late.

use super::Analysis;
use super::feeder::Feeder;
use crate::correlate::Correlator;

/// When a capture began to be read.
#[derive(Debug, Clone, Copy)]
pub struct Began {
    /// Its input, counted from 0.
    pub input: usize,
    /// How often what was held back had been handed on by then.
    pub after_releases: usize,
}

impl Analysis {
    /// The order in which the inputs with captures should be read once more, by their
    /// numbers from 0 on, where that makes a difference: a capture was followed before the
    /// one that it goes on with came, or packets were let go before another point showed
    /// what they belong to. Then [`begin_again`](Self::begin_again) and read them in this
    /// order; the report is the better one.
    pub fn find_order_to_read_again(&mut self) -> Option<Vec<usize>> {
        if self.reads_again {
            return None;
        }
        self.release();
        self.feeder.look_at_points();
        let as_given = || (0..self.inputs).collect();
        let better = self.find_better_order();
        better.or_else(|| self.feeder.has_let_go_too_early().then(as_given))
    }

    fn find_better_order(&self) -> Option<Vec<usize>> {
        if self.releases == 0 {
            return None;
        }
        let captures = || self.captures.iter().zip(&self.began);
        let is_wrong = captures().any(|(later, began)| {
            captures().any(|(before, came)| {
                came.after_releases > began.after_releases
                    && came.input > began.input
                    && later.goes_on_after(before)
            })
        });
        if !is_wrong {
            return None;
        }
        let mut order: Vec<usize> = (0..self.inputs).collect();
        // Inputs without times stay in front, in their order.
        order.sort_by_key(|input| {
            let own = captures().filter(|(_, began)| began.input == *input);
            own.filter_map(|(capture, _)| capture.begins_at()).min()
        });
        (!order.is_sorted()).then_some(order)
    }

    /// Forgets all captures, and keeps what else is known, so that their inputs can be read
    /// once more.
    pub fn begin_again(&mut self) {
        self.feeder = Feeder::new(Correlator::new(self.limits.exchanges_per_point));
        self.captures = Vec::new();
        self.began = Vec::new();
        (self.inputs, self.releases, self.held_bytes, self.packets) = (0, 0, 0, 0);
        self.reads_again = true;
    }
}
