//! Runs of like packets, of which a ladder draws the first.

use crate::model::report::Step;

/// The longest pattern that is looked for: request, reply, follow-up, ICMP error.
pub(super) const PERIOD_MAX: usize = 4;

/// The first `period` packets, which the next `hidden` ones repeat, the last time perhaps in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub period: usize,
    pub hidden: usize,
}

/// The run at the head of `steps` that hides most; a single packet where none does.
pub(super) fn find_run(steps: &[&Step]) -> Run {
    let mut best = Run { period: 1, hidden: 0 };
    for period in 1..=PERIOD_MAX.min(steps.len()) {
        let is_repeat = |(index, step): &(usize, &&Step)| is_alike(step, steps[index % period]);
        let hidden = steps.iter().enumerate().take_while(is_repeat).count() - period;
        // A fold takes a row itself; it must hide at least two to be worth it.
        if hidden >= period.max(2) && hidden > best.hidden {
            best = Run { period, hidden };
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
    let Run { period, hidden } = run;
    let mut words = match (period, hidden / period) {
        (1, _) => format!("… {hidden} more like this"),
        _ if !hidden.is_multiple_of(period) => format!("… {hidden} more packets the same way"),
        (_, 1) => format!("… the same {period} packets once more"),
        (_, again) => format!("… the same {period} packets {again} more times"),
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
            // packets, length of the pattern, packets hidden
            (&[a], (1, 0)),
            (&[a, b, c], (1, 0)),
            (&[a, a], (1, 0)),
            (&[a, a, a], (1, 2)),
            (&[a, b, a, b], (2, 2)),
            (&[a, b, c, a, b, c, a], (3, 4)),
            (&[a, a, b, a, a, b], (3, 3)),
        ];
        for (steps, (period, hidden)) in cases {
            assert_eq!(find_run(steps), Run { period, hidden }, "{} steps", steps.len());
        }
    }

    #[test]
    fn folds_say_what_they_hide() {
        let cases = [
            (1, 4, "… 4 more like this, until +1 s"),
            (2, 2, "… the same 2 packets once more, until +1 s"),
            (3, 6, "… the same 3 packets 2 more times, until +1 s"),
            (3, 7, "… 7 more packets the same way, until +1 s"),
        ];
        for (period, hidden, words) in cases {
            assert_eq!(fold_words(Run { period, hidden }, Some("+1 s")), words);
        }
    }
}
