//! Work that several cores share, with the same outcome as on one.

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};

/// More than this only wait for memory.
const MAX_CORES: usize = 4;
/// Fewer than this are done sooner than a thread starts.
const WORTH_SHARING: usize = 256;
/// Parts for each core: enough to even out.
const PARTS_EACH: usize = 4;
/// What one core makes ahead of its use, at most.
const MADE_AHEAD: usize = 8;

/// How many cores share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores(usize);

impl Cores {
    /// Those that this process may use.
    pub fn available() -> Self {
        Self(thread::available_parallelism().map_or(1, NonZero::get).min(MAX_CORES))
    }

    #[cfg(test)]
    pub const fn exactly(count: usize) -> Self {
        Self(count)
    }

    /// What `work` makes of each of `all`, in their order.
    pub fn map<T: Sync, R: Send>(self, all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let parts = all.chunks(self.part_length(all.len())).collect();
        self.share(parts, |part: &[T]| part.iter().map(&work).collect())
    }

    /// What `work` makes of those of `all` of which it makes anything, in their order.
    pub fn filter_map<T: Sync, R: Send>(
        self,
        all: &[T],
        work: impl Fn(&T) -> Option<R> + Sync,
    ) -> Vec<R> {
        let parts = all.chunks(self.part_length(all.len())).collect();
        self.share(parts, |part: &[T]| part.iter().filter_map(&work).collect())
    }

    /// The same of each with its number, where it is used up.
    pub fn map_into<T: Send, R: Send>(
        self,
        mut all: Vec<T>,
        work: impl Fn(usize, T) -> R + Sync,
    ) -> Vec<R> {
        let length = self.part_length(all.len());
        let mut parts = Vec::new();
        while !all.is_empty() {
            let first = (all.len() - 1) / length * length;
            parts.push((first, all.split_off(first)));
        }
        parts.reverse();
        self.share(parts, |(first, part): (usize, Vec<T>)| {
            (first..).zip(part).map(|(number, one)| work(number, one)).collect()
        })
    }

    /// Uses what `make` makes of the numbers below `count`, in their order. Where there
    /// is another core, that makes it ahead.
    pub fn make_ahead<R: Send>(
        self,
        count: usize,
        make: impl Fn(usize) -> R + Sync,
        mut take: impl FnMut(R),
    ) {
        let make = &make;
        thread::scope(|scope| {
            let makers = self.0.saturating_sub(1).min(count.saturating_sub(1));
            // Each of them makes every so many numbers.
            let mut ahead = Vec::new();
            for maker in 0..makers {
                let (send, receive) = sync_channel(MADE_AHEAD);
                let body = move || {
                    let mut numbers = (maker..count).step_by(makers);
                    // Nobody wants the rest where `take` has panicked.
                    numbers.all(|number| send.send(make(number)).is_ok());
                };
                if name("look ahead").spawn_scoped(scope, body).is_err() {
                    break;
                }
                ahead.push(receive);
            }
            for number in 0..count {
                let maker = ahead.get(number % makers.max(1));
                let part = maker.and_then(|maker| maker.recv().ok());
                take(part.unwrap_or_else(|| make(number)));
            }
        });
    }

    fn part_length(self, all: usize) -> usize {
        if all < WORTH_SHARING {
            return all.max(1);
        }
        all.div_ceil(self.0.max(1) * PARTS_EACH)
    }

    /// Each core takes the next part when it is done with one; this one, too.
    fn share<P: Send, R: Send>(self, parts: Vec<P>, work: impl Fn(P) -> Vec<R> + Sync) -> Vec<R> {
        let helpers = self.0.min(parts.len()).saturating_sub(1);
        let waiting = Mutex::new(parts.into_iter().enumerate());
        let done = Mutex::new(Vec::new());
        let body = || {
            loop {
                let next = lock(&waiting).next();
                let Some((place, part)) = next else { return };
                let outcome = work(part);
                lock(&done).push((place, outcome));
            }
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                if name("share").spawn_scoped(scope, body).is_err() {
                    break;
                }
            }
            body();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(place, _)| *place);
        let count = done.iter().map(|(_, outcome)| outcome.len()).sum();
        let mut all = Vec::with_capacity(count);
        // The memory of each is given back before the next one is moved.
        for (_, mut outcome) in done {
            all.append(&mut outcome);
        }
        all
    }
}

/// Drops what is needed no more while this core goes on.
pub fn drop_aside<T: Send + 'static>(spent: T) {
    // Where no thread is to be had it is dropped here, with the thread's body.
    let _ = name("drop").spawn(move || drop(spent));
}

fn name(thread: &str) -> Builder {
    Builder::new().name(thread.to_owned())
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic of another thread ends the scope; until then there is no harm in it.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_is_that_of_one_core() {
        for length in [0, 1, 255, 256, 1_000, 10_007] {
            let all: Vec<usize> = (0..length).collect();
            let doubled: Vec<usize> = all.iter().map(|one| one * 2).collect();
            for cores in [0, 1, 2, 3, 7].map(Cores::exactly) {
                assert_eq!(cores.map(&all, |one| one * 2), doubled, "{cores:?}");
                assert_eq!(cores.map_into(all.clone(), |number, one| number + one), doubled);
                let even: Vec<usize> = all.iter().copied().filter(|one| one % 2 == 0).collect();
                let found = cores.filter_map(&all, |one| (one % 2 == 0).then_some(*one));
                assert_eq!(found, even, "{cores:?}");
                let mut made = Vec::new();
                cores.make_ahead(length, |number| number * 2, |one| made.push(one));
                assert_eq!(made, doubled, "{cores:?}");
            }
        }
    }

    #[test]
    fn a_panic_is_not_lost() {
        for cores in [1, 2, 3].map(Cores::exactly) {
            let all: Vec<usize> = (0..1_000).collect();
            let outcome = std::panic::catch_unwind(|| {
                cores.map(&all, |one| assert!(*one != 700, "the one that fails"))
            });
            assert!(outcome.is_err(), "{cores:?}");
            let outcome = std::panic::catch_unwind(|| {
                cores.make_ahead(50, |number| assert!(number != 31, "fails"), |()| {});
            });
            assert!(outcome.is_err(), "{cores:?}");
        }
    }
}
