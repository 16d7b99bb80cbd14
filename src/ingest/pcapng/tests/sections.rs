//! Sections that go on with earlier ones, and sections of other places.

use super::*;

/// The interface of each packet, and how many interfaces are told.
fn interfaces(file: &[u8]) -> (Vec<u32>, usize) {
    let (events, outcome) = read_all(file);
    assert!(outcome.is_ok());
    let of_packets = events.iter().filter_map(|event| match event {
        Seen::Frame { interface, .. } => Some(*interface),
        _ => None,
    });
    let told = events.iter().filter(|event| matches!(event, Seen::Interface(_))).count();
    (of_packets.collect(), told)
}

#[test]
fn a_section_that_goes_on_has_the_interfaces_of_the_one_before() {
    for order in [Little, Big] {
        let named = |name: &[u8]| interface(order, 1, 0, &option(order, 2, name));
        let raw = || interface(order, 101, 0, &[]);
        let plain = || interface(order, 1, 0, &[]);
        let at = |number: u32, ticks: u32| packet(order, number, ticks.into(), b"p", &[]);
        let section = |parts: &[Vec<u8>]| [section_header(order), parts.concat()].concat();
        let cases = [
            // name, sections, interfaces of packets, how many there are
            (
                "goes on",
                vec![section(&[plain(), at(0, 10)]), section(&[plain(), at(0, 20)])],
                vec![0, 0],
                1,
            ),
            (
                "within the disorder of queues",
                vec![section(&[plain(), at(0, 10_000)]), section(&[plain(), at(0, 1_000)])],
                vec![0, 0],
                1,
            ),
            (
                "of the same time",
                vec![section(&[plain(), at(0, 90_000)]), section(&[plain(), at(0, 20)])],
                vec![0, 1],
                2,
            ),
            (
                "of another name",
                vec![section(&[named(b"eth0"), at(0, 10)]), section(&[named(b"eth1"), at(0, 20)])],
                vec![0, 1],
                2,
            ),
            (
                "of another link",
                vec![section(&[plain(), at(0, 10)]), section(&[raw(), at(0, 20)])],
                vec![0, 1],
                2,
            ),
            (
                "several, in their order",
                vec![
                    section(&[plain(), plain(), named(b"eth0"), at(0, 1), at(1, 2), at(2, 3)]),
                    section(&[named(b"eth0"), plain(), plain(), at(2, 10), at(0, 11), at(1, 12)]),
                ],
                vec![0, 1, 2, 1, 2, 0],
                3,
            ),
            (
                "one more than before",
                vec![
                    section(&[plain(), at(0, 1)]),
                    section(&[plain(), plain(), at(1, 10), at(0, 11)]),
                    section(&[plain(), plain(), at(1, 20), at(0, 21)]),
                ],
                vec![0, 2, 0, 2, 0],
                2,
            ),
            (
                "nothing before",
                vec![section(&[plain()]), section(&[plain(), at(0, 5)])],
                vec![0],
                1,
            ),
        ];
        for (name, sections, expected, told) in cases {
            let found = interfaces(&sections.concat());
            assert_eq!(found, (expected, told), "{name}, {order:?}");
        }
    }
}
