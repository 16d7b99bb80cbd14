//! What must not change a verdict: the order of files, where a capture was cut
//! in two, copies that a mirror port makes, a clock that is off, other hosts'
//! traffic, and the addresses that happen to be in use.
//!
//! Every property holds for every scenario of the lab. `PROPTEST_CASES` sets how
//! many variants of each are tried; they are the same in each run.

#[cfg(test)]
mod cuts;
#[cfg(test)]
mod frames;
#[cfg(test)]
#[path = "../support/header.rs"]
mod header;
#[cfg(test)]
#[path = "../support/scenarios.rs"]
mod lab;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod renumber;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod snap;
#[cfg(test)]
mod split;
#[cfg(test)]
mod variants;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use proptest::sample::Index;
    use replyscope::model::finding::{Cause, Verdict};

    use super::frames::{Format, Frames, RawFrame};
    use super::mirror::Copy;
    use super::renumber::Renumbering;
    use super::scenarios::{CaptureInput, Diagnosis, Order, Scenario, differences};
    use super::variants::{has_a_direction_each, hold};

    /// Clocks of hosts differ by less.
    const TIME_APART_NS: i64 = 10_000_000_000;

    /// Scenarios whose truth needs both directions at one interface.
    const NEEDS_BOTH_DIRECTIONS: &[&str] = &[
        // Of a datagram in parts and the error about it each is told where it came.
        "big-udp",
        "fragments-waited-for-in-vain",
        "radius-eap-fragments-lost",
        // Whether an interface is the pod's is told by the addresses of both sides there,
        // and a client that is translated is known again by that.
        "dns-sender-masqueraded-fine",
        "other-node-answer-lost-on-return",
        "other-node-cluster-dns-vxlan-fine",
        "pod-capture-late-syslog",
        "request-not-delivered",
        "syslog-sender-masqueraded",
        // The answer goes to another socket, which the request names.
        "sip-no-rport",
        // An error of the client quotes an answer of which its own side shows nothing.
        "natted-back-unmasqueraded",
        // What is cut off of a quote is told by the datagrams that came just before it.
        "snap68-dns",
        "snap96-snmp",
        // Neither request nor first answer was captured, at the pod.
        "begins-after-request",
        "overlap-partly-founding",
    ];

    /// Nothing but the words that a snap length cuts off tells two networks of the same
    /// addresses apart.
    const NEEDS_ALL_WORDS: &str = "twin-networks-one-in-vain";

    /// Beyond what clocks differ by, nothing tells in these which of the transfers at the pod
    /// is which of the device's.
    const NEED_THEIR_TIME: &[&str] = &[
        // The answers get ports at random.
        "masquerade-random-port",
        // The one lacks the beginning, the other the end.
        "overlap-partly-founding",
    ];

    #[test]
    fn files_may_come_in_any_order() {
        let variants = (any::<prop::sample::Index>(), any::<bool>(), any::<bool>());
        hold(&variants, |scenario, expected, (turn, backwards, captures_first)| {
            let mut turned = scenario.clone();
            let count = turned.inventories.len();
            if count > 0 {
                turned.inventories.rotate_left(turn.index(count));
            }
            let count = turned.captures.len();
            turned.captures.rotate_left(turn.index(count));
            if backwards {
                turned.inventories.reverse();
                turned.captures.reverse();
            }
            let order = if captures_first { Order::CapturesFirst } else { Order::InventoriesFirst };
            differences(expected, &turned.diagnose_in(order))
        });
    }

    #[test]
    fn a_mirror_port_may_copy_every_frame() {
        let copies = prop::sample::select(vec![Copy::Same, Copy::Tagged, Copy::Routed]);
        hold(&(copies, 1_000_i64..900_000), |scenario, expected, (copy, later_ns)| {
            let mirrored = scenario.map(|frames| frames.duplicated(copy, later_ns));
            let mut found = differences(expected, &mirrored.diagnose());
            if !found.is_empty() {
                found.push(format!("{copy:?}, {later_ns} ns later"));
            }
            found
        });
    }

    #[test]
    fn several_captures_may_be_interfaces_of_one() {
        hold(&Just(()), |scenario, expected, ()| {
            if scenario.captures.len() < 2 || clocks_differ(scenario) || are_of_two_nodes(scenario)
            {
                return Vec::new();
            }
            let mut merged = Frames::default();
            let mut numbers: Vec<usize> = Vec::new();
            for (place, capture) in scenario.captures.iter().enumerate() {
                assert_eq!(capture.frames.interfaces.len(), 1);
                // A ring of files is of one interface.
                let mut earlier = scenario.captures[..place].iter();
                let is_its = |other: &CaptureInput| other.point == capture.point;
                let known = earlier.position(is_its).filter(|_| capture.point.is_some());
                let number = known.map_or(merged.interfaces.len(), |known| numbers[known]);
                numbers.push(number);
                if number == merged.interfaces.len() {
                    let name = capture.point.as_ref().and_then(|point| point.interface.clone());
                    merged.interfaces.push((name, capture.frames.interfaces[0].1));
                }
                let interface = u32::try_from(number).unwrap();
                let frames = capture.frames.frames.iter().cloned();
                merged.frames.extend(frames.map(|frame| RawFrame { interface, ..frame }));
            }
            merged.frames.sort_by_key(|frame| frame.at_ns);
            let mut changed = scenario.clone();
            let node = scenario.captures[0].point.clone().and_then(|point| point.node);
            let point = replyscope::model::capture::CapturePoint {
                node,
                ..replyscope::model::capture::CapturePoint::UNKNOWN
            };
            changed.captures = vec![CaptureInput {
                name: "merged.pcapng".to_owned(),
                point: Some(point),
                frames: merged,
            }];
            differences(expected, &changed.diagnose())
        });
    }

    #[test]
    fn each_direction_may_have_an_interface_of_its_own() {
        hold(&Just(()), |scenario, expected, ()| match split(scenario, Frames::by_direction) {
            Some(split) => differences(expected, &split.diagnose()),
            None => Vec::new(),
        });
    }

    #[test]
    fn each_direction_may_have_a_file_of_its_own() {
        hold(&any::<bool>(), |scenario, expected, backwards| {
            let Some(mut split) = split(scenario, Frames::by_direction) else { return Vec::new() };
            split.captures = split
                .captures
                .iter()
                .flat_map(|capture| {
                    (0..).zip(capture.frames.apart()).map(|(number, frames)| CaptureInput {
                        name: format!("{number}-{}", capture.name),
                        frames,
                        ..capture.clone()
                    })
                })
                .collect();
            if backwards {
                split.captures.reverse();
            }
            differences(expected, &split.diagnose())
        });
    }

    /// The scenario with each capture's frames spread over several interfaces; `None` where
    /// one has several already, or shows both sides of a translation.
    fn split(scenario: &Scenario, spread: impl Fn(&Frames) -> Frames) -> Option<Scenario> {
        let is_cable = |capture: &CaptureInput| {
            capture.frames.interfaces.len() == 1 && !capture.frames.shows_translation()
        };
        let is_known = NEEDS_BOTH_DIRECTIONS.contains(&scenario.name.as_str());
        let may_be = !is_known && scenario.captures.iter().all(is_cable);
        may_be.then(|| scenario.map(spread))
    }

    /// Whether a client has another address at another point.
    fn translates_clients(scenario: &Scenario) -> bool {
        let report = scenario.report(Format::Pcap, Order::InventoriesFirst);
        report.devices.iter().flat_map(|device| &device.exchanges).any(|exchange| {
            exchange.translations.iter().any(|translation| {
                let client = exchange.client.address;
                translation.before.address == client || translation.after.address == client
            })
        })
    }

    /// Nor can those of two hosts.
    fn are_of_two_nodes(scenario: &Scenario) -> bool {
        let nodes = scenario.captures.iter().filter_map(|capture| capture.point.as_ref());
        let nodes: std::collections::BTreeSet<_> =
            nodes.filter_map(|point| point.node.as_deref()).collect();
        nodes.len() > 1
    }

    /// Captures with different clocks cannot have been one.
    fn clocks_differ(scenario: &Scenario) -> bool {
        let report = scenario.report(Format::Pcap, Order::InventoriesFirst);
        report.captures.iter().any(|capture| {
            capture.clock_offset_us.is_some_and(|offset| offset.unsigned_abs() > 100_000)
        })
    }

    #[test]
    fn a_clock_may_be_off() {
        let offsets = prop_oneof![-8_000_000_000_i64..8_000_000_000, Just(3_600_000_000_000)];
        hold(&(any::<Index>(), offsets), |scenario, expected, (which, offset_ns)| {
            if has_a_direction_each(scenario) {
                return Vec::new();
            }
            let mut shifted = scenario.clone();
            let which = which.index(shifted.captures.len());
            // One host has one clock for all its files.
            let point = shifted.captures[which].point.clone();
            for (place, capture) in shifted.captures.iter_mut().enumerate() {
                if place == which || (point.is_some() && capture.point == point) {
                    for frame in &mut capture.frames.frames {
                        frame.at_ns += offset_ns;
                    }
                }
            }
            // Behind a masquerade neither address nor port is left to recognise an
            // exchange by: there its time has to do.
            let is_known = NEED_THEIR_TIME.contains(&scenario.name.as_str());
            if offset_ns > TIME_APART_NS && (is_known || translates_clients(scenario)) {
                return Vec::new();
            }
            let mut found = differences(expected, &shifted.diagnose());
            if !found.is_empty() {
                found.push(format!("capture {which} is off by {offset_ns} ns"));
            }
            found
        });
    }

    #[test]
    fn a_snap_length_makes_a_verdict_weaker_at_most() {
        let lengths = prop::sample::select(vec![96_usize, 128]);
        hold(&lengths, |scenario, expected, snap_bytes| {
            if scenario.name == NEEDS_ALL_WORDS {
                return Vec::new();
            }
            let found = scenario.map(|frames| frames.cut(snap_bytes)).diagnose();
            let mut wrong = Vec::new();
            for (device, diagnosis) in &found {
                let whole = expected.get(device);
                // Behind a masquerade only its words tell whose request it is.
                let is_masquerade = whole.is_none() && translates_clients(scenario);
                let is_right = diagnosis.verdict == Verdict::Inconclusive
                    || is_masquerade
                    || whole.is_some_and(|whole| is_weaker(diagnosis, whole));
                if !is_right {
                    wrong.push(format!("{device} at {snap_bytes}: {whole:?}\n  {diagnosis:?}"));
                }
            }
            wrong
        });
    }

    /// An answer to another port, whose identity is cut off, answers nothing for
    /// all that can be told: no answer came to where the request was sent from. A
    /// question that is cut off is not known again under another identity.
    fn is_weaker(cut: &Diagnosis, whole: &Diagnosis) -> bool {
        let is_unrelated = cut.verdict == Verdict::Unanswered && whole.verdict == Verdict::Broken;
        let was_ignored = whole.causes.contains(Cause::ReplyIgnored.as_token())
            && !whole.causes.contains(Cause::ReplyRejected.as_token());
        let is_unknown = cut.verdict == Verdict::Tolerated && was_ignored;
        (cut.verdict == whole.verdict || is_unrelated || is_unknown) && cut.asked == whole.asked
    }

    #[test]
    fn other_hosts_traffic_does_not_matter() {
        let times = prop::collection::vec(0_i64..1_000, 1..12);
        hold(&times, |scenario, expected, times| {
            let mut points = HashSet::new();
            // What went by one interface is in one file of it.
            let mut busy = scenario.clone();
            for capture in &mut busy.captures {
                if capture.point.is_none() || points.insert(capture.point.clone()) {
                    capture.frames = capture.frames.with_background(&times);
                }
            }
            let mut found = busy.diagnose();
            for host in ["203.0.113.7", "2001:db8:909::7", "203.0.113.53", "2001:db8:909::53"] {
                if let Some(other) = found.remove(&host.parse().unwrap()) {
                    let name = &scenario.name;
                    assert_eq!(other.verdict, Verdict::Symmetric, "{name}, {host}: {other:?}");
                }
            }
            differences(expected, &found)
        });
    }

    #[test]
    fn addresses_and_ephemeral_ports_are_only_names() {
        let renumberings =
            (1_u8..16, 0_u16..1_024).prop_map(|(network, port)| Renumbering { network, port });
        hold(&renumberings, |scenario, expected, renumbering| {
            let found = renumbering.scenario(scenario).diagnose();
            let renumbered = expected.iter().map(|(device, diagnosis)| {
                let all = |addresses: &std::collections::BTreeSet<std::net::IpAddr>| {
                    addresses.iter().map(|address| renumbering.address(*address)).collect()
                };
                let diagnosis = Diagnosis {
                    asked: all(&diagnosis.asked),
                    answerers: all(&diagnosis.answerers),
                    ..diagnosis.clone()
                };
                (renumbering.address(*device), diagnosis)
            });
            let mut found = differences(&renumbered.collect(), &found);
            if !found.is_empty() {
                found.push(format!("{renumbering:?}"));
            }
            found
        });
    }
}
