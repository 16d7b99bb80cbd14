//! The same question under new identities, after answers from an endpoint that was not
//! asked: a client that does not take them, or a poller that does. So is, in a protocol
//! that we do not know, the same datagram.
//!
//! Both ask the same every time. Who retries does so a few times, at the pace of its
//! timer, and then gives up, or waits longer each time; a poller keeps its pace.

use std::time::Duration;

use super::transactions::{RETRY, SameQuestion};
use crate::model::capture::FrameRef;
use crate::model::exchange::AskedAgain;
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// Common clients retry two to five times; who asks more often polls.
const MAX_RETRIES: u64 = 6;

/// What was asked again, in rows of retries.
#[derive(Debug, Default)]
pub struct Retries {
    /// The first retry of those that were given up, and how many.
    given_up: Option<(FrameRef, u64)>,
    row: Option<Row>,
}

/// Questions that come one after the other.
#[derive(Debug, Clone, Copy)]
struct Row {
    first: FrameRef,
    last_at: Timestamp,
    times: u64,
    /// Between the last two.
    pause: Duration,
    /// Each pause was much longer than the one before.
    backs_off: bool,
    /// So many are needed to tell retries from two polls.
    needed: u64,
}

impl Retries {
    /// Takes a question under a new identity, `pause` after the one before it. Says
    /// whether it may be a retry.
    pub fn note(
        &mut self,
        frame: FrameRef,
        protocol: Protocol,
        pause: Duration,
        same_question: Option<SameQuestion>,
    ) -> bool {
        let needed = match (protocol, same_question) {
            // A resolver that took the answer would not ask the same at once, from
            // the same socket.
            (Protocol::Dns, Some(_)) => 1,
            (Protocol::Snmp | Protocol::Radius | Protocol::Udp, Some(SameQuestion::Next)) => 2,
            _ => {
                // Something else: the client went on, and what it asked was answered.
                self.row = None;
                return false;
            }
        };
        // Of two that are asked together, such as both kinds of address, the second.
        if pause < *RETRY.start() && same_question == Some(SameQuestion::Later) {
            return self.row.is_some();
        }
        if !RETRY.contains(&pause) {
            // What is asked anew after it was given up shows no more than before.
            let was_given_up = pause > *RETRY.end() && self.give_up();
            self.row = None;
            return was_given_up;
        }
        let row = self.row.get_or_insert(Row {
            first: frame,
            last_at: frame.at,
            times: 0,
            pause,
            backs_off: true,
            needed,
        });
        if row.times > 0 {
            row.backs_off &= pause >= row.pause * 3 / 2;
        }
        *row = Row { last_at: frame.at, times: row.times + 1, pause, ..*row };
        true
    }

    /// Forgets the row that goes on: what was answered was news.
    pub fn forget(&mut self) {
        self.row = None;
    }

    /// The retries after which the client gave up, where the point watched until
    /// `observed_until`.
    pub fn find_given_up(&self, observed_until: Timestamp) -> Option<AskedAgain> {
        let open = self.row.filter(|row| {
            let is_over = observed_until.since(row.last_at) >= row.pause * 3 / 2;
            row.is_like_retries() && (is_over || (row.backs_off && row.times > 1))
        });
        let (frame, times) = match (self.given_up, open) {
            (Some((first, times)), Some(row)) => (first, times + row.times),
            (Some(given_up), None) => given_up,
            (None, Some(row)) => (row.first, row.times),
            (None, None) => return None,
        };
        Some(AskedAgain { frame, times, confidence: Confidence::Likely })
    }

    /// A pause that no retry waits for ends the row. Says whether that was one of retries.
    fn give_up(&mut self) -> bool {
        let Some(row) = self.row.filter(Row::is_like_retries) else { return false };
        let (first, times) = self.given_up.unwrap_or((row.first, 0));
        self.given_up = Some((first, times + row.times));
        true
    }
}

impl Row {
    fn is_like_retries(&self) -> bool {
        (self.needed..=MAX_RETRIES).contains(&self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::capture::CaptureId;

    /// Questions by the pause before each, how long nothing was asked after them, and
    /// how many of them were retries.
    type Case = (&'static str, Protocol, Vec<(u64, Option<SameQuestion>)>, u64, Option<u64>);

    #[test]
    fn retries_end_and_polls_do_not() {
        let next = Some(SameQuestion::Next);
        let (snmp, dns) = (Protocol::Snmp, Protocol::Dns);
        let steady = |times| vec![(1_000, next); times];
        let cases: [Case; 12] = [
            ("three retries, then silence", snmp, steady(3), 3_000, Some(3)),
            ("polls until the capture ends", snmp, steady(3), 900, None),
            ("many polls, then silence", snmp, steady(20), 3_000, None),
            ("one may be the next poll", snmp, steady(1), 3_000, None),
            ("of DNS one tells", dns, steady(1), 3_000, Some(1)),
            (
                "twice three, a minute apart",
                snmp,
                [steady(2), vec![(60_000, next)], steady(2)].concat(),
                3_000,
                Some(4),
            ),
            (
                "backing off, the capture ends",
                snmp,
                vec![(1_000, next), (2_000, next), (4_000, next)],
                100,
                Some(3),
            ),
            ("polls each minute", snmp, vec![(60_000, next); 5], 99_000, None),
            ("went on with another", snmp, [steady(3), vec![(1_000, None)]].concat(), 9_000, None),
            ("others between", snmp, vec![(1_000, Some(SameQuestion::Later)); 3], 9_000, None),
            ("a walk, faster than a timer", snmp, vec![(100, next); 4], 9_000, None),
            ("of a protocol without retries", Protocol::Coap, steady(3), 9_000, None),
        ];
        for (name, protocol, asked, silence_ms, expected) in cases {
            let mut retries = Retries::default();
            let mut at_ms = 0;
            for (pause_ms, same_question) in asked {
                at_ms += pause_ms;
                let at = Timestamp::from_microseconds(i64::try_from(at_ms * 1_000).unwrap());
                let frame = FrameRef { capture: CaptureId(0), number: at_ms, at };
                let pause = Duration::from_millis(pause_ms);
                retries.note(frame, protocol, pause, same_question);
            }
            let until = i64::try_from((at_ms + silence_ms) * 1_000).unwrap();
            let found = retries.find_given_up(Timestamp::from_microseconds(until));
            assert_eq!(found.map(|again| again.times), expected, "{name}");
        }
    }
}
