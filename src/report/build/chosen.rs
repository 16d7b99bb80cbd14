//! The parts of exchanges that are listed, made once it is known which those are.

use super::Builder;
use crate::model::exchange::Exchange;
use crate::model::finding::Verdict;
use crate::model::report::DeviceExchange;
use crate::report::exchange_part::{Names, exchange_part};

/// An exchange that is listed, and whose part is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Where its device stands.
    place: usize,
    /// The number under which it was added.
    pub number: usize,
    verdict: Verdict,
}

impl Builder<'_> {
    /// The exchanges that were added since it was last asked, and are listed: in the order
    /// in which they were added.
    #[must_use]
    pub fn take_chosen(&mut self) -> Vec<Chosen> {
        let chosen = std::mem::take(&mut self.chosen).into_iter();
        chosen
            .filter_map(|(place, number)| {
                let weight = self.drafts.get(place)?.find_chosen(number)?;
                Some(Chosen { place, number, verdict: weight.verdict() })
            })
            .collect()
    }

    /// Makes the part of the exchange that was chosen.
    #[must_use]
    pub fn make_part(&self, chosen: Chosen, exchange: &Exchange) -> Box<DeviceExchange> {
        let names = Names { captures: &self.captures, parts: self.parts, points: self.points };
        Box::new(exchange_part(exchange, chosen.verdict, names))
    }

    /// Puts parts where their exchanges are listed.
    pub fn put_parts(&mut self, parts: impl IntoIterator<Item = (Chosen, Box<DeviceExchange>)>) {
        for (chosen, part) in parts {
            if let Some(draft) = self.drafts.get_mut(chosen.place) {
                draft.put(chosen.number, part);
            }
        }
    }
}
