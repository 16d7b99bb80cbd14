//! A balancer sends on what it was asked, in its own name, and one interface shows both.

use super::*;
use crate::correlate::relayed::LatestRequests;

#[test]
fn an_address_that_sends_on_in_its_own_name_asks_nothing_itself() {
    for (device, vip, pod) in [
        ("192.0.2.7:5000", "198.51.100.21", "10.244.1.16:69"),
        ("[2001:db8::7]:5000", "[2001:db8:1::21]", "[fd00::16]:69"),
    ] {
        let is_ipv4 = endpoint(device).address.is_ipv4();
        let lines = [
            (0, line(device, &format!("{vip}:69")), Says::Bytes(7)),
            (1, line(&format!("{vip}:5000"), pod), Says::Bytes(7)),
        ];
        for (name, marks, hops, expected) in [
            ("passed on", [7, 7], [64, 63], true),
            ("a packet of its own", [7, 8], [64, 64], false),
            ("another packet, a hop away", [7, 8], [64, 63], false),
            ("no hop between", [7, 7], [64, 64], false),
        ] {
            let marked = [0, 1].map(|number| {
                let packet = packet(number, lines[number]);
                let (mark, hops) = (marks[number], hops[number]);
                if is_ipv4 {
                    let hop_marks = HopMarks::of_v4(hops);
                    Packet { ip_identification: Some(mark), hop_marks, ..packet }
                } else {
                    Packet { hop_marks: HopMarks::of_v6(hops, u32::from(mark)), ..packet }
                }
            });
            let [asked, sent_on] = marked.each_ref().map(|packet| match &packet.content {
                Content::Datagram(datagram) => (packet, datagram),
                other => panic!("{other:?}"),
            });
            let mut latest = LatestRequests::default();
            latest.note(asked.0, asked.1, Protocol::Udp);
            assert_eq!(latest.has_passed(sent_on.0, sent_on.1), expected, "{name}, {device}");
        }
    }
}
