//! How fast a body comes.

use std::time::Duration;

use tokio::time::Instant;

/// How slowly a body may come.
#[derive(Debug, Clone, Copy)]
pub struct PaceLimits {
    /// How long nothing may come.
    pub stall_time: Duration,
    /// So many bytes must come in each `rate_time`.
    pub least_bytes: u64,
    pub rate_time: Duration,
}

/// What is wrong with a body's pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceFault {
    Stalled,
    TooSlow,
}

/// The pace of one body. Only time in which we waited for the sender counts:
/// it is not to blame where we were busy ourselves.
#[derive(Debug)]
pub struct Pace {
    limits: PaceLimits,
    /// Since when we wait and nothing comes.
    silent_since: Option<Instant>,
    /// Up to when the present wait is part of `waited`.
    counted_until: Option<Instant>,
    /// Time waited in this round, which lasts `rate_time`.
    waited: Duration,
    /// What came in this round.
    received_bytes: u64,
}

impl Pace {
    pub fn new(limits: PaceLimits) -> Self {
        Self {
            limits,
            silent_since: None,
            counted_until: None,
            waited: Duration::ZERO,
            received_bytes: 0,
        }
    }

    /// Notes that we wait, and says when to look again.
    ///
    /// # Errors
    ///
    /// Where we waited too long.
    pub fn wait(&mut self, now: Instant) -> Result<Instant, PaceFault> {
        let silent_since = *self.silent_since.get_or_insert(now);
        self.counted_until.get_or_insert(now);
        if now.duration_since(silent_since) >= self.limits.stall_time {
            return Err(PaceFault::Stalled);
        }
        self.count(now)?;
        let round_left = self.limits.rate_time.saturating_sub(self.waited);
        Ok((silent_since + self.limits.stall_time).min(now + round_left))
    }

    /// Notes what came.
    ///
    /// # Errors
    ///
    /// Where that was too little in the time that we waited.
    pub fn receive(&mut self, bytes: u64, now: Instant) -> Result<(), PaceFault> {
        self.received_bytes = self.received_bytes.saturating_add(bytes);
        self.count(now)?;
        self.silent_since = None;
        self.counted_until = None;
        Ok(())
    }

    /// Counts the wait up to `now`, and judges the round where it is over.
    fn count(&mut self, now: Instant) -> Result<(), PaceFault> {
        if let Some(until) = &mut self.counted_until {
            self.waited += now.duration_since(*until);
            *until = now;
        }
        if self.waited < self.limits.rate_time {
            return Ok(());
        }
        if self.received_bytes < self.limits.least_bytes {
            return Err(PaceFault::TooSlow);
        }
        self.waited = Duration::ZERO;
        self.received_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PaceLimits = PaceLimits {
        stall_time: Duration::from_secs(50),
        least_bytes: 100,
        rate_time: Duration::from_mins(1),
    };

    #[test]
    fn a_body_is_as_slow_as_its_rounds() {
        let cases = [
            // seconds waited before each chunk, its bytes
            ("all at once", &[(0, 1_000)][..], Ok(())),
            ("slow but steady", &[(29, 60), (29, 60), (29, 60), (29, 60)], Ok(())),
            ("one byte now and then", &[(40, 1), (40, 1)], Err(PaceFault::TooSlow)),
            ("well, then silent", &[(40, 500), (51, 500)], Err(PaceFault::Stalled)),
            ("well, then a drip", &[(40, 500), (40, 1), (40, 1)], Err(PaceFault::TooSlow)),
            ("nothing", &[(51, 500)], Err(PaceFault::Stalled)),
        ];
        for (name, chunks, expected) in cases {
            let mut now = Instant::now();
            let mut pace = Pace::new(LIMITS);
            let outcome = chunks.iter().try_for_each(|&(waited_s, bytes)| {
                let arrival = now + Duration::from_secs(waited_s);
                // As the timer does: look again at each time that it says.
                while now < arrival {
                    now = pace.wait(now)?.min(arrival);
                }
                pace.wait(now)?;
                pace.receive(bytes, now)
            });
            assert_eq!(outcome, expected, "{name}");
        }
    }

    #[test]
    fn time_in_which_we_were_busy_is_not_the_senders() {
        let mut now = Instant::now();
        let mut pace = Pace::new(LIMITS);
        for _ in 0..100 {
            pace.receive(1, now).unwrap();
            now += Duration::from_mins(10);
        }
        assert_eq!(pace.wait(now), Ok(now + LIMITS.stall_time));
    }
}
