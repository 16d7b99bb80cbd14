//! Whether what is sent again and again is asked again, in a protocol of which nobody
//! knows whether it is answered: the pace tells.
//!
//! Who retries does so a few times, at the pace of a timer or with growing pauses (RFC
//! 8085 section 3.1.1 asks for that), and then gives up. What a device reports, or sends
//! to be known alive, it sends all the time.

use std::time::Duration;

use super::Reading;
use crate::model::report::StepKind;
use crate::model::time::Timestamp;

/// Common clients retry two to six times; who sends more at one pace reports.
const RETRIES: std::ops::RangeInclusive<usize> = 2..=6;
/// What comes sooner is sent twice on purpose, so that one of the two arrives.
const SHORTEST: Duration = Duration::from_millis(100);
/// Who waits for longer, and then as long again, asks anew.
const LONGEST_EVEN: Duration = Duration::from_secs(6);
/// Who waits longer and longer gives up in the end.
const LONGEST: Duration = Duration::from_mins(2);
/// Such a short packet asks nothing: it keeps a translation alive.
const KEEP_ALIVE_BYTES: u64 = 1;

impl Reading<'_> {
    /// Whether the requests come as those of a client that waits in vain.
    pub(super) fn is_asked_at_pace_of_retries(&self) -> bool {
        let requests = self.view.requests;
        if requests.bytes <= requests.packets * KEEP_ALIVE_BYTES {
            return false;
        }
        let shown: Vec<Timestamp> = self
            .view
            .steps
            .iter()
            .take_while(|step| step.omitted_before == 0)
            .filter(|step| step.kind == StepKind::Request)
            .map(|step| self.view.time_of(step.frame))
            .collect();
        let shown_packets = u64::try_from(shown.len()).unwrap_or(u64::MAX);
        if shown_packets >= requests.packets {
            return are_retries(&shown, self.view.observed_until);
        }
        // Which came when is not known of all: their mean says it of few.
        let (Some(first), Some(last)) = (requests.first, requests.last) else { return false };
        let (first, last) = (self.view.time_of(first), self.view.time_of(last));
        match usize::try_from(requests.packets.saturating_sub(1)) {
            Ok(pauses) if RETRIES.contains(&pauses) => {
                let even = last.since(first) / u32::try_from(pauses).unwrap_or(u32::MAX);
                is_even(&[even]) && has_ended(even, last, self.view.observed_until)
            }
            _ => shown.last().is_some_and(|last| are_retries(&shown, *last)),
        }
    }
}

/// Whether requests at these times, as far as they come in rows that were given up, are
/// retries; the point watched until `observed_until`.
fn are_retries(times: &[Timestamp], observed_until: Timestamp) -> bool {
    let mut rows = Vec::new();
    let mut pauses: Vec<Duration> = Vec::new();
    for pair in times.windows(2) {
        let pause = pair[1].since(pair[0]);
        let is_end = pauses.last().is_some_and(|last| pause > *last * 3) || pause > LONGEST;
        if is_end {
            rows.push(std::mem::take(&mut pauses));
        } else {
            pauses.push(pause);
        }
    }
    let last_ended = match (times.last(), pauses.last()) {
        (Some(last), Some(pause)) => has_ended(*pause, *last, observed_until),
        _ => true,
    };
    // One that grows needs no end.
    if last_ended || is_growing(&pauses) {
        rows.push(pauses);
    } else if !is_even(&pauses) || pauses.len() > *RETRIES.end() {
        return false;
    }
    !rows.is_empty() && rows.iter().all(|row| is_row_of_retries(row))
}

fn is_row_of_retries(pauses: &[Duration]) -> bool {
    RETRIES.contains(&pauses.len()) && (is_even(pauses) || is_growing(pauses))
}

/// Whether nothing came for longer than the pause before.
fn has_ended(pause: Duration, last: Timestamp, observed_until: Timestamp) -> bool {
    observed_until.since(last) >= pause * 3 / 2
}

/// Whether all pauses are one timer's.
fn is_even(pauses: &[Duration]) -> bool {
    let (Some(least), Some(most)) = (pauses.iter().min(), pauses.iter().max()) else {
        return false;
    };
    *least >= SHORTEST && *most <= LONGEST_EVEN && *most * 2 <= *least * 3
}

/// Whether the pauses grow, and none becomes shorter.
fn is_growing(pauses: &[Duration]) -> bool {
    let [first, .., last] = pauses else { return false };
    *first >= SHORTEST
        && *last * 2 >= *first * 3
        && pauses.windows(2).all(|pair| pair[1] * 10 >= pair[0] * 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_few_and_end_or_wait_longer_each_time() {
        // pauses in ms, silence after them in ms, whether they are retries
        let cases: [(&str, &[u64], u64, bool); 15] = [
            ("three, then silence", &[1_000, 1_000], 5_000, true),
            ("three, and the capture ends", &[1_000, 1_000], 900, false),
            ("growing pauses", &[2_000, 4_000, 8_000, 16_000], 100, true),
            ("growing slowly", &[1_000, 1_000, 2_000, 2_000], 9_000, true),
            ("a timer that jitters", &[900, 1_100, 1_000], 9_000, true),
            ("two", &[1_000], 9_000, false),
            ("many at one pace", &[500; 20], 9_000, false),
            ("every half minute", &[30_000; 5], 99_000, false),
            ("at random", &[5_000, 400, 2_000], 9_000, false),
            ("sent thrice at once", &[1, 1], 9_000, false),
            ("three, given up, three", &[1_000, 1_000, 30_000, 1_000, 1_000], 9_000, true),
            ("the second row goes on", &[1_000, 1_000, 30_000, 1_000], 500, true),
            ("a burst, then at one pace", &[100, 5_000, 5_000, 5_000], 500, false),
            ("many, a pause, many", &[vec![500; 9], vec![9_000], vec![500; 9]].concat(), 0, false),
            ("none", &[], 9_000, false),
        ];
        for (name, pauses, silence, expected) in cases {
            let mut now = Timestamp::from_seconds(1_000);
            let mut times = vec![now];
            for pause in pauses {
                now = now + Duration::from_millis(*pause);
                times.push(now);
            }
            let until = now + Duration::from_millis(silence);
            assert_eq!(are_retries(&times, until), expected, "{name}");
        }
    }
}
