//! Queries, and what can go wrong with them.

use serde_json::{Value, json};

use crate::netns::{CABLE, DEVICE, NODE, POD, VIP, endpoint};
use crate::site::{site, wait};

const QUERIES: &str = "/api/v1/nodes/node3/analyses";

/// Checks the founding diagnosis: IPv4 goes on where it was answered, IPv6 does not.
fn assert_founding(report: &Value) {
    let devices = report["devices"].as_array().unwrap();
    let device = devices
        .iter()
        .find(|device| device["addresses"].as_array().unwrap().contains(&DEVICE[1].into()))
        .unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(device["verdict"], "broken", "{device:#}");
    let find = |cause: &str| {
        let findings = device["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["cause"] == cause).cloned()
    };
    let finding = find("follow_up_to_request_address").unwrap();
    assert_eq!(finding["confidence"], "certain");
    let evidence = [finding, find("reply_source_translated").unwrap_or_default()];
    let is_tracked = evidence
        .iter()
        .flat_map(|finding| finding["evidence"].as_array().cloned().unwrap_or_default())
        .any(|one| one["capture"] == "conntrack of node3");
    assert!(is_tracked, "{device:#}");
    let roles = report["addresses"].as_array().unwrap();
    for family in [0, 1] {
        for (address, role) in [(VIP, "vip"), (NODE, "node"), (POD, "pod")] {
            let found = roles.iter().find(|one| one["address"] == address[family]);
            assert_eq!(found.unwrap()["role"], role, "{roles:#?}");
            assert_eq!(found.unwrap()["source"], "agent");
        }
    }
}

#[test]
fn a_backup_that_fails_is_diagnosed_while_it_fails() {
    let Some(site) = site("query-founding", &[]) else { return };
    let service = site.serve(&[]);
    let id = service.ask(60);
    // The same request again is the same query, also by the other address.
    for address in DEVICE {
        let again = service.post(QUERIES, &json!({"device": address}));
        assert_eq!((again.status, again.json["id"].as_str()), (202, Some(id.as_str())));
    }
    // Another one about it is told so, and not answered with what it did not ask for.
    for (more, members) in [
        (json!({"ports": [69]}), "ports"),
        (json!({"interfaces": [CABLE]}), "interfaces"),
        (json!({"duration_s": 5, "ports": [69]}), "duration_s, ports"),
    ] {
        for address in DEVICE {
            let mut body = more.clone();
            body["device"] = address.into();
            let answer = service.post(QUERIES, &body);
            assert_eq!(
                (answer.status, &answer.json["type"]),
                (409, &"/problems/query-differs".into())
            );
            let detail = answer.json["detail"].as_str().unwrap();
            let path = format!("/api/v1/analyses/{id} runs");
            assert!(detail.starts_with(&path) && detail.ends_with(members), "{detail}");
        }
    }
    // A button that says nothing of how leads to it.
    let path = format!("/devices/{}/analyses", DEVICE[1]);
    let button = service.request(&path, &["-d", "node=/node3", "-D", "-"]);
    assert!(button.status == 303 && button.text.contains(&format!("/analyses/{id}")), "{button:?}");
    assert!(site.back_up(0, 40_000, "to-answerer"));
    assert!(!site.back_up(1, 40_001, "to-asked"));
    wait("packets are counted while it runs", || {
        let progress = service.get(&format!("/api/v1/analyses/{id}")).json;
        assert_eq!(progress["query"]["state"], "running", "{progress}");
        progress["packets"].as_u64().unwrap() >= 10
    });
    let page = service.get(&format!("/analyses/{id}"));
    assert!(page.text.contains(&format!("action=\"/analyses/{id}/stop\"")), "{}", page.text);
    let stopped = service.request(&format!("/api/v1/analyses/{id}/stop"), &["-X", "POST"]);
    assert_eq!(stopped.status, 202, "{stopped:?}");
    let report = service.report(&id);
    assert_eq!(report["query"]["state"], "finished", "{report:#}");
    assert!(report["query"]["message"].as_str().unwrap().starts_with("stopped after"));
    assert_founding(&report);
    let capture = &report["captures"][0];
    assert_eq!((&capture["format"], &capture["node"]), (&"pcapng".into(), &"node3".into()));
    assert!(capture["interface"].as_str().unwrap().contains(CABLE), "{capture:#}");
    // What was captured is kept as an upload is.
    let kept = site.folder.path().join(format!("data/captures/{id}/0"));
    assert!(std::fs::metadata(kept).unwrap().len() > 1_000);
    let page = service.get(&format!("/devices/{}", DEVICE[1]));
    assert!(page.text.contains("Ask the node now"), "{}", page.text);
    let again = service.request(&format!("/api/v1/analyses/{id}/stop"), &["-X", "POST"]);
    assert_eq!(again.status, 409, "{again:?}");
}

#[test]
fn a_pod_that_sees_the_node_is_captured_at_too() {
    let Some(site) = site("query-masked", &[]) else { return };
    site.hide_devices();
    let service = site.serve(&[]);
    let id = service.ask(60);
    // The pod's answers go to the node, from a port that no translation knows.
    std::thread::scope(|scope| {
        for family in [0, 1] {
            let site = &site;
            scope.spawn(move || assert!(!site.back_up(family, 40_000, "to-answerer")));
        }
        // Others are behind the node's address as well: they are none of the report's.
        scope.spawn(|| site.back_up_other());
    });
    service.request(&format!("/api/v1/analyses/{id}/stop"), &["-X", "POST"]);
    let report = service.report(&id);
    let devices = report["devices"].as_array().unwrap();
    let [device] = devices.as_slice() else { panic!("{report:#}") };
    assert_eq!(device["addresses"].as_array().unwrap().len(), 2, "{device:#}");
    assert_eq!(device["verdict"], "broken", "{device:#}");
    let masked = |cause: &str| {
        let findings = device["findings"].as_array().unwrap();
        findings.iter().find(|one| one["cause"] == cause).unwrap_or_else(|| panic!("{device:#}"))
    };
    // What only the cable shows: who the pod takes for its client, and its answers.
    assert_eq!(masked("sender_translated")["confidence"], "certain", "{device:#}");
    for family in [0, 1] {
        let exchange = device["exchanges"]
            .as_array()
            .unwrap()
            .iter()
            .find(|exchange| exchange["client"]["address"] == DEVICE[family])
            .unwrap();
        let translations = exchange["translations"].as_array().unwrap();
        let is_masked = |one: &&Value| one["after"]["address"] == NODE[family];
        assert!(translations.iter().any(|one| is_masked(&one)), "{exchange:#}");
    }
    let warnings = report["captures"][0]["warnings"].as_array().unwrap();
    assert!(
        warnings.iter().any(|one| one.as_str().unwrap().contains("of others are left out")),
        "{warnings:?}"
    );
}

#[test]
fn silence_until_the_end_of_a_query_is_no_answer() {
    let Some(mut site) = site("query-silence", &[]) else { return };
    // They have the port open and say nothing, so nobody refuses either.
    for family in [0, 1] {
        site.network.keep("device", &format!("mute {}", endpoint(DEVICE[family], 69)));
    }
    let service = site.serve(&[]);
    let id = service.ask(12);
    for family in [0, 1] {
        let (from, to) = (endpoint(NODE[family], 5_161), endpoint(DEVICE[family], 69));
        let mut ask = site.network.helper("node", &format!("ask {from} {to} 1"));
        std::thread::spawn(move || ask.output());
    }
    let report = service.report(&id);
    let exchanges = report["devices"][0]["exchanges"].as_array().unwrap();
    let verdicts: Vec<_> = exchanges.iter().map(|one| one["verdict"].clone()).collect();
    assert_eq!(verdicts, ["unanswered", "unanswered"], "{report:#}");
    // So does what the agent sent, without the service.
    let kept = site.folder.path().join(format!("data/captures/{id}/0"));
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_replyscope"))
        .args(["analyze", "--format", "json"])
        .arg(kept)
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["verdict"], "unanswered", "{told:#}");
}

#[test]
fn a_gateway_that_does_not_answer_is_why_a_pod_gets_no_answer() {
    let Some(site) = site("query-gateway", &[]) else { return };
    // Nobody has the gateways' addresses.
    let far = ["203.0.113.5", "2001:db8:5::5"];
    site.network.shell("node", "ip -6 route add 2001:db8:5::/64 via 2001:db8::1 dev eth0");
    let service = site.serve(&[]);
    let ids = far.map(|device| {
        let answer = service.post(QUERIES, &json!({"device": device, "duration_s": 12}));
        let id = answer.json["id"].as_str().unwrap().to_owned();
        service.wait_for_capture(&id);
        id
    });
    for family in [0, 1] {
        let (from, to) = (endpoint(POD[family], 5_161), endpoint(far[family], 69));
        let mut ask = site.network.helper("pod", &format!("ask {from} {to} 10"));
        std::thread::spawn(move || ask.output());
    }
    for (family, id) in ids.iter().enumerate() {
        let report = service.report(id);
        let warnings = report["captures"][0]["warnings"].to_string();
        let gateway = ["192.0.2.1", "2001:db8::1"][family];
        let note = format!("the node's neighbour {gateway} at eth0");
        assert!(warnings.contains(&note), "{report:#}");
        let findings = report["devices"][0]["findings"].to_string();
        assert!(findings.contains("neighbour_unresolved"), "{report:#}");
    }
}

#[test]
fn pods_behind_a_bridge_are_captured() {
    let Some(mut site) = site("query-bridge", &[]) else { return };
    // As Flannel connects them: no route for each, a bridge with the network.
    site.network.shell(
        "node",
        &format!(
            "ip route del {} dev {CABLE}; ip -6 route del {} dev {CABLE}
             ip link add cni0 type bridge; ip link set {CABLE} master cni0; ip link set cni0 up
             ip addr add 198.51.100.1/24 dev cni0; ip -6 addr add 2001:db8:1::1/64 dev cni0
             ip -6 addr add fe80::1/64 dev cni0",
            POD[0], POD[1]
        ),
    );
    site.network.shell(
        "pod",
        "ip route del default; ip route add 198.51.100.1 dev eth0; ip route add default via 198.51.100.1",
    );
    for family in [0, 1] {
        site.network.keep("device", &format!("mute {}", endpoint(DEVICE[family], 69)));
    }
    let service = site.serve(&[]);
    let id = service.ask(10);
    for family in [0, 1] {
        let (from, to) = (endpoint(POD[family], 5_161), endpoint(DEVICE[family], 69));
        site.network.help("pod", &format!("ask {from} {to} 1"));
    }
    let report = service.report(&id);
    let capture = &report["captures"][0];
    assert!(capture["interface"].as_str().unwrap().contains("cni0"), "{capture:#}");
    assert!(!capture["warnings"].to_string().contains("pods' side"), "{capture:#}");
}

#[test]
fn what_cannot_be_asked_is_refused_with_a_reason() {
    let Some(site) = site("query-refused", &["--interface", "eth0"]) else { return };
    let service = site.serve(&["--node", "gone=http://127.0.0.1:9", "--query-seconds", "120"]);
    let device = DEVICE[1];
    let cases = [
        // node, body, status, kind, part of the detail
        ("node4", json!({"device": device}), 404, "node-not-found", "node4"),
        ("gone", json!({"device": device}), 503, "agent-unreachable", "gone"),
        ("node3", json!({"device": "switch"}), 400, "bad-body", "neither an IPv4"),
        ("node3", json!({"device": "ff02::1"}), 400, "bad-body", "one device"),
        ("node3", json!({"device": "0.0.0.0"}), 400, "bad-body", "one device"),
        ("node3", json!({"device": device, "duration_s": 0}), 400, "bad-body", "1 to 120"),
        ("node3", json!({"device": device, "duration_s": 121}), 400, "bad-body", "1 to 120"),
        ("node3", json!({"device": device, "filter": "udp or tcp"}), 400, "bad-body", "filter"),
        ("node3", json!({"device": "192.0.2.9 or tcp"}), 400, "bad-body", "neither an IPv4"),
        ("node3", json!({"device": device, "agent": "http://192.0.2.1"}), 400, "bad-body", "agent"),
        (
            "node3",
            json!({"device": device, "interfaces": ["../eth0"]}),
            400,
            "bad-body",
            "not the name of an interface",
        ),
        (
            "node3",
            json!({"device": device, "interfaces": [CABLE]}),
            502,
            "agent-refused",
            "allow no capture at cali",
        ),
        (
            "node3",
            json!({"device": device, "interfaces": ["eth7"]}),
            502,
            "agent-refused",
            "no interface eth7",
        ),
    ];
    for (node, body, status, kind, part) in cases {
        let answer = service.post(&format!("/api/v1/nodes/{node}/analyses"), &body);
        assert_eq!(answer.status, status, "{node} {body}: {answer:?}");
        assert_eq!(answer.json["type"], format!("/problems/{kind}"), "{node} {body}");
        assert!(answer.json["detail"].as_str().unwrap().contains(part), "{answer:?}");
    }
    drop(service);

    std::fs::write(site.folder.path().join("token"), "another-token-of-16-bytes\n").unwrap();
    let service = site.serve(&[]);
    let answer = service.post(QUERIES, &json!({"device": device}));
    assert_eq!((answer.status, &answer.json["title"]), (502, &"Agent refuses".into()));
    let page = service.get("/nodes/node3");
    assert!(page.status == 200 && page.text.contains("refuses"), "{}", page.text);
}

#[test]
fn a_full_queue_refuses_and_says_when_to_come_again() {
    let Some(site) = site("query-full", &[]) else { return };
    let service = site.serve(&["--concurrent-queries", "1", "--query-queue", "1"]);
    let first = service.ask(60);
    let second = service.post(QUERIES, &json!({"device": "192.0.2.77"}));
    assert_eq!((second.status, &second.json["state"]), (202, &"queued".into()), "{second:?}");
    let third = service
        .request(QUERIES, &["-D", "-", "-d", &json!({"device": "2001:db8::77"}).to_string()]);
    assert_eq!(third.status, 429, "{third:?}");
    assert!(third.text.to_lowercase().contains("retry-after: 30"), "{third:?}");
    // One that has not begun can be stopped as well.
    let queued = second.json["id"].as_str().unwrap();
    service.request(&format!("/api/v1/analyses/{queued}/stop"), &["-X", "POST"]);
    let query = format!("/api/v1/analyses/{queued}/query");
    wait("it ends", || service.get(&query).json["state"] == "interrupted");
    let answer = service.get(&format!("/api/v1/analyses/{queued}"));
    assert_eq!((answer.status, &answer.json["type"]), (404, &"/problems/analysis-failed".into()));
    service.request(&format!("/api/v1/analyses/{first}/stop"), &["-X", "POST"]);
    service.report(&first);
}

#[test]
fn a_lost_agent_leaves_what_was_captured() {
    let Some(site) = site("query-agent-lost", &[]) else { return };
    let service = site.serve(&[]);
    let id = service.ask(60);
    assert!(site.back_up(0, 40_000, "to-answerer"));
    assert!(!site.back_up(1, 40_001, "to-asked"));
    site.agent.signal("-KILL");
    let report = service.report(&id);
    assert_eq!(report["query"]["state"], "interrupted", "{}", report["query"]);
    assert!(report["title"].as_str().unwrap().ends_with("cut short"));
    assert_founding(&report);
}

#[test]
fn a_killed_service_analyses_at_its_next_start() {
    let Some(site) = site("query-service-killed", &[]) else { return };
    let mut service = site.serve(&[]);
    let id = service.ask(60);
    assert!(site.back_up(0, 40_000, "to-answerer"));
    assert!(!site.back_up(1, 40_001, "to-asked"));
    // A look at the connection tracking table comes each 10 s.
    std::thread::sleep(std::time::Duration::from_secs(11));
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    drop(service);
    let service = site.serve(&[]);
    let report = service.report(&id);
    assert_eq!(report["query"]["state"], "interrupted", "{}", report["query"]);
    assert_founding(&report);
}

#[test]
fn a_service_that_is_stopped_ends_its_queries_well() {
    let Some(site) = site("query-service-stopped", &[]) else { return };
    let mut service = site.serve(&[]);
    let id = service.ask(60);
    assert!(site.back_up(0, 40_000, "to-answerer"));
    let child = service.child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &child]).status().unwrap();
    assert!(service.child.wait().unwrap().success());
    drop(service);
    let service = site.serve(&[]);
    let report = service.report(&id);
    assert_eq!(report["query"]["state"], "interrupted", "{}", report["query"]);
    assert_eq!(report["verdict"], "tolerated", "{report:#}");
}
