//! Packets that were written a little out of order.
//!
//! A capture is fed by several queues, one for each processor. Each gives its packets
//! their times when it takes them, and writes them when it has its turn, so that an answer
//! may stand in the file before its question (`reordercap` exists for that). Here it stands
//! behind it again. Where times rise nothing is looked at but the time of the packet before,
//! and of those that go on their way the last ones stay back: see [`find_kept`].

use crate::model::capture::DISORDER;
use crate::model::exchange::PointId;
use crate::model::packet::{Application, Content, Datagram, Packet, Transaction, TransactionRole};
use crate::model::time::Timestamp;

/// A packet stands behind so many later ones at most.
pub const REACH: usize = 64;
/// A clock whose times are all whole milliseconds does not tell which of two came first.
const COARSE_NS: i64 = 1_000_000;

/// Where `packet`, which `point` saw, belongs among those that were read before it; `None`
/// where that is behind all of them. `point_at` says who saw the packet at a place, and `are_all`
/// whether nothing that is not among `packets` can stand behind `packet`.
#[inline]
pub fn find_place(
    packets: &[Packet],
    are_all: bool,
    point_at: impl Fn(usize) -> Option<PointId>,
    point: PointId,
    packet: &Packet,
) -> Option<usize> {
    let last = packets.last()?;
    if { last.at } < packet.at {
        return None;
    }
    find_earlier_place(packets, are_all, point_at, point, packet)
}

/// The place from which on packets must stay, because an earlier one may still come: at most
/// [`REACH`] of them. With it, whether none of those before can stand behind such a one.
pub fn find_kept(packets: &[Packet]) -> (usize, bool) {
    let Some(last) = packets.last() else { return (0, true) };
    let earliest = packets.len().saturating_sub(REACH);
    let is_out_of_reach = |packet: &Packet| last.at.since(packet.at) > DISORDER;
    match packets[earliest..].iter().rposition(is_out_of_reach) {
        Some(place) => (earliest + place + 1, true),
        None => (earliest, earliest == 0),
    }
}

/// The same where the packet is no later than the one before it.
#[cold]
fn find_earlier_place(
    packets: &[Packet],
    are_all: bool,
    point_at: impl Fn(usize) -> Option<PointId>,
    point: PointId,
    packet: &Packet,
) -> Option<usize> {
    // What was given up for want of fragments has the time of the first one.
    let is_sent = matches!(
        packet.content,
        Content::Datagram(_) | Content::IcmpError(_) | Content::Segment(_)
    );
    // What is written much later was read from another interface, whose packets stay together.
    let last = packets.last()?;
    if !is_sent || last.at.since(packet.at) > DISORDER {
        return None;
    }
    let mut place = None;
    for (at, before) in packets.iter().enumerate().rev().take(REACH) {
        let is_beside = point_at(at).is_none_or(|other| other.capture != point.capture);
        let is_of_another_block = before.at.since(packet.at) > DISORDER;
        if is_beside || before.at < packet.at || is_of_another_block {
            return place;
        }
        if before.at > packet.at {
            // Some clocks of processors differ a little: no answer comes before its question.
            if answers(packet, before) {
                return place;
            }
            place = Some(at);
        } else if !is_coarse(packet.at) && answers(before, packet) {
            place = Some(at);
        }
    }
    // Behind more than that: it was not written out of order, but by another rule.
    let is_first_of_all = packets.len() <= REACH && are_all;
    place.filter(|_| is_first_of_all)
}

/// Whether `answer` answers `question`, by the identity that both carry.
fn answers(answer: &Packet, question: &Packet) -> bool {
    let (Some((answer, said)), Some((question, asked))) =
        (find_transaction(answer), find_transaction(question))
    else {
        return false;
    };
    said.role == TransactionRole::Reply
        && asked.role == TransactionRole::Request
        && said.protocol == asked.protocol
        && said.identity == asked.identity
        && answer.flow.destination == question.flow.source
}

fn find_transaction(packet: &Packet) -> Option<(&Datagram, &Transaction)> {
    let Content::Datagram(datagram) = &packet.content else { return None };
    match &datagram.application {
        Application::Transaction(transaction) => Some((datagram, transaction)),
        Application::Tftp(_)
        | Application::Plain(_)
        | Application::Report(_)
        | Application::Unknown { .. } => None,
    }
}

const fn is_coarse(at: Timestamp) -> bool {
    at.as_nanoseconds() % COARSE_NS == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::capture::CaptureId;
    use crate::model::endpoint::{Endpoint, FlowKey};
    use crate::model::protocol::Protocol;

    const HERE: PointId = PointId { capture: CaptureId(0), interface: 0 };
    const THERE: PointId = PointId { capture: CaptureId(1), interface: 0 };
    /// Not a whole millisecond.
    const START_NS: i64 = 1_700_000_000_000_137_000;

    fn packet(after_us: i64, [source, destination]: [&str; 2], role: TransactionRole) -> Packet {
        let end = |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
        let transaction = Transaction {
            protocol: Protocol::Snmp,
            role,
            identity: 7,
            question: None,
            label: "GetRequest",
            reply_to: None,
        };
        let datagram = Datagram {
            flow: FlowKey::udp(end(source), end(destination)),
            length: 40,
            fingerprint: Some(1),
            is_cut: false,
            application: Application::Transaction(transaction),
        };
        let at = Timestamp::from_nanoseconds(START_NS + after_us * 1_000);
        Packet::without_headers(1, at, 0, Content::Datagram(datagram))
    }

    /// The order in which packets of one capture are taken, by their numbers.
    fn order(all: &[Packet]) -> Vec<usize> {
        let (mut packets, mut numbers) = (Vec::new(), Vec::new());
        for (number, packet) in all.iter().enumerate() {
            let found = find_place(&packets, true, |_| Some(HERE), HERE, packet);
            let place = found.unwrap_or(packets.len());
            packets.insert(place, packet.clone());
            numbers.insert(place, number);
        }
        numbers
    }

    #[test]
    fn what_was_written_a_little_late_stands_where_it_belongs() {
        use TransactionRole::{Reply, Request};
        for [client, server] in
            [["192.0.2.7:1024", "192.0.2.1:161"], ["[2001:db8::7]:1024", "[2001:db8::1]:161"]]
        {
            let ask = |after_us| packet(after_us, [client, server], Request);
            let answer = |after_us| packet(after_us, [server, client], Reply);
            let cases: [(&str, Vec<Packet>, &[usize]); 7] = [
                ("in order", vec![ask(0), answer(5), ask(9)], &[0, 1, 2]),
                ("the answer first", vec![answer(5), ask(0)], &[1, 0]),
                ("at one time", vec![answer(0), ask(0)], &[1, 0]),
                ("two behind", vec![answer(500), answer(600), ask(0)], &[2, 0, 1]),
                ("a clock behind", vec![ask(9), answer(5)], &[0, 1]),
                ("much later", vec![answer(20_000), ask(0)], &[0, 1]),
                ("alike", vec![ask(0), ask(0), ask(0)], &[0, 1, 2]),
            ];
            for (name, packets, expected) in cases {
                assert_eq!(order(&packets), expected, "{name}, {client}");
            }
        }
    }

    #[test]
    fn captures_and_coarse_clocks_are_left_as_they_are() {
        use TransactionRole::{Reply, Request};
        for ends in
            [["192.0.2.7:1024", "192.0.2.1:161"], ["[2001:db8::7]:1024", "[2001:db8::1]:161"]]
        {
            let [client, server] = ends;
            let answer = packet(5, [server, client], Reply);
            let ask = packet(0, ends, Request);
            let before = [answer];
            assert_eq!(find_place(&before, true, |_| Some(HERE), HERE, &ask), Some(0));
            assert_eq!(find_place(&before, true, |_| Some(THERE), HERE, &ask), None);
            let whole = |mut packet: Packet| {
                packet.at = Timestamp::from_seconds(1_700_000_000);
                packet
            };
            let coarse = [before, [ask]].map(|[packet]| whole(packet));
            assert_eq!(order(&coarse), [0, 1]);
        }
    }

    #[test]
    fn a_block_that_stands_behind_many_stays_there() {
        let ends = ["192.0.2.7:1024", "192.0.2.1:161"];
        let late = i64::try_from(REACH).unwrap() + 10;
        let mut all: Vec<Packet> =
            (0..late).map(|at| packet(1_000 + at, ends, TransactionRole::Request)).collect();
        all.push(packet(0, ends, TransactionRole::Request));
        let expected: Vec<usize> = (0..all.len()).collect();
        assert_eq!(order(&all), expected);
    }

    #[test]
    fn where_packets_go_on_their_way_changes_no_order() {
        for ends in
            [["192.0.2.7:1024", "192.0.2.1:161"], ["[2001:db8::7]:1024", "[2001:db8::1]:161"]]
        {
            let ask = |after_us| packet(after_us, ends, TransactionRole::Request);
            let reach = i64::try_from(REACH).unwrap();
            // Times of those before, and of the one that is late.
            let cases: [(&str, Vec<i64>, i64); 4] = [
                ("many at once", (0..2 * reach).map(|at| 1_000 + at).collect(), 900),
                ("within the last", (0..2 * reach).map(|at| 1_000 + 2 * at).collect(), 1_201),
                ("few", vec![1_000, 20_000, 20_010, 20_020], 19_000),
                ("another block", vec![90_000, 90_010, 1_000], 900),
            ];
            for (name, before, late) in cases {
                let all: Vec<Packet> = before.into_iter().map(ask).collect();
                let late = ask(late);
                let whole = find_place(&all, true, |_| Some(HERE), HERE, &late);
                let (kept, are_all) = find_kept(&all);
                let rest = &all[kept..];
                let found = find_place(rest, are_all, |_| Some(HERE), HERE, &late);
                assert_eq!(found.map(|place| place + kept), whole, "{name}, {}", ends[0]);
            }
            let slow: Vec<Packet> = (0..9).map(|at| ask(at * 20_000)).collect();
            assert_eq!(find_kept(&slow), (8, true));
            assert_eq!(find_kept(&[]), (0, true));
        }
    }
}
