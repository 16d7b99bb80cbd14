//! Whether a run's times count from the packet before.

/// Smaller times are as often late as short.
const LEAST_NS: i64 = 1_000_000;
/// Packets of one capture may be printed late, where they come from several interfaces or
/// queues, but not by more than that.
const LATE_NS: i64 = 1_000_000_000;
/// So many falls that are not longer than that are not all late packets.
const SEVERAL: u32 = 8;

/// What the times of a run did so far.
#[derive(Debug, Clone, Default)]
pub struct Deltas {
    last_ns: Option<i64>,
    sum_ns: i64,
    /// Times behind the first.
    pairs: u32,
    /// Those that are smaller than the one before.
    falls: u32,
    /// Those that are smaller than half of it, by no more than a packet is late, and by more.
    short_falls: u32,
    long_falls: u32,
}

impl Deltas {
    /// Takes the next time as printed. Where it shows that they count from the packet
    /// before, as those of `-ttt` and `tshark -t d` do, gives the sum of those before.
    ///
    /// Such times fall about as often as they rise. Those since the first packet only rise,
    /// but for packets that are printed late: one fall proves nothing where most rose, and
    /// a short one never does alone. Two long ones do.
    pub fn find_sum(&mut self, now_ns: i64) -> Option<i64> {
        let sum_ns = self.sum_ns;
        self.sum_ns = sum_ns.saturating_add(now_ns);
        let last_ns = self.last_ns.replace(now_ns)?;
        self.pairs = self.pairs.saturating_add(1);
        let fall_ns = last_ns.saturating_sub(now_ns);
        if fall_ns <= 0 || now_ns < 0 {
            return None;
        }
        self.falls = self.falls.saturating_add(1);
        if last_ns < LEAST_NS || now_ns.saturating_mul(2) >= last_ns {
            return None;
        }
        let is_long = fall_ns >= LATE_NS;
        let alike = if is_long { &mut self.long_falls } else { &mut self.short_falls };
        *alike = alike.saturating_add(1);
        let are_many = self.falls.saturating_mul(3) >= self.pairs;
        let are_deltas =
            self.long_falls >= 2 || are_many && (is_long || self.short_falls >= SEVERAL);
        are_deltas.then_some(sum_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fall_is_no_proof() {
        // Milliseconds as printed, and what was there before the time that showed it.
        let exchange = [0, 10, 9_990, 10];
        let backoff = [0, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 500, 1_000, 2_000, 4_000, 500];
        let transfer = [0, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1];
        let cases: [(&str, &[i64], Option<i64>); 8] = [
            ("an exchange and the next", &exchange, Some(10_000)),
            ("the first fall is long", &[0, 5_000, 1], Some(5_000)),
            ("requests sent again", &backoff, Some(23_000)),
            ("a transfer", &transfer, Some(39)),
            ("printed late at the start", &[0, 3, 1, 4, 5_000, 5_010, 60_000], None),
            ("printed late by seconds", &[0, 4, 8_000, 8_004, 3_900, 3_904, 10_000], None),
            ("two queues", &[0, 40, 2, 42, 4, 44, 6, 46, 60, 1_000, 2_000], None),
            ("in order", &[0, 1, 2, 3, 3, 3, 4], None),
        ];
        for (name, times_ms, expected_ms) in cases {
            let mut deltas = Deltas::default();
            let found = times_ms.iter().find_map(|ms| deltas.find_sum(ms.saturating_mul(LEAST_NS)));
            assert_eq!(found.map(|sum_ns| sum_ns / LEAST_NS), expected_ms, "{name}");
        }
    }
}
