//! How many different questions are open: many clients ask the same again under a new
//! identity.

use std::num::NonZeroU16;

use smallvec::SmallVec;

use super::Unanswered;

impl Unanswered {
    /// How many different questions nobody has answered yet, at most; zero where all are
    /// answered. A transaction of which the question is not known is taken for one.
    ///
    /// Those for which there was no room ask the same few, where those that are left do.
    pub fn count_questions(&self) -> u64 {
        let latest = (self.packets > 0).then_some(self.question);
        let others = self.others();
        let open = others.into_iter().flat_map(|others| &others.open);
        let open = open.map(|open| open.asks.question).chain(latest);
        let mut known: SmallVec<[NonZeroU16; 8]> = SmallVec::new();
        let (mut transactions, mut questions) = (0_u64, 0_u64);
        for question in open {
            transactions += 1;
            match question {
                Some(question) if known.contains(&question) => continue,
                Some(question) => known.push(question),
                None => {}
            }
            questions += 1;
        }
        let forgotten = others.map_or(0, |others| others.forgotten.packets());
        if questions * 2 <= transactions { questions } else { questions + forgotten }
    }
}
