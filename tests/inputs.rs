//! Inputs as people have them: files in a shell's order, captures of many interfaces,
//! inventories that Windows wrote, tables of virtual networks.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::{Cause, Verdict};
    use replyscope::model::report::Report;

    use super::header::header;

    const ETHERNET: u32 = 1;
    const SLL2: u32 = 276;
    const QUERY: &[u8] = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";
    const WRITE: &[u8] = b"\0\x02startup.cfg\0octet\0";

    /// A device, the address that it asks, and who answers.
    const NETS: [[&str; 3]; 2] = [
        ["192.0.2.7", "198.51.100.21", "198.51.100.13"],
        ["2001:db8::7", "2001:db8:1::21", "2001:db8:1::13"],
    ];

    /// An IP packet.
    fn ip(source: &str, destination: &str, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap();
        let [source, destination] =
            [source, destination].map(|text| text.parse::<IpAddr>().unwrap());
        let mut bytes = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let mut bytes = vec![0x45, 0];
                bytes.extend((20 + length).to_be_bytes());
                bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                bytes
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut bytes = vec![0x60, 0, 0, 0];
                bytes.extend(length.to_be_bytes());
                bytes.extend([protocol, 64]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                bytes
            }
            _ => unreachable!("one family"),
        };
        bytes.extend(payload);
        bytes
    }

    fn udp((source, from): (&str, u16), (destination, to): (&str, u16), says: &[u8]) -> Vec<u8> {
        let length = u16::try_from(says.len()).unwrap() + 8;
        let mut bytes: Vec<u8> =
            [from, to, length, 0].into_iter().flat_map(u16::to_be_bytes).collect();
        bytes.extend(says);
        ip(source, destination, 17, &bytes)
    }

    fn ethernet(packet: &[u8]) -> Vec<u8> {
        let kind = if packet[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
        [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], kind.as_slice(), packet].concat()
    }

    fn sll2(interface: u32, packet: &[u8]) -> Vec<u8> {
        let kind: [u8; 2] = if packet[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
        let [a, b, c, d] = interface.to_be_bytes();
        [&kind, [0, 0, a, b, c, d, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0].as_slice(), packet].concat()
    }

    /// A capture of frames at milliseconds.
    fn pcap(link_type: u32, frames: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut file = Vec::new();
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, link_type] {
            file.extend(word.to_le_bytes());
        }
        for (at_ms, frame) in frames {
            let length = u32::try_from(frame.len()).unwrap();
            let seconds = 1_732_000_000 + at_ms / 1_000;
            for word in [seconds, at_ms % 1_000 * 1_000, length, length] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }

    /// Reads all in their order, and once more if that makes a difference.
    fn analyse(captures: &[(&str, Vec<u8>)]) -> Report {
        analyse_in(Analysis::new(Limits::default()), captures)
    }

    fn analyse_in(mut analysis: Analysis, captures: &[(&str, Vec<u8>)]) -> Report {
        for (name, bytes) in captures {
            analysis.read_capture(name, None, &mut bytes.as_slice()).unwrap();
        }
        if let Some(order) = analysis.find_order_to_read_again() {
            analysis.begin_again();
            for (name, bytes) in order.into_iter().map(|input| &captures[input]) {
                analysis.read_capture(name, None, &mut bytes.as_slice()).unwrap();
            }
        }
        analysis.finish(header()).unwrap()
    }

    #[test]
    fn large_files_in_any_order_are_followed_in_that_of_time() {
        for [device, server, _] in NETS {
            // Nine megabytes of something else, from `begin` on.
            let filler = |begin: u32| {
                let bytes = ethernet(&ip(device, server, 253, &vec![0; 60_000]));
                (0..150).map(move |frame| (begin + frame * 10, bytes.clone()))
            };
            let (client, asked) = ((device, 5_000), (server, 53));
            let query = ethernet(&udp(client, asked, QUERY));
            let mut answered = QUERY.to_vec();
            answered[2] = 0x81;
            let answer = ethernet(&udp(asked, client, &answered));
            // Asked at the end of the first, answered at the beginning of the second.
            let first: Vec<_> = filler(0).chain([(1_990, query)]).collect();
            let second: Vec<_> = [(2_000, answer)].into_iter().chain(filler(2_010)).collect();
            let third: Vec<_> = filler(4_000).collect();
            let files = [("cap", first), ("cap2", second), ("cap10", third)]
                .map(|(name, frames)| (name, pcap(ETHERNET, &frames)));
            let [first, second, third] = files;
            let expected = analyse(&[first.clone(), second.clone(), third.clone()]);
            assert_eq!(expected.verdict, Verdict::Symmetric, "{}", expected.headline);
            let continued: Vec<_> =
                expected.captures.iter().map(|capture| capture.continues.as_deref()).collect();
            assert_eq!(continued, [None, Some("cap"), Some("cap2")]);
            for files in [
                [first.clone(), third.clone(), second.clone()],
                [third.clone(), second.clone(), first.clone()],
                [second.clone(), third.clone(), first.clone()],
            ] {
                let json = |report: &Report| serde_json::to_value(report).unwrap();
                let order: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
                assert_eq!(json(&analyse(&files)), json(&expected), "{order:?}");
            }
        }
    }

    #[test]
    fn a_second_point_may_show_up_late() {
        for [device, server, other] in NETS {
            // So many that there seems to be one point.
            let line = ethernet(&udp((other, 4_000), (server, 514), b"<13>all is well"));
            let lines = (0..70_000).map(|frame| (frame / 50, line.clone()));
            let query = ethernet(&udp((device, 5_000), (server, 53), QUERY));
            let mut answered = QUERY.to_vec();
            answered[2] = 0x81;
            let answer = ethernet(&udp((server, 53), (device, 5_000), &answered));
            let asked: Vec<_> = lines.chain([(1_401, query)]).collect();
            let files = [
                ("uplink1", pcap(ETHERNET, &asked)),
                ("uplink2", pcap(ETHERNET, &[(700, line.clone()), (1_402, answer)])),
            ];
            let one_input = || Analysis::new(Limits::default()).of_one_input();
            let report = analyse_in(one_input(), &files);
            let device = report.devices.iter().find(|found| found.device.to_string() == device);
            assert_eq!(device.unwrap().verdict, Verdict::Symmetric, "{}", report.headline);
            let json = |report: &Report| serde_json::to_value(report).unwrap();
            assert_eq!(json(&report), json(&analyse(&files)));

            let mut analysis = one_input();
            for (name, bytes) in &files {
                assert_eq!(analysis.find_order_to_read_again(), None);
                analysis.read_capture(name, None, &mut bytes.as_slice()).unwrap();
            }
            assert_eq!(analysis.find_order_to_read_again(), Some(vec![0, 1]));
        }
    }

    #[test]
    fn large_files_that_have_nothing_to_do_with_each_other_are_read_once() {
        let [device, server, _] = NETS[0];
        let file = |begin: u32| {
            let bytes = ethernet(&ip(device, server, 253, &vec![0; 60_000]));
            let frames: Vec<_> = (0..150).map(|frame| (begin + frame, bytes.clone())).collect();
            pcap(ETHERNET, &frames)
        };
        let mut analysis = Analysis::new(Limits::default());
        // An hour apart: nobody listened in between.
        for begin in [3_600_000, 0] {
            analysis.read_capture("cap", None, &mut file(begin).as_slice()).unwrap();
        }
        assert_eq!(analysis.find_order_to_read_again(), None);
    }

    #[test]
    fn all_interfaces_of_one_capture_listen_as_long_as_it_runs() {
        for [device, asked, _] in NETS {
            let other = if device.contains(':') {
                ["fd00::1", "fd00::2"]
            } else {
                ["10.1.1.1", "10.1.1.2"]
            };
            let request = udp((device, 5_000), (asked, 69), WRITE);
            let noise = udp((other[0], 4_000), (other[1], 514), b"<13>all is well");
            // Once at the second interface; what goes on is seen at the third.
            let listened = |seconds: u32| {
                let noise = (1..seconds).map(|second| (second * 1_000, sll2(3, &noise)));
                let frames: Vec<_> = [(0, sll2(2, &request))].into_iter().chain(noise).collect();
                let report = analyse(&[("any", pcap(SLL2, &frames))]);
                let found = report.devices.iter().find(|found| found.device.to_string() == device);
                found.unwrap().verdict
            };
            assert_eq!(listened(60), Verdict::Unanswered);
            assert_eq!(listened(2), Verdict::Inconclusive, "a second is no silence");
        }
    }

    #[test]
    fn interfaces_without_end_share_a_point() {
        let [device, asked, _] = NETS[1];
        let frames = |interfaces: u32| -> Vec<_> {
            let frame = |interface| {
                let port = u16::try_from(1_000 + interface).unwrap();
                (interface, sll2(interface, &udp((device, port), (asked, 514), b"<13>x")))
            };
            (1..=interfaces).map(frame).collect()
        };
        for (interfaces, is_told) in [(3, false), (1_024, false), (1_025, true), (30_000, true)] {
            let report = analyse(&[("any", pcap(SLL2, &frames(interfaces)))]);
            let warnings = &report.captures[0].warnings;
            let told = warnings.iter().any(|warning| warning.contains("1024 interfaces"));
            assert_eq!(told, is_told, "{interfaces}: {warnings:?}");
        }
    }

    fn utf16(text: &str) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn gzip(text: &str) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// A request that is answered from elsewhere, with what an inventory says of that.
    fn with_inventory([device, asked, answerer]: [&str; 3], inventory: &[u8]) -> Report {
        let frames = [
            (0, ethernet(&udp((device, 5_000), (asked, 69), WRITE))),
            (10, ethernet(&udp((answerer, 40_000), (device, 5_000), b"\0\x04\0\0"))),
        ];
        let mut analysis = Analysis::new(Limits::default());
        let file = pcap(ETHERNET, &frames);
        analysis.read_capture("host", None, &mut file.as_slice()).unwrap();
        analysis.read_inventory("inventory", &mut &*inventory).unwrap();
        analysis.finish(header()).unwrap()
    }

    #[test]
    fn inventories_are_read_in_the_encodings_in_which_they_are_saved() {
        for net in NETS {
            let nodes = format!(
                "NAME    STATUS   ROLES    AGE   VERSION   INTERNAL-IP\r\nnode1   Ready    <none>   1d    v1.29.0   {}\r\n",
                net[2]
            );
            let node = |inventory: &[u8]| {
                let report = with_inventory(net, inventory);
                let answerer =
                    report.addresses.iter().find(|one| one.address.to_string() == net[2]);
                answerer.unwrap().node.clone()
            };
            for bytes in [nodes.clone().into_bytes(), utf16(&nodes), gzip(&nodes)] {
                assert_eq!(node(&bytes).as_deref(), Some("node1"));
            }
            let devices = utf16(&format!("name,address\r\nsw1,{}\r\n", net[0]));
            assert_eq!(with_inventory(net, &devices).devices[0].name.as_deref(), Some("sw1"));
        }
    }

    #[test]
    fn a_session_among_the_inventories_names_its_node() {
        for net in NETS {
            let (family, length) = if net[0].contains(':') { ("inet6", 64) } else { ("inet", 24) };
            let printed = format!(
                "2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP\n    {family} {}/{length} scope global eth0\n",
                net[2]
            );
            let session = format!("root@node3:~# ip addr\n{printed}root@node3:~# \n");
            for (inventory, expected) in [(session, Some("node3")), (printed, None)] {
                let report = with_inventory(net, inventory.as_bytes());
                let answerer =
                    report.addresses.iter().find(|one| one.address.to_string() == net[2]);
                assert_eq!(answerer.unwrap().node.as_deref(), expected);
            }
        }
    }

    #[test]
    fn the_file_of_host_names_is_read_as_it_stands() {
        for [device, asked, answerer] in NETS {
            let ip = if device.contains(':') { "IP6" } else { "IP" };
            let text = format!(
                "10:00:00.000000 {ip} switch1.5000 > vip1.69: TFTP, length 20, WRQ \"a.cfg\" octet\n10:00:00.001000 {ip} node1.32991 > switch1.5000: UDP, length 35\n"
            );
            let hosts = format!(
                "# names\n127.0.0.1 localhost\n{device} switch1\n{asked} vip1\n{answerer} node1\n"
            );
            let read = |as_capture: bool| {
                let mut analysis = Analysis::new(Limits::default());
                analysis.read_capture("text", None, &mut text.as_bytes()).unwrap();
                if as_capture {
                    analysis.read_capture("hosts", None, &mut hosts.as_bytes()).unwrap();
                } else {
                    analysis.read_inventory("hosts", &mut hosts.as_bytes()).unwrap();
                }
                analysis.finish(header()).unwrap()
            };
            for as_capture in [false, true] {
                let report = read(as_capture);
                assert_eq!(report.devices.len(), 1, "{}", report.headline);
                assert_eq!(report.devices[0].device.to_string(), device);
            }
        }
    }

    /// The three entries of the founding fault.
    fn founding([device, asked, node, pod]: [&str; 4]) -> String {
        let family = if device.contains(':') { "ipv6     10 " } else { "" };
        let entry = |flow: String| format!("{family}udp      17 29 {flow} mark=0 use=1\n");
        let tuple = |from: &str, to: &str, source: u16, destination: u16| {
            format!("src={from} dst={to} sport={source} dport={destination}")
        };
        [
            (tuple(device, asked, 41_226, 69), tuple(pod, device, 69, 41_226)),
            (tuple(pod, device, 32_991, 41_226), tuple(device, node, 41_226, 32_991)),
            (tuple(device, asked, 41_226, 32_991), tuple(asked, device, 32_991, 41_226)),
        ]
        .map(|(original, reply)| entry(format!("{original} [UNREPLIED] {reply}")))
        .concat()
    }

    #[test]
    fn a_device_may_have_an_address_of_the_range_of_all_pods() {
        for (name, net) in [
            ("one /16", ["10.0.5.7", "10.0.1.21", "10.0.1.13", "10.0.2.16"]),
            ("one /24", ["10.0.2.7", "10.0.1.21", "10.0.1.13", "10.0.2.16"]),
            (
                "one /48",
                ["2001:db8:5:1::7", "2001:db8:5:2::21", "2001:db8:5:2::13", "2001:db8:5:100::16"],
            ),
            (
                "one /64",
                ["2001:db8:5:100::7", "2001:db8:5:2::21", "2001:db8:5:2::13", "2001:db8:5:100::16"],
            ),
        ] {
            let report = analyse(&[("table", founding(net).into_bytes())]);
            assert_eq!(report.verdict, Verdict::Broken, "{name}: {}", report.headline);
            let causes: Vec<Cause> =
                report.devices[0].findings.iter().map(|finding| finding.cause).collect();
            assert!(causes.contains(&Cause::FollowUpToRequestAddress), "{name}: {causes:?}");
        }
        // A pod beside the one that it asks, which is answered as it should: a short table is
        // told whole.
        for [pod, service, server] in
            [["10.0.2.7", "10.96.0.9", "10.0.2.16"], ["fd00:2::7", "fd00:96::9", "fd00:2::16"]]
        {
            let entry = format!(
                "udp      17 29 src={pod} dst={service} sport=41226 dport=123 src={server} dst={pod} sport=123 dport=41226 mark=0 use=1\n"
            );
            let report = analyse(&[("table", entry.into_bytes())]);
            assert_eq!(report.verdict, Verdict::Symmetric, "{}", report.headline);
            assert!(report.devices[0].findings.is_empty(), "{}", report.headline);
        }
    }

    #[test]
    fn a_flow_that_several_zones_track_is_told_by_the_one_that_translates_it() {
        for [device, asked, pod] in [
            ["192.0.2.7", "198.51.100.21", "10.244.1.16"],
            ["2001:db8::7", "2001:db8:1::21", "fd00::16"],
        ] {
            let family = if device.contains(':') { "ipv6     10 " } else { "" };
            let entry = |rest: &str| {
                format!(
                    "{family}udp      17 20 src={device} dst={asked} sport=41226 dport=69 {rest} use=1\n"
                )
            };
            let reply = |from: &str| format!("src={from} dst={device} sport=69 dport=41226");
            for [zone, other] in [[" zone=5", " zone=64000"], ["", ""]] {
                let translated = entry(&format!("{} [ASSURED] mark=0{zone}", reply(pod)));
                let passed = entry(&format!("[UNREPLIED] {} mark=0{other}", reply(asked)));
                for table in
                    [format!("{translated}{passed}"), format!("{passed}{translated}"), translated]
                {
                    let report = analyse(&[("table", table.clone().into_bytes())]);
                    let [device] = report.devices.as_slice() else { unreachable!("{table}") };
                    assert_eq!(device.verdict, Verdict::Symmetric, "{table}");
                    assert_eq!(device.exchanges.len(), 1, "{table}");
                }
            }
        }
    }
}
