//! A small network of namespaces: devices, a node with a VIP, and a pod.
//!
//! ```text
//! device eth0 ──── eth0 node cali1 ──── eth0 pod
//! ```

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Addresses of the network; IPv4 and IPv6 are twins.
pub const DEVICE: [&str; 2] = ["192.0.2.9", "2001:db8::9"];
pub const OTHER: [&str; 2] = ["192.0.2.10", "2001:db8::10"];
pub const NODE: [&str; 2] = ["192.0.2.13", "2001:db8::13"];
pub const VIP: [&str; 2] = ["192.0.2.21", "2001:db8::21"];
pub const POD: [&str; 2] = ["198.51.100.7", "2001:db8:1::7"];

/// Answers to nobody; the pod's proxy ARP needs a default route to exist.
const GATEWAY: &str = "192.0.2.1";

/// An address and a port, as a helper takes them.
pub fn endpoint(address: &str, port: u16) -> String {
    std::net::SocketAddr::new(address.parse().unwrap(), port).to_string()
}

/// The node's interface towards the pod.
pub const CABLE: &str = "cali0123456789a";

/// Namespaces of one test; dropped, they are gone with all that runs in them.
pub struct Network {
    prefix: String,
    children: Vec<Child>,
}

/// Why a test cannot run here; `None` where it can.
pub fn find_obstacle() -> Option<String> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !is_root {
        return Some("it needs root, to make network namespaces".to_owned());
    }
    ["ip", "nft", "curl"]
        .into_iter()
        .find(|tool| {
            let version = if *tool == "ip" { "-V" } else { "--version" };
            Command::new(tool).arg(version).output().is_err()
        })
        .map(|tool| format!("it needs {tool}; tests/run installs it"))
}

impl Network {
    /// Builds it.
    pub fn build() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let network =
            Self { prefix: format!("rsa-{}-{number}", std::process::id()), children: Vec::new() };
        for place in ["device", "node", "pod"] {
            let name = network.name(place);
            run(Command::new("ip").args(["netns", "add", &name]));
            network.shell(
                place,
                "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
                 ip link set lo up",
            );
        }
        network.link("device", "eth0", "node", "eth0");
        network.link("pod", "eth0", "node", CABLE);
        for family in [0, 1] {
            let length = ["24", "64"][family];
            for address in [DEVICE[family], OTHER[family]] {
                network.shell("device", &format!("ip addr add {address}/{length} dev eth0"));
            }
            network.shell("node", &format!("ip addr add {}/{length} dev eth0", NODE[family]));
        }
        network.shell(
            "node",
            &format!(
                "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
                 ip addr add {}/32 dev eth0
                 ip -6 addr add {}/128 dev eth0 preferred_lft 0
                 ip route add default via {GATEWAY} dev eth0
                 sysctl -qw net.ipv4.conf.{CABLE}.proxy_arp=1 net.ipv4.neigh.{CABLE}.proxy_delay=0
                 ip -6 addr add fe80::1/64 dev {CABLE}
                 ip route add {} dev {CABLE} scope link
                 ip -6 route add {} dev {CABLE}",
                VIP[0], VIP[1], POD[0], POD[1]
            ),
        );
        network.shell(
            "pod",
            &format!(
                "ip addr add {}/32 dev eth0
                 ip -6 addr add {}/128 dev eth0
                 ip route add 169.254.1.1 dev eth0 scope link
                 ip route add default via 169.254.1.1
                 ip -6 route add default via fe80::1 dev eth0",
                POD[0], POD[1]
            ),
        );
        network
    }

    /// The cluster's rules: the VIP's port 69 is the pod's; what the pod sends
    /// first leaves with the node's address.
    pub fn translate(&self) {
        let rules = format!(
            "table inet nat {{
                chain prerouting {{
                    type nat hook prerouting priority dstnat
                    ip daddr {} udp dport 69 dnat ip to {}:69
                    ip6 daddr {} udp dport 69 dnat ip6 to [{}]:69
                }}
                chain postrouting {{
                    type nat hook postrouting priority srcnat
                    oifname \"eth0\" ip saddr {} masquerade
                    oifname \"eth0\" ip6 saddr {} masquerade
                }}
            }}",
            VIP[0], POD[0], VIP[1], POD[1], POD[0], POD[1]
        );
        self.add_rules(&rules);
    }

    /// Adds rules as `nft` reads them.
    pub fn add_rules(&self, rules: &str) {
        let mut nft = self
            .command("node", "nft")
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        nft.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        let output = nft.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn name(&self, place: &str) -> String {
        format!("{}-{place}", self.prefix)
    }

    /// A cable between two namespaces.
    fn link(&self, one: &str, one_link: &str, other: &str, other_link: &str) {
        run(Command::new("ip").args([
            "link",
            "add",
            one_link,
            "netns",
            &self.name(one),
            "type",
            "veth",
            "peer",
            "name",
            other_link,
            "netns",
            &self.name(other),
        ]));
        self.shell(one, &format!("ip link set {one_link} up"));
        self.shell(other, &format!("ip link set {other_link} up"));
    }

    /// A program to be run in a namespace.
    pub fn command(&self, place: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(place), program]);
        command
    }

    /// Runs a shell script in a namespace to its end; its output.
    pub fn shell(&self, place: &str, script: &str) -> String {
        let output = run(self.command(place, "sh").args(["-ec", script]));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A helper of this test program, in a namespace: see `helper.rs`.
    pub fn helper(&self, place: &str, words: &str) -> Command {
        let program = std::env::current_exe().unwrap();
        let mut command = self.command(place, program.to_str().unwrap());
        command.args(["--exact", "help", "--ignored", "--nocapture"]);
        command.env("REPLYSCOPE_TEST_HELPER", words);
        command
    }

    /// A helper before which other programs on the machine must wait, where the
    /// system can do that: so that it keeps its pace.
    pub fn urgent_helper(&self, place: &str, words: &str) -> Command {
        let has_chrt = Command::new("chrt").args(["-f", "20", "true"]).status();
        if !has_chrt.is_ok_and(|status| status.success()) {
            return self.helper(place, words);
        }
        let helper = self.helper(place, words);
        let mut command = Command::new("chrt");
        command.args(["-f", "20"]).arg(helper.get_program()).args(helper.get_args());
        command.env("REPLYSCOPE_TEST_HELPER", words);
        command
    }

    /// Runs a helper to its end.
    pub fn help(&self, place: &str, words: &str) -> String {
        String::from_utf8(run(&mut self.helper(place, words)).stdout).unwrap()
    }

    /// Starts a helper that runs until the network goes.
    pub fn keep(&mut self, place: &str, words: &str) {
        let child = self.helper(place, words).stdout(Stdio::null()).spawn().unwrap();
        self.children.push(child);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        for place in ["device", "node", "pod"] {
            let _ = Command::new("ip").args(["netns", "del", &self.name(place)]).output();
        }
    }
}

/// Runs a command to its end; it must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    output
}
