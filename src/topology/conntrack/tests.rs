use super::*;
use crate::topology::parse;

fn endpoint(text: &str) -> Endpoint {
    text.parse::<std::net::SocketAddr>().unwrap().into()
}

fn read_all(text: &str) -> (Vec<TrackedEntry>, Vec<String>) {
    let facts = parse("", None, text, 1);
    (facts.tracked, facts.faults.iter().map(ToString::to_string).collect())
}

fn only(text: &str) -> TrackedFlow {
    let (entries, faults) = read_all(text);
    assert_eq!(faults, Vec::<String>::new(), "{text}");
    assert_eq!(entries.len(), 1, "{text}");
    entries[0].flow.clone()
}

/// A request that is sent on to a pod, in both families.
const TUPLES: [(&str, &str); 2] = [
    (
        "src=192.0.2.7 dst=198.51.100.10 sport=41226 dport=69",
        "src=203.0.113.16 dst=192.0.2.7 sport=1069 dport=41226",
    ),
    (
        "src=2001:db8::7 dst=2001:db8:100::10 sport=41226 dport=69",
        "src=2001:db8:200::16 dst=2001:db8::7 sport=1069 dport=41226",
    ),
];

#[test]
fn a_line_is_read_in_all_its_forms() {
    for (family, (there, back)) in ["ipv4     2 ", "ipv6     10 "].into_iter().zip(TUPLES) {
        // what differs, line
        let plain = format!("udp      17 29 {there} [UNREPLIED] {back} mark=0 use=1");
        let expected = only(&plain);
        assert!(!expected.is_replied && !expected.is_assured);
        assert!(expected.is_destination_translated() && !expected.is_source_translated());
        assert_eq!(expected.translated_destination().port, 1069);
        assert_eq!(expected.expires_in_s, Some(29));
        let same = [
            ("-o extended", format!("{family}{plain}")),
            ("-o id", format!("{plain} id=3187675930")),
            ("secctx", format!("{plain} secctx=system_u:object_r:t delta-time=3")),
            ("indented", format!("    {plain}")),
            ("a carriage return", format!("{plain}\r")),
        ];
        for (name, line) in same {
            assert_eq!(only(&line), expected, "{name}");
        }
        for (line, zone) in
            [(format!("{plain} zone=1"), 1), (plain.replace("dport=69", "dport=69 zone-orig=2"), 2)]
        {
            assert_eq!(only(&line), TrackedFlow { zone: Some(zone), ..expected.clone() });
        }
        let times =
            format!("{plain} [start=Tue Nov 14 22:13:20 2023] [stop=Tue Nov 14 22:13:21 2023]");
        assert_eq!(only(&times), expected, "-o ktimestamp");

        let assured = format!("udp      17 118 {there} {back} [ASSURED] mark=0 helper=tftp use=1");
        let flow = only(&assured);
        assert!(flow.is_replied && flow.is_assured);
        assert_eq!(flow.helper.as_deref(), Some("tftp"));

        let counted = format!(
            "udp      17 29 {there} packets=3 bytes=96 [UNREPLIED] {back} packets=0 bytes=0 mark=0"
        );
        let flow = only(&counted);
        assert_eq!(flow.original_count, Some(TrackedCount { packets: 3, bytes: 96 }));
        assert_eq!(flow.reply_count, Some(TrackedCount { packets: 0, bytes: 0 }));

        let offloaded = format!("udp      17 {there} {back} [OFFLOAD] mark=0 use=2");
        let flow = only(&offloaded);
        assert!(flow.is_replied && flow.expires_in_s.is_none());

        let tcp = format!("tcp      6 431999 ESTABLISHED {there} {back} [ASSURED] mark=0 use=1");
        assert_eq!(only(&tcp).original.transport, Transport::Tcp);
    }
}

#[test]
fn events_have_their_kind_and_their_time() {
    for (family, (there, back)) in ["ipv4     2 ", "ipv6     10 "].into_iter().zip(TUPLES) {
        let new = format!(
            "[1700000000.524942]\t    [NEW] {family}udp      17 30 {there} [UNREPLIED] {back}"
        );
        let flow = only(&new);
        assert_eq!(flow.event, Some(TrackedEvent::New));
        assert_eq!(flow.at, Some(Timestamp::from_microseconds(1_700_000_000_524_942)));
        let update = only(&format!(" [UPDATE] udp      17 30 {there} {back}"));
        assert_eq!((update.event, update.at), (Some(TrackedEvent::Update), None));
        let destroy = only(&format!("[DESTROY] udp      17 {there} [UNREPLIED] {back}"));
        assert_eq!(destroy.event, Some(TrackedEvent::Destroy));
    }
}

#[test]
fn addresses_of_proc_are_written_out() {
    let line = "ipv6     10 udp      17 29 src=2001:0db8:0000:0000:0000:0000:0000:0007 dst=2001:0db8:0100:0000:0000:0000:0000:0010 sport=41226 dport=69 packets=1 bytes=68 [UNREPLIED] src=2001:0db8:0100:0000:0000:0000:0000:0010 dst=2001:0db8:0000:0000:0000:0000:0000:0007 sport=69 dport=41226 packets=0 bytes=0 mark=0 zone=0 delta-time=0 use=2";
    let flow = only(line);
    assert_eq!(flow.original.source, endpoint("[2001:db8::7]:41226"));
    assert!(flow.is_untranslated());
}

#[test]
fn xml_says_what_the_lines_say() {
    for (there, back) in TUPLES {
        let line = only(&format!(
            "udp 17 29 {there} packets=2 bytes=96 [UNREPLIED] {back} packets=1 bytes=29 helper=tftp"
        ));
        let meta = |direction: &str, flow: &FlowKey, counts: &str| {
            format!(
                "<meta direction=\"{direction}\"><layer3 protonum=\"2\" protoname=\"ipv4\"><src>{}</src><dst>{}</dst></layer3><layer4 protonum=\"17\" protoname=\"udp\"><sport>{}</sport><dport>{}</dport></layer4><counters>{counts}</counters></meta>",
                flow.source.address,
                flow.destination.address,
                flow.source.port,
                flow.destination.port
            )
        };
        let original = meta("original", &line.original, "<packets>2</packets><bytes>96</bytes>");
        let reply = meta("reply", &line.expected_reply, "<packets>1</packets><bytes>29</bytes>");
        let own = "<meta direction=\"independent\"><timeout>29</timeout><mark>0</mark><use>1</use><id>7</id><unreplied/></meta><helper>tftp</helper>";
        let document = |flow: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n{flow}\n{flow}\n</conntrack>\nconntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.\n"
            )
        };
        let flow = format!("<flow>{original}{reply}{own}</flow>");
        let (entries, faults) = read_all(&document(&flow));
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [3, 4]);
        assert!(entries.iter().all(|entry| entry.flow == line), "{entries:#?}\n{line:#?}");
        // Printed in many lines, an entry is at the line where it ends.
        let spread = document(&flow.replace("><", ">\n  <"));
        let (entries, _) = read_all(&spread);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].flow, line);
        let event = format!("<flow type=\"destroy\">{original}{reply}{own}</flow>");
        assert_eq!(only(&event).event, Some(TrackedEvent::Destroy));
        let cut = format!("<flow>{original}{reply}{own}");
        assert_eq!(read_all(&cut).1.len(), 1);
    }
}

#[test]
fn what_is_no_entry_is_passed_over() {
    let (there, back) = TUPLES[0];
    let lines = [
        "conntrack v1.4.6 (conntrack-tools): 12 flow entries have been shown.".to_owned(),
        format!("icmp     1 29 {there} type=8 code=0 id=1 {back} type=0 code=0 id=1 mark=0 use=1"),
        "icmpv6   58 29 src=2001:db8::7 dst=2001:db8::1 type=128 code=0 id=1 src=2001:db8::1 dst=2001:db8::7 type=129 code=0 id=1".to_owned(),
        "unknown  2 586 src=192.0.2.7 dst=224.0.0.22 [UNREPLIED] src=224.0.0.22 dst=192.0.2.7 mark=0 use=1".to_owned(),
        "gre      47 29 src=192.0.2.7 dst=192.0.2.8 srckey=0x0 dstkey=0x1 src=192.0.2.8 dst=192.0.2.7 srckey=0x1 dstkey=0x0".to_owned(),
        format!("Look at {there}: it is not translated"),
        format!("[snip] udp 17 29 {there}"),
        String::new(),
    ];
    for line in lines {
        assert_eq!(read_all(&line), (Vec::new(), Vec::new()), "{line}");
    }
}

#[test]
fn a_damaged_entry_costs_itself() {
    let (there, back) = TUPLES[1];
    let good = format!("udp      17 29 {there} [UNREPLIED] {back} mark=0 use=1");
    let cases = [
        (
            "an address",
            good.replacen("dst=2001:db8:100::10", "dst=vip", 1),
            "an address was expected, found 'vip'",
        ),
        ("a port", good.replacen("sport=41226", "sport=412260", 1), "a number was expected"),
        ("no second direction", format!("udp 17 29 {there}"), "'src' in its second direction"),
        ("cut", good[..good.len() - 30].to_owned(), "second direction"),
    ];
    for (name, line, message) in cases {
        let (entries, faults) = read_all(&format!("{good}\n{line}\n{good}\n"));
        assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [1, 3], "{name}");
        assert_eq!(faults.len(), 1, "{name}");
        assert!(faults[0].starts_with("line 2: ") && faults[0].contains(message), "{faults:?}");
    }
    let (_, faults) = read_all(&format!("udp 17 29 {there}\n").repeat(100));
    assert_eq!(faults.len(), 21);
    assert!(faults[20].contains("80 more"), "{}", faults[20]);
}

#[test]
fn other_facts_may_stand_beside_entries() {
    let (there, back) = TUPLES[0];
    let text = format!(
        "2: eth0: <UP> mtu 1500\n    inet 198.51.100.4/24 scope global eth0\nudp 17 29 {there} {back}\n192.0.2.0/24 dev eth0 proto kernel scope link src 198.51.100.4\n"
    );
    let facts = parse("", None, &text, 10);
    assert_eq!(facts.tracked.len(), 1);
    assert_eq!(facts.tracked[0].line, 12);
    assert!(!facts.addresses.is_empty());
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ -~\\n<>\\[\\]=/éß]{0,400}") {
            let _ = read_all(&text);
        }

        #[test]
        fn words_of_the_vocabulary_in_any_order_are_survived(
            words in prop::collection::vec(prop::sample::select(vec![
                "udp", "17", "tcp", "6", "29", "[NEW]", "[UNREPLIED]", "[ASSURED]", "src=192.0.2.7",
                "src=2001:db8::7", "dst=192.0.2.8", "sport=7", "dport=69", "packets=18446744073709551616",
                "bytes=3", "<flow>", "</flow>", "<conntrack>", "</conntrack>", "<meta direction=\"reply\">",
                "<src>", "</src>", "<", ">", "\n", "[1700000000.000001]", "[99999999999999999999.000001]", "=",
            ]), 0..60),
        ) {
            let _ = read_all(&words.join(" "));
        }

        #[test]
        fn an_entry_reads_back_as_it_is_quoted(
            ports in any::<[u16; 4]>(), octets in any::<[u8; 4]>(), v6 in any::<bool>(),
            unreplied in any::<bool>(),
        ) {
            let address = |octet: u8| if v6 { format!("2001:db8::1:{octet:x}") } else { format!("192.0.2.{octet}") };
            let tuple = |a: usize, b: usize| format!(
                "src={} dst={} sport={} dport={}", address(octets[a]), address(octets[b]), ports[a], ports[b]
            );
            let mark = if unreplied { "[UNREPLIED] " } else { "" };
            let line = format!("udp 17 5 {} {mark}{}", tuple(0, 1), tuple(2, 3));
            prop_assert_eq!(format!("udp 17 5 {}", only(&line)), line);
        }
    }

    #[test]
    fn long_texts_take_time_in_proportion() {
        // Quadratic reading of either would take minutes.
        let (there, back) = TUPLES[1];
        let line = format!("udp      17 29 {there} [UNREPLIED] {back} mark=0 use=1\n");
        assert_eq!(read_all(&line.repeat(50_000)).0.len(), 50_000);
        for unclosed in ["<flow ", "<flow>\n", "<flow><src>", "<conntrack>\n", "udp 17 src="] {
            let _ = read_all(&unclosed.repeat(200_000));
        }
    }
}
