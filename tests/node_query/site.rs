//! A site to ask: the network, the pod's server, the agent, and the service.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::agent::{Agent, TOKEN, network};
use crate::folder::Folder;
use crate::netns::{CABLE, DEVICE, Network, OTHER, POD, VIP, endpoint};

/// What the tests need; `None` where there can be none, which is told.
pub fn site(test: &str, agent_options: &[&str]) -> Option<Site> {
    let (mut network, folder) = network(test)?;
    network.translate();
    for family in [0, 1] {
        network.keep("pod", &format!("serve {}", endpoint(POD[family], 69)));
    }
    let agent = Agent::start(&network, folder.path(), agent_options);
    std::fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
    Some(Site { network, agent, folder })
}

pub struct Site {
    pub network: Network,
    pub agent: Agent,
    pub folder: Folder,
}

/// The service on the network's node; dropped, it is killed.
pub struct Service<'a> {
    pub child: Child,
    pub address: String,
    network: &'a Network,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub text: String,
}

impl Site {
    /// Starts the service, which knows the agent as node3, with more options.
    pub fn serve(&self, options: &[&str]) -> Service<'_> {
        let token = self.folder.path().join("token");
        let node = format!("node3={}", self.agent.base());
        let more = ["--node", &node, "--agent-token", token.to_str().unwrap()];
        Service::start(&self.network, self.folder.path(), &[&more, options].concat())
    }

    /// Has the pod see an address of the node where a device sent, as
    /// `externalTrafficPolicy: Cluster` does.
    pub fn hide_devices(&self) {
        self.network.add_rules(&format!(
            "add rule inet nat postrouting oifname \"{CABLE}\" ct status dnat masquerade"
        ));
    }

    /// A backup of another device, in both families, under the same name.
    pub fn back_up_other(&self) {
        for family in [0, 1] {
            let (from, to) = (endpoint(OTHER[family], 41_000), endpoint(VIP[family], 69));
            let mut put = self.network.helper("device", &format!("put {from} {to} to-asked"));
            put.output().unwrap();
        }
    }

    /// Makes a backup from a device; whether that went well.
    pub fn back_up(&self, family: usize, port: u16, how: &str) -> bool {
        let (from, to) = (endpoint(DEVICE[family], port), endpoint(VIP[family], 69));
        let mut put = self.network.helper("device", &format!("put {from} {to} {how}"));
        put.output().unwrap().status.success()
    }
}

impl<'a> Service<'a> {
    pub fn start(network: &'a Network, folder: &Path, options: &[&str]) -> Self {
        let child = network
            .command("node", env!("CARGO_BIN_EXE_replyscope"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"))
            .args(options)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut service = Self { child, address: String::new(), network };
        let mut log = BufReader::new(service.child.stderr.take().unwrap());
        let (mut line, mut said) = (String::new(), String::new());
        while log.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once("listening on http://") {
                let is_part = |sign: &char| ":.".contains(*sign) || sign.is_ascii_digit();
                service.address = rest.chars().take_while(is_part).collect();
                std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                return service;
            }
            said.push_str(&std::mem::take(&mut line));
        }
        panic!("the service did not start: {said}");
    }

    /// A request with more arguments of curl.
    pub fn request(&self, path: &str, arguments: &[&str]) -> Answer {
        let output = self
            .network
            .command("node", "curl")
            .args(["-sS", "--max-time", "60", "-w", "\n%{http_code}"])
            .args(arguments)
            .arg(format!("http://{}{path}", self.address))
            .output()
            .unwrap();
        let all = String::from_utf8(output.stdout).unwrap();
        let (body, status) = all.rsplit_once('\n').unwrap();
        let json = serde_json::from_str(body).unwrap_or(Value::Null);
        Answer { status: status.parse().unwrap(), json, text: body.to_owned() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request(path, &[])
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(path, &["-H", "Content-Type: application/json", "-d", &body.to_string()])
    }

    /// Asks node3 about the device by both addresses, and waits until it captures.
    pub fn ask(&self, duration_s: u32) -> String {
        let body = json!({"device": DEVICE[1], "addresses": [DEVICE[0]], "duration_s": duration_s});
        let answer = self.post("/api/v1/nodes/node3/analyses", &body);
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(answer.json["node"], "node3");
        let id = answer.json["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.json["url"], format!("/api/v1/analyses/{id}"));
        self.wait_for_capture(&id);
        id
    }

    pub fn wait_for_capture(&self, id: &str) {
        wait("the capture runs", || {
            let answer = self.get(&format!("/api/v1/analyses/{id}"));
            assert_eq!(answer.status, 202, "{answer:?}");
            answer.json["bytes_received"].as_u64().unwrap() > 0
        });
    }

    /// Waits for the report.
    pub fn report(&self, id: &str) -> Value {
        let mut report = Value::Null;
        wait("the report is there", || {
            let answer = self.get(&format!("/api/v1/analyses/{id}"));
            assert!([200, 202].contains(&answer.status), "{answer:?}");
            report = answer.json;
            answer.status == 200
        });
        report
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for what must come within a minute.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_mins(1), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(100));
    }
}
