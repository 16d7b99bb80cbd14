//! Evidence that is no capture: what programs, kernels and network plugins
//! print of packets. Each text goes the whole way to its report.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;

#[cfg(test)]
mod tests {
    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::{Cause, Confidence, Verdict};
    use replyscope::model::protocol::Protocol;
    use replyscope::model::report::{Device, Report};
    use replyscope::model::topology::Role;

    use super::header::header;

    fn analyse_all(inputs: &[(&str, &[u8])], inventories: &[(&str, &str)]) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        for (name, text) in inventories {
            analysis.read_inventory(name, &mut text.as_bytes()).unwrap();
        }
        for (name, bytes) in inputs {
            let mut bytes: &[u8] = bytes;
            analysis.read_capture(name, None, &mut bytes).unwrap();
        }
        analysis.finish(header()).unwrap()
    }

    fn analyse(text: &str) -> Report {
        analyse_all(&[("session.txt", text.as_bytes())], &[])
    }

    fn causes(device: &Device) -> Vec<Cause> {
        device.findings.iter().map(|finding| finding.cause).collect()
    }

    #[test]
    fn one_line_of_dig_is_a_whole_diagnosis() {
        for (asked, other, node) in [
            ("192.0.2.1", "192.0.2.2", "    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0"),
            ("2001:db8::1", "2001:db8::2", "    inet6 2001:db8::2/64 scope global"),
        ] {
            let complaint =
                format!(";; reply from unexpected source: {other}#53, expected {asked}#53");
            let session = format!(
                "user@client1:~$ dig @{asked} example.com\n{complaint}\n{complaint}\n\n; <<>> DiG 9.18.28 <<>> @{asked} example.com\n; (1 server found)\n;; global options: +cmd\n;; connection timed out; no servers could be reached\n"
            );
            for text in [complaint.clone(), session.clone()] {
                let report = analyse(&text);
                assert_eq!(report.verdict, Verdict::Broken, "{text}");
                let device = &report.devices[0];
                assert_eq!(device.device.to_string(), asked);
                assert_eq!(
                    causes(device),
                    [Cause::ReplyIgnored, Cause::ReplySourceNotRequested],
                    "{text}"
                );
                let exchange = &device.exchanges[0];
                assert_eq!(exchange.protocol, Protocol::Dns);
                assert!(exchange.client_unknown);
                assert_eq!(exchange.community_id, None);
                // Nothing invents the client's address.
                assert!(report.addresses.iter().all(|entry| !entry.address.is_unspecified()));
                assert!(!exchange.display_filter.contains("0.0.0.0"));
            }
            let known = format!(
                "root@node3:~# ip addr\n2: eth0: <BROADCAST,UP> mtu 1500 state UP\n{node}\n{session}"
            );
            let report = analyse(&known);
            assert_eq!(
                causes(&report.devices[0]),
                [Cause::ReplyIgnored, Cause::ReplySourceTranslated]
            );
            let recovered = format!("{complaint}\n;; SERVER: {asked}#53({asked}) (UDP)\n");
            assert_eq!(analyse(&recovered).verdict, Verdict::Tolerated);
        }
    }

    #[test]
    fn two_runs_of_dig_are_judged_apart() {
        let text = "$ dig @192.0.2.1 example.com\n;; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53\n$ dig @192.0.2.1 example.com\n;; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53\n;; SERVER: 192.0.2.1#53(192.0.2.1)\n";
        let report = analyse(text);
        let verdicts: Vec<_> =
            report.devices[0].exchanges.iter().map(|exchange| exchange.verdict).collect();
        assert_eq!(verdicts, [Verdict::Broken, Verdict::Tolerated]);
    }

    #[test]
    fn each_server_that_dig_expected_is_told_of_what_came_for_it() {
        let cases = [
            ("192.0.2.1", "192.0.2.3", ["192.0.2.2", "192.0.2.4"]),
            ("192.0.2.1", "192.0.2.3", ["192.0.2.2", "192.0.2.2"]),
            ("2001:db8::1", "fe80::1", ["2001:db8::2", "fe80::2"]),
            ("2001:db8::1", "2001:db8::3", ["2001:db8::2", "2001:db8::2"]),
        ];
        for (first, second, sources) in cases {
            let complain = |source, asked| {
                format!(";; reply from unexpected source: {source}#53, expected {asked}#53\n")
            };
            let text = [complain(sources[0], first), complain(sources[1], second)].concat();
            let report = analyse(&text);
            for (asked, source) in [first, second].into_iter().zip(sources) {
                let mut devices = report.devices.iter();
                let device = devices.find(|device| device.device.to_string() == asked);
                let device = device.unwrap_or_else(|| panic!("{asked} in {text}"));
                assert_eq!(device.exchanges.len(), 1, "{text}");
                let exchange = &device.exchanges[0];
                assert_eq!(exchange.replies.len(), 1, "{text}");
                assert_eq!(exchange.replies[0].source.address.to_string(), source, "{text}");
                assert_eq!(exchange.replies[0].packets, 1, "{text}");
                assert!(exchange.translations.is_empty(), "{text}");
            }
        }
    }

    #[test]
    fn an_answer_that_was_thrown_away_was_not_taken() {
        for (asked, other) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            let text = format!(
                ";; reply from unexpected source: {other}#53, expected {asked}#53\n;; SERVER: {asked}#53({asked}) (UDP)\n"
            );
            let report = analyse(&text);
            let told: String =
                report.devices[0].findings.iter().map(|f| f.explanation.as_str()).collect();
            assert!(!told.contains("Nothing shows whether"), "{told}");
        }
    }

    /// A transfer through Cilium that fails: the pod's answer is dropped on its way out.
    fn hubble(client: &str, pod: &str) -> String {
        let round = |second: u32| {
            format!(
                "Nov  8 07:19:{second:02}.894: {client}:50007 (world) -> {pod}:5063 (ID:47074) to-endpoint FORWARDED (UDP)
Nov  8 07:19:{second:02}.895: {pod}:5063 (ID:47074) <> {client}:50007 (world) No mapping for NAT masquerade DROPPED (UDP)
"
            )
        };
        [25, 26, 27, 28].into_iter().map(round).collect()
    }

    #[test]
    fn a_drop_in_hubble_is_no_answer_and_is_told() {
        for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("[2001:db8::9]", "[2001:db8:1::7]")] {
            let report = analyse(&hubble(client, pod));
            assert_eq!(report.verdict, Verdict::Unanswered);
            let finding = &report.devices[0].findings[0];
            assert_eq!(finding.cause, Cause::RequestUnanswered);
            assert_eq!(finding.confidence, Confidence::Certain);
            assert!(finding.title.contains("dropped"), "{}", finding.title);
            assert!(finding.explanation.contains("No mapping for NAT masquerade"));
            let exchange = &report.devices[0].exchanges[0];
            assert!(exchange.replies.is_empty());
            assert_eq!(exchange.request.as_ref().unwrap().packets, 4);
            let warnings = report.captures[0].warnings.join("\n");
            assert!(warnings.contains("No mapping for NAT masquerade"), "{warnings}");
        }
    }

    #[test]
    fn names_in_hubble_are_looked_up_and_nothing_is_invented() {
        let text = hubble("192.0.2.9", "default/sip-0");
        let alone = analyse(&text);
        // The name is an end, though nobody knows its address.
        assert_eq!(alone.verdict, Verdict::Unanswered);
        let finding = &alone.devices[0].findings[0];
        assert_eq!(finding.confidence, Confidence::Likely);
        assert!(finding.explanation.contains("from default/sip-0:5063"), "{}", finding.explanation);
        let warnings = alone.captures[0].warnings.join("\n");
        assert!(warnings.contains("may hide several addresses"), "{warnings}");
        let named = alone.addresses.iter().find(|entry| entry.name.is_some()).unwrap();
        assert_eq!(named.name.as_deref(), Some("default/sip-0"));
        assert!(alone.addresses.iter().all(|entry| !entry.address.is_unspecified()));
        let pods = "NAMESPACE   NAME    READY   STATUS    RESTARTS   AGE   IP             NODE
default     sip-0   1/1     Running   0          13d   198.51.100.7   node3
";
        for report in [
            analyse_all(&[("flows.txt", text.as_bytes())], &[("pods.txt", pods)]),
            analyse(&format!("$ hubble observe\n{text}\n$ kubectl get pod -A -o wide\n{pods}")),
        ] {
            let exchange = &report.devices[0].exchanges[0];
            assert_eq!(exchange.client.to_string(), "192.0.2.9:50007");
            let asked = exchange.request.as_ref().unwrap().destination;
            assert_eq!(asked.to_string(), "198.51.100.7:5063");
        }
    }

    #[test]
    fn flows_that_go_well_are_symmetric() {
        for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("2001:db8::9", "2001:db8:1::7")] {
            let flow = |second: u32, reply: bool, point: &str| {
                let (source, destination) = if reply { (pod, client) } else { (client, pod) };
                let (from, to) = if reply { (53, 40_000) } else { (40_000, 53) };
                let pods = if reply {
                    r#""source":{"namespace":"kube-system","pod_name":"coredns-0"},"destination":{}"#
                } else {
                    r#""source":{},"destination":{"namespace":"kube-system","pod_name":"coredns-0"}"#
                };
                format!(
                    r#"{{"flow":{{"time":"2024-11-18T07:19:{second:02}.894Z","verdict":"FORWARDED","IP":{{"source":"{source}","destination":"{destination}"}},"l4":{{"UDP":{{"source_port":{from},"destination_port":{to}}}}},{pods},"Type":"L3_L4","is_reply":{reply},"trace_observation_point":"{point}"}},"node_name":"node1"}}
"#
                )
            };
            let text = [
                flow(1, false, "FROM_NETWORK"),
                flow(1, false, "TO_ENDPOINT"),
                flow(2, true, "TO_STACK"),
                flow(2, true, "TO_NETWORK"),
            ]
            .concat();
            let report = analyse(&text);
            assert_eq!(report.verdict, Verdict::Symmetric, "{text}");
            assert_eq!(report.devices[0].exchanges[0].replies[0].packets, 1);
            let known = report.addresses.iter().find(|entry| entry.address.to_string() == pod);
            assert_eq!(known.unwrap().pod.as_deref(), Some("kube-system/coredns-0"));
        }
    }

    #[test]
    fn the_founding_fault_is_seen_in_the_monitor_of_cilium() {
        // The answer leaves with the node's address, and the device keeps to the VIP.
        for (client, vip, node) in [
            ("192.0.2.9", "203.0.113.21", "203.0.113.13"),
            ("[2001:db8::9]", "[2001:db8:2::21]", "[2001:db8:2::13]"),
        ] {
            let text = format!(
                "<- network flow 0x0 , identity world->unknown state unknown ifindex eth0 orig-ip 0.0.0.0: {client}:41226 -> {vip}:69 udp
-> network flow 0x0 , identity 4->2 state new ifindex eth0 orig-ip 0.0.0.0: {node}:32991 -> {client}:41226 udp
<- network flow 0x0 , identity world->unknown state unknown ifindex eth0 orig-ip 0.0.0.0: {client}:41226 -> {vip}:32991 udp
-> network flow 0x0 , identity 4->2 state new ifindex eth0 orig-ip 0.0.0.0: {node}:32991 -> {client}:41226 udp
"
            );
            let report = analyse(&text);
            assert_eq!(report.verdict, Verdict::Broken, "{:?}", report.devices);
            assert!(causes(&report.devices[0]).contains(&Cause::FollowUpToRequestAddress));
        }
    }

    #[test]
    fn one_dropped_request_is_unanswered_and_syslog_is_not() {
        for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("[2001:db8::9]", "[2001:db8:1::7]")] {
            let drop = |port: u16| {
                format!(
                    "xx drop (Policy denied) flow 0x61b2d9a8 to endpoint 0, ifindex 5, file bpf_lxc.c:1361, , identity 2->4: {client}:5000 -> {pod}:{port} udp"
                )
            };
            let report = analyse(&drop(69));
            assert_eq!(report.verdict, Verdict::Unanswered);
            let device = &report.devices[0];
            assert_eq!(causes(device), [Cause::RequestUnanswered]);
            assert!(device.findings[0].title.ends_with("dropped: Policy denied"));
            // Nobody answers a log; that it was dropped is in the warnings.
            let report = analyse(&drop(514));
            assert_eq!(report.verdict, Verdict::OneWay);
            assert!(report.captures[0].warnings.iter().any(|line| line.contains("Policy denied")));
        }
    }

    /// A support bundle as Retina packs it: the capture, and what stands around it.
    fn bundle(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(encoder);
        for (name, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(content.len()).unwrap());
            header.set_mode(0o644);
            archive.append_data(&mut header, name, *content).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn each_table_of_an_archive_is_cited_by_its_own_name() {
        let text = include_str!("fixtures/lab/founding/conntrack.txt");
        let [of_v4, of_v6] = ["ipv4", "ipv6"].map(|family| {
            let lines = text.lines().filter(|line| line.starts_with(family));
            lines.collect::<Vec<_>>().join("\n")
        });
        let names = ["node1/ct.txt", "node2/ct.txt"];
        let files = [(names[0], of_v4.as_bytes()), (names[1], of_v6.as_bytes())];
        let inputs = [("ct.tgz", bundle(&files)), ("more.tgz", bundle(&files[..1]))];
        let inputs = [(inputs[0].0, &inputs[0].1[..]), (inputs[1].0, &inputs[1].1[..])];
        let report = analyse_all(&inputs, &[]);
        let found: Vec<_> = report.captures.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(found, [names[0], names[1], "more.tgz: node1/ct.txt"]);
        for (address, [own, other]) in
            [("192.168.101.254", names), ("2000::65:119", [names[1], names[0]])]
        {
            let is_it = |device: &&Device| device.device.to_string() == address;
            let device = report.devices.iter().find(is_it).unwrap();
            let evidence = device.findings.iter().flat_map(|finding| &finding.evidence);
            let cited: Vec<_> = evidence.map(|one| one.capture.as_str()).collect();
            assert!(cited.contains(&own) && !cited.contains(&other), "{address}: {cited:?}");
        }
    }

    #[test]
    fn a_bundle_is_one_analysis_without_noise() {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/founding");
        let capture = std::fs::read(folder.join("host.pcap")).unwrap();
        let addresses = std::fs::read_to_string(folder.join("ip-addr.json")).unwrap();
        let resources = format!(
            "Summary:

/usr/sbin/ip -d -j addr show(IP address configuration)
/usr/sbin/ip -d -j neighbor show(IP neighbor status)
/usr/sbin/ip rule list(Policy routing list)
/usr/sbin/ip route show table all(Routes of all route tables)

Execute:

/usr/sbin/ip -d -j addr show

{}
/usr/sbin/ip -d -j neighbor show

[{{\"dst\":\"192.0.2.254\",\"dev\":\"eth0\",\"lladdr\":\"02:00:00:00:00:01\",\"state\":[\"REACHABLE\"]}}]
/usr/sbin/ip rule list

0:\tfrom all lookup local
/usr/sbin/ip route show table all

local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1
",
            addresses.trim()
        );
        let mut entries: Vec<(String, Vec<u8>)> = vec![
            ("cap/retina-node3-20241118071925UTC.pcap".to_owned(), capture),
            ("cap/ip-resources.txt".to_owned(), resources.into_bytes()),
            (
                "cap/iptables-rules.txt".to_owned(),
                b"Summary:\n\n*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n".to_vec(),
            ),
            ("cap/socket-stats.txt".to_owned(), b"Total: 12\nTCP:   3\n".to_vec()),
            (
                "cap/tcpdump.log".to_owned(),
                b"/usr/bin/tcpdump -w x\n\ntcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2)\n12 packets captured\n".to_vec(),
            ),
            ("cap/proc-net/arp".to_owned(), b"IP address HW type Flags\n".to_vec()),
            ("cap/proc-net/stat/nf_conntrack".to_owned(), vec![0, 1, 2, 3, 0, 0]),
            ("cap/proc-sys-net/netfilter/nf_conntrack_helper".to_owned(), b"0\n".to_vec()),
            ("cap/proc-sys-net/ipv4/conf/eth0/rp_filter".to_owned(), b"1\n".to_vec()),
            ("cap/proc-sys-net/ipv4/tcp_rmem".to_owned(), b"4096\t131072\t6291456\n".to_vec()),
        ];
        // More than an archive may have of other entries.
        entries.extend((0..12_000).map(|number| {
            (format!("cap/proc-sys-net/ipv6/conf/veth{number}/mtu"), b"1500\n".to_vec())
        }));
        let packed: Vec<(&str, &[u8])> =
            entries.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let report = analyse_all(&[("bundle.tar.gz", &bundle(&packed))], &[]);
        assert_eq!(report.captures.len(), 1, "{:?}", report.captures);
        assert!(report.captures[0].warnings.is_empty(), "{:?}", report.captures[0].warnings);
        assert_eq!(report.verdict, Verdict::Broken);
        assert!(report.addresses.iter().any(|entry| entry.role == Role::Vip));
        let advice: String = report.devices[0]
            .findings
            .iter()
            .flat_map(|finding| &finding.remedies)
            .flat_map(|remedy| remedy.steps.clone())
            .collect();
        assert!(advice.contains("assigns no helper by port"), "{advice}");
    }

    #[test]
    fn a_servers_log_is_told_beside_a_capture_and_proves_nothing_alone() {
        let log = "Nov  8 07:19:25 node3 in.tftpd[123]: tftpd: oack: Operation not permitted\n";
        let capture = "07:19:25.000000 IP 192.0.2.9.5000 > 198.51.100.7.69: TFTP, length 20, RRQ \"a\" octet\n";
        let report =
            analyse_all(&[("host.txt", capture.as_bytes()), ("tftpd.log", log.as_bytes())], &[]);
        assert_eq!(report.captures.len(), 1);
        assert_ne!(report.verdict, Verdict::Broken);
        let warnings = report.captures[0].warnings.join("\n");
        assert!(warnings.contains("the server's own host refused to send"), "{warnings}");
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture("tftpd.log", None, &mut log.as_bytes()).unwrap();
        let error = analysis.finish(header()).unwrap_err();
        assert!(error.to_string().contains("log without packets"), "{error}");
        assert!(error.kind.hint().contains("Add a capture"));
    }
}
