//! Windows over streams of packets.

use std::io::Read as _;

use super::interfaces::MAX_INTERFACES;
use super::*;
use crate::node::agent::watch::samples::{Stream, at};

const LIMITS: WindowLimits =
    WindowLimits { span: Duration::from_mins(1), packets: 100, bytes: 1 << 20 };

fn window(limits: WindowLimits) -> Window {
    Window::new(limits, at(0))
}

/// The times of the packets in a snapshot, in seconds, and their interfaces.
fn packets(mut snapshot: Snapshot) -> Vec<(i64, u32)> {
    let mut bytes = Vec::new();
    snapshot.read_to_end(&mut bytes).unwrap();
    let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
    while let Some((kind, block, behind)) = split_block(rest) {
        rest = behind;
        if kind == ENHANCED_PACKET {
            let high = u64::from(read_u32(block, 12).unwrap());
            let time = (high << 32) | u64::from(read_u32(block, 16).unwrap());
            let seconds = i64::try_from(time / 1_000_000_000).unwrap();
            found.push((
                seconds - at(0).as_nanoseconds() / 1_000_000_000,
                read_u32(block, 8).unwrap(),
            ));
        }
    }
    assert!(rest.is_empty());
    found
}

fn fill(window: &mut Window, seconds: &[i64]) {
    let mut stream = Stream::new(&["eth0"]);
    window.push(&stream.take(), at(0));
    for second in seconds {
        stream.packet(0, at(*second), "192.0.2.9:5000", "192.0.2.21:69", b"x");
        window.push(&stream.take(), at(*second));
    }
}

#[test]
fn a_window_moves_on_with_the_clock() {
    let mut window = window(LIMITS);
    fill(&mut window, &[1, 30, 50, 70]);
    let cases: [(i64, &[i64], i64); 5] = [
        // now, packets in the window, its beginning
        (10, &[1, 30, 50, 70], 0),
        (61, &[1, 30, 50, 70], 1),
        (75, &[30, 50, 70], 15),
        (120, &[70], 60),
        (200, &[], 140),
    ];
    for (now, expected, from) in cases {
        let snapshot = window.snapshot(at(now));
        assert_eq!(snapshot.span.from, at(from), "at {now} s");
        assert_eq!(snapshot.packets, u64::try_from(expected.len()).unwrap());
        let times: Vec<i64> = packets(snapshot).iter().map(|(time, _)| *time).collect();
        assert_eq!(times, expected, "at {now} s");
    }
    assert_eq!((window.packets, window.bytes, window.skipped()), (0, 0, 0));
}

#[test]
fn a_full_window_is_shorter_and_says_so() {
    let mut window = window(WindowLimits { packets: 3, ..LIMITS });
    fill(&mut window, &[1, 2, 3]);
    assert_eq!(window.snapshot(at(4)).span.from, at(0));
    fill(&mut window, &[5, 6]);
    let snapshot = window.snapshot(at(7));
    assert_eq!((snapshot.packets, snapshot.span.from), (3, at(2)));
    // An analysis saw those that went.
    assert_eq!(window.skipped(), 0);
    fill(&mut window, &[8, 9, 10, 11]);
    assert_eq!(window.skipped(), 1);
    assert_eq!(window.snapshot(at(12)).span.from, at(8));
}

#[test]
fn bytes_are_bounded_as_well() {
    let mut window = window(WindowLimits { bytes: 300, ..LIMITS });
    fill(&mut window, &[1, 2, 3, 4, 5, 6]);
    assert!(window.bytes <= 300, "{}", window.bytes);
    assert!(window.skipped() > 0);
}

#[test]
fn interfaces_of_several_rings_and_captures_are_one() {
    let mut window = window(LIMITS);
    let mut stream = Stream::new(&["eth0", "eth0", "cali1"]);
    for (second, number) in [(1, 0), (2, 1), (3, 2)] {
        stream.packet(number, at(second), "[2001:db8::9]:5000", "[2001:db8::21]:69", b"x");
    }
    window.push(&stream.take(), at(3));
    let mut stream = Stream::new(&["cali1", "eth1"]);
    for (second, number) in [(4, 0), (5, 1)] {
        stream.packet(number, at(second), "[2001:db8::9]:5000", "[2001:db8::21]:69", b"x");
    }
    window.push(&stream.take(), at(5));
    let found = packets(window.snapshot(at(6)));
    assert_eq!(found, [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2)]);
}

/// The names of the interfaces that packets of a snapshot are of, in their order.
fn names(snapshot: Snapshot) -> Vec<String> {
    let mut bytes = Vec::new();
    snapshot.clone().read_to_end(&mut bytes).unwrap();
    let (mut rest, mut interfaces) = (bytes.as_slice(), Vec::new());
    while let Some((kind, block, behind)) = split_block(rest) {
        rest = behind;
        if kind == INTERFACE_DESCRIPTION {
            // `if_name` is the first option: its length, then itself.
            let length = usize::from(u16::from_le_bytes([block[18], block[19]]));
            interfaces.push(String::from_utf8(block[20..20 + length].to_vec()).unwrap());
        }
    }
    let numbers = packets(snapshot).into_iter().map(|(_, number)| number);
    numbers.map(|number| interfaces[usize::try_from(number).unwrap()].clone()).collect()
}

#[test]
fn interfaces_that_come_and_go_do_not_fill_the_memory() {
    for [client, asked] in
        [["192.0.2.9:5000", "192.0.2.21:69"], ["[2001:db8::9]:5000", "[2001:db8::21]:69"]]
    {
        for per_section in [1, 60, 64] {
            let mut window = window(WindowLimits { packets: 1_000, ..LIMITS });
            let mut resets = 0;
            for section in 0..40_i64 {
                let mut expected = vec!["eth0".to_owned()];
                expected.extend((1..per_section).map(|n| format!("cali{section}-{n}")));
                let all: Vec<&str> = expected.iter().map(String::as_str).collect();
                let mut stream = Stream::new(&all);
                // Descriptions come first, packets later.
                window.push(&stream.take(), at(section));
                for number in 0..per_section {
                    stream.packet(number, at(section), client, asked, b"x");
                }
                window.push(&stream.take(), at(section));
                assert!(window.interfaces.descriptions().len() <= MAX_INTERFACES);
                let snapshot = window.snapshot(at(section));
                let found = names(snapshot.clone());
                assert_eq!(&found[found.len() - expected.len()..], expected, "{section}");
                resets += u32::from(snapshot.span.has_gap);
            }
            assert_eq!(resets > 0, per_section > 1, "{per_section} interfaces a section");
            assert_eq!(window.skipped(), 0);
        }
    }
}

/// A reader of the stream may take the end of one section and the next in one piece.
#[test]
fn packets_before_a_new_numbering_are_not_told_under_it() {
    for [client, asked] in
        [["192.0.2.9:5000", "192.0.2.21:69"], ["[2001:db8::9]:5000", "[2001:db8::21]:69"]]
    {
        let section = |name: &str, count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("{name}{number}")).collect();
            Stream::new(&names.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let (mut first, mut second) = (section("old", 250), section("new", 60));
        let mut window = window(WindowLimits { packets: 1_000, ..LIMITS });
        window.push(&first.take(), at(1));
        for number in [3, 200] {
            first.packet(number, at(2), client, asked, b"x");
        }
        second.packet(7, at(3), client, asked, b"x");
        window.push(&[first.take(), second.take()].concat(), at(3));
        let snapshot = window.snapshot(at(4));
        assert!(snapshot.span.has_gap);
        assert_eq!((window.skipped(), snapshot.packets), (2, 1));
        assert_eq!(names(snapshot), ["new7"]);
    }
}

#[test]
fn a_section_with_too_many_interfaces_says_what_it_leaves_out() {
    let all: Vec<String> = (0..300).map(|number| format!("cali{number}")).collect();
    let mut stream = Stream::new(&all.iter().map(String::as_str).collect::<Vec<_>>());
    for number in 0..300 {
        stream.packet(number, at(1), "[2001:db8::9]:5000", "[2001:db8::21]:69", b"x");
    }
    let mut window = window(WindowLimits { packets: 1_000, ..LIMITS });
    window.push(&stream.take(), at(2));
    let snapshot = window.snapshot(at(3));
    assert!(snapshot.span.has_gap);
    assert_eq!(window.skipped() + snapshot.packets, 300);
    assert_eq!(names(snapshot), &all[..MAX_INTERFACES]);
}

#[test]
fn packets_that_became_too_old_unseen_are_counted() {
    for [client, asked] in
        [["192.0.2.9:5000", "192.0.2.21:69"], ["[2001:db8::9]:5000", "[2001:db8::21]:69"]]
    {
        let mut window = window(LIMITS);
        let mut stream = Stream::new(&["eth0"]);
        for second in [1, 30, 100] {
            stream.packet(0, at(second), client, asked, b"x");
            window.push(&stream.take(), at(second));
        }
        // The first analysis comes late.
        let snapshot = window.snapshot(at(110));
        assert_eq!((snapshot.packets, snapshot.span.has_gap), (1, true));
        assert_eq!(window.skipped(), 2);
        // Later ones keep up.
        let snapshot = window.snapshot(at(125));
        assert_eq!((snapshot.packets, snapshot.span.has_gap), (1, false));
        assert_eq!(window.skipped(), 2);
    }
}

#[test]
fn a_gap_is_told_for_as_long_as_the_window_holds_it() {
    let mut window = window(LIMITS);
    fill(&mut window, &[1]);
    assert!(!window.snapshot(at(5)).span.has_gap);
    window.note_gap(at(10));
    assert!(window.snapshot(at(11)).span.has_gap);
    assert!(window.snapshot(at(70)).span.has_gap);
    assert!(!window.snapshot(at(71)).span.has_gap);
}

#[test]
fn cut_and_odd_blocks_are_passed_over() {
    let mut window = window(LIMITS);
    let mut stream = Stream::new(&["eth0"]);
    stream.packet(0, at(1), "192.0.2.9:5000", "192.0.2.21:69", b"x");
    stream.packet(7, at(2), "192.0.2.9:5000", "192.0.2.21:69", b"x");
    let bytes = stream.take();
    for length in 0..=bytes.len() {
        window.push(&bytes[..length], at(2));
    }
    window.push(&[6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], at(2));
    assert_eq!(packets(window.snapshot(at(3)))[0], (1, 0));
}
