//! Where transfers go on after the answer.

use super::*;

#[test]
fn a_follow_up_to_the_asked_address_is_told_from_one_to_the_answerer() {
    for (lines, asked, answerer) in [
        (FOUNDING_V4, "198.51.100.21:69", "198.51.100.13:32991"),
        (FOUNDING_V6, "[2001:db8:1::21]:69", "[2001:db8:1::13]:32991"),
    ] {
        let exchange = only_exchange(&lines);
        let view = exchange.primary();
        assert_eq!(view.asked, Some(endpoint(asked)));
        assert_eq!(view.replies[0].source, endpoint(answerer));
        assert_eq!(view.replies[0].origin, Origin::OtherAddress(Confidence::Certain));
        assert_eq!((view.replies[0].tally.packets, view.replies[0].tally.repeats), (2, 1));
        assert_eq!(view.follow_ups[0].course, Course::ToAskedAddress);
        assert_eq!((view.follow_ups[0].tally.packets, view.follow_ups[0].tally.repeats), (2, 1));
        assert_eq!(view.icmp_errors.len(), 1, "{:#?}", view.icmp_errors);
        assert_eq!(view.icmp_errors[0].tally.packets, 2);
        assert_eq!(view.icmp_errors[0].quotes, Quotes::FollowUp);
        assert_eq!(view.progress, None);
        assert_eq!(view.steps.len(), 7);
    }
}

#[test]
fn a_transfer_that_follows_the_answerer_makes_progress() {
    let rows: [&[Line]; 2] = [
        &[
            (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
            (1, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(35)),
            (2, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Length(516)),
            (3, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(4)),
            (4, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Length(516)),
            (5, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(4)),
        ],
        &[
            (0, "[2001:db8::7]:5000 > [2001:db8:1::21]:69", Says::Write("a.cfg")),
            (1, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
            (2, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(1)),
            (3, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::Ack(1)),
            (4, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(2)),
            (5, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::Ack(2)),
        ],
    ];
    for lines in rows {
        let exchange = only_exchange(lines);
        let view = exchange.primary();
        assert_eq!(view.follow_ups[0].course, Course::ToAnswerer);
        assert_eq!(view.progress.unwrap().number, 4);
        assert_eq!(view.repeats(), 0, "{view:#?}");
    }
}

#[test]
fn what_is_not_in_the_capture_is_not_made_up() {
    // In mid-transfer: whom the device asked is unknown.
    let running = only_exchange(&[
        (0, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(3)),
        (1, "198.51.100.13:40000 > 192.0.2.7:5000", Says::Ack(3)),
        (2, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(4)),
        (3, "198.51.100.13:40000 > 192.0.2.7:5000", Says::Ack(4)),
    ]);
    assert_eq!((running.protocol, running.primary().asked), (Protocol::Tftp, None));
    // One direction: the answer must have come, for the client knows its port.
    let deaf = only_exchange(&[
        (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
        (4, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(1)),
        (5, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(2)),
    ]);
    assert_eq!(deaf.primary().follow_ups[0].course, Course::AnswererUnseen);
}

#[test]
fn lengths_tell_a_repeated_option_acknowledgement() {
    for (request, back, follow_up) in [
        (
            "192.0.2.7:5000 > 198.51.100.21:69",
            "198.51.100.21:40000 > 192.0.2.7:5000",
            "192.0.2.7:5000 > 198.51.100.21:40000",
        ),
        (
            "[2001:db8::7]:5000 > [2001:db8:1::21]:69",
            "[2001:db8:1::21]:40000 > [2001:db8::7]:5000",
            "[2001:db8::7]:5000 > [2001:db8:1::21]:40000",
        ),
    ] {
        let lines = |length| -> [Line; 5] {
            [
                (0, request, Says::Write("a.cfg")),
                (1, back, Says::Length(length)),
                (2, follow_up, Says::Length(516)),
                (1_001, back, Says::Length(length)),
                (1_002, follow_up, Says::Length(516)),
            ]
        };
        for (length, repeats) in [(35, 1), (4, 0)] {
            let exchange = only_exchange(&lines(length));
            let view = exchange.primary();
            assert_eq!(view.replies[0].tally.repeats, repeats, "{length} bytes");
            assert_eq!(view.follow_ups[0].tally.repeats, repeats, "{length} bytes");
            assert_eq!(view.progress.is_some(), repeats == 0, "{length} bytes");
        }
    }
}
