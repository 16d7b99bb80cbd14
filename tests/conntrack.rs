//! Connection tracking tables of the lab, beside captures, and in all their forms.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;
#[cfg(test)]
#[path = "support/conntrack.rs"]
mod tables;

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;
    use std::net::IpAddr;
    use std::path::Path;

    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::capture::CaptureFormat;
    use replyscope::model::conntrack::{TrackedEntry, TrackedFlow, TrackingTable};
    use replyscope::model::endpoint::{Endpoint, FlowKey};
    use replyscope::model::finding::{Cause, Confidence, Severity, Verdict};
    use replyscope::model::input::InputErrorKind;
    use replyscope::model::protocol::Protocol;
    use replyscope::model::report::{Device, Report};
    use replyscope::model::topology::Facts;

    use super::header::header;
    use super::tables::{NETS, REPLIED, UNREPLIED, analyse, analyse_with, device, entry, finding};

    type Gist = (IpAddr, Verdict, Vec<(Cause, Confidence)>);

    fn lab(path: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        fs::read_to_string(root.join(path)).unwrap()
    }

    /// The verdicts and the causes of all devices: what must not depend on the form.
    fn gist(report: &Report) -> Vec<Gist> {
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
                let _ = writeln!(
                    table,
                    "time ntp-{} 1/1 Running 0 13d {address} node3 <none> <none>",
                    address.replace('.', "-")
                );
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
    fn pods_that_share_the_load_are_not_stale() {
        for net in NETS {
            let assured = |text: String| text.replace(" mark=0", " [ASSURED] mark=0");
            let old = || assured(net.request(123, 123, REPLIED, net.pod));
            let new = |client: u16, pod: &str| net.request(client, 123, REPLIED, pod);
            let cases = [
                ("a new socket at another pod", old() + &new(50_123, net.other_pod), true),
                ("alone", old(), false),
                (
                    "new ones at both",
                    old() + &new(50_123, net.other_pod) + &new(50_124, net.pod),
                    false,
                ),
                ("two old ones", old() + &assured(new(50_123, net.other_pod)), false),
                ("the same pod", old() + &new(50_123, net.pod), false),
            ];
            for (name, text, expected) in cases {
                let report = analyse(&text);
                let device = device(&report, net.device);
                let found = finding(device, Cause::StaleTranslation).map(|found| found.confidence);
                assert_eq!(found, expected.then_some(Confidence::Possible), "{name} {}", net.pod);
                let verdict = if expected { Verdict::Inconclusive } else { Verdict::Symmetric };
                assert_eq!(device.verdict, verdict, "{name} {}", net.pod);
            }
        }
    }

    #[test]
    fn every_form_of_one_table_gives_the_same_report() {
        for net in NETS {
            let lines = net.founding();
            let expected = gist(&analyse(&lines));
            let family = if net.pod.contains(':') { "ipv6     10 " } else { "ipv4     2 " };
            let extended: String =
                lines.lines().map(|line| format!("{family}{line}")).collect::<Vec<_>>().join("\n");
            let events: String = lines
                .lines()
                .enumerate()
                .map(|(at, line)| format!("[170000000{at}.000000]\t    [NEW] {line}"))
                .collect::<Vec<_>>()
                .join("\n");
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
    fn one_flow_in_two_tables_is_told_once() {
        for net in NETS {
            let text = net.founding();
            let mut analysis = Analysis::new(Limits::default());
            analysis.read_inventory("node1.txt", &mut text.as_bytes()).unwrap();
            analysis.read_capture("node2.txt", None, &mut text.as_bytes()).unwrap();
            let report = analysis.finish(header()).unwrap();
            assert_eq!(report.captures.len(), 2);
            let device = device(&report, net.device);
            assert_eq!((device.verdict, device.exchanges.len()), (Verdict::Broken, 1));
            assert_eq!(device.exchanges[0].replies.len(), 1);
        }
    }

    #[test]
    fn events_show_silence_only_where_they_show_answers() {
        for net in NETS {
            let request = net.request(41_226, 123, UNREPLIED, net.pod);
            let other = net.request(41_227, 123, REPLIED, net.pod);
            let new = format!("[1700000000.000000]\t    [NEW] {request}");
            let unanswered = net.request(41_227, 123, UNREPLIED, net.pod);
            let later = format!("[1700000009.000000]\t    [NEW] {unanswered}");
            let answered = format!("[1700000009.000000]\t [UPDATE] {other}");
            let own =
                format!("[1700000009.000000]\t [UPDATE] {}", request.replace("[UNREPLIED] ", ""));
            let over =
                format!("[1700000030.000000]\t[DESTROY] {}", request.replace("17 20 ", "17 "));
            let cases = [
                ("new entries only", format!("{new}{later}"), Verdict::Inconclusive),
                ("others are answered", format!("{new}{answered}"), Verdict::Unanswered),
                ("it is answered", format!("{new}{own}"), Verdict::Symmetric),
                ("it ran out", format!("{new}{over}"), Verdict::Unanswered),
                (
                    "it was answered and ran out",
                    format!("{new}{own}{}", over.replace("[UNREPLIED] ", "")),
                    Verdict::Symmetric,
                ),
            ];
            for (name, text, verdict) in cases {
                let report = analyse(&text);
                assert_eq!(device(&report, net.device).verdict, verdict, "{name} {}", net.device);
            }
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

    /// One write request as `tcpdump` prints it.
    fn write_request(millisecond: u32, from: &str, port: u16, to: &str) -> String {
        let family = if from.contains(':') { "IP6" } else { "IP" };
        format!(
            "10:00:00.{millisecond:03}000 {family} {from}.{port} > {to}.69: TFTP, length 27, WRQ \"startup.cfg\" octet\n"
        )
    }

    #[test]
    fn a_client_that_is_translated_is_known_by_its_entry() {
        for net in NETS {
            let other = if net.device.contains(':') { "2001:db8::8" } else { "192.0.2.8" };
            let host = write_request(0, net.device, 40_000, net.vip);
            // Another device of the same words is behind the node's address as well.
            let pod = write_request(1, net.node, 40_000, net.pod)
                + &write_request(500, net.node, 41_000, net.pod);
            let both = host.clone() + &write_request(499, other, 41_000, net.vip);
            let entry = entry(
                20,
                [(net.device, 40_000), (net.vip, 69)],
                UNREPLIED,
                [(net.pod, 69), (net.node, 40_000)],
            );
            let analyse = |host: &str, table: &str, about: &[&str]| {
                let mut analysis = Analysis::new(Limits::default());
                for (name, point, text) in
                    [("host.txt", "host@node3/eth0", host), ("pod.txt", "pod@node3/cali1", &pod)]
                {
                    let point = Some(point.parse().unwrap());
                    analysis.read_capture(name, point, &mut text.as_bytes()).unwrap();
                }
                if !table.is_empty() {
                    analysis.read_inventory("table.txt", &mut table.as_bytes()).unwrap();
                }
                analysis.tell_about(about.iter().map(|address| address.parse().unwrap()));
                analysis.finish(header()).unwrap()
            };
            let captures = |report: &Report, address: &str| {
                let exchanges = &device(report, address).exchanges;
                assert_eq!(exchanges.len(), 1, "{exchanges:#?}");
                exchanges[0].captures.clone()
            };
            let seen_twice = ["host.txt", "pod.txt"].map(str::to_owned);
            // Words alone do not tell which of the two the pod's are.
            let report = analyse(&host, "", &[]);
            assert_eq!(captures(&report, net.device), seen_twice[..1], "{}", net.device);
            let report = analyse(&host, &entry, &[]);
            assert_eq!(captures(&report, net.device), seen_twice, "{}", net.device);
            // Of one asked about, nothing else is told, and that it is not, is.
            let report = analyse(&host, &entry, &[net.device]);
            assert_eq!(report.devices.len(), 1, "{:#?}", report.devices);
            assert_eq!(captures(&report, net.device), seen_twice, "{}", net.device);
            let warnings = &report.captures[0].warnings;
            assert!(
                warnings.iter().any(|one| one.starts_with("1 exchange of others")),
                "{warnings:?}"
            );
            // The other one is joined by its words, now that only its are left.
            let report = analyse(&both, &entry, &[]);
            assert_eq!(captures(&report, other), seen_twice, "{other}");
        }
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
                zone: None,
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
            "udp      17 29 src=127.0.0.1 dst=127.0.0.53 sport=5000 dport=53 src=127.0.0.53 dst=127.0.0.1 sport=53 dport=5000 mark=0 use=1\n",
        );
        assert!(report.devices.is_empty());
        let expected = "The only entry of connection tracking is not of a device";
        assert!(report.headline.starts_with(expected), "{}", report.headline);
    }
}
