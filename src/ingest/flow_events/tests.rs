//! Whole runs: lines in, packets and notes out.

use proptest::prelude::*;

use super::*;

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

proptest! {
    #[test]
    fn no_mutation_panics_or_hangs(
        cuts in proptest::collection::vec((0_usize..6, 0_usize..200, "\\PC{0,3}"), 0..40),
    ) {
        const LINES: [&str; 6] = [
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
