//! The interfaces that link headers name, numbered in order of appearance.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Pairs of the capture's interface and the kernel's index. Every packet of such a
/// capture asks for its number.
#[derive(Debug, Clone, Default)]
pub(super) struct KernelInterfaces {
    in_order: Vec<(u32, u32)>,
    numbers: HashMap<(u32, u32), u32, FxBuildHasher>,
}

impl KernelInterfaces {
    /// The number of `pair`, which gets the next one where it has none and fewer than
    /// `most` are taken. `None` where there is no room.
    pub(super) fn number(&mut self, pair: (u32, u32), most: u32) -> Option<u32> {
        if let Some(number) = self.numbers.get(&pair) {
            return Some(*number);
        }
        let next = u32::try_from(self.in_order.len()).ok().filter(|next| *next < most)?;
        self.in_order.push(pair);
        self.numbers.insert(pair, next);
        Some(next)
    }

    /// Whether no link header named one.
    pub(super) const fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// The pair with this number.
    pub(super) fn get(&self, number: u32) -> Option<(u32, u32)> {
        self.in_order.get(usize::try_from(number).ok()?).copied()
    }

    /// All pairs, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.in_order.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_keeps_its_number_and_gets_one_while_there_is_room() {
        let mut interfaces = KernelInterfaces::default();
        let pairs = [(0, 7), (0, 9), (0, 7), (1, 7), (2, 2), (0, 9)];
        let numbers = pairs.map(|pair| interfaces.number(pair, 3));
        assert_eq!(numbers, [Some(0), Some(1), Some(0), Some(2), None, Some(1)]);
        assert_eq!(interfaces.iter().collect::<Vec<_>>(), [(0, 7), (0, 9), (1, 7)]);
        assert_eq!([interfaces.get(2), interfaces.get(3)], [Some((1, 7)), None]);
    }
}
