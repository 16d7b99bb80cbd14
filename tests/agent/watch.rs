//! Devices that an agent watches, on a node made of network namespaces.
//!
//! Needs root; without it each test says so and does nothing.

use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::agent::{Agent, network};
use crate::netns::{CABLE, DEVICE, NODE, Network, OTHER, POD, VIP, endpoint};

/// A client that runs until the test ends it.
struct Client(Child);

impl Client {
    fn start(network: &Network, verb: &str, device: &str, vip: &str, port: u16) -> Self {
        let words = format!("{verb} {} {}", endpoint(device, port), endpoint(vip, 69));
        Self(network.helper("device", &words).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn metrics(agent: &Agent) -> String {
    agent.get("/metrics").as_str().unwrap().to_owned()
}

/// The value of a series that has all of these parts.
fn find_value(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let line = metrics.lines().find(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'))
            && labels.iter().all(|label| line.contains(label))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

fn has_verdict(metrics: &str, device: &str, verdict: &str) -> bool {
    let labels = [format!("device=\"{device}\""), format!("verdict=\"{verdict}\"")];
    find_value(metrics, "replyscope_device_verdict", &[&labels[0], &labels[1]]) == Some(1.0)
}

/// Waits for what takes some windows.
fn wait_long(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_mins(1), "{what}: not within 60 s");
        std::thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn the_founding_fault_turns_a_device_broken_until_it_is_gone() {
    let Some((mut network, folder)) = network("agent-watch") else { return };
    network.translate();
    for pod in POD {
        network.keep("pod", &format!("transfer {}", endpoint(pod, 69)));
    }
    let list = folder.path().join("devices.csv");
    let rows = format!(
        "name,address\nswitch1,{}\nswitch2,{}\nswitch3,{}\n",
        DEVICE[0], DEVICE[1], OTHER[0]
    );
    std::fs::write(&list, rows).unwrap();
    let options = ["--watch-file", list.to_str().unwrap(), "--watch-window-seconds", "8"];
    let agent = Agent::start(&network, folder.path(), &options);

    let clients =
        [0, 1].map(|family| Client::start(&network, "keep", DEVICE[family], VIP[family], 30_000));
    for device in DEVICE {
        wait_long("the device is broken", || has_verdict(&metrics(&agent), device, "broken"));
    }
    let text = metrics(&agent);
    for device in DEVICE {
        let device_label = format!("device=\"{device}\"");
        let labels = [device_label.as_str(), "cause=\"follow_up_to_request_address\""];
        let found = find_value(&text, "replyscope_device_findings", &labels);
        assert_eq!(found, Some(1.0), "{text}");
        let name = "replyscope_device_last_packet_timestamp_seconds";
        assert!(find_value(&text, name, &[&device_label]).unwrap() > 1_700_000_000.0);
    }
    // The one that says nothing has no verdict.
    assert!(!text.contains(OTHER[0]), "{text}");
    let packets = find_value(&text, "replyscope_watch_packets_total", &["interface=\"eth0\""]);
    assert!(packets.unwrap() > 10.0);
    let drops = find_value(&text, "replyscope_watch_drops_total", &["interface=\"eth0\""]);
    assert_eq!(drops, Some(0.0));
    let watch = agent.get("/v1/watch");
    assert_eq!(watch["node"], "node3");
    assert_eq!(watch["is_capturing"], true);
    let devices = watch["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 3);
    for (device, address) in devices.iter().zip(DEVICE) {
        assert_eq!(device["device"], address);
        assert_eq!(device["state"]["verdict"], "broken");
        assert!(device["state"]["exchanges"]["broken"].as_u64().unwrap() > 0);
        let finding = &device["state"]["findings"][0];
        assert!(finding["evidence"].as_u64().unwrap() > 0, "{finding}");
    }
    assert_eq!(devices[2]["state"], Value::Null);

    drop(clients);
    let _clients =
        [0, 1].map(|family| Client::start(&network, "follow", DEVICE[family], VIP[family], 40_000));
    for device in DEVICE {
        wait_long("the device recovers", || has_verdict(&metrics(&agent), device, "tolerated"));
    }
    let text = metrics(&agent);
    for device in DEVICE {
        assert!(!has_verdict(&text, device, "broken"), "{text}");
    }
}

#[test]
fn named_interfaces_are_watched_and_captures_go_on_beside() {
    let Some((mut network, folder)) = network("agent-watch-names") else { return };
    network.translate();
    network.keep("pod", &format!("transfer {}", endpoint(POD[1], 69)));
    let devices = format!("{},{}", DEVICE[0], DEVICE[1]);
    let options = [
        "--watch",
        &devices,
        "--watch-interface",
        "eth0,cali*",
        "--watch-window-seconds",
        "8",
        "--concurrent-captures",
        "1",
    ];
    let agent = Agent::start(&network, folder.path(), &options);
    let _client = Client::start(&network, "keep", DEVICE[1], VIP[1], 30_000);
    wait_long("the device is broken", || has_verdict(&metrics(&agent), DEVICE[1], "broken"));
    let watch = agent.get("/v1/watch");
    let names: Vec<&str> = watch["interfaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|interface| interface["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, [CABLE, "eth0"]);
    // The watch takes no client's place, and is none of the clients' captures.
    assert_eq!(agent.get("/v1/status")["captures"], serde_json::json!([]));
    let body = r#"{"interfaces": [{"name": "eth0"}], "filter": {"ports": [69]}, "limits": {"seconds": 1}}"#;
    assert!(agent.capture("beside", body).finish());
}

#[test]
fn an_agent_that_watches_nothing_says_so() {
    let Some((network, folder)) = network("agent-watch-off") else { return };
    let agent = Agent::start(&network, folder.path(), &[]);
    let header = format!("Authorization: Bearer {}", crate::agent::TOKEN);
    let answer = agent.request("/v1/watch", &["-H", &header]);
    assert_eq!((answer.status, &answer.json["type"]), (404, &Value::from("/problems/watch-off")));
    assert!(!metrics(&agent).contains("replyscope_watch"));
}

#[test]
fn an_interface_that_comes_late_is_watched_once_it_is_there() {
    let Some((network, folder)) = network("agent-watch-late") else { return };
    let options = ["--watch", DEVICE[1], "--watch-interface", "late0"];
    let mut agent = Agent::start(&network, folder.path(), &options);
    let fault = || agent.get("/v1/watch")["fault"].as_str().unwrap_or_default().to_owned();
    wait_long("the fault is told", || fault().contains("no interface"));
    let capturing = || find_value(&metrics(&agent), "replyscope_watch_capturing", &[]);
    assert_eq!(capturing(), Some(0.0));
    network.shell("node", "ip link add late0 type veth peer name late1; ip link set late0 up");
    wait_long("it is captured", || capturing() == Some(1.0));
    assert_eq!(fault(), "");
    agent.signal("-TERM");
    assert_eq!(agent.child.wait().unwrap().code(), Some(0));
}

#[test]
fn interfaces_that_come_and_go_leave_no_gap_at_the_others() {
    let Some((mut network, folder)) = network("agent-watch-churn") else { return };
    // They have the port open and say nothing.
    for family in [0, 1] {
        network.keep("device", &format!("mute {}", endpoint(DEVICE[family], 69)));
    }
    let devices = DEVICE.join(",");
    let options = ["--watch", &devices, "--watch-interface", "eth0,cali*"];
    let options = [&options[..], &["--watch-window-seconds", "8"]].concat();
    let agent = Agent::start(&network, folder.path(), &options);
    let has_gap = || agent.get("/v1/watch")["last_analysis"]["has_gap"].clone();
    wait_long("the first window is over", || has_gap() == Value::Bool(false));
    let ask = || {
        for family in [0, 1] {
            let (from, to) = (endpoint(NODE[family], 5_161), endpoint(DEVICE[family], 69));
            let mut ask = network.helper("node", &format!("ask {from} {to}"));
            // It waits for an answer that does not come.
            std::thread::spawn(move || ask.output());
        }
    };
    let is_watched = |name: &str| {
        let label = format!("interface=\"{name}\"");
        find_value(&metrics(&agent), "replyscope_watch_packets_total", &[&label]).is_some()
    };
    let add = |name: &str| {
        network.shell(
            "node",
            &format!("ip link add {name} type veth peer name x{name}; ip link set {name} up"),
        );
    };
    add("cali8");
    wait_long("the new one is watched", || is_watched("cali8"));
    network.shell("node", "ip link del cali8");
    add("cali9");
    ask();
    wait_long("the next one is watched", || {
        assert_eq!(has_gap(), false, "{}", agent.get("/v1/watch"));
        is_watched("cali9")
    });
    // What the one that went counted stays.
    assert!(is_watched("cali8"));
    for device in DEVICE {
        wait_long("silence was observed", || has_verdict(&metrics(&agent), device, "unanswered"));
    }
    // More than there are rings for: the way to the devices stays.
    let many = "for n in $(seq 70); do ip link add caliz$n type veth peer name zz$n; done";
    network.shell("node", many);
    let fault = || agent.get("/v1/watch")["fault"].as_str().unwrap_or_default().to_owned();
    wait_long("what is left out is told", || fault().contains("no room for the interfaces"));
    let watch = agent.get("/v1/watch");
    assert_eq!(watch["is_capturing"], true, "{watch}");
    assert_eq!(watch["last_analysis"]["has_gap"], false, "{watch}");
    let before = find_value(&metrics(&agent), "replyscope_watch_packets_total", &["\"eth0\""]);
    ask();
    wait_long("the uplink is still captured", || {
        find_value(&metrics(&agent), "replyscope_watch_packets_total", &["\"eth0\""]) > before
    });
}

#[test]
fn devices_that_are_not_captured_are_told() {
    let Some((network, folder)) = network("agent-watch-blind") else { return };
    // The way to one of them is forbidden; to IPv6's other one there is none.
    network.shell(
        "node",
        "ip link add eth1 type veth peer name other1; ip link set eth1 up; ip link set other1 up",
    );
    network
        .shell("node", "ip route add 203.0.113.5 dev eth1; ip -6 route add 2001:db8:5::5 dev eth1");
    let devices = format!("{},203.0.113.5,{},2001:db8:5::5,2001:db8:9::9", DEVICE[0], DEVICE[1]);
    let agent = Agent::start(
        &network,
        folder.path(),
        &["--interface", "eth0", "--watch", &devices, "--watch-window-seconds", "4"],
    );
    let uncaptured = || find_value(&metrics(&agent), "replyscope_watch_devices_uncaptured", &[]);
    wait_long("it is counted", || uncaptured() == Some(3.0));
    let watch = agent.get("/v1/watch");
    assert_eq!(watch["is_capturing"], true);
    let fault = watch["fault"].as_str().unwrap();
    for part in ["203.0.113.5, 2001:db8:5::5: eth1, which leads to them, may not", "2001:db8:9::9"]
    {
        assert!(fault.contains(part), "{fault}");
    }
    for device in watch["devices"].as_array().unwrap() {
        let is_told = device["uncaptured_addresses"] == device["addresses"];
        assert_eq!(is_told, !DEVICE.contains(&device["device"].as_str().unwrap()), "{device}");
    }
}
