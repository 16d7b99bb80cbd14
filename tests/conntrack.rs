//! Connection tracking tables alone, and beside captures.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::IpAddr;
    use std::path::Path;

    use replyscope::analysis::{Analysis, Limits, ReportHeader};
    use replyscope::model::capture::CaptureFormat;
    use replyscope::model::conntrack::{TrackedEntry, TrackedFlow, TrackingTable};
    use replyscope::model::endpoint::{Endpoint, FlowKey};
    use replyscope::model::finding::{Cause, Confidence, Severity, Verdict};
    use replyscope::model::input::InputErrorKind;
    use replyscope::model::protocol::Protocol;
    use replyscope::model::report::{Device, DeviceFinding, Report};
    use replyscope::model::time::Timestamp;
    use replyscope::model::topology::Facts;

    /// The addresses of a scenario, in one family.
    #[derive(Debug, Clone, Copy)]
    struct Net {
        device: &'static str,
        vip: &'static str,
        node: &'static str,
        pod: &'static str,
        other_pod: &'static str,
    }

    const NETS: [Net; 2] = [
        Net {
            device: "192.0.2.7",
            vip: "198.51.100.10",
            node: "198.51.100.4",
            pod: "203.0.113.16",
            other_pod: "203.0.113.44",
        },
        Net {
            device: "2001:db8::7",
            vip: "2001:db8:100::10",
            node: "2001:db8:100::4",
            pod: "2001:db8:200::16",
            other_pod: "2001:db8:200::44",
        },
    ];

    const REPLIED: &str = "";
    const UNREPLIED: &str = "[UNREPLIED] ";

    /// One entry: what is sent, and what is expected back.
    fn entry(
        expires_in_s: u32,
        there: [(&str, u16); 2],
        mark: &str,
        back: [(&str, u16); 2],
    ) -> String {
        let tuple = |[(source, sport), (destination, dport)]: [(&str, u16); 2]| {
            format!("src={source} dst={destination} sport={sport} dport={dport}")
        };
        format!("udp      17 {expires_in_s} {} {mark}{} mark=0 use=1\n", tuple(there), tuple(back))
    }

    impl Net {
        /// A request of the device to the VIP that is sent on to `pod`.
        fn request(self, client: u16, port: u16, mark: &str, pod: &str) -> String {
            entry(
                20,
                [(self.device, client), (self.vip, port)],
                mark,
                [(pod, port), (self.device, client)],
            )
        }

        /// The pod's answer from a new port, which leaves as `left`.
        fn reply(self, client: u16, mark: &str, left: &str) -> String {
            entry(
                25,
                [(self.pod, 40_001), (self.device, client)],
                mark,
                [(self.device, client), (left, 40_001)],
            )
        }

        /// What the device sends to the VIP after that.
        fn follow_up(self, client: u16) -> String {
            entry(
                25,
                [(self.device, client), (self.vip, 40_001)],
                UNREPLIED,
                [(self.vip, 40_001), (self.device, client)],
            )
        }

        fn founding(self) -> String {
            self.follow_up(41_226)
                + &self.request(41_226, 69, UNREPLIED, self.pod)
                + &self.reply(41_226, UNREPLIED, self.node)
        }
    }

    fn header() -> ReportHeader {
        ReportHeader { id: uuid::Uuid::nil(), title: None, created_at: Timestamp::EPOCH }
    }

    fn analyse(text: &str) -> Report {
        analyse_with(text, None)
    }

    fn analyse_with(text: &str, inventory: Option<&str>) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        if let Some(inventory) = inventory {
            analysis.read_inventory("facts.txt", &mut inventory.as_bytes()).unwrap();
        }
        analysis.read_capture("conntrack.txt", None, &mut text.as_bytes()).unwrap();
        analysis.finish(header()).unwrap()
    }

    fn device<'a>(report: &'a Report, address: &str) -> &'a Device {
        let address: IpAddr = address.parse().unwrap();
        report
            .devices
            .iter()
            .find(|device| device.device == address)
            .unwrap_or_else(|| panic!("{address} is not among {:#?}", report.devices))
    }

    fn finding(device: &Device, cause: Cause) -> Option<&DeviceFinding> {
        device.findings.iter().find(|finding| finding.cause == cause)
    }

    fn lab(path: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        fs::read_to_string(root.join(path)).unwrap()
    }

    /// The verdicts and the causes of all devices: what must not depend on the form.
    fn gist(report: &Report) -> Vec<(IpAddr, Verdict, Vec<(Cause, Confidence)>)> {
        let of = |device: &Device| {
            let causes = device.findings.iter().map(|found| (found.cause, found.confidence));
            (device.device, device.verdict, causes.collect())
        };
        report.devices.iter().map(of).collect()
    }

    #[test]
    fn the_labs_founding_table_alone_gives_the_founding_diagnosis() {
        let report = analyse(&lab("lab/founding/conntrack.txt"));
        assert_eq!(report.verdict, Verdict::Broken);
        let cases = [
            ("2000::65:119", Verdict::Broken, "2000::65:21", "2000::65:13", "2000::65:21"),
            (
                "192.168.101.254",
                Verdict::Tolerated,
                "192.168.65.21",
                "192.168.65.13",
                "192.168.65.13",
            ),
        ];
        for (address, verdict, asked, answerer, followed) in cases {
            let device = device(&report, address);
            assert_eq!(device.verdict, verdict, "{address}");
            let [exchange] = device.exchanges.as_slice() else { panic!("{:#?}", device.exchanges) };
            assert_eq!(exchange.protocol, Protocol::Tftp);
            let request = exchange.request.as_ref().unwrap();
            assert_eq!(request.destination.address.to_string(), asked);
            assert_eq!(exchange.replies[0].source.address.to_string(), answerer);
            assert_eq!(exchange.follow_ups[0].destination.address.to_string(), followed);
            let translated = finding(device, Cause::ReplySourceTranslated).unwrap();
            assert_eq!(translated.confidence, Confidence::Certain);
            let misled = finding(device, Cause::FollowUpToRequestAddress);
            assert_eq!(misled.is_some(), verdict == Verdict::Broken);
            if let Some(misled) = misled {
                assert_eq!(misled.confidence, Confidence::Certain);
                assert_eq!(misled.severity, Severity::Error);
                let lines: Vec<u64> = misled.evidence.iter().map(|frame| frame.frame).collect();
                assert_eq!(lines, [1, 3, 5]);
                assert!(misled.evidence.iter().all(|frame| frame.capture == "conntrack.txt"));
                let quoted = &misled.evidence[0].summary;
                assert!(quoted.contains("src=2000::65:119 dst=2000::65:21 sport=41217 dport=38680 [UNREPLIED] src=2000::65:21"), "{quoted}");
            }
            let befores: Vec<u16> =
                exchange.translations.iter().map(|change| change.before.port).collect();
            assert_eq!(befores.len(), 2, "{:#?}", exchange.translations);
        }
        let [capture] = report.captures.as_slice() else { panic!("{:#?}", report.captures) };
        assert_eq!(capture.format, CaptureFormat::Conntrack);
        assert_eq!((capture.packets, capture.tracked_entries), (0, 5));
    }

    #[test]
    fn the_labs_stale_table_names_the_stale_translation() {
        let text = lab("conntrack/stale.txt");
        let report = analyse(&text);
        for address in ["192.168.101.254", "2000::65:119"] {
            let device = device(&report, address);
            // The table does not show whether the old socket is still answered.
            assert_eq!(device.verdict, Verdict::Inconclusive, "{address}");
            let stale = finding(device, Cause::StaleTranslation).unwrap();
            assert_eq!(stale.confidence, Confidence::Possible, "{address}");
        }
        assert_eq!(device(&report, "192.168.101.7").verdict, Verdict::Symmetric);
        // With the list of pods it is known which pod is gone; with both, none is.
        let pods = |names: &[&str]| {
            let mut table =
                "NAMESPACE NAME READY STATUS RESTARTS AGE IP NODE NOMINATED READINESS\n".to_owned();
            for address in names {
                table.push_str(&format!(
                    "time ntp-{} 1/1 Running 0 13d {address} node3 <none> <none>\n",
                    table.len()
                ));
            }
            table
        };
        let gone = analyse_with(&text, Some(&pods(&["177.177.135.44"])));
        let stale = finding(device(&gone, "192.168.101.254"), Cause::StaleTranslation).unwrap();
        assert_eq!(stale.confidence, Confidence::Likely);
        let shared = analyse_with(&text, Some(&pods(&["177.177.135.44", "177.177.135.16"])));
        assert_eq!(device(&shared, "192.168.101.254").verdict, Verdict::Symmetric);
        assert!(device(&shared, "192.168.101.254").findings.is_empty());
    }

    #[test]
    fn entries_of_one_transfer_are_joined() {
        for net in NETS {
            let request = |mark| net.request(41_226, 69, mark, net.pod);
            let masqueraded = |client: u16, port: u16, mark: &str| {
                entry(
                    20,
                    [(net.device, client), (net.vip, port)],
                    mark,
                    [(net.pod, port), (net.node, client)],
                )
            };
            let stranded = entry(
                25,
                [(net.pod, 40_001), (net.node, 41_226)],
                UNREPLIED,
                [(net.node, 41_226), (net.pod, 40_001)],
            );
            // what the table shows, its lines, verdict, causes
            let cases: Vec<(&str, String, Verdict, &[(Cause, Confidence)])> = vec![
                (
                    "the founding fault",
                    net.founding(),
                    Verdict::Broken,
                    &[
                        (Cause::FollowUpToRequestAddress, Confidence::Certain),
                        (Cause::ReplySourceTranslated, Confidence::Certain),
                    ],
                ),
                (
                    "a device that follows the node",
                    request(UNREPLIED) + &net.reply(41_226, REPLIED, net.node),
                    Verdict::Tolerated,
                    &[(Cause::ReplySourceTranslated, Confidence::Certain)],
                ),
                (
                    "the helper at work",
                    request(UNREPLIED) + &net.reply(41_226, REPLIED, net.vip),
                    Verdict::Symmetric,
                    &[],
                ),
                (
                    "a reply that the device leaves alone",
                    request(UNREPLIED) + &net.reply(41_226, UNREPLIED, net.node),
                    Verdict::Inconclusive,
                    &[
                        (Cause::ReplySourceTranslated, Confidence::Certain),
                        (Cause::FollowUpMissing, Confidence::Possible),
                    ],
                ),
                (
                    "the listing lacks the reply",
                    request(UNREPLIED) + &net.follow_up(41_226),
                    Verdict::Inconclusive,
                    &[(Cause::OneDirectionCaptured, Confidence::Likely)],
                ),
                ("healthy", net.request(41_226, 123, REPLIED, net.pod), Verdict::Symmetric, &[]),
                (
                    "a log, translated on the way in",
                    masqueraded(41_226, 514, UNREPLIED),
                    Verdict::OneWay,
                    &[(Cause::SenderTranslated, Confidence::Certain)],
                ),
                ("a log", net.request(41_226, 514, UNREPLIED, net.pod), Verdict::OneWay, &[]),
                (
                    "flow exports",
                    net.request(41_226, 2_055, UNREPLIED, net.pod),
                    Verdict::OneWay,
                    &[],
                ),
                (
                    "no answer",
                    request(UNREPLIED),
                    Verdict::Unanswered,
                    &[(Cause::RequestUnanswered, Confidence::Possible)],
                ),
                (
                    "an answer to the node",
                    masqueraded(41_226, 69, UNREPLIED) + &stranded,
                    Verdict::Unanswered,
                    &[
                        (Cause::RequestUnanswered, Confidence::Possible),
                        (Cause::SenderTranslated, Confidence::Certain),
                    ],
                ),
                (
                    "not translated, though others are",
                    entry(
                        20,
                        [(net.device, 41_226), (net.vip, 123)],
                        UNREPLIED,
                        [(net.vip, 123), (net.device, 41_226)],
                    ) + &net.request(41_227, 123, REPLIED, net.pod),
                    Verdict::Unanswered,
                    &[
                        (Cause::RequestNotTranslated, Confidence::Certain),
                        (Cause::RequestUnanswered, Confidence::Possible),
                    ],
                ),
            ];
            for (name, text, verdict, causes) in cases {
                let report = analyse(&text);
                let device = device(&report, net.device);
                assert_eq!(device.verdict, verdict, "{name} {:#?}", device.findings);
                let mut found: Vec<(Cause, Confidence)> =
                    device.findings.iter().map(|found| (found.cause, found.confidence)).collect();
                found.sort_unstable();
                let mut expected = causes.to_vec();
                expected.sort_unstable();
                assert_eq!(found, expected, "{name} {}", net.device);
                assert_eq!(report.devices.len(), 1, "{name} {}", net.device);
                // In whatever order a hash table gives them.
                let reversed: Vec<&str> = text.lines().rev().collect();
                assert_eq!(gist(&analyse(&reversed.join("\n"))), gist(&report), "{name}");
            }
        }
    }

    #[test]
    fn counters_say_how_often() {
        for net in NETS {
            let counted = |mark: &str, packets: u32| {
                let bytes = packets * 60;
                net.request(41_226, 123, mark, net.pod).replace(
                    " [UNREPLIED]",
                    &format!(" packets={packets} bytes={bytes} [UNREPLIED]"),
                )
            };
            let cases =
                [(1, Confidence::Possible), (2, Confidence::Likely), (5, Confidence::Certain)];
            for (packets, confidence) in cases {
                let report = analyse(&counted(UNREPLIED, packets));
                let found = finding(device(&report, net.device), Cause::RequestUnanswered).unwrap();
                assert_eq!(found.confidence, confidence, "{packets} {}", net.device);
                let word = if packets == 1 {
                    "once"
                } else {
                    &format!("{packets} times").replace("2 times", "twice")
                };
                assert!(found.explanation.contains(word), "{}", found.explanation);
                assert!(!found.explanation.contains("at least"), "{}", found.explanation);
            }
            let uncounted = analyse(&net.request(41_226, 123, UNREPLIED, net.pod));
            let found = finding(device(&uncounted, net.device), Cause::RequestUnanswered).unwrap();
            assert!(found.explanation.contains("at least once"), "{}", found.explanation);
            // A request that was sent just now is not in vain yet.
            let fresh = net.request(41_226, 123, UNREPLIED, net.pod).replace("17 20 ", "17 30 ");
            assert_eq!(device(&analyse(&fresh), net.device).verdict, Verdict::Inconclusive);
        }
    }

    #[test]
    fn a_busy_nodes_other_flows_say_nothing() {
        for net in NETS {
            let many = |octet: u32| {
                if net.pod.contains(':') {
                    (format!("2001:db8:200::a:{octet:x}"), format!("2001:db8:f00::{octet:x}"))
                } else {
                    let (high, low) = (octet / 250, octet % 250 + 1);
                    (format!("203.0.{}.{low}", 113 + high), format!("100.64.{high}.{low}"))
                }
            };
            let mut text = net.founding();
            for index in 0..4_000_u32 {
                let (pod, outside) = many(index);
                let client = 20_000 + u16::try_from(index).unwrap();
                let mark = if index % 3 == 0 { UNREPLIED } else { REPLIED };
                let masqueraded = |port: u16| {
                    entry(
                        5,
                        [(&pod, client), (&outside, port)],
                        mark,
                        [(&outside, port), (net.node, client)],
                    )
                };
                // Pods to the outside: names, time, QUIC, TFTP, logs, and a port of nobody.
                for port in [53, 123, 443, 69, 514, 9_000] {
                    text.push_str(&masqueraded(port));
                }
                // Pods to a service of the cluster, and to each other.
                for port in [53, 123, 8_125] {
                    text.push_str(&entry(
                        5,
                        [(&pod, client), ("198.51.100.96", port)],
                        mark,
                        [(net.other_pod, port), (&pod, client)],
                    ));
                }
                text.push_str(&entry(
                    5,
                    [(&pod, client), (net.other_pod, 9_001)],
                    mark,
                    [(net.other_pod, 9_001), (&pod, client)],
                ));
                // The node itself, and a pod that asks its own service.
                text.push_str(&entry(
                    5,
                    [(net.node, client), (&outside, 123)],
                    mark,
                    [(&outside, 123), (net.node, client)],
                ));
                text.push_str(&entry(
                    5,
                    [(net.pod, client), (net.vip, 69)],
                    mark,
                    [(net.pod, 69), (net.node, client)],
                ));
                text.push_str(
                    &masqueraded(443).replace("udp      17 5", "tcp      6 9 ESTABLISHED"),
                );
            }
            let report = analyse(&text);
            let verdicts: Vec<_> = report
                .devices
                .iter()
                .map(|device| (device.device.to_string(), device.verdict))
                .collect();
            assert_eq!(verdicts, [(net.device.to_owned(), Verdict::Broken)]);
        }
    }

    #[test]
    fn a_poll_of_a_device_that_sends_traps_is_no_reply() {
        for net in NETS {
            // The device sends traps from the port at which it is polled.
            let trap = entry(
                20,
                [(net.device, 161), (net.vip, 162)],
                UNREPLIED,
                [(net.pod, 162), (net.device, 161)],
            );
            let poll = entry(
                20,
                [(net.pod, 50_000), (net.device, 161)],
                REPLIED,
                [(net.device, 161), (net.node, 50_000)],
            );
            let report = analyse(&(trap + &poll));
            let device = device(&report, net.device);
            assert!(device.findings.is_empty(), "{:#?}", device.findings);
            assert_eq!(device.exchanges.len(), 2);
            assert_eq!(report.devices.len(), 1);
        }
    }

    #[test]
    fn every_form_of_one_table_gives_the_same_report() {
        for net in NETS {
            let lines = net.founding();
            let expected = gist(&analyse(&lines));
            let family = if net.pod.contains(':') { "ipv6     10 " } else { "ipv4     2 " };
            let extended: String = lines.lines().map(|line| format!("{family}{line}\n")).collect();
            let events: String = lines
                .lines()
                .enumerate()
                .map(|(at, line)| format!("[170000000{at}.000000]\t    [NEW] {line}\n"))
                .collect();
            let session = format!(
                "[root@node3 ~]# conntrack -L -p udp\nconntrack v1.4.6 (conntrack-tools): 3 flow entries have been shown.\n{lines}[root@node3 ~]# exit\n"
            );
            for text in [extended, session.clone()] {
                assert_eq!(gist(&analyse(&text)), expected, "{text}");
            }
            let followed = analyse(&events);
            assert_eq!(followed.verdict, Verdict::Broken);
            assert!(followed.captures[0].first_packet_at.is_some());
            assert_eq!(analyse(&session).captures[0].node.as_deref(), Some("node3"));
        }
    }

    #[test]
    fn what_the_tools_really_print_is_read() {
        let flows = |name: &str| {
            let mut analysis = Analysis::new(Limits::default());
            let text = lab(&format!("conntrack/{name}"));
            analysis.read_inventory(name, &mut text.as_bytes()).unwrap();
            let report = analysis.finish(header()).unwrap();
            assert_eq!(report.captures[0].warnings, Vec::<String>::new(), "{name}");
            report.captures[0].tracked_entries
        };
        let cases = [("listing.txt", 4), ("listing.xml", 4), ("proc.txt", 4), ("stale.txt", 5)];
        for (name, entries) in cases {
            assert_eq!(flows(name), entries, "{name}");
        }
        assert_eq!(flows("events.txt"), flows("events.xml"));
    }

    #[test]
    fn beside_captures_the_table_makes_it_certain() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/founding");
        let open = |name: &str| fs::File::open(root.join(name)).unwrap();
        let run = |with_table: bool| {
            let mut analysis = Analysis::new(Limits::default());
            if with_table {
                analysis.read_inventory("conntrack.txt", &mut open("conntrack.txt")).unwrap();
            }
            analysis.read_inventory("ip-addr.txt", &mut open("ip-addr.txt")).unwrap();
            analysis.read_capture("host.pcap", None, &mut open("host.pcap")).unwrap();
            analysis.finish(header()).unwrap()
        };
        let (before, after) = (run(false), run(true));
        let confidence = |report: &Report| {
            let device = device(report, "2000::65:119");
            finding(device, Cause::ReplySourceTranslated).unwrap().confidence
        };
        assert_eq!(confidence(&before), Confidence::Likely);
        assert_eq!(confidence(&after), Confidence::Certain);
        let failing = device(&after, "2000::65:119");
        assert_eq!(failing.exchanges.len(), 1, "the entries belong to the captured exchange");
        let exchange = &failing.exchanges[0];
        assert_eq!(exchange.captures, ["host.pcap"]);
        assert!(exchange.translations.iter().any(|change| {
            change.before.address.to_string() == "fd00:177:177:0:7bf3:bb28:910a:873c"
                && change.after.address.to_string() == "2000::65:13"
                && change.between == "conntrack.txt, by connection tracking"
        }));
        let evidence = &finding(failing, Cause::ReplySourceTranslated).unwrap().evidence;
        assert!(evidence.iter().any(|frame| frame.capture == "conntrack.txt" && frame.frame == 5));
    }

    #[test]
    fn tables_and_facts_may_come_from_elsewhere_than_a_text() {
        for net in NETS {
            let end = |address: &str, port: u16| Endpoint::new(address.parse().unwrap(), port);
            let flow = TrackedFlow {
                original: FlowKey::udp(end(net.device, 41_226), end(net.vip, 123)),
                expected_reply: FlowKey::udp(end(net.pod, 123), end(net.device, 41_226)),
                is_replied: true,
                is_assured: false,
                helper: None,
                expires_in_s: Some(20),
                original_count: None,
                reply_count: None,
                event: None,
                at: None,
            };
            let mut analysis = Analysis::new(Limits::default());
            analysis.add_facts(Facts::default());
            analysis.add_tracking_table(TrackingTable {
                name: "node3".to_owned(),
                node: Some("node3".to_owned()),
                entries: vec![TrackedEntry { line: 1, flow }],
            });
            let report = analysis.finish(header()).unwrap();
            assert_eq!(report.verdict, Verdict::Symmetric);
            assert_eq!(report.captures[0].name, "node3");
        }
        let mut nothing = Analysis::new(Limits::default());
        nothing.add_facts(Facts::default());
        let error = nothing.finish(header()).unwrap_err();
        assert!(matches!(error.kind, InputErrorKind::NoPackets { .. }), "{error}");
    }

    #[test]
    fn a_table_without_a_device_is_told_as_such() {
        let report = analyse(
            "udp      17 29 src=192.0.2.7 dst=192.0.2.8 sport=5 dport=53 src=192.0.2.8 dst=192.0.2.7 sport=53 dport=5 mark=0 use=1\n",
        );
        assert!(report.devices.is_empty());
        assert_eq!(report.headline, "No UDP exchange was found in 1 entry of connection tracking");
    }

    #[test]
    fn many_entries_of_one_socket_cost_no_more_than_others() {
        // Every entry is of one client, and a candidate for all the others.
        let net = NETS[0];
        let mut text = String::new();
        for port in 1..60_000 {
            text.push_str(&net.request(41_226, port, UNREPLIED, net.pod));
            text.push_str(
                &net.reply(41_226, UNREPLIED, net.node).replace("40001", &port.to_string()),
            );
        }
        let report = analyse(&text);
        assert_eq!(report.devices.len(), 1);
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        /// Entries among few addresses and ports, so that they meet.
        fn lines() -> impl Strategy<Value = String> {
            let net = prop::sample::select(NETS.to_vec());
            let place = 0..5_usize;
            let port = prop::sample::select(vec![69_u16, 123, 161, 514, 40_001, 41_226]);
            let ends = prop::collection::vec((place, port), 4);
            let mark = prop::sample::select(vec![REPLIED, UNREPLIED]);
            let line = (net, ends, mark, 0..40_u32).prop_map(|(net, ends, mark, expires_in_s)| {
                let addresses = [net.device, net.vip, net.node, net.pod, net.other_pod];
                let [a, b, c, d] = [0, 1, 2, 3].map(|at| (addresses[ends[at].0], ends[at].1));
                entry(expires_in_s, [a, b], mark, [c, d])
            });
            prop::collection::vec(line, 0..40).prop_map(|lines| lines.concat())
        }

        proptest! {
            #[test]
            fn random_entries_never_panic_and_keep_the_rules(text in lines()) {
                let mut analysis = Analysis::new(Limits::default());
                if analysis.read_capture("conntrack.txt", None, &mut text.as_bytes()).is_err() {
                    return Ok(());
                }
                let report = analysis.finish(header()).unwrap();
                let lines = text.lines().count() as u64;
                for device in &report.devices {
                    for finding in &device.findings {
                        prop_assert!(!finding.evidence.is_empty());
                        for frame in &finding.evidence {
                            prop_assert!((1..=lines).contains(&frame.frame));
                            prop_assert!(frame.summary.contains("src="), "{}", frame.summary);
                        }
                    }
                }
            }
        }
    }
}
