//! A few of the things that a client said, and when: by them its exchange is
//! recognised at a point whose capture began earlier or later.
//!
//! Of what was said often no point has kept the beginning. Each keeps the words
//! whose hashes are the lowest, so that two points that heard the same mostly
//! keep the same.

use std::time::Duration;

use smallvec::SmallVec;

use super::signature::{Signature, shorten};
use crate::model::time::Timestamp;

/// Words kept of one client, beside its first.
const MAX_KEPT: usize = 6;
/// How long a datagram is on its way through one host, at most; and how much longer
/// one datagram may be on its way between two points than another.
pub const PACE: Duration = Duration::from_millis(50);

/// What a client said after its first words; most say nothing else.
#[derive(Debug, Default)]
pub struct Sayings(Option<Box<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    words: SmallVec<[Word; MAX_KEPT]>,
    /// More was said than is kept.
    has_more: bool,
    /// The first words, or some that were kept, came again.
    came_again: bool,
}

/// One thing that was said.
#[derive(Debug, Clone, Copy)]
struct Word {
    said: u32,
    /// How long after the first words, in ms.
    after_ms: u32,
}

impl Sayings {
    /// Notes what was said at `at`, by a client that began to speak at `begun`.
    pub fn note(&mut self, said: Signature, begun: Timestamp, at: Timestamp) {
        if !said.is_sure() {
            return;
        }
        let said = shorten(said.value);
        let kept = self.0.get_or_insert_default();
        if kept.words.iter().any(|word| word.said == said) {
            kept.came_again = true;
            return;
        }
        let after_ms = u32::try_from(at.since(begun).as_millis()).unwrap_or(u32::MAX);
        if kept.words.len() < MAX_KEPT {
            kept.words.push(Word { said, after_ms });
            return;
        }
        kept.has_more = true;
        let highest = kept.words.iter_mut().max_by_key(|word| rank(word.said));
        if let Some(highest) = highest.filter(|highest| rank(said) < rank(highest.said)) {
            *highest = Word { said, after_ms };
        }
    }

    /// Notes that the client's first words came again. Who says nothing else is told by the
    /// number of its packets, and needs no room.
    pub fn note_first_again(&mut self) {
        if let Some(kept) = &mut self.0 {
            kept.came_again = true;
        }
    }
}

/// What a client said at one point, first words included.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    words: SmallVec<[(u32, Timestamp); MAX_KEPT + 1]>,
    has_more: bool,
    came_again: bool,
}

impl Heard {
    /// `first` is what opened the exchange, where that was the client and it says
    /// anything; `begun` is when the client began to speak.
    pub fn new(first: Option<Signature>, begun: Timestamp, further: &Sayings) -> Self {
        let first = first.filter(|first| first.is_sure());
        let mut heard = Self::default();
        heard.words.extend(first.map(|first| (shorten(first.value), begun)));
        if let Some(kept) = &further.0 {
            let words = kept
                .words
                .iter()
                .map(|word| (word.said, begun + Duration::from_millis(u64::from(word.after_ms))));
            heard.words.extend(words);
            heard.has_more = kept.has_more;
            heard.came_again = kept.came_again;
        }
        heard
    }

    /// The same, heard so much later.
    pub fn moved(mut self, ns: i64) -> Self {
        for (_, at) in &mut self.words {
            *at = at.moved(ns);
        }
        self
    }

    /// Whether nothing was heard by which it could be recognised.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether more was said than is kept.
    pub const fn has_more(&self) -> bool {
        self.has_more
    }

    /// Whether any of what is known came again. A round of more words than are kept comes
    /// to those that are kept as well.
    pub const fn came_again(&self) -> bool {
        self.came_again
    }

    /// How many things are known that were said.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Each of them, as a number.
    pub fn words(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().map(|(said, _)| *said)
    }

    /// How much later than here `other` heard what both did, in ns, in ascending order.
    pub fn lags_ns(&self, other: &Self) -> SmallVec<[i64; MAX_KEPT + 1]> {
        let mut lags: SmallVec<[i64; MAX_KEPT + 1]> = self
            .words
            .iter()
            .filter_map(|(said, at)| {
                let (_, heard_at) = other.words.iter().find(|(heard, _)| heard == said)?;
                Some(heard_at.as_nanoseconds().saturating_sub(at.as_nanoseconds()))
            })
            .collect();
        lags.sort_unstable();
        lags
    }

    /// Whether both heard all that was said, or at least kept all, and none of it is
    /// the same.
    pub fn contradicts(&self, other: &Self) -> bool {
        let is_whole = !self.has_more && !other.has_more;
        let heard_any = !self.is_empty() && !other.is_empty();
        is_whole && heard_any && self.lags_ns(other).is_empty()
    }
}

/// Whether several things were heard at two points, each as long after the other.
pub fn is_at_one_pace(lags_ns: &[i64]) -> bool {
    match lags_ns {
        [least, .., most] => Duration::from_nanos(most.abs_diff(*least)) <= PACE,
        _ => false,
    }
}

/// The order in which words are kept: not that of their values, which a client may
/// count upwards.
const fn rank(said: u32) -> u32 {
    said.wrapping_mul(0x9e37_79b1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::signature::Basis;

    fn said(value: u64) -> Signature {
        Signature { value, basis: Basis::Meaning }
    }

    /// What is heard from second `from` to second `to` of a client that says something
    /// else every second.
    fn heard(from: i64, to: i64) -> Heard {
        let mut further = Sayings::default();
        let word = |second: i64| said(u64::try_from(second).unwrap());
        for second in from + 1..to {
            further.note(
                word(second),
                Timestamp::from_seconds(from),
                Timestamp::from_seconds(second),
            );
        }
        Heard::new(Some(word(from)), Timestamp::from_seconds(from), &further)
    }

    #[test]
    fn captures_that_begin_at_different_words_have_some_in_common() {
        for (name, one, two, shared) in [
            ("the same", heard(0, 5), heard(0, 5), 5),
            ("one later", heard(0, 5), heard(1, 5), 4),
            ("four later", heard(0, 5), heard(4, 5), 1),
            ("one after the other", heard(0, 5), heard(5, 9), 0),
        ] {
            assert_eq!(one.lags_ns(&two).len(), shared, "{name}");
            assert_eq!(one.contradicts(&two), shared == 0, "{name}");
            assert_eq!(is_at_one_pace(&one.lags_ns(&two)), shared > 1, "{name}");
        }
        // The second half of much: no point has kept all.
        let (whole, half) = (heard(0, 400), heard(200, 400));
        assert!(!whole.lags_ns(&half).is_empty());
        assert_eq!(whole.len(), MAX_KEPT + 1);
        let apart = heard(0, 400).lags_ns(&heard(500, 900)).is_empty();
        assert!(apart && !heard(0, 400).contradicts(&heard(500, 900)));
    }

    #[test]
    fn a_round_of_any_length_comes_again() {
        for words in [2, 6, 7, 8, 20, 400_u32] {
            for (rounds, expected) in [(1, false), (2, true)] {
                let mut further = Sayings::default();
                let at = |number: u32| Timestamp::from_seconds(i64::from(number));
                for number in 1..words * rounds {
                    match number % words {
                        0 => further.note_first_again(),
                        word => further.note(said(u64::from(word)), at(0), at(number)),
                    }
                }
                let heard = Heard::new(Some(said(0)), at(0), &further);
                assert_eq!(heard.came_again(), expected, "{words} words, {rounds} rounds");
            }
        }
    }

    #[test]
    fn lengths_alone_are_not_kept() {
        let mut further = Sayings::default();
        let length = Signature { value: 5, basis: Basis::Length };
        further.note(length, Timestamp::EPOCH, Timestamp::EPOCH);
        assert!(Heard::new(Some(length), Timestamp::EPOCH, &further).is_empty());
        let lags = [0, 60_000_000];
        assert!(
            !is_at_one_pace(&lags) && is_at_one_pace(&[0, 40_000_000]) && !is_at_one_pace(&[0])
        );
    }
}
