//! Whole inventories: from texts to beliefs.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::model::topology::{FactSource, Role, Topology};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../tests/fixtures/topology/", $name))
    };
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Each belief as one line: `address role node pod`.
fn beliefs(topology: &Topology) -> Vec<String> {
    let or_dash = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
    topology
        .beliefs()
        .map(|(address, belief)| {
            let (node, pod) = (or_dash(&belief.node), or_dash(&belief.pod));
            format!("{address} {} {node} {pod}", belief.role.as_token())
        })
        .collect()
}

#[test]
fn the_founding_case_is_known_from_its_three_commands() {
    let mut facts = parse("ip addr show eth0", Some("node3"), fixture!("article/ip-addr.txt"), 24);
    let pods = "kubectl get pod -A -owide|grep tftpserver-dm";
    facts.extend(parse(pods, Some("node1"), fixture!("article/pods.txt"), 54));
    let route = "ip route |grep 177.177.135.16";
    facts.extend(parse(route, Some("node3"), fixture!("article/ip-route.txt"), 63));
    assert_eq!(facts.faults, []);
    let topology = resolve(facts);
    assert_eq!(
        beliefs(&topology),
        [
            "177.177.104.10 pod node2 ss/tftpserver-dm-drrsn",
            "177.177.135.16 pod node3 ss/tftpserver-dm-vmgtf",
            "177.177.166.147 pod node1 ss/tftpserver-dm-798nv",
            "192.168.65.13 node node3 -",
            "192.168.65.21 vip node3 -",
            "2000::65:13 node node3 -",
            "2000::65:21 vip node3 -",
        ]
    );
    let vip = topology.find(ip("2000::65:21")).unwrap();
    assert_eq!(
        vip.reason,
        "/128 and deprecated (preferred_lft 0sec) on eth0, beside 2000::65:13/64"
    );
    assert_eq!(
        topology.find(ip("192.168.65.21")).unwrap().reason,
        "/32 on eth0, beside 192.168.65.13/16"
    );
    let cable = topology.link_behind(Some("node3"), "cali928cc4cd898").unwrap();
    assert_eq!(cable.leads_to, ip("177.177.135.16"));
    assert_eq!(topology.interface_name(Some("node3"), 2), Some("eth0"));
    assert!(topology.is_broadcast(ip("192.168.255.255")));
}

/// The same inventory one text after the other, and all in one text without
/// any command.
#[test]
fn several_outputs_in_one_text_are_all_read() {
    let texts = [
        fixture!("founding/ip-addr.txt"),
        fixture!("founding/ip-addr.json"),
        fixture!("founding/ip-route.txt"),
        fixture!("founding/pods.txt"),
        fixture!("founding/services.txt"),
    ];
    let mut facts = Facts::default();
    for text in texts {
        facts.extend(parse("", None, text, 1));
    }
    assert_eq!(facts.faults, []);
    let apart = resolve(facts);
    let joined = parse("", None, &texts.concat(), 1);
    assert_eq!(joined.faults, []);
    assert_eq!(beliefs(&resolve(joined)), beliefs(&apart));
    assert_eq!(
        beliefs(&apart),
        [
            "10.96.0.1 service - -",
            "10.96.14.69 service - -",
            "177.177.104.10 pod node2 ss/tftpserver-dm-drrsn",
            "177.177.135.16 pod node3 ss/tftpserver-dm-vmgtf",
            "177.177.166.147 pod node1 ss/tftpserver-dm-798nv",
            "192.168.65.13 node - -",
            "192.168.65.21 vip - -",
            "2000::65:13 node - -",
            "2000::65:21 vip - -",
            // Named by the cable that leads to its IPv4 address as well.
            "fd00:177:177:0:7bf3:bb28:910a:873c pod node3 ss/tftpserver-dm-vmgtf",
        ]
    );
    assert_eq!(apart.find(ip("192.168.65.21")).unwrap().source, FactSource::Kubernetes);
    assert!(apart.link_behind(None, "eth0").is_none());
}

#[test]
fn text_and_json_of_ip_addr_say_the_same() {
    let text = parse("ip addr", Some("node3"), fixture!("founding/ip-addr.txt"), 1);
    let json = parse("ip -j addr", Some("node3"), fixture!("founding/ip-addr.json"), 1);
    assert_eq!(text, json);
    assert!(!text.is_empty());
}

#[test]
fn prose_and_packets_state_nothing() {
    let texts = [
        "",
        "\n\n",
        "The pod answers, but the device does not hear it. See 192.0.2.1 and 2001:db8::1.",
        "07:29:48.654684 IP 192.0.2.1.58625 > 198.51.100.2.69: UDP, length 64",
        "12:00:02.333324 IP6 2001:db8::1.58631 > 2001:db8::2.69: UDP, length 64",
        "[root@node3 ~]# tcpdump -n -i eth0",
        "[1, 2, 3]",
        "{\"level\": \"info\", \"msg\": \"started\"}",
        "[]",
        "{}",
    ];
    for text in texts {
        assert!(parse("", None, text, 1).is_empty(), "{text}");
    }
}

#[test]
fn a_damaged_json_gives_its_complete_elements() {
    let whole = fixture!("founding/ip-addr.json");
    let cut = &whole[..whole.find("cali928cc4cd898").unwrap()];
    let facts = parse("ip -j addr", Some("node3"), cut, 5);
    let topology = resolve(facts.clone());
    assert_eq!(topology.role_of(ip("192.168.65.21")), Role::Vip);
    assert_eq!(topology.role_of(ip("2000::65:21")), Role::Vip);
    assert_eq!(facts.faults.len(), 1);
    assert!(facts.faults[0].to_string().starts_with("line 5: damaged JSON, 2 complete elements"));
}

/// Long texts are read in one pass: these would take minutes otherwise.
/// Each took minutes where an address is compared with all others: the test runner
/// ends a test that takes so long.
#[test]
fn large_inventories_of_both_families_cost_no_more_than_their_length() {
    use std::fmt::Write as _;

    const COUNT: u32 = 80_000;
    let v4 = |at: u32| std::net::Ipv4Addr::from(0x0a00_0000 + at);
    let v6 = |at: u32| std::net::Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(at));
    let (mut hosts, mut sources) = (String::new(), String::new());
    let mut pods = "NAME READY STATUS RESTARTS AGE IP NODE\n".to_owned();
    let (mut addresses, mut networks) = (String::new(), String::new());
    for at in 0..COUNT {
        let (one, other, one_v6) = (v4(at), v4(at + COUNT), v6(at));
        writeln!(hosts, "{one} dev net7 scope link\n{one_v6} dev net7").unwrap();
        writeln!(sources, "192.0.2.0/24 dev net7 proto kernel scope link src {one}").unwrap();
        writeln!(sources, "203.0.113.0/24 dev net7 src {other}").unwrap();
        writeln!(sources, "2001:db8:7::/64 dev net7 src {one_v6}").unwrap();
        writeln!(pods, "pod-{at} 1/1 Running 0 1d 192.0.2.13 node-{at}").unwrap();
        addresses += "    inet 192.0.2.13/32 scope global eth0\n";
        let (third, fourth) = (at >> 8 & 255, at & 255);
        writeln!(networks, "10.{third}.{fourth}.0/24 dev eth0 proto kernel scope link").unwrap();
    }
    write!(pods, "2: eth0: <UP> mtu 1500\n{addresses}{networks}").unwrap();
    for text in [hosts, sources, pods] {
        let facts = parse("", None, &text, 1);
        assert!(!facts.is_empty());
        let _ = resolve(facts);
    }
}

#[test]
fn long_texts_are_read_in_one_pass() {
    let texts = [
        "[".repeat(200_000),
        "{\"a\":\n".repeat(50_000),
        "[{\n".repeat(50_000),
        "[{}]\n".repeat(20_000),
        "inet 192.0.2.1/32 scope global eth0\n".repeat(50_000),
        "inet6 2001:db8::1/128 scope global deprecated\n".repeat(50_000),
        "192.0.2.1 dev net1 scope link src 198.51.100.1\n".repeat(50_000),
        "a,192.0.2.1\n".repeat(50_000),
        format!("name,address\n{}", "a,192.0.2.1\n".repeat(50_000)),
    ];
    for text in texts {
        let _ = resolve(parse("", None, &text, 1));
    }
}

fn line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "inet",
            "inet6",
            "192.0.2.1/24",
            "2001:db8::1/128",
            "scope",
            "global",
            "peer",
            "eth0",
            "2:",
            "eth0:",
            "<UP>",
            "UP",
            "valid_lft",
            "preferred_lft",
            "0sec",
            "default",
            "via",
            "dev",
            "src",
            "local",
            "broadcast",
            "cali1",
            "NAME",
            "NAMESPACE",
            "IP",
            "NODE",
            "AGE",
            "CLUSTER-IP",
            "INTERNAL-IP",
            "1/1",
            "Running",
            "2",
            "(3d",
            "ago)",
            "13d",
            "LoadBalancer",
            "Ready",
            "v1.31.0",
            "<none>",
            "[{",
            "}]",
            "{\"items\":[",
            "\"kind\":",
            "\"Pod\"",
            ",",
            "name,address",
            "\u{feff}",
            "\\",
            "::ffff:192.0.2.1/96",
            "\t",
            "  ",
            "é",
        ])
        .prop_map(ToOwned::to_owned),
        "\\PC{0,8}",
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s).{0,400}", command in ".{0,60}") {
        let _ = resolve(parse(&command, Some("node1"), &text, u64::MAX));
    }

    #[test]
    fn no_mixture_of_known_words_makes_the_reader_panic(
        lines in prop::collection::vec(line(), 0..12),
    ) {
        let _ = resolve(parse("", None, &lines.join("\n"), 1));
    }

    #[test]
    fn no_cut_makes_the_reader_panic(cut in 0..4_000usize) {
        let text = [
            fixture!("founding/ip-addr.json"),
            fixture!("founding/pods.txt"),
            fixture!("founding/services.txt"),
        ]
        .concat();
        let start = cut.min(text.len());
        let _ = resolve(parse("", None, &text[start..], 1));
        let _ = resolve(parse("", None, &text[..start], 1));
    }
}
