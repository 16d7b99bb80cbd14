//! Faults of one capture, limited in number.

use super::Event;
use crate::model::input::{Fault, Place};

/// Faults of one kind that are told one by one.
const TOLD_OF_A_KIND: u64 = 100;

/// Tells the first faults of each kind one by one, and only counts the rest:
/// a large damaged capture would otherwise have a fault for every frame.
#[derive(Debug, Default)]
pub struct Faults {
    /// What the faults of a kind are about, and how many there were. Kinds
    /// are constants of the readers, so this stays short.
    counts: Vec<(&'static str, u64)>,
}

impl Faults {
    /// Tells one fault. `kind` says what faults of this kind are about, in the
    /// plural: `packets of interfaces that are not described`.
    pub fn tell(
        &mut self,
        kind: &'static str,
        place: Place,
        message: impl FnOnce() -> String,
        sink: &mut dyn FnMut(Event<'_>),
    ) {
        let count = match self.counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => count,
            None => &mut self.counts.push_mut((kind, 0)).1,
        };
        *count += 1;
        if *count <= TOLD_OF_A_KIND {
            sink(Event::Fault(Fault { place, message: message() }));
        }
    }

    /// Says how many faults were not told one by one.
    pub fn tell_rest(&self, sink: &mut dyn FnMut(Event<'_>)) {
        for (kind, count) in &self.counts {
            if let Some(more) = count.checked_sub(TOLD_OF_A_KIND).filter(|more| *more > 0) {
                let message = format!("{more} more faults of one kind: {kind}");
                sink(Event::Fault(Fault { place: Place::Whole, message }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hundredth_fault_is_told_and_later_ones_are_counted() {
        for (faults, told, rest) in [(1, 1, None), (100, 100, None), (250, 100, Some("150 more"))] {
            let mut events = Vec::new();
            let mut sink = |event: Event<'_>| {
                if let Event::Fault(fault) = event {
                    events.push(fault.to_string());
                }
            };
            let mut all = Faults::default();
            for frame in 1..=faults {
                all.tell("odd frames", Place::Frame(frame), || "it is odd".to_owned(), &mut sink);
            }
            all.tell_rest(&mut sink);
            assert_eq!(events.len(), told + usize::from(rest.is_some()), "{faults} faults");
            assert_eq!(events[0], "frame 1: it is odd");
            if let Some(rest) = rest {
                assert_eq!(events[told], format!("{rest} faults of one kind: odd frames"));
            }
        }
    }
}
