//! Runs of like packets, of which a ladder draws the first.

use crate::model::report::Step;

/// The longest pattern that is looked for: request, reply, follow-up, ICMP error.
pub(super) const PERIOD_MAX: usize = 4;

/// A pattern of `period` packets that comes `times` times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub period: usize,
    pub times: usize,
}

/// The run at the head of `steps` that hides most rows; a single packet where none does.
pub(super) fn find_run(steps: &[&Step]) -> Run {
    let mut best = Run { period: 1, times: 1 };
    let hidden = |run: Run| run.period * (run.times - 1);
    for period in 1..=PERIOD_MAX.min(steps.len()) {
        let pattern = &steps[..period];
        let times = steps
            .chunks_exact(period)
            .take_while(|chunk| chunk.iter().zip(pattern).all(|(a, b)| is_alike(a, b)))
            .count();
        let run = Run { period, times };
        // A fold takes a row itself; it must hide at least two to be worth it.
        if times > 1 && hidden(run) >= 2 && hidden(run) > hidden(best) {
            best = run;
        }
    }
    best
}

/// Whether two packets are the same arrow. What they say may differ: `DATA 2` goes the way of `DATA 1`.
fn is_alike(a: &Step, b: &Step) -> bool {
    let way = |step: &Step| {
        (step.kind, step.source, step.destination, step.source_port, step.destination_port)
    };
    way(a) == way(b)
}

/// The words of the row that stands for the hidden packets.
pub(super) fn fold_words(run: Run, until: Option<&str>) -> String {
    let again = run.times - 1;
    let mut words = match (run.period, again) {
        (1, _) => format!("… {again} more like this"),
        (period, 1) => format!("… the same {period} packets once more"),
        (period, _) => format!("… the same {period} packets {again} more times"),
    };
    if let Some(until) = until {
        words.push_str(", until ");
        words.push_str(until);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn runs_are_found_where_they_hide_most() {
        let report = samples::founding();
        let steps = &report.devices[0].exchanges[0].steps;
        let (a, b, c) = (&steps[1], &steps[2], &steps[3]);
        let cases: [(&[&Step], (usize, usize)); 7] = [
            (&[a], (1, 1)),
            (&[a, b, c], (1, 1)),
            (&[a, a], (1, 1)),
            (&[a, a, a], (1, 3)),
            (&[a, b, a, b], (2, 2)),
            (&[a, b, c, a, b, c, a], (3, 2)),
            (&[a, a, b, a, a, b], (3, 2)),
        ];
        for (steps, (period, times)) in cases {
            assert_eq!(find_run(steps), Run { period, times }, "{} steps", steps.len());
        }
    }
}
