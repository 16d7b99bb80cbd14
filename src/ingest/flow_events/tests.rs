//! Whole runs: lines in, packets and notes out.

use proptest::prelude::*;

use super::*;
use crate::ingest::samples::{Seen, read_all};
use crate::model::packet::Content;

/// What a run gives, in order: `interface datagram`, `note …`, `fault …`.
fn outline(text: &str) -> Vec<String> {
    let Some(format) = text.lines().find_map(find_program) else { return Vec::new() };
    let mut run = FlowRun::new(format, None, 1);
    let mut outline = Vec::new();
    let mut sink = |event: Event<'_>| match event {
        Event::Packet(packet) => outline.push(match packet.content {
            Content::Datagram(datagram) => {
                format!("{} {} {}", packet.frame, packet.interface, datagram.flow)
            }
            Content::Dropped(dropped) => format!(
                "{} {} dropped {}: {}",
                packet.frame, packet.interface, dropped.datagram.flow, dropped.reason
            ),
            other => format!("{} {other:?}", packet.frame),
        }),
        Event::NamedPacket(named) => outline.push(format!(
            "{} named {} > {}",
            named.packet.frame,
            named.source.as_deref().unwrap_or("-"),
            named.destination.as_deref().unwrap_or("-")
        )),
        Event::Note(note) => outline.push(format!("note {note}")),
        Event::Fault(fault) => outline.push(format!("fault {fault}")),
        Event::Fact(fact) => outline.push(format!("fact {} {:?}", fact.address, fact.pod)),
        Event::Dropped { packets, .. } => outline.push(format!("lost {packets}")),
        _ => {}
    };
    for (line, text) in (1..).zip(text.lines()) {
        run.push(line, text, &mut sink);
    }
    run.finish(&mut sink);
    outline
}

#[test]
fn a_packet_at_several_points_counts_once() {
    for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("[2001:db8::9]", "[2001:db8:1::7]")] {
        let text = format!(
            "Nov  8 07:19:25.894: {client}:5000 (world) <> {pod}:69 (ID:4) from-network FORWARDED (UDP)
Nov  8 07:19:25.894: {client}:5000 (world) -> {pod}:69 (ID:4) policy-verdict:none INGRESS ALLOWED (UDP)
Nov  8 07:19:25.895: {client}:5000 (world) -> {pod}:69 (ID:4) to-endpoint FORWARDED (UDP)
Nov  8 07:19:25.900: {client}:5000 (world) <- {pod}:33445 (ID:4) to-stack FORWARDED (UDP)
Nov  8 07:19:25.900: {client}:5000 (world) <- {pod}:33445 (ID:4) to-network FORWARDED (UDP)
Nov  8 07:19:26.895: {client}:5000 (world) -> {pod}:69 (ID:4) to-endpoint FORWARDED (UDP)
Nov  8 07:19:26.900: {client}:5001 (world) -> {pod}:80 (ID:4) to-endpoint FORWARDED (TCP Flags: SYN)
"
        );
        assert_eq!(
            outline(&text),
            [
                format!("1 0 {client}:5000 → {pod}:69"),
                format!("4 0 {pod}:33445 → {client}:5000"),
                format!("6 0 {client}:5000 → {pod}:69"),
            ]
        );
    }
}

#[test]
fn both_directions_of_a_conversation_are_on_one_side() {
    // The answer has the pod's own address, wherever it is shown.
    let whole = "Nov  8 07:19:25.894: 192.0.2.9:5000 -> 198.51.100.7:53 to-endpoint FORWARDED (UDP)
Nov  8 07:19:25.994: 192.0.2.9:5000 <- 198.51.100.7:53 to-network FORWARDED (UDP)
";
    assert_eq!(
        outline(whole),
        ["1 1 192.0.2.9:5000 → 198.51.100.7:53", "2 1 198.51.100.7:53 → 192.0.2.9:5000"]
    );
    // Translated back on its way out: no answer from an address not asked.
    let translated = whole.replace("<- 198.51.100.7:53", "<- 203.0.113.10:53");
    assert_eq!(
        outline(&translated),
        ["1 1 192.0.2.9:5000 → 198.51.100.7:53", "2 0 203.0.113.10:53 → 192.0.2.9:5000"]
    );
}

#[test]
fn what_was_dropped_is_told_and_no_answer() {
    for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("[2001:db8::9]", "[2001:db8:1::7]")] {
        let request = format!(
            "Nov  8 07:19:25.894: {client}:5000 (world) -> {pod}:69 (ID:4) to-endpoint FORWARDED (UDP)\n"
        );
        let masquerade = format!(
            "Nov  8 07:19:25.994: {pod}:69 (ID:4) <> {client}:5000 (world) No mapping for NAT masquerade DROPPED (UDP)\n"
        );
        let seen = outline(&format!("{request}{masquerade}{masquerade}"));
        assert_eq!(seen[0], format!("1 1 {client}:5000 → {pod}:69"));
        let dropped = |frame| {
            format!("{frame} 1 dropped {pod}:69 → {client}:5000: No mapping for NAT masquerade")
        };
        assert_eq!(seen[1..3], [dropped(2), dropped(3)]);
        assert!(seen[3].starts_with(&format!(
            "note Cilium dropped 2 UDP datagrams {pod}:69 → {client}:5000: No mapping for NAT masquerade ("
        )));
        assert!(seen[3].ends_with("; first in line 2"), "{}", seen[3]);
        assert_eq!(seen.len(), 4, "{seen:?}");
        // A request that is dropped was still sent.
        let denied = format!(
            "xx drop (Policy denied) flow 0x0 to endpoint 0, identity 2->4: {client}:5000 -> {pod}:69 udp\n"
        );
        let seen = outline(&denied);
        assert_eq!(seen[0], format!("1 1 dropped {client}:5000 → {pod}:69: Policy denied"));
        assert!(seen[1].contains("Policy denied (no network policy allows it)"), "{}", seen[1]);
    }
}

#[test]
fn names_and_losses_are_handed_on() {
    let text = "Nov  8 07:19:25.894: 192.0.2.9:5000 (world) -> default/tftp-0:69 (ID:4) to-endpoint FORWARDED (UDP)
EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 12
";
    assert_eq!(outline(text), ["lost 12", "1 named - > default/tftp-0"]);
}

#[test]
fn programs_are_told_from_other_text() {
    let cases = [
        ("Nov  8 07:19:25.894: 192.0.2.9:5 -> a/b:69 to-endpoint FORWARDED (UDP)", true),
        ("TIMESTAMP   SOURCE   DESTINATION   TYPE   VERDICT   SUMMARY", true),
        (
            "-> stack flow 0x0 , identity 1->2 state new ifindex 0: 192.0.2.1:5 -> 192.0.2.2:69 udp",
            true,
        ),
        ("07:29:48.654684 IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4", false),
        ("192.0.2.9:5 -> 192.0.2.2:69 was FORWARDED (UDP)", false),
        ("-> then the packet goes to the stack", false),
        ("{\"kind\":\"Pod\",\"metadata\":{}}", false),
        ("NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE   IP   NODE", false),
    ];
    for (text, expected) in cases {
        assert_eq!(find_program(text).is_some(), expected, "{text}");
    }
}

#[test]
fn monitors_of_many_nodes_are_read() {
    for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("[2001:db8::9]", "[2001:db8:100::7]")] {
        let text = format!(
            "[cilium-x7k2p] xx drop (CT: Map insertion failed) flow 0x0 to endpoint 0, identity 2->4: {client}:5000 -> {pod}:69 udp\n"
        );
        let seen = outline(&text);
        assert!(
            seen[0].contains(&format!("dropped {client}:5000")) || client.starts_with('['),
            "{seen:?}"
        );
        assert!(seen[1].contains("the connection tracking map is full"), "{seen:?}");
        let json = text_of_drop("CT_MAP_INSERTION_FAILED", client, pod);
        let seen = outline(&json);
        assert!(seen[1].contains("the connection tracking map is full"), "{seen:?}");
    }
}

fn text_of_drop(reason: &str, client: &str, pod: &str) -> String {
    let bare = |side: &str| side.trim_matches(['[', ']']).to_owned();
    format!(
        "{{\"flow\":{{\"time\":\"2024-11-08T07:19:25.100Z\",\"verdict\":\"DROPPED\",\"drop_reason_desc\":\"{reason}\",\"IP\":{{\"source\":\"{}\",\"destination\":\"{}\"}},\"l4\":{{\"UDP\":{{\"source_port\":5000,\"destination_port\":69}}}}}}}}\n",
        bare(client),
        bare(pod)
    )
}

/// A flow in JSON, as the exporter and `-o jsonpb` write it.
fn flow(client: &str, pod: &str, second: u32) -> String {
    format!(
        r#"{{"flow":{{"time":"2024-11-08T07:19:{second:02}.100Z","verdict":"FORWARDED","IP":{{"source":"{client}","destination":"{pod}","ipVersion":"IPv4"}},"l4":{{"UDP":{{"source_port":5000,"destination_port":69}}}},"Summary":"UDP [x] {{y","trace_observation_point":"TO_ENDPOINT"}},"node_name":"node1","time":"2024-11-08T07:19:{second:02}.100Z"}}"#
    )
}

/// As `jq` writes it: each member in a line of its own.
fn spread(json: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(json).unwrap()).unwrap()
}

/// What the text holds, as a file of its own.
fn read_file(text: &str) -> (Vec<String>, Vec<String>) {
    let (events, outcome) = read_all(text.as_bytes());
    outcome.unwrap();
    let packets = events.iter().filter_map(|event| match event {
        Seen::Text(packet) => Some(packet.clone()),
        _ => None,
    });
    (packets.collect(), events.iter().filter_map(Seen::fault).collect())
}

#[test]
fn json_is_read_however_it_is_laid_out() {
    for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("2001:db8::9", "2001:db8:1::7")] {
        let flows = [flow(client, pod, 1), flow(client, pod, 2), flow(client, pod, 3)];
        let (expected, faults) = read_file(&flows.join("\n"));
        assert_eq!((expected.len(), faults.len()), (3, 0), "{expected:?}");
        let bare: Vec<String> = flows
            .iter()
            .map(|flow| {
                let flow: serde_json::Value = serde_json::from_str(flow).unwrap();
                flow["flow"].to_string()
            })
            .collect();
        let spread_bare: Vec<String> = bare.iter().map(|flow| spread(flow)).collect();
        let texts = [
            flows.concat(),
            format!("[{}]", flows.join(",")),
            format!("[\n{}\n]\n", flows.join(",\n")),
            flows.each_ref().map(|flow| spread(flow)).join("\n"),
            spread(&format!("[{}]", flows.join(","))),
            format!(
                "$ hubble observe -o json | jq .\n{}\n",
                flows.each_ref().map(|flow| spread(flow)).join("\n")
            ),
            bare.join("\n"),
            spread_bare.join("\n"),
            spread(&format!("[{}]", bare.join(","))),
        ];
        for text in texts {
            assert_eq!(read_file(&text), (expected.clone(), Vec::new()), "{text}");
        }
        // The line told is that of the object.
        let damaged = flows[1].replace(&format!("\"source\":\"{client}\""), "\"source\":\"x\"");
        let text = [&flows[0], &damaged, &flows[2]].map(|flow| spread(flow)).join("\n");
        let lines = spread(&flows[0]).lines().count();
        let (packets, faults) = read_file(&text);
        assert_eq!(packets.len(), 2);
        let told = format!("line {}: expected an address as IP.source, found 'x'", lines + 1);
        assert_eq!(faults, [told]);
    }
}

#[test]
fn json_that_breaks_off_does_not_swallow_what_follows() {
    let whole = spread(&flow("192.0.2.9", "198.51.100.7", 1));
    let cut: Vec<&str> = whole.lines().take(8).collect();
    let packet = "12:00:00.000001 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4";
    let text = format!("{whole}\n{}\nand then tcpdump said\n{packet}\n", cut.join("\n"));
    let (packets, faults) = read_file(&text);
    assert_eq!(packets.len(), 2, "{packets:?}");
    let line = whole.lines().count() + 1;
    assert_eq!(faults, [format!("line {line}: this JSON object does not end")]);
    // Objects of Kubernetes stay inventories.
    let nodes = "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": []\n}\n";
    let compact = "Nov  8 07:19:25.894: 192.0.2.9:5000 (world) -> 198.51.100.7:69 (ID:4) to-endpoint FORWARDED (UDP)";
    let (seen, _) = read_file(&format!("{compact}\n{nodes}"));
    assert!(seen.iter().any(|seen| seen.starts_with("Inventory")), "{seen:?}");
}

#[test]
fn events_in_several_lines_are_read() {
    for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("[2001:db8::9]", "[2001:db8:1::7]")] {
        let entry = |time: &str, source: &str, destination: &str, kind: &str, verdict: &str| {
            format!(
                "  TIMESTAMP: {time}\n       NODE: node1\n     SOURCE: {source}\nDESTINATION: {destination}\n       TYPE: {kind}\n    VERDICT: {verdict}\n    SUMMARY: UDP\n"
            )
        };
        let (asks, serves) = (format!("{client}:5000"), format!("{pod}:69"));
        let entries = [
            entry("Nov  8 07:19:25.894", &asks, &serves, "to-endpoint", "FORWARDED"),
            entry("Nov  8 07:19:26.894", &asks, &serves, "to-endpoint", "FORWARDED"),
            "  TIMESTAMP: \n     SOURCE: HUBBLE_RING_BUFFER\n       TYPE: EVENTS LOST\n    VERDICT: \n    SUMMARY: CPU(0) - 12\n".to_owned(),
            entry("Nov  8 07:19:27.894", &serves, &asks, "No mapping for NAT masquerade", "DROPPED"),
            entry("Nov  8 07:19:28.894", "", &asks, "to-endpoint", "FORWARDED"),
            entry("Nov  8 07:19:29.894", &asks, "default/tftp-0:69", "to-endpoint", "SEEN"),
            entry("Nov  8 07:19:30.894", &asks, "default/tftp-0:69", "to-endpoint", "FORWARDED"),
        ];
        let text = entries.join("------------\n");
        let seen = outline(&text);
        assert_eq!(
            seen[..7],
            [
                format!("1 1 {asks} → {serves}"),
                "lost 12".to_owned(),
                format!("2 1 {asks} → {serves}"),
                format!(
                    "fault line 31: expected ends as ADDRESS:PORT or NAME:PORT, found '' and '{asks}'"
                ),
                "fault line 39: 'SEEN' is not a verdict of Hubble".to_owned(),
                format!("3 1 dropped {serves} → {asks}: No mapping for NAT masquerade"),
                "4 named - > default/tftp-0".to_owned(),
            ]
        );
        assert!(seen[7].starts_with("note Cilium dropped a UDP datagram"), "{}", seen[7]);
        assert_eq!(seen.len(), 8);
        let (packets, faults) = read_file(&text);
        assert_eq!((packets.len(), faults.len()), (4, 2), "{packets:?} {faults:?}");
    }
}

proptest! {
    #[test]
    fn no_mutation_panics_or_hangs(
        cuts in proptest::collection::vec((0_usize..10, 0_usize..200, "\\PC{0,3}"), 0..40),
    ) {
        const LINES: [&str; 10] = [
            "[{\"flow\":{\"verdict\":\"FORWARDED\",\"IP\":{\"source\":\"2001:db8::1\",\"destination\":\"2001:db8::2\"}}},",
            "  TIMESTAMP: Nov  8 07:19:25.894",
            "DESTINATION: [2001:db8::7]:69",
            "    SUMMARY: UDP",
            "Nov  8 07:19:25.894: 192.0.2.9:5000 (world) -> default/tftp-0:69 (ID:4) to-endpoint FORWARDED (UDP)",
            "Nov  8 07:19:25.894 [n]: [2001:db8::9]:5 <> [2001:db8::7]:69 Policy denied DROPPED (UDP)",
            "xx drop (Policy denied (L3)) flow 0x1 to endpoint 0, identity 5->7: 192.0.2.9:3 -> 198.51.100.7:69 udp",
            "-> endpoint 4 flow 0x8 , identity 1->3 state new ifindex lxc4 orig-ip ::: [::1]:4 -> [::2]:69 udp",
            "{\"flow\":{\"verdict\":\"DROPPED\",\"IP\":{\"source\":\"192.0.2.1\",\"destination\":\"192.0.2.2\"},\"l4\":{\"UDP\":{\"source_port\":5,\"destination_port\":69}}}}",
            "EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 12",
        ];
        let mutated = cuts.iter().map(|(line, at, insert)| {
            let line = LINES[*line];
            let at = (0..=*at.min(&line.len())).rev().find(|at| line.is_char_boundary(*at));
            let (before, behind) = line.split_at(at.unwrap_or(0));
            [before, insert.as_str(), behind].concat()
        });
        let text = mutated.collect::<Vec<_>>().join("\n");
        outline(&text);
    }
}
