//! Where a talk ends, and where a service stops.
//!
//! The media of a call and the moves of a game are streams: both sides send unasked, many
//! packets a second (RFC 3550 section 6.2 for what they report of it besides). One side
//! leaves, and refuses what is still on its way, which is no fault. A poll is asked and
//! answered in turn, and each of its packets wants an answer: refused, it has none.

use std::time::Duration;

use super::errors::find_last_sent;
use crate::model::exchange::{IcmpErrors, SOONEST_REPEAT, Tally, View};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;

/// So many packets of each side are a talk.
const TALK: u64 = 10;
/// A talk that is over ends with packets that are on their way, or that one side sends
/// until it knows.
const SHORTLY: Duration = Duration::from_secs(5);
/// Who says so much after the last word of the other side, and waits between, asks on.
const ASKS_ON: u64 = 3;
/// Of so many questions one may be lost where each is answered once.
const SELDOM: u64 = 20;

/// Whether these errors are the end of a talk, after which the client was seen to say nothing
/// for longer than one that asks on would wait.
pub(super) fn is_hang_up(view: &View, errors: &IcmpErrors, protocol: Protocol) -> bool {
    let last_sent = find_last_sent(view).map(|frame| view.time_of(frame));
    last_sent.is_some_and(|at| view.observed_until.since(at) > SHORTLY)
        && is_end_of_talk(view, errors, protocol)
}

/// Whether these errors come where a talk ends, for all that is known: in a protocol that we
/// do not know both sides spoke until just before, and the client did not go on for long, as
/// a call or a game ends. Who asks on wants to be answered, and so does who says the same
/// again some time after it was refused: the media of a call, and the moves of a game, are
/// not sent twice (RFC 3550 section 5.1 counts each packet), a question without an answer is.
pub(super) fn is_end_of_talk(view: &View, errors: &IcmpErrors, protocol: Protocol) -> bool {
    let refuses = protocol == Protocol::Udp
        && errors.kind == IcmpKind::PortUnreachable
        && errors.quotes != Quotes::Reply;
    let heard = view.replies.iter().filter(|replies| replies.source.address == errors.from);
    let last_heard = heard.clone().filter_map(|replies| replies.tally.last).max();
    let heard: u64 = heard.map(|replies| replies.tally.packets).sum();
    let (Some(first), Some(last_heard), Some(last_sent)) =
        (errors.tally.first, last_heard, find_last_sent(view))
    else {
        return false;
    };
    let asked_again = view.requests.first_repeat.filter(|_| view.has_payloads);
    let asks_again = asked_again
        .is_some_and(|again| view.time_of(again).since(view.time_of(first)) >= SOONEST_REPEAT);
    let sent = view.requests.packets + view.follow_up_packets();
    refuses
        && !asks_again
        && heard >= TALK
        && sent >= TALK
        && view.time_of(first).since(view.time_of(last_heard)) <= SHORTLY
        && view.time_of(last_sent).since(view.time_of(first)) <= SHORTLY
        && speaks_unasked(view, sent, heard)
}

/// Whether both sides speak as they like, or so fast that nobody waits for an answer. What
/// decides is whether each packet was answered by one, at what pace the client spoke, and
/// whether it spoke on, at the pace of one that waits, when it heard nothing more.
fn speaks_unasked(view: &View, sent: u64, heard: u64) -> bool {
    let answered = sent.saturating_sub(view.unanswered.packets);
    let is_in_turn = heard <= answered && answered - heard <= answered / SELDOM;
    let is_fast = mean_pause(view, &view.requests).is_none_or(|pause| pause < SOONEST_REPEAT);
    let asks_on = view.unanswered.packets >= ASKS_ON
        && mean_pause(view, &view.unanswered).is_some_and(|pause| pause >= SOONEST_REPEAT);
    match (is_in_turn, is_fast) {
        (true, true) | (false, false) => !asks_on,
        (true, false) => false,
        (false, true) => true,
    }
}

/// The pause between two packets, on average.
fn mean_pause(view: &View, tally: &Tally) -> Option<Duration> {
    let pauses = u32::try_from(tally.packets.checked_sub(1)?).unwrap_or(u32::MAX);
    let time = view.time_of(tally.last?).since(view.time_of(tally.first?));
    time.checked_div(pauses)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::{Origin, Tally};
    use crate::model::finding::Verdict;
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

    #[test]
    fn a_poll_that_is_refused_is_no_talk_that_ends() {
        for family in Family::BOTH {
            // Packets of the client and pauses in ms, answers, packets after the last answer
            // and pauses in ms; the verdict.
            let cases = [
                ("a poll, each second", 30, 1_000, 30, 4, 1_000, Verdict::Rejected),
                ("refused once", 30, 1_000, 30, 1, 1_000, Verdict::Rejected),
                ("one answer is lost", 30, 1_000, 29, 2, 1_000, Verdict::Rejected),
                ("media", 300, 20, 290, 40, 20, Verdict::Symmetric),
                ("media of one pace", 300, 20, 300, 40, 20, Verdict::Symmetric),
                ("reports of a call", 20, 4_000, 17, 1, 1_000, Verdict::Symmetric),
                ("told more than it asks", 30, 1_000, 600, 2, 1_000, Verdict::Symmetric),
                ("told more, and asks on", 30, 1_000, 600, 4, 1_000, Verdict::Rejected),
                ("calls in a row, and asks on", 300, 20, 300, 4, 1_000, Verdict::Rejected),
            ];
            for (name, sent, pause_ms, heard, left, late_ms, verdict) in cases {
                let mut sample = Sample::request(family, Protocol::Udp, 7_777);
                for _ in 1..sent {
                    sample = sample.wait_milliseconds(pause_ms).request_again();
                }
                sample = sample.reply(family.vip(), 7_777, Origin::Asked, heard);
                sample.primary().unanswered = Tally::NONE;
                sample = sample.wait_milliseconds(late_ms).request_again();
                sample = sample.icmp(IcmpKind::PortUnreachable, family.vip(), Quotes::Request, 1);
                for _ in 1..left {
                    sample = sample.wait_milliseconds(late_ms).request_again();
                }
                let judged = sample.wait_seconds(9).diagnose().verdict;
                assert_eq!(judged, verdict, "{name} {family:?}");
            }
        }
    }
}
