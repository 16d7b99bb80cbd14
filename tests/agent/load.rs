//! Captures of an agent while more packets come than anybody takes.
//!
//! Needs root; without it each test says so and does nothing.

use std::time::Duration;

use serde_json::json;

use crate::agent::{Agent, network, octets, wait_until};
use crate::netns::{DEVICE, NODE, OTHER, endpoint};

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

#[test]
fn a_flood_takes_none_of_the_devices_packets() {
    load("agent-load", 2, 100_000);
}

#[test]
#[ignore = "takes half a minute: cargo test --release --test agent -- --ignored --nocapture sustained"]
fn a_sustained_flood_takes_none_of_the_devices_packets() {
    load("agent-load-sustained", 12, 100_000);
}
