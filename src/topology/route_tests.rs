//! What routes say, as text and as JSON.

use crate::topology::parse;

/// Links and roles as short texts: `cali1>192.0.2.1`, `192.0.2.1 pod`.
fn says(text: &str) -> Vec<String> {
    let facts = parse("", Some("node1"), text, 1);
    assert_eq!(facts.faults, [], "{text}");
    let links = facts.links.iter().map(|link| format!("{}>{}", link.interface, link.leads_to));
    let roles =
        facts.addresses.iter().map(|fact| format!("{} {}", fact.address, fact.role.as_token()));
    let networks = facts.networks.iter().map(|fact| format!("{} {}", fact.network, fact.interface));
    links.chain(roles).chain(networks).collect()
}

#[test]
fn routes_tell_pods_and_the_nodes_own_addresses() {
    let cases: [(&str, &[&str]); 30] = [
        (
            "192.0.2.1 dev cali928cc4cd898 scope link",
            &["cali928cc4cd898>192.0.2.1", "192.0.2.1 pod"],
        ),
        (
            "2001:db8::1 dev cali928cc4cd898 metric 1024 pref medium",
            &["cali928cc4cd898>2001:db8::1", "2001:db8::1 pod"],
        ),
        (
            "192.0.2.1/32 dev eni8ea2c11fe35 scope link",
            &["eni8ea2c11fe35>192.0.2.1", "192.0.2.1 pod"],
        ),
        ("2001:db8::1/128 dev veth12ab proto static", &["veth12ab>2001:db8::1", "2001:db8::1 pod"]),
        (
            "unicast 192.0.2.1 dev cali1 proto boot scope link",
            &["cali1>192.0.2.1", "192.0.2.1 pod"],
        ),
        // A link whose name says nothing leads somewhere, but to what is unknown.
        ("192.0.2.1 dev net7 scope link", &["net7>192.0.2.1"]),
        ("2001:db8::1 dev net7 metric 1024", &["net7>2001:db8::1"]),
        ("192.0.2.1 dev net7 scope link\ndefault via 192.0.2.1 dev net7", &[]),
        ("2001:db8::1 dev net7 metric 1024\ndefault via 2001:db8::1 dev net7", &[]),
        // A cloud's uplink, the node's own addresses, tunnels: no cables.
        ("192.0.2.1 dev eth0 proto dhcp scope link", &[]),
        ("2001:db8::1 dev eth0 metric 1024", &[]),
        ("2001:db8::1 dev net7 proto kernel metric 256 pref medium", &[]),
        ("192.0.2.1 dev cilium_host scope link", &[]),
        ("192.0.2.0/26 via 198.51.100.2 dev tunl0 proto bird onlink", &[]),
        ("2001:db8::/122 via 2001:db8:1::2 dev vxlan-v6.calico proto 80", &[]),
        (
            "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1 metric 100",
            &["192.0.2.1 node", "192.0.2.0/24 eth0"],
        ),
        ("2001:db8::/64 dev eth0 proto kernel metric 256 pref medium", &["2001:db8::/64 eth0"]),
        (
            "default via 192.0.2.254 dev eth0 proto dhcp src 192.0.2.1 metric 100",
            &["192.0.2.1 node"],
        ),
        ("default via fe80::1 dev eth0 proto ra src 2001:db8::1", &["2001:db8::1 node"]),
        // The known cure for a multi-homed answerer names the VIP as source.
        (
            "198.51.100.0/24 via 192.0.2.254 dev eth0 src 192.0.2.9\n192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1",
            &["192.0.2.1 node", "192.0.2.0/24 eth0"],
        ),
        (
            "local 192.0.2.1 dev eth0 table local proto kernel scope host src 192.0.2.1",
            &["192.0.2.1 node"],
        ),
        (
            "local 2001:db8::1 dev eth0 table local proto kernel metric 0 pref medium",
            &["2001:db8::1 node"],
        ),
        (
            "local 2001:db8::9 dev eth0 table local proto kernel metric 0\n2001:db8::9 dev eth0 proto kernel metric 256",
            &[],
        ),
        (
            "local 192.0.2.9 dev kube-ipvs0 table local proto kernel scope host src 192.0.2.9",
            &["192.0.2.9 service"],
        ),
        ("local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1", &[]),
        (
            "broadcast 192.0.2.255 dev eth0 table local proto kernel scope link src 192.0.2.1",
            &["192.0.2.255 broadcast"],
        ),
        ("blackhole 192.0.2.0/26 proto bird", &[]),
        ("blackhole 2001:db8::/122 dev lo metric 1024 pref medium", &[]),
        ("unreachable default dev lo metric 4294967295 error -101", &[]),
        ("multicast ff00::/8 dev eth0 table local proto kernel metric 256", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(says(text), expected, "{text}");
    }
}

#[test]
fn json_says_what_the_text_says() {
    let text = "default via 192.0.2.254 dev eth0\n192.0.2.7 dev cali1 scope link\n192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1\n2001:db8::7 dev cali1 metric 1024\n2001:db8::/64 dev eth0 proto kernel metric 256\nblackhole 198.51.100.0/26\n";
    let json = r#"[{"dst":"default","gateway":"192.0.2.254","dev":"eth0","flags":[]},
        {"dst":"192.0.2.7","dev":"cali1","scope":"link","flags":[]},
        {"dst":"192.0.2.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.0.2.1","flags":[]},
        {"dst":"2001:db8::7","dev":"cali1","metric":1024,"flags":[],"pref":"medium"},
        {"dst":"2001:db8::/64","dev":"eth0","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},
        {"type":"blackhole","dst":"198.51.100.0/26","flags":[]}]"#;
    assert_eq!(parse("ip route", None, text, 1), parse("ip -j route", None, json, 1));
    assert_eq!(says(json).len(), 7);
}
