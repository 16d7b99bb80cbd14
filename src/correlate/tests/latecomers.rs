//! Captures at the pod that begin in the middle of what another shows whole.

use super::dns;
use super::snmp;
use super::*;

/// The views of each exchange that both captures show, by who asked whom.
fn asked(host: &[Line], pod: &[Line]) -> Vec<(Option<Endpoint>, usize)> {
    let exchanges = correlate(&[(HOST, host), (POD, pod)]).exchanges;
    exchanges.iter().map(|exchange| (exchange.primary().asked, exchange.views.len())).collect()
}

#[test]
fn a_capture_may_begin_at_any_packet_of_a_transfer() {
    for [device, vip, node, pod] in [
        ["192.0.2.7:5000", "198.51.100.21:69", "198.51.100.13:32991", "10.244.1.16:32991"],
        ["[2001:db8::7]:5000", "[2001:db8:1::21]:69", "[2001:db8:1::13]:32991", "[fd00::16]:32991"],
    ] {
        let transfer = |server: &str| -> Vec<Line> {
            let (there, back) = (line(device, server), line(server, device));
            let blocks = (1..8).flat_map(|block| {
                let at_ms = i64::from(block) * 100;
                [(at_ms, there, Says::Data(block)), (at_ms + 50, back, Says::Ack(block))]
            });
            std::iter::once((50, back, Says::OptionAck)).chain(blocks).collect()
        };
        let asks = (0, line(device, vip), Says::Write("a.cfg"));
        let host = [&[asks][..], &transfer(node)].concat();
        let behind = transfer(pod);
        for begins in 0..behind.len() {
            let found = asked(&host, &behind[begins..]);
            let [(Some(asked), _)] = found[..] else { panic!("{begins}: {found:?}") };
            assert_eq!(asked, endpoint(vip), "{begins}, {device}");
        }
    }
}

#[test]
fn an_answer_that_opens_a_capture_finds_its_question_at_another_point() {
    for [device, vip, node, pod, other] in [
        ["192.0.2.7:5001", "198.51.100.21:53", "198.51.100.13", "10.244.1.16", "198.51.100.14"],
        [
            "[2001:db8::7]:5001",
            "[2001:db8:1::21]:53",
            "[2001:db8:1::13]",
            "[fd00::16]",
            "[2001:db8:1::14]",
        ],
    ] {
        let (node, pod_answers) = (format!("{node}:41053"), format!("{pod}:41053"));
        let pod = format!("{pod}:53");
        let talk = |asked: &str, answerer: &str| -> Vec<Line> {
            let (there, back) = (line(device, asked), line(answerer, device));
            let rounds = [0, 1_000, 2_000].into_iter();
            rounds
                .flat_map(|at_ms| [(at_ms, there, dns::ask(7)), (at_ms + 9, back, dns::answer(7))])
                .collect()
        };
        let (host, behind) = (talk(vip, &node), talk(&pod, &pod_answers));
        for begins in 0..behind.len() {
            let found = asked(&host, &behind[begins..]);
            let [(Some(asked_there), _)] = found[..] else { panic!("{begins}: {found:?}") };
            assert_eq!(asked_there, endpoint(vip), "{begins}, {device}");
            // The same with the device's side begun late, and the pod's whole.
            let found = asked(&host[begins..], &behind);
            assert_eq!(found.len(), 1, "{begins}, {device}: {found:?}");
        }
        // Who was never asked where the others listened is not explained by them.
        let stranger = (900, line(&format!("{other}:41054"), device), dns::answer(9));
        let found = asked(&host, &[&[stranger], &behind[2..]].concat());
        assert_eq!(found.len(), 2, "{found:?}");
    }
}

#[test]
fn an_answer_to_a_translated_poller_is_known_by_its_words() {
    for [poller, node, device] in [
        ["10.244.1.16:40161", "198.51.100.13:40161", "192.0.2.7:161"],
        ["[fd00::16]:40161", "[2001:db8:1::13]:40161", "[2001:db8::7]:161"],
    ] {
        let host: Vec<Line> = (1..4)
            .flat_map(|id| {
                let at_ms = i64::try_from(id).unwrap() * 1_000;
                [
                    (at_ms, line(node, device), snmp::ask(id)),
                    (at_ms + 5, line(device, node), snmp::answer(id)),
                ]
            })
            .collect();
        for (id, expected) in [(3, 1), (9, 2)] {
            let last = (3_006, line(device, poller), snmp::answer(id));
            let found = asked(&host, &[last]);
            assert_eq!(found.len(), expected, "{id}: {found:?}");
        }
    }
}
