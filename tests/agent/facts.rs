//! The agent on a node made of network namespaces, with real kernel NAT: what it
//! tells, whom it refuses, and what it needs.
//!
//! Needs root; without it each test says so and does nothing.

use std::process::Command;

use replyscope::model::topology::{FactSource, Role};
use replyscope::node::wire::{NodeFacts, TrackedFlows};
use serde_json::json;

use crate::agent::{Agent, network, wait_until};
use crate::certificates::Authority;
use crate::folder::Folder;
use crate::netns::{CABLE, DEVICE, NODE, OTHER, POD, VIP, endpoint, find_obstacle};

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
            topology.links.iter().any(|link| link.interface == CABLE && link.leads_to == leads_to)
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
fn what_is_not_allowed_is_refused() {
    let Some((network, folder)) = network("agent-refusals") else { return };
    let agent = Agent::start(&network, folder.path(), &["--interface", "eth0"]);
    let filter = r#""filter": {"devices": ["192.0.2.9"]}"#;
    let cases = [
        (format!(r#"{{"interfaces": [{{"name": "lo"}}], {filter}}}"#), 403, "interface-forbidden"),
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
    let token = format!("Authorization: bearer {}", crate::agent::TOKEN);
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
    assert_eq!((answer.status, &answer.json["type"]), (404, &json!("/problems/unknown-interface")));
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
fn tls_can_be_mutual() {
    let Some((network, folder)) = network("agent-tls") else { return };
    let authority = Authority::new(folder.path(), "ca");
    let ca = authority.file.clone();
    let (certificate, key) = authority.sign("agent", "127.0.0.1");
    let (client_certificate, client_key) = authority.sign("client", "client.example");
    let options = ["--tls-certificate", &certificate, "--tls-key", &key];
    let mut agent = Agent::start(&network, folder.path(), &options);
    agent.curl_options = vec!["--cacert".to_owned(), ca.clone()];
    assert_eq!(agent.get("/v1/status")["node"], "node3");
    drop(agent);

    let options = [&options[..], &["--tls-client-authority", &ca]].concat();
    let mut agent = Agent::start(&network, folder.path(), &options);
    agent.curl_options = vec!["--cacert".to_owned(), ca];
    assert_eq!(agent.request("/livez", &[]).status, 0, "no certificate, no answer");
    let client = ["--cert", &client_certificate, "--key", &client_key];
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
fn an_agent_that_cannot_work_does_not_start() {
    if let Some(obstacle) = find_obstacle() {
        eprintln!("SKIPPED agent-start: {obstacle}");
        return;
    }
    let folder = Folder::new("agent-start");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, crate::agent::TOKEN).unwrap();
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
        let output = Command::new("timeout").arg("20").args(words).args(options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(said.contains(expected), "{options:?}: {said}");
    }
}
