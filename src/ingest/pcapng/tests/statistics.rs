//! Interface statistics: what a capture lost, and until when it listened.

use super::*;

/// Interface statistics: options as [`option`] makes them.
fn statistics(order: ByteOrder, interface: u32, options: &[u8]) -> Vec<u8> {
    let fixed = [interface, 0, 7].map(|field| four(order, field)).concat();
    block(order, 5, &[&fixed[..], options].concat())
}

fn eight(order: ByteOrder, value: u64) -> [u8; 8] {
    match order {
        Little => value.to_le_bytes(),
        Big => value.to_be_bytes(),
    }
}

/// Interface, and packets lost at it.
type Lost<'a> = &'a [(u32, u64)];

#[test]
fn lost_packets_are_counted_for_each_interface() {
    for order in [Little, Big] {
        let count = |code, packets| option(order, code, &eight(order, packets));
        let lost_before = |packets| packet(order, 0, 1, b"x", &count(4, packets));
        let cases: [(&str, Vec<Vec<u8>>, Lost<'_>); 8] = [
            ("nothing lost", vec![statistics(order, 0, &count(5, 0))], &[]),
            (
                "the last count holds",
                vec![statistics(order, 0, &count(5, 3)), statistics(order, 0, &count(5, 12))],
                &[(0, 12)],
            ),
            (
                "both places",
                vec![statistics(order, 0, &[count(4, 99), count(5, 1), count(7, 2)].concat())],
                &[(0, 3)],
            ),
            (
                "not known",
                vec![statistics(order, 0, &[count(5, u64::MAX), count(7, 4)].concat())],
                &[(0, 4)],
            ),
            (
                "before packets",
                vec![lost_before(2), lost_before(u64::MAX), lost_before(3)],
                &[(0, 5)],
            ),
            (
                "said twice",
                vec![lost_before(2), lost_before(3), statistics(order, 0, &count(5, 5))],
                &[(0, 5)],
            ),
            (
                "damaged options",
                vec![
                    statistics(order, 0, &[5, 5, 5]),
                    statistics(order, 0, &option(order, 5, &[1])),
                ],
                &[],
            ),
            (
                "no such interface",
                vec![statistics(order, 7, &count(5, 3)), block(order, 5, &[])],
                &[],
            ),
        ];
        for (name, blocks, expected) in cases {
            let (events, outcome) = read_all(&[begin(order), blocks.concat()].concat());
            assert!(outcome.is_ok(), "{name}");
            assert_eq!(faults(&events), [""; 0], "{name}");
            let dropped: Vec<_> = events
                .iter()
                .filter_map(|event| match event {
                    Seen::Dropped { interface, packets } => Some((*interface, *packets)),
                    _ => None,
                })
                .collect();
            assert_eq!(dropped, expected, "{name}, {order:?}");
        }
        // Sections have interfaces of their own.
        let section = [begin(order), statistics(order, 0, &count(5, 1))].concat();
        let (events, _) = read_all(&section.repeat(2));
        let expected = [0, 1].map(|interface| Seen::Dropped { interface, packets: 1 });
        for dropped in expected {
            assert!(events.contains(&dropped));
        }
    }
}

#[test]
fn statistics_tell_until_when_an_interface_listened() {
    for order in [Little, Big] {
        let count = |code, packets| option(order, code, &eight(order, packets));
        // Upper half first in both byte orders.
        let time =
            |code, ticks: u32| option(order, code, &[four(order, 0), four(order, ticks)].concat());
        let two_packets =
            [packet(order, 0, 10, b"one", &[]), packet(order, 0, 20, b"two", &[])].concat();
        let until = |microseconds: i64| Some(Timestamp::from_nanoseconds(microseconds * 1_000));
        let cases = [
            // name, before the statistics, their options, until when
            ("an end", &two_packets[..], time(3, 90), until(90)),
            ("no end", &two_packets, time(2, 5), None),
            ("as many as there are", &two_packets, [time(3, 90), count(8, 2)].concat(), until(90)),
            ("more than there are", &two_packets, [time(3, 90), count(8, 3)].concat(), None),
            (
                "lost to the filter's end",
                &two_packets,
                [time(3, 90), count(6, 3), count(7, 1)].concat(),
                None,
            ),
            (
                "of dumpcap",
                &two_packets,
                [time(3, 90), count(4, 2), count(5, 0)].concat(),
                until(90),
            ),
            ("of a part", &two_packets, [time(3, 90), count(4, 700)].concat(), None),
            ("not known", &two_packets, [time(3, 90), count(4, u64::MAX)].concat(), until(90)),
            ("in another unit", &two_packets, [time(2, 1), time(3, 2)].concat(), None),
            (
                "begins after the packets",
                &two_packets,
                [time(2, 2_000_000), time(3, 9_000_000)].concat(),
                None,
            ),
            ("no packets", &[], time(3, 90), None),
            ("cut", &two_packets, option(order, 3, &[0, 0, 0, 0]), None),
        ];
        for (name, before, options, expected) in cases {
            let file = [&begin(order)[..], before, &statistics(order, 0, &options)].concat();
            let told = |file: &[u8]| {
                let (events, outcome) = read_all(file);
                assert!(outcome.is_ok(), "{name}");
                events.into_iter().find_map(|event| match event {
                    Seen::Listened { interface: 0, until } => Some(until),
                    _ => None,
                })
            };
            assert_eq!(told(&file), expected, "{name}, {order:?}");
            // What is cut does not say when it ended; another section ends the one before.
            let cut = [&file[..], &packet(order, 0, 30, b"three", &[])[..24]].concat();
            assert_eq!(told(&cut), None, "{name}, {order:?}, cut");
            let more = [file, begin(order)].concat();
            assert_eq!(told(&more), expected, "{name}, {order:?}, one more section");
        }
    }
}

#[test]
fn obsolete_packets_count_what_was_lost_before_them() {
    for (field, expected) in [(77, Some(77)), (0xffff, None), (0, None)] {
        let content = [
            &two(Big, 0)[..],
            &two(Big, field),
            &[0, 9, 4, 60].map(|field| four(Big, field)).concat(),
            b"old!",
        ]
        .concat();
        let (events, _) = read_all(&[begin(Big), block(Big, 2, &content)].concat());
        let dropped = events.iter().find_map(|event| match event {
            Seen::Dropped { packets, .. } => Some(*packets),
            _ => None,
        });
        assert_eq!(dropped, expected);
    }
}
