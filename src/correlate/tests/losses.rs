//! Requests of which parts are missing.

use super::*;
use crate::model::packet::{FragmentsEnd, FragmentsLost, FragmentsSeen};

/// What came of a datagram, given up: its first fragment.
pub(super) fn lost(number: usize, at_ms: i64, line: &'static str) -> Packet {
    let flow = flow(line);
    Packet {
        content: Content::FragmentsLost(FragmentsLost {
            flow: Some(flow),
            source: flow.source.address,
            destination: flow.destination.address,
            identification: 7,
            received_bytes: 1_480,
            total_bytes: Some(1_813),
            seen: FragmentsSeen::First,
            ended: FragmentsEnd::TimedOut,
        }),
        ..packet(number, (at_ms, line, Says::Length(9)))
    }
}

#[test]
fn a_request_in_parts_is_lost_where_nothing_came_back() {
    for (to, back) in [
        ("192.0.2.7:5000 > 198.51.100.21:1812", "198.51.100.21:1812 > 192.0.2.7:5000"),
        (
            "[2001:db8::7]:5000 > [2001:db8:1::21]:1812",
            "[2001:db8:1::21]:1812 > [2001:db8::7]:5000",
        ),
    ] {
        let answer = Says::Answer { protocol: Protocol::Radius, identity: 1 };
        let ask = Says::Ask { protocol: Protocol::Radius, identity: 1, question: 1 };
        // Parts are given up long after they came.
        for (answered_at_ms, expected) in [(5, Some(2)), (2_000, None)] {
            let mut correlator = Correlator::new(10);
            correlator.push(HOST, &packet(0, (0, to, ask)));
            correlator.push(HOST, &packet(3, (answered_at_ms, back, answer)));
            correlator.push(HOST, &lost(1, 100, to));
            correlator.push(HOST, &lost(2, 1_100, to));
            let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
            let view = exchanges[0].primary();
            assert_eq!(view.lost_requests.map(|lost| lost.datagrams), expected);
            assert_eq!(view.unanswered.packets, expected.unwrap_or(0));
        }
        let mut correlator = Correlator::new(10);
        correlator.push(HOST, &lost(0, 0, to));
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        let view = exchanges[0].primary();
        assert_eq!(
            (view.requests.packets, view.lost_requests.map(|lost| lost.datagrams)),
            (1, Some(1))
        );
    }
}

#[test]
fn parts_of_a_translated_request_are_of_the_exchange_behind() {
    let radius = Protocol::Radius;
    for (asked, behind, back) in [
        (
            "192.0.2.7:5000 > 198.51.100.21:1812",
            "192.0.2.7:5000 > 203.0.113.16:1812",
            "203.0.113.16:1812 > 192.0.2.7:5000",
        ),
        (
            "[2001:db8::7]:5000 > [2001:db8:1::21]:1812",
            "[2001:db8::7]:5000 > [2001:db8:2::16]:1812",
            "[2001:db8:2::16]:1812 > [2001:db8::7]:5000",
        ),
    ] {
        let ask = Says::Ask { protocol: radius, identity: 1, question: 1 };
        let answer = Says::Answer { protocol: radius, identity: 1 };
        let hop = |hops, packet| Packet { hop_marks: HopMarks::of_v4(hops), ..packet };
        let mut correlator = Correlator::new(10);
        correlator.push(HOST, &hop(64, packet(0, (1, asked, ask))));
        correlator.push(HOST, &hop(63, packet(1, (2, behind, ask))));
        correlator.push(HOST, &packet(2, (2_000, back, answer)));
        // Given up long after their time; the answer came since.
        correlator.push(HOST, &lost(3, 1_000, behind));
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        let views: Vec<_> = exchanges.iter().flat_map(|exchange| &exchange.views).collect();
        assert_eq!(views.len(), 2, "{asked}: {views:#?}");
        assert!(views.iter().all(|view| view.lost_requests.is_none()), "{asked}");
        assert_eq!(views[1].point, HOST.translated(), "{asked}");
    }
}
