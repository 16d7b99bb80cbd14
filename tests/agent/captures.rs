//! Captures of an agent on a node made of network namespaces.
//!
//! Needs root; without it each test says so and does nothing.

use std::time::Duration;

use replyscope::model::capture::Direction;
use serde_json::json;
use tokio::time::Instant;

use crate::agent::{Agent, Capture, network, octets, wait_until};
use crate::netns::{CABLE, DEVICE, NODE, OTHER, POD, VIP, endpoint};

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
fn an_interface_that_comes_back_is_captured_again() {
    let Some((network, folder)) = network("agent-flap") else { return };
    let agent = Agent::start(&network, folder.path(), &[]);
    let body = json!({"interfaces": [{"name": CABLE}], "filter": {"ports": [9]}});
    let mut stream = agent.capture("flap", &body.to_string());
    network.shell("node", &format!("ip link set {CABLE} down"));
    std::thread::sleep(Duration::from_millis(800));
    network.shell("node", &format!("ip link set {CABLE} up; ip route add {} dev {CABLE}", POD[0]));
    let (from, to) = (endpoint(NODE[0], 5_000), endpoint(POD[0], 9));
    wait_until("packets come again", || {
        network.help("node", &format!("send {from} {to} 1 0 20"));
        stream.read().count(0, &[&[b'x'; 20]]) > 0
    });
    agent.stop(&stream);
    assert!(stream.finish());
}
