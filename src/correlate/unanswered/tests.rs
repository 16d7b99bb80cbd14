//! Requests and answers in a row, and what they leave open.

use super::*;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const CAPTURE: CaptureId = CaptureId(0);

/// What happens, one second after the other.
#[derive(Clone, Copy)]
enum Event {
    Ask(u64, Option<u64>),
    AskUnknown,
    Answer(u64),
    /// To what was not asked lately.
    AnswerStranger(u64),
    AnswerUnknown,
}

fn asks(identity: u64, question: Option<u64>) -> Asks {
    Asks::of(&Transaction {
        protocol: Protocol::Dns,
        role: TransactionRole::Request,
        identity,
        question,
        label: "query",
        reply_to: None,
    })
}

fn frame(number: u64) -> FrameRef {
    let at = Timestamp::from_seconds(i64::try_from(number).unwrap());
    FrameRef { capture: CAPTURE, number, at }
}

fn play(events: &[Event]) -> (Unanswered, Mark, Option<FrameRef>) {
    let mut unanswered = Unanswered::NONE;
    let (mut last_request, mut last_reply) = (Mark::new(frame(0)), None);
    for (number, event) in (1..).zip(events) {
        let frame = frame(number);
        let heard_at = last_reply.map(|reply: FrameRef| reply.at);
        match *event {
            Event::Ask(identity, question) => {
                unanswered.ask(asks(identity, question), last_request, heard_at);
                last_request = Mark::new(frame);
            }
            Event::AskUnknown => {
                unanswered.ask(Asks::UNKNOWN, last_request, heard_at);
                last_request = Mark::new(frame);
            }
            Event::Answer(identity) => unanswered.answer(identity, true, last_request),
            Event::AnswerStranger(identity) => unanswered.answer(identity, false, last_request),
            Event::AnswerUnknown => unanswered.answer_all(),
        }
        if matches!(event, Event::Answer(_) | Event::AnswerStranger(_) | Event::AnswerUnknown) {
            last_reply = Some(frame);
        }
    }
    (unanswered, last_request, last_reply)
}

#[test]
fn an_answer_closes_what_it_answers_and_no_more() {
    use Event::{Answer, AnswerStranger, AnswerUnknown, Ask, AskUnknown};
    // packets and repeats that were passed over, packets since the last reply
    type Case<'a> = (&'a str, &'a [Event], (u64, u64), u64);

    let cases: [Case<'_>; 18] = [
        ("answered", &[Ask(1, Some(1)), Answer(1)], (0, 0), 0),
        ("one of two", &[Ask(1, Some(1)), Ask(2, Some(2)), Answer(1)], (1, 0), 0),
        ("the other", &[Ask(1, Some(1)), Ask(2, Some(2)), Answer(2)], (1, 0), 0),
        ("both", &[Ask(1, Some(1)), Ask(2, Some(2)), Answer(2), Answer(1)], (0, 0), 0),
        (
            "one of two, both repeated",
            &[
                Ask(1, Some(1)),
                Ask(2, Some(2)),
                Answer(1),
                Ask(1, Some(1)),
                Ask(2, Some(2)),
                Answer(1),
            ],
            (2, 1),
            0,
        ),
        ("an answer twice", &[Ask(1, Some(1)), Answer(1), Ask(2, Some(2)), Answer(1)], (1, 0), 0),
        ("no more", &[Ask(1, Some(1)), Answer(1), Ask(2, Some(2)), Ask(2, Some(2))], (0, 0), 2),
        ("the same under a new one", &[Ask(1, Some(9)), Ask(2, Some(9)), Answer(2)], (0, 0), 0),
        ("the older of the same", &[Ask(1, Some(9)), Ask(2, Some(9)), Answer(1)], (0, 0), 0),
        ("the older of some", &[Ask(1, None), Ask(2, None), Answer(1)], (1, 0), 0),
        ("questions not known", &[Ask(1, None), Ask(2, None), Answer(2)], (0, 0), 0),
        ("one identity for all", &[Ask(1, Some(1)), Ask(1, Some(2)), Answer(1)], (1, 0), 0),
        (
            "one identity for all, answered",
            &[Ask(1, Some(1)), Ask(1, Some(2)), Answer(1), Answer(1)],
            (0, 0),
            0,
        ),
        (
            "one identity for all, repeated",
            &[Ask(1, Some(1)), Answer(1), Ask(1, Some(2)), Ask(1, Some(2))],
            (0, 0),
            2,
        ),
        ("text", &[AskUnknown, AskUnknown, AnswerUnknown, AskUnknown], (0, 0), 1),
        (
            "a reply that text does not read",
            &[Ask(1, None), Ask(2, None), AnswerUnknown],
            (0, 0),
            0,
        ),
        ("a request that was cut", &[AskUnknown, Ask(1, Some(1)), Answer(1)], (0, 0), 0),
        ("a reply that was cut", &[Ask(1, Some(1)), Ask(2, Some(2)), AnswerStranger(3)], (0, 0), 0),
    ];
    for (name, events, passed, since_reply) in cases {
        let (unanswered, last_request, last_reply) = play(events);
        let open = unanswered.still_open(CAPTURE, last_request, last_reply, |_| true);
        let found = (open.passed_over.packets, open.passed_over.repeats);
        assert_eq!((found, open.since_reply.packets), (passed, since_reply), "{name}");
        assert_eq!(unanswered.is_empty(), passed.0 + since_reply == 0, "{name}");
    }
}

#[test]
fn what_was_asked_just_now_may_still_be_answered() {
    let events = [Event::Ask(1, Some(1)), Event::Ask(2, Some(2)), Event::Answer(1)];
    let (unanswered, last_request, last_reply) = play(&events);
    let open = unanswered.still_open(CAPTURE, last_request, last_reply, |_| false);
    assert_eq!((open.passed_over.packets, open.since_reply.packets), (0, 0));
}

#[test]
fn many_at_once_are_counted_though_not_told_apart() {
    let mut unanswered = Unanswered::NONE;
    let mut before = Mark::new(frame(0));
    for number in 1..=1_000 {
        unanswered.ask(asks(number, Some(number)), before, None);
        before = Mark::new(frame(number));
    }
    // The latest eight are known, those before them are forgotten; one of the known is
    // answered twice.
    let forgotten = |range: std::ops::RangeInclusive<u64>| range.map(|identity| (identity, false));
    let known = (993..=1_000).chain([996]).map(|identity| (identity, true));
    let mut answer = |answers: &mut dyn Iterator<Item = (u64, bool)>| {
        for (identity, is_known) in answers {
            unanswered.answer(identity, is_known, before);
        }
        let open = unanswered.still_open(CAPTURE, before, Some(frame(1_001)), |_| true);
        open.passed_over.packets
    };
    assert_eq!(answer(&mut forgotten(1..=980)), 20);
    assert_eq!(answer(&mut known.clone()), 12);
    assert_eq!(answer(&mut forgotten(981..=990)), 2);
    assert_eq!(answer(&mut forgotten(991..=992)), 0);
    assert!(unanswered.is_empty());
    assert_eq!(size_of::<Unanswered>(), 16);
}

#[test]
fn of_many_that_wait_it_is_known_how_often_each_asked() {
    // transactions, how often each is asked, in turn; packets and repeats since the answer
    for (transactions, times) in [(1, 5), (64, 5), (66, 5), (80, 1), (200, 2), (1_000, 5)] {
        for is_answered_before in [false, true] {
            let mut unanswered = Unanswered::NONE;
            let mut before = Mark::new(frame(0));
            let last_reply = is_answered_before.then(|| frame(2));
            if is_answered_before {
                unanswered.ask(asks(99_999, None), before, None);
                before = Mark::new(frame(1));
                unanswered.answer(99_999, true, before);
            }
            for number in 0..transactions * times {
                let asked = asks(number % transactions, None);
                unanswered.ask(asked, before, last_reply.map(|reply| reply.at));
                before = Mark::new(frame(3 + number));
            }
            let open = unanswered.still_open(CAPTURE, before, last_reply, |_| true);
            let (packets, repeats) = (transactions * times, transactions * (times - 1));
            let found = open.since_reply;
            let name = format!("{transactions} asked {times} times");
            assert_eq!((found.packets, found.repeats), (packets, repeats), "{name}");
            assert_eq!(found.first, Some(frame(3)), "{name}");
            assert_eq!(open.passed_over, Tally::NONE, "{name}");
            // One more answer, and all of it was before.
            unanswered.answer(0, false, before);
            let last_reply = Some(frame(3 + packets));
            let open = unanswered.still_open(CAPTURE, before, last_reply, |_| true);
            assert_eq!(open.since_reply, Tally::NONE, "{name}, then answered");
        }
    }
}

#[test]
fn a_question_under_another_identity_is_the_same_one() {
    use Event::{Answer, Ask, AskUnknown};
    let (a, b) = (Some(7), Some(8));
    let many = |questions: u64| -> Vec<Event> {
        (0..100).map(|number| Ask(number, Some(number % questions))).collect()
    };
    let cases = [
        ("none", vec![], 0),
        ("one", vec![Ask(1, a)], 1),
        ("under three identities", vec![Ask(1, a), Ask(2, a), Ask(3, a)], 1),
        ("two in turn", vec![Ask(1, a), Ask(2, b), Ask(3, a), Ask(4, b)], 2),
        ("the same identity", vec![Ask(1, a), Ask(1, a)], 1),
        ("not told", vec![Ask(1, None), Ask(2, None), AskUnknown], 3),
        ("one answered", vec![Ask(1, a), Ask(2, b), Answer(2)], 1),
        ("all answered", vec![Ask(1, a), Answer(1)], 0),
        ("more than are kept", many(2), 2),
        ("as many different ones", many(100), 100),
    ];
    for (name, events, expected) in cases {
        assert_eq!(play(&events).0.count_questions(), expected, "{name}");
    }
}
