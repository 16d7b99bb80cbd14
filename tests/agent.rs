//! The agent on a node made of network namespaces, with real kernel NAT.
//!
//! Needs root; without it each test says so and does nothing.

#![cfg(target_os = "linux")]

#[cfg(test)]
#[path = "support/agent.rs"]
mod agent;
#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/helper.rs"]
mod helper;
#[cfg(test)]
#[path = "support/netns.rs"]
mod netns;

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use replyscope::model::capture::Direction;
    use replyscope::model::topology::{FactSource, Role};
    use replyscope::node::wire::{NodeFacts, TrackedFlows};
    use serde_json::json;
    use tokio::time::Instant;

    use super::agent::{Agent, Capture, octets, wait_until};
    use super::folder::Folder;
    use super::helper;
    use super::netns::{CABLE, DEVICE, NODE, Network, OTHER, POD, VIP, find_obstacle};

    /// The network, or nothing where there can be none.
    fn network(test: &str) -> Option<(Network, Folder)> {
        if let Some(obstacle) = find_obstacle() {
            eprintln!("SKIPPED {test}: {obstacle}");
            return None;
        }
        Some((Network::build(), Folder::new(test)))
    }

    fn endpoint(address: &str, port: u16) -> String {
        std::net::SocketAddr::new(address.parse().unwrap(), port).to_string()
    }

    /// No test: what tests start of this program in a namespace.
    #[test]
    #[ignore = "a helper that other tests start"]
    fn helper() {
        if let Ok(words) = std::env::var("REPLYSCOPE_TEST_HELPER") {
            helper::run(&words);
        }
    }

    #[test]
    fn facts_are_those_of_the_kernel() {
        let Some((network, folder)) = network("agent-facts") else { return };
        for family in [0, 1] {
            let (from, to) = (endpoint(DEVICE[family], 5_000), endpoint(NODE[family], 9));
            network.help("device", &format!("send {from} {to} 1 0 10"));
        }
        let agent = Agent::start(&network, folder.path(), &[]);
        for family in [0, 1] {
            let path = format!("/v1/facts?device={}", DEVICE[family]);
            let facts: NodeFacts = serde_json::from_value(agent.get(&path)).unwrap();
            assert_eq!((facts.node.as_str(), facts.version), ("node3", 1));
            assert_eq!(facts.faults, Vec::<String>::new());

            let eth0 = facts.links.iter().find(|link| link.name == "eth0").unwrap();
            assert_eq!((eth0.state.as_str(), eth0.kind.as_deref()), ("UP", Some("veth")));
            let vip: std::net::IpAddr = VIP[family].parse().unwrap();
            let vip = eth0.addresses.iter().find(|one| one.address == vip).unwrap();
            assert_eq!(vip.prefix_length, [32, 128][family]);
            assert_eq!((vip.deprecated, vip.tentative), (family == 1, false));
            assert_eq!(vip.preferred_lifetime_seconds, [u32::MAX, 0][family]);
            assert_eq!(vip.valid_lifetime_seconds, u32::MAX);

            let way = facts.device_route.as_ref().unwrap();
            assert_eq!((way.interface.as_deref(), way.gateway), (Some("eth0"), None));
            let neighbours: Vec<_> =
                facts.neighbours.iter().map(|one| one.address.to_string()).collect();
            assert_eq!(neighbours, [DEVICE[family]]);
            assert!(facts.neighbours[0].link_address.is_some());

            let topology = facts.to_facts();
            let role_of = |address: &str| {
                let address: std::net::IpAddr = address.parse().unwrap();
                let fact = topology.addresses.iter().find(|fact| fact.address == address).unwrap();
                assert_eq!((fact.source, fact.node.as_deref()), (FactSource::Agent, Some("node3")));
                fact.role
            };
            assert_eq!(role_of(VIP[family]), Role::Vip);
            assert_eq!(role_of(NODE[family]), Role::Node);
            assert_eq!(role_of(POD[family]), Role::Pod);
            let leads_to: std::net::IpAddr = POD[family].parse().unwrap();
            assert!(
                topology
                    .links
                    .iter()
                    .any(|link| link.interface == CABLE && link.leads_to == leads_to)
            );

            assert!(facts.settings.rp_filter.contains_key("eth0"));
            assert!(facts.settings.use_tempaddr.contains_key("eth0"));
            assert!(facts.settings.nf_conntrack_helper.is_some());
            assert!(facts.settings.helper_modules.is_some());
            for name in ["UdpNoPorts", "Udp6NoPorts"] {
                assert_eq!(facts.counters.get(name), Some(&1), "{name}");
            }
        }
    }

    #[test]
    fn a_device_has_its_conntrack_entries() {
        let Some((mut network, folder)) = network("agent-conntrack") else { return };
        network.shell("node", "sysctl -qw net.netfilter.nf_conntrack_acct=1");
        network.translate();
        for family in [0, 1] {
            network.keep("pod", &format!("serve {}", endpoint(POD[family], 69)));
        }
        let agent = Agent::start(&network, folder.path(), &[]);
        for family in [0, 1] {
            for (device, port) in [(DEVICE[family], 5_000), (OTHER[family], 6_000)] {
                let (from, to) = (endpoint(device, port), endpoint(VIP[family], 69));
                let words = format!("ask {from} {to}");
                wait_until("the pod answers", || {
                    network.helper("device", &words).output().unwrap().status.success()
                });
            }
            let path = format!("/v1/conntrack?device={}", DEVICE[family]);
            let flows: TrackedFlows = serde_json::from_value(agent.get(&path)).unwrap();
            let table = flows.to_table("conntrack");
            assert_eq!(flows.entries_omitted, 0);
            // The founding fault: the request goes to the pod, and the pod's answer,
            // from its new port, is a flow of its own with the node's address.
            let [asked, answered] = [5_000, 0].map(|port| {
                let flow = table
                    .entries
                    .iter()
                    .map(|entry| &entry.flow)
                    .find(|flow| (flow.original.source.port == 5_000) == (port == 5_000));
                flow.unwrap_or_else(|| panic!("{flows:#?}"))
            });
            assert_eq!(asked.original.source.to_string(), endpoint(DEVICE[family], 5_000));
            assert_eq!(asked.original.destination.to_string(), endpoint(VIP[family], 69));
            assert_eq!(asked.translated_destination().to_string(), endpoint(POD[family], 69));
            assert!(!asked.is_replied);
            assert!(asked.expires_in_s.is_some_and(|seconds| seconds <= 120));
            assert!(asked.original_count.is_some_and(|count| count.packets >= 1));
            assert_eq!(answered.original.source.address.to_string(), POD[family]);
            assert_eq!(answered.translated_source().address.to_string(), NODE[family]);
            let names_other = |flow: &&replyscope::node::wire::TrackedFlow| {
                flow.original.source.address.to_string() == OTHER[family]
            };
            assert_eq!(flows.entries.iter().filter(names_other).count(), 0);
        }
        let all: TrackedFlows = serde_json::from_value(agent.get("/v1/conntrack")).unwrap();
        assert!(all.entries.len() >= 8, "{}", all.entries.len());
    }

    #[test]
    fn one_devices_packets_are_captured_while_others_flood() {
        let Some((mut network, folder)) = network("agent-capture") else { return };
        network.translate();
        for family in [0, 1] {
            network.keep("pod", &format!("serve {}", endpoint(POD[family], 69)));
        }
        let agent = Agent::start(&network, folder.path(), &[]);
        let request = json!({
            "interfaces": [{"name": "eth0"}, {"name": CABLE}],
            "filter": {"devices": DEVICE},
        });
        let mut stream = agent.capture("device", &request.to_string());
        let mut floods = Vec::new();
        for family in [0, 1] {
            let (from, to) = (endpoint(OTHER[family], 6_000), endpoint(NODE[family], 9));
            let words = format!("send {from} {to} 5000 0 100");
            floods.push(network.helper("device", &words).spawn().unwrap());
        }
        for family in [0, 1] {
            let (from, to) = (endpoint(DEVICE[family], 5_000), endpoint(VIP[family], 69));
            wait_until("the pod answers", || {
                let words = format!("ask {from} {to}");
                network.helper("device", &words).output().unwrap().status.success()
            });
            // Nobody listens there: the node answers with an ICMP error.
            let (from, to) = (endpoint(DEVICE[family], 5_001), endpoint(NODE[family], 9));
            network.help("device", &format!("send {from} {to} 1 0 10"));
            // Too long for a packet: fragments.
            network.help("device", &format!("send {from} {to} 1 0 4000"));
        }
        for mut flood in floods {
            assert!(flood.wait().unwrap().success());
        }
        // Slow traffic arrives promptly: nothing waits for the end.
        wait_until("the packets are in the file", || {
            stream.read().count(0, &[&octets(DEVICE[1]), b"data"]) > 0
        });
        let statistics = agent.stop(&stream);
        assert!(stream.finish());
        let capture = stream.read();
        assert_eq!(capture.interfaces, ["eth0", CABLE]);
        assert_eq!((capture.dropped, capture.faults.len()), (0, 0), "{:?}", capture.faults);
        assert!(capture.frames.is_sorted_by_key(|frame| frame.at_ns));
        assert_eq!(statistics["end"], "stopped");
        assert_eq!(statistics["packets"], capture.frames.len());
        assert_eq!(statistics["interfaces"][0]["dropped"], 0);
        for family in [0, 1] {
            let [device, other, node, vip, pod] =
                [DEVICE, OTHER, NODE, VIP, POD].map(|addresses| octets(addresses[family]));
            // At the uplink the VIP is asked and the node answers; behind it, the pod.
            let asked = capture.count(0, &[&device, &vip, b"octet"]);
            assert!(asked >= 1);
            assert_eq!(capture.count(1, &[&device, &pod, b"octet"]), asked);
            assert!(capture.count(0, &[&node, &device, b"data"]) >= 1);
            assert!(capture.count(1, &[&pod, &device, b"data"]) >= 1);
            // The short one, the long one's first fragment, and two errors.
            let port = 9_u16.to_be_bytes();
            let to_port = [&5_001_u16.to_be_bytes()[..], &port].concat();
            assert!(capture.count(0, &[&node, &device, &to_port]) >= 4, "{family}");
            // 4,000 bytes take three fragments.
            let long = vec![b'x'; 900];
            assert!(capture.count(0, &[&device, &node, &long]) >= 3, "{family}");
            assert_eq!(capture.count(0, &[&other, b"xxxx"]), 0, "{family}");
            let from_device = capture.frames.iter().find(|frame| {
                frame.interface == 0 && frame.bytes.windows(5).any(|bytes| bytes == b"octet")
            });
            assert_eq!(from_device.unwrap().direction, Some(Direction::In));
        }
        assert!(capture.frames.iter().any(|frame| frame.direction == Some(Direction::Out)));
        let status = agent.get("/v1/status");
        assert_eq!(status["kernel_drops"], 0);
        assert!(status["packets_seen"].as_u64().unwrap() >= 20);
        assert!(status["last_packet_at"].is_string());
    }

    #[test]
    fn the_capture_in_the_readme_works() {
        let Some((network, folder)) = network("agent-readme") else { return };
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(readme).unwrap();
        let (_, body) = readme.split_once("/v1/captures \\").unwrap();
        let body = body.split_once("-d '").unwrap().1.split('\'').next().unwrap();
        let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["limits"]["seconds"] = 2.into();
        let agent = Agent::start(&network, folder.path(), &[]);
        let mut stream = agent.capture("readme", &body.to_string());
        for family in [0, 1] {
            let (from, to) = (endpoint(DEVICE[family], 5_000), endpoint(NODE[family], 9));
            network.help("device", &format!("send {from} {to} 1 0 20"));
        }
        assert!(stream.finish());
        for family in [0, 1] {
            assert!(stream.read().count(0, &[&octets(DEVICE[family]), &[b'x'; 20]]) >= 1);
        }
    }

    #[test]
    fn loopback_shows_each_packet_once() {
        let Some((network, folder)) = network("agent-loopback") else { return };
        let agent = Agent::start(&network, folder.path(), &[]);
        let body = r#"{"interfaces": [{"name": "lo"}], "filter": {"ports": [7777]}}"#;
        let mut stream = agent.capture("loopback", body);
        network.help("node", "send 127.0.0.1:7778 127.0.0.1:7777 5 0 20");
        network.help("node", "send [::1]:7778 [::1]:7777 5 0 20");
        wait_until("the packets come", || stream.read().frames.len() >= 20);
        agent.stop(&stream);
        assert!(stream.finish());
        // Five datagrams and five errors of each family.
        assert_eq!(stream.read().frames.len(), 20);
    }

    #[test]
    fn captures_end_by_their_limits_and_by_their_clients() {
        let Some((network, folder)) = network("agent-limits") else { return };
        let options = ["--concurrent-captures", "1", "--capture-seconds", "30"];
        let agent = Agent::start(&network, folder.path(), &options);
        let body = |limits: &str| {
            format!(
                r#"{{"interfaces": [{{"name": "eth0"}}], "filter": {{"devices": ["{}"]}}, "limits": {limits}}}"#,
                DEVICE[0]
            )
        };
        let send = |count: u32| {
            let (from, to) = (endpoint(DEVICE[0], 5_000), endpoint(NODE[0], 9));
            network.help("device", &format!("send {from} {to} {count} 100 200"));
        };

        let mut stream = agent.capture("packets", &body(r#"{"packets": 7}"#));
        send(50);
        assert!(stream.finish());
        assert_eq!(stream.read().frames.len(), 7);
        let ended = agent.get(&format!("/v1/captures/{}", stream.id));
        assert_eq!(ended["end"], "packets");

        let mut stream = agent.capture("bytes", &body(r#"{"bytes": 2000}"#));
        send(50);
        assert!(stream.finish());
        let capture = stream.read();
        assert!((3..10).contains(&capture.frames.len()), "{}", capture.frames.len());
        assert_eq!(capture.faults, Vec::<String>::new());

        let began = Instant::now();
        let mut stream = agent.capture("time", &body(r#"{"seconds": 1}"#));
        assert!(stream.finish());
        assert!(began.elapsed() < Duration::from_secs(8));
        assert_eq!(stream.read().frames.len(), 0);

        // One at a time: the next is refused until the client of the first goes.
        let mut stream = agent.capture("first", &body("{}"));
        let refused = agent.refuse(&body("{}"));
        assert_eq!((refused.status, &refused.json["type"]), (429, &json!("/problems/busy")));
        stream.close();
        wait_until("the slot is free", || {
            agent.get("/v1/status")["captures"].as_array().unwrap().is_empty()
        });
        let ended = agent.get(&format!("/v1/captures/{}", stream.id));
        assert_eq!(ended["end"], "client_gone");
        let mut stream = agent.capture("second", &body(r#"{"seconds": 1}"#));
        assert!(stream.finish());
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        let Some((network, folder)) = network("agent-refusals") else { return };
        let agent = Agent::start(&network, folder.path(), &["--interface", "eth0"]);
        let filter = r#""filter": {"devices": ["192.0.2.9"]}"#;
        let cases = [
            (
                format!(r#"{{"interfaces": [{{"name": "lo"}}], {filter}}}"#),
                403,
                "interface-forbidden",
            ),
            (r#"{"interfaces": [{"name": "eth0"}]}"#.to_owned(), 400, "unfiltered-capture"),
            (
                r#"{"interfaces": [{"name": "eth0"}], "everything": true}"#.to_owned(),
                403,
                "everything-forbidden",
            ),
            (
                r#"{"interfaces": [{"name": "eth0"}], "filter": "udp or tcp"}"#.to_owned(),
                400,
                "bad-capture",
            ),
            (
                format!(r#"{{"interfaces": [{{"name": "eth0;reboot"}}], {filter}}}"#),
                403,
                "interface-forbidden",
            ),
            ("interfaces".to_owned(), 400, "bad-capture"),
            (format!(r#"{{"a": "{}"}}"#, "x".repeat(70_000)), 400, "bad-capture"),
        ];
        for (body, status, kind) in cases {
            let answer = agent.refuse(&body);
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.json["type"], format!("/problems/{kind}"), "{answer:?}");
            assert_eq!(answer.json["status"], status);
        }
        for (header, path, status, kind) in [
            ("X: y", "/v1/status", 401, "unauthorized"),
            (
                "Authorization: Bearer 0123456789abcdef0123456789abcdeg",
                "/v1/status",
                401,
                "unauthorized",
            ),
            ("Authorization: Basic eDp5", "/metrics", 401, "unauthorized"),
            ("X: y", "/v1/captures/1", 401, "unauthorized"),
            ("X: y", "/v2/status", 404, "not-found"),
        ] {
            let answer = agent.request(path, &["-H", header]);
            assert_eq!(answer.status, status, "{header} {path}: {answer:?}");
            assert_eq!(answer.json["type"], format!("/problems/{kind}"), "{answer:?}");
        }
        let token = format!("Authorization: bearer {}", super::agent::TOKEN);
        for (path, status, kind) in [
            ("/v1/facts?device=eth0", 400, "bad-query"),
            ("/v1/facts?devise=192.0.2.9", 400, "bad-query"),
            ("/v1/captures/1", 400, "bad-query"),
            ("/v1/captures/01932f3e-0000-7000-8000-000000000000", 404, "capture-not-found"),
            ("/v1/captures", 405, "method-not-allowed"),
        ] {
            let answer = agent.request(path, &["-H", &token]);
            assert_eq!(answer.status, status, "{path}: {answer:?}");
            assert_eq!(answer.json["type"], format!("/problems/{kind}"), "{answer:?}");
        }
        for path in ["/livez", "/readyz", "/openapi.json"] {
            assert_eq!(agent.request(path, &[]).status, 200, "{path}");
        }
        let metrics = agent.get("/metrics");
        assert!(
            metrics
                .as_str()
                .unwrap()
                .contains("\nreplyscope_agent_kernel_drops_total{node=\"node3\"} 0\n")
        );
        let status = agent.get("/v1/status");
        for interface in status["interfaces"].as_array().unwrap() {
            assert_eq!(interface["may_capture"], interface["name"] == "eth0", "{interface}");
        }
    }

    #[test]
    fn an_unknown_interface_is_named_with_the_known_ones() {
        let Some((network, folder)) = network("agent-unknown") else { return };
        let agent = Agent::start(&network, folder.path(), &["--allow-everything"]);
        let body = r#"{"interfaces": [{"name": "../eth0"}], "everything": true}"#;
        let answer = agent.refuse(body);
        assert_eq!(
            (answer.status, &answer.json["type"]),
            (404, &json!("/problems/unknown-interface"))
        );
        assert!(answer.json["detail"].as_str().unwrap().contains(CABLE), "{answer:?}");

        // Everything is captured where both sides say so: TCP, too.
        let body = r#"{"interfaces": [{"name": "lo"}], "everything": true}"#;
        let mut stream = agent.capture("everything", body);
        agent.get("/v1/status");
        wait_until("TCP is captured", || stream.read().count(0, &[b"/v1/status"]) > 0);
        agent.stop(&stream);
        assert!(stream.finish());
    }

    #[test]
    fn a_killed_agent_leaves_a_readable_beginning() {
        let Some((network, folder)) = network("agent-killed") else { return };
        let mut agent = Agent::start(&network, folder.path(), &[]);
        let body = json!({"interfaces": [{"name": "eth0"}], "filter": {"devices": DEVICE}});
        let mut stream = agent.capture("killed", &body.to_string());
        let (from, to) = (endpoint(DEVICE[1], 5_000), endpoint(NODE[1], 9));
        network.help("device", &format!("send {from} {to} 5 100 20"));
        let device = octets(DEVICE[1]);
        let count = |capture: &Capture| capture.count(0, &[&device, &[b'x'; 20]]);
        wait_until("the packets come", || count(&stream.read()) >= 5);
        agent.child.kill().unwrap();
        agent.child.wait().unwrap();
        assert!(!stream.finish(), "the client sees that the stream was cut");
        assert!(count(&stream.read()) >= 5);
    }

    #[test]
    fn an_agent_that_is_ended_ends_its_captures() {
        let Some((network, folder)) = network("agent-ended") else { return };
        let mut agent = Agent::start(&network, folder.path(), &[]);
        let body = json!({"interfaces": [{"name": "eth0"}], "filter": {"devices": DEVICE}});
        let mut stream = agent.capture("ended", &body.to_string());
        let (from, to) = (endpoint(DEVICE[0], 5_000), endpoint(NODE[0], 9));
        network.help("device", &format!("send {from} {to} 5 0 20"));
        agent.signal("-TERM");
        assert!(stream.finish(), "the stream ends as it should");
        assert!(stream.read().count(0, &[&octets(DEVICE[0]), &[b'x'; 20]]) >= 5);
        assert_eq!(agent.child.wait().unwrap().code(), Some(0));
    }

    #[test]
    fn an_interface_that_goes_away_ends_the_capture() {
        let Some((network, folder)) = network("agent-gone") else { return };
        let agent = Agent::start(&network, folder.path(), &[]);
        let body = json!({"interfaces": [{"name": CABLE}], "filter": {"devices": DEVICE}});
        let mut stream = agent.capture("gone", &body.to_string());
        network.shell("node", &format!("ip link del {CABLE}"));
        assert!(stream.finish());
        let ended = agent.get(&format!("/v1/captures/{}", stream.id));
        assert_eq!(ended["end"], "interfaces_gone");
    }

    #[test]
    fn tls_can_be_mutual() {
        let Some((network, folder)) = network("agent-tls") else { return };
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = authority.self_signed(&authority_key).unwrap();
        std::fs::write(path("ca.pem"), certificate.pem()).unwrap();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        for name in ["agent", "client"] {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
            // Of one name with its issuer it would pass for self-signed.
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            let certificate = params.signed_by(&key, &issuer).unwrap();
            std::fs::write(path(&format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        let (certificate, key, ca) = (path("agent.pem"), path("agent.key"), path("ca.pem"));
        let options = ["--tls-certificate", &certificate, "--tls-key", &key];
        let mut agent = Agent::start(&network, folder.path(), &options);
        agent.curl_options = vec!["--cacert".to_owned(), ca.clone()];
        assert_eq!(agent.get("/v1/status")["node"], "node3");
        drop(agent);

        let options = [&options[..], &["--tls-client-authority", &ca]].concat();
        let mut agent = Agent::start(&network, folder.path(), &options);
        agent.curl_options = vec!["--cacert".to_owned(), ca];
        assert_eq!(agent.request("/livez", &[]).status, 0, "no certificate, no answer");
        let client = ["--cert", &path("client.pem"), "--key", &path("client.key")];
        agent.curl_options.extend(client.map(str::to_owned));
        assert_eq!(agent.get("/v1/status")["node"], "node3");
        // Both are asked for, where both are set.
        assert_eq!(agent.request("/v1/status", &[]).status, 401);
    }

    #[test]
    fn two_capabilities_are_enough_and_all_that_is_kept() {
        let Some((network, folder)) = network("agent-capabilities") else { return };
        network.translate();
        let by = ["setpriv", "--bounding-set", "-all,+net_raw,+net_admin", "--inh-caps", "-all"];
        for by in [&by[..], &[]] {
            let agent = Agent::start_by(&network, folder.path(), by, &[]);
            assert_eq!(agent.get("/v1/facts")["faults"], json!([]));
            agent.get("/v1/conntrack");
            let body = json!({"interfaces": [{"name": "eth0"}], "filter": {"devices": DEVICE}});
            let mut stream = agent.capture("capabilities", &body.to_string());
            agent.stop(&stream);
            assert!(stream.finish());
            let process = format!("/proc/{}/status", agent.process_id());
            let status = std::fs::read_to_string(process).unwrap();
            // CAP_NET_ADMIN is bit 12, CAP_NET_RAW 13.
            for (set, expected) in
                [("CapPrm", "3000"), ("CapEff", "3000"), ("CapBnd", "3000"), ("CapInh", "0")]
            {
                let line = status.lines().find(|line| line.starts_with(set)).unwrap();
                let found = line.rsplit('\t').next().unwrap().trim_start_matches('0');
                assert_eq!(found, expected.trim_start_matches('0'), "{line}");
            }
        }
    }

    #[test]
    fn an_interface_that_comes_back_is_captured_again() {
        let Some((network, folder)) = network("agent-flap") else { return };
        let agent = Agent::start(&network, folder.path(), &[]);
        let body = json!({"interfaces": [{"name": CABLE}], "filter": {"ports": [9]}});
        let mut stream = agent.capture("flap", &body.to_string());
        network.shell("node", &format!("ip link set {CABLE} down"));
        std::thread::sleep(Duration::from_millis(800));
        network
            .shell("node", &format!("ip link set {CABLE} up; ip route add {} dev {CABLE}", POD[0]));
        let (from, to) = (endpoint(NODE[0], 5_000), endpoint(POD[0], 9));
        wait_until("packets come again", || {
            network.help("node", &format!("send {from} {to} 1 0 20"));
            stream.read().count(0, &[&[b'x'; 20]]) > 0
        });
        agent.stop(&stream);
        assert!(stream.finish());
    }

    #[test]
    fn an_agent_that_cannot_work_does_not_start() {
        if let Some(obstacle) = find_obstacle() {
            eprintln!("SKIPPED agent-start: {obstacle}");
            return;
        }
        let folder = Folder::new("agent-start");
        let tokens = folder.path().join("tokens");
        std::fs::write(&tokens, super::agent::TOKEN).unwrap();
        let short = folder.path().join("short");
        std::fs::write(&short, "secret").unwrap();
        let (tokens, short) = (tokens.to_str().unwrap(), short.to_str().unwrap());
        let program = env!("CARGO_BIN_EXE_replyscope");
        let without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
        let cases: [(&[&str], &[&str], &str); 4] = [
            (
                &without,
                &["--tokens", tokens],
                "lacks CAP_NET_ADMIN (for the connection tracking table)",
            ),
            (&[], &["--tokens", tokens, "--listen", "0.0.0.0:0"], "is no loopback address"),
            (&[], &["--tokens", short], "has 6 bytes; at least 16 are expected"),
            (&[], &["--tokens", "/nowhere"], "cannot read '/nowhere'"),
        ];
        for (wrapper, options, expected) in cases {
            let words = [wrapper, &[program, "agent", "--listen", "127.0.0.1:0"]].concat();
            // A later --listen would be given twice.
            let words =
                if options.contains(&"--listen") { &words[..words.len() - 2] } else { &words[..] };
            let output =
                Command::new("timeout").arg("20").args(words).args(options).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
            assert!(said.contains(expected), "{options:?}: {said}");
        }
    }

    #[test]
    fn what_a_slow_client_misses_is_told() {
        let Some((network, folder)) = network("agent-slow") else { return };
        let mut agent = Agent::start(&network, folder.path(), &[]);
        let body = json!({"interfaces": [{"name": "eth0"}], "filter": {"devices": DEVICE}});
        agent.curl_options = vec!["--limit-rate".to_owned(), "8M".to_owned()];
        let mut stream = agent.capture("slow", &body.to_string());
        agent.curl_options.clear();
        // Some 70 MB, faster than they are taken: more than all buffers hold.
        let (from, to) = (endpoint(DEVICE[1], 5_000), endpoint(NODE[1], 9));
        network.help("device", &format!("rate {from} {to} 50000 10000000 1400"));
        wait_until("the kernel drops", || {
            agent.get("/v1/status")["kernel_drops"].as_u64().unwrap() > 0
        });
        let statistics = agent.stop(&stream);
        assert!(stream.finish());
        let capture = stream.read();
        let told = &statistics["interfaces"][0];
        assert_eq!(told["dropped"], capture.dropped);
        assert!(capture.dropped > 0);
        let received = told["received"].as_u64().unwrap();
        assert_eq!(received - capture.dropped, capture.frames.len() as u64);
        assert_eq!(capture.faults, Vec::<String>::new());
    }

    /// 100,000 datagrams a second, of which every hundredth is the device's.
    fn load(test: &str, seconds: u64, per_second: u64) {
        let Some((network, folder)) = network(test) else { return };
        // Behind the capture nobody has work with them: the sender shares the processor.
        network.shell(
            "node",
            "nft add table inet sink
             nft 'add chain inet sink early { type filter hook prerouting priority -400; }'
             nft add rule inet sink early udp dport 9 drop",
        );
        let agent = Agent::start(&network, folder.path(), &[]);
        for family in [0, 1] {
            let body = json!({
                "interfaces": [{"name": "eth0"}],
                "filter": {"devices": [DEVICE[family]]},
            });
            let mut stream = agent.capture(&format!("load-{family}"), &body.to_string());
            let to = endpoint(NODE[family], 9);
            let (flood, device) = (endpoint(OTHER[family], 6_000), endpoint(DEVICE[family], 5_000));
            let (count, few) = (seconds * per_second, seconds * per_second / 100);
            let words = format!("rate {flood} {to} {count} {per_second} 200");
            let flood = network
                .urgent_helper("device", &words)
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let words = format!("rate {device} {to} {few} {} 200", per_second / 100);
            assert!(network.urgent_helper("device", &words).output().unwrap().status.success());
            let flood = flood.wait_with_output().unwrap();
            let took = String::from_utf8(flood.stdout).unwrap();
            let took = took.split_once("took_us=").unwrap().1.split_whitespace().next().unwrap();
            let took: u64 = took.parse().unwrap();
            // What is still on its way is in the rings within a moment.
            std::thread::sleep(Duration::from_millis(300));
            let statistics = agent.stop(&stream);
            assert!(stream.finish());
            let capture = stream.read();
            let payload = [b'x'; 200];
            let found = capture.count(0, &[&octets(DEVICE[family]), &payload]);
            println!(
                "load, IPv{}: {count} datagrams at {} a second, {few} of the device: {found} captured, {} dropped",
                [4, 6][family],
                count * 1_000_000 / took.max(1),
                statistics["interfaces"][0]["dropped"],
            );
            assert_eq!(u64::try_from(found).unwrap(), few);
            assert_eq!(statistics["interfaces"][0]["dropped"], 0);
            assert_eq!(capture.dropped, 0);
        }
    }

    #[test]
    fn a_flood_takes_none_of_the_devices_packets() {
        load("agent-load", 2, 100_000);
    }

    #[test]
    #[ignore = "takes half a minute: cargo test --release --test agent -- --ignored --nocapture sustained"]
    fn a_sustained_flood_takes_none_of_the_devices_packets() {
        load("agent-load-sustained", 12, 100_000);
    }
}
