//! An exchange that a device lists, before and after its part is made.

use super::Weight;
use crate::model::report::DeviceExchange;

/// A listed exchange.
#[derive(Debug)]
pub enum Listed {
    /// Its part is made together with those of others, unless a worse one takes its place.
    Chosen {
        /// Its number among those that are added together.
        number: usize,
        weight: Weight,
    },
    Told(Box<DeviceExchange>),
}

impl Listed {
    pub fn weight(&self) -> Weight {
        match self {
            Self::Chosen { weight, .. } => *weight,
            Self::Told(part) => Weight::of(part),
        }
    }

    /// The weight of the exchange `number`, if it is that and has no part yet.
    pub fn find_chosen(&self, number: usize) -> Option<Weight> {
        match self {
            Self::Chosen { number: chosen, weight } => (*chosen == number).then_some(*weight),
            Self::Told(_) => None,
        }
    }

    pub fn into_part(self) -> Option<DeviceExchange> {
        match self {
            Self::Chosen { .. } => None,
            Self::Told(part) => Some(*part),
        }
    }
}
