//! A balancer sends on what it was asked, in its own name, and one interface shows both.

use super::*;

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
        // The packets' marks and hops, and how many stand behind the translation.
        for (name, marks, hops, expected) in [
            ("passed on", [7, 7], [64, 63], 1),
            ("a packet of its own", [7, 8], [64, 64], 0),
            ("another packet, a hop away", [7, 8], [64, 63], 0),
            ("no hop between", [7, 7], [64, 64], 0),
        ] {
            let mut correlator = Correlator::new(10);
            for (number, line) in lines.into_iter().enumerate() {
                let packet = packet(number, line);
                let (mark, hops) = (marks[number], hops[number]);
                let packet = if is_ipv4 {
                    let hop_marks = HopMarks::of_v4(hops);
                    Packet { ip_identification: Some(mark), hop_marks, ..packet }
                } else {
                    Packet { hop_marks: HopMarks::of_v6(hops, u32::from(mark)), ..packet }
                };
                correlator.push(HOST, &packet);
            }
            let places = BTreeMap::from([(HOST, place(PointKind::Unknown))]);
            let exchanges = finish(correlator, &places).exchanges;
            let behind = exchanges.iter().flat_map(|exchange| &exchange.views);
            let behind = behind.filter(|view| view.point == HOST.translated()).count();
            assert_eq!(behind, expected, "{name}, {device}: {exchanges:#?}");
        }
    }
}
