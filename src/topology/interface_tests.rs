//! The roles of addresses on links, by what `ip addr` prints.

use std::net::IpAddr;

use crate::model::topology::Role;
use crate::topology::parse;

/// The role of each address, in the order of the text.
fn roles(command: &str, text: &str) -> Vec<(String, Role)> {
    let facts = parse(command, Some("node1"), text, 1);
    assert_eq!(facts.faults, [], "{text}");
    facts.addresses.iter().map(|fact| (fact.address.to_string(), fact.role)).collect()
}

use Role::{Node, Service, Vip};

#[test]
fn ifconfig_of_all_systems_says_the_same() {
    let linux = "eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500
        inet 192.0.2.13  netmask 255.255.255.0  broadcast 192.0.2.255
        inet6 2001:db8::13  prefixlen 64  scopeid 0x0<global>
        ether 02:00:00:00:00:01  txqueuelen 1000  (Ethernet)

eth0:vip: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500
        inet 192.0.2.21  netmask 255.255.255.255  broadcast 0.0.0.0
        inet6 2001:db8::21  prefixlen 128  scopeid 0x0<global>
";
    let old = "eth0      Link encap:Ethernet  HWaddr 02:00:00:00:00:01
          inet addr:192.0.2.13  Bcast:192.0.2.255  Mask:255.255.255.0
          inet6 addr: 2001:db8::13/64 Scope:Global
          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1

eth0:vip  Link encap:Ethernet  HWaddr 02:00:00:00:00:01
          inet addr:192.0.2.21  Bcast:0.0.0.0  Mask:255.255.255.255
          inet6 addr: 2001:db8::21/128 Scope:Global
";
    let bsd = "em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tinet 192.0.2.13 netmask 0xffffff00 broadcast 192.0.2.255
\tinet6 2001:db8::13%em0 prefixlen 64 scopeid 0x1
\tinet 192.0.2.21 netmask 0xffffffff broadcast 192.0.2.21
\tinet6 2001:db8::21 prefixlen 128
";
    for text in [linux, old, bsd] {
        for command in ["", "ifconfig"] {
            let mut found = roles(command, text);
            found.sort_by(|one, other| one.0.cmp(&other.0));
            let expected = [
                ("192.0.2.13", Node),
                ("192.0.2.21", Vip),
                ("2001:db8::13", Node),
                ("2001:db8::21", Vip),
            ]
            .map(|(address, role)| (address.to_owned(), role));
            assert_eq!(found, expected, "{text}");
        }
    }
}

const ETH0: &str = "2: eth0: <UP> mtu 1500 state UP\n";

/// What, heading, lines, roles in the order of the lines.
const ROLES: &[(&str, &str, &str, &[Role])] = &[
    (
        "VIP first, IPv4",
        ETH0,
        "inet 192.0.2.9/32 scope global eth0\ninet 192.0.2.1/24 scope global eth0",
        &[Vip, Node],
    ),
    (
        "VIP first, IPv6",
        ETH0,
        "inet6 2001:db8::9/128 scope global\ninet6 2001:db8::1/64 scope global",
        &[Vip, Node],
    ),
    (
        "other family is not beside, IPv4",
        ETH0,
        "inet 192.0.2.9/32 scope global eth0\ninet6 2001:db8::1/64 scope global",
        &[Node, Node],
    ),
    (
        "other family is not beside, IPv6",
        ETH0,
        "inet6 2001:db8::9/128 scope global\ninet 192.0.2.1/24 scope global eth0",
        &[Node, Node],
    ),
    (
        "link-local is not beside",
        ETH0,
        "inet6 2001:db8::9/128 scope global\ninet6 fe80::1/64 scope link",
        &[Node],
    ),
    ("lone host address, IPv4", ETH0, "inet 192.0.2.9/32 scope global dynamic eth0", &[Node]),
    ("lone host address, IPv6", ETH0, "inet6 2001:db8::9/128 scope global", &[Node]),
    (
        "deprecated wide prefix, IPv4",
        ETH0,
        "inet 192.0.2.9/24 scope global deprecated eth0\nvalid_lft forever preferred_lft 0sec\ninet 192.0.2.1/24 scope global secondary eth0",
        &[Vip, Node],
    ),
    (
        "deprecated wide prefix, IPv6",
        ETH0,
        "inet6 2001:db8::9/64 scope global deprecated\nvalid_lft forever preferred_lft 0sec\ninet6 2001:db8::1/64 scope global",
        &[Vip, Node],
    ),
    (
        "deprecated by its lifetime alone",
        ETH0,
        "inet6 2001:db8::9/64 scope global\nvalid_lft forever preferred_lft 0sec\ninet6 2001:db8::1/64 scope global",
        &[Vip, Node],
    ),
    (
        "deprecated, but the only one, IPv4",
        ETH0,
        "inet 192.0.2.9/32 scope global deprecated eth0",
        &[Node],
    ),
    (
        "deprecated, but the only one, IPv6",
        ETH0,
        "inet6 2001:db8::9/128 scope global deprecated",
        &[Node],
    ),
    (
        "DHCPv6 lease",
        ETH0,
        "inet6 2001:db8::9/128 scope global dynamic noprefixroute\nvalid_lft 3000sec preferred_lft 2000sec\ninet6 2001:db8::1/64 scope global dynamic mngtmpaddr",
        &[Node, Node],
    ),
    (
        "DHCP lease of a cloud",
        ETH0,
        "inet 192.0.2.9/32 metric 100 scope global dynamic eth0\ninet 198.51.100.1/24 scope global eth0",
        &[Node, Node],
    ),
    (
        "old privacy address",
        ETH0,
        "inet6 2001:db8::9/64 scope global temporary deprecated dynamic\nvalid_lft 3000sec preferred_lft 0sec\ninet6 2001:db8::1/64 scope global dynamic mngtmpaddr",
        &[Node, Node],
    ),
    (
        "secondary of the same network, IPv4",
        ETH0,
        "inet 192.0.2.1/24 scope global eth0\ninet 192.0.2.9/24 scope global secondary eth0",
        // keepalived's or the node's own: packets may tell.
        &[Node],
    ),
    (
        "a virtual router's link, IPv4",
        "2: eth0: <UP>\ninet 192.0.2.1/24 scope global eth0\n5: vrrp.51@eth0: <UP>\n",
        "inet 192.0.2.9/32 scope global vrrp.51",
        &[Node, Vip],
    ),
    (
        "a virtual router's link, IPv6",
        "2: eth0: <UP>\ninet6 2001:db8::1/64 scope global\n5: vrrp6-2-1@eth0: <UP>\n",
        "inet6 2001:db8::9/64 scope global",
        &[Node, Vip],
    ),
    (
        "CARP, IPv4",
        "igb0: flags=8943<UP> metric 0 mtu 1500\n",
        "inet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255\ninet 192.0.2.9 netmask 0xffffff00 broadcast 192.0.2.255 vhid 1",
        &[Node, Vip],
    ),
    (
        "CARP, IPv6",
        "igb0: flags=8943<UP> metric 0 mtu 1500\n",
        "inet6 2001:db8::1 prefixlen 64\ninet6 2001:db8::9 prefixlen 64 vhid 1",
        &[Node, Vip],
    ),
    (
        "point to point, IPv4",
        "4: ppp0: <UP>\n",
        "inet 192.0.2.1 peer 192.0.2.2/32 scope global ppp0",
        &[Node],
    ),
    (
        "point to point, IPv6",
        "4: wg0: <UP>\n",
        "inet6 2001:db8::1 peer 2001:db8::2/128 scope global",
        &[Node],
    ),
    (
        "loopback VIP, IPv4",
        "1: lo: <UP>\n",
        "inet 127.0.0.1/8 scope host lo\ninet 192.0.2.9/32 scope global lo",
        &[Vip],
    ),
    (
        "loopback VIP, IPv6",
        "1: lo: <UP>\n",
        "inet6 ::1/128 scope host\ninet6 2001:db8::9/128 scope global",
        &[Vip],
    ),
    (
        "routing on the host, IPv4",
        "1: lo: <UP>\n",
        "inet 192.0.2.9/32 scope global lo\n2: eth0: <UP>\ninet6 fe80::1/64 scope link",
        &[Node],
    ),
    (
        "routing on the host, IPv6",
        "1: lo: <UP>\n",
        "inet6 2001:db8::9/128 scope global\n2: eth0: <UP>\ninet6 fe80::1/64 scope link",
        &[Node],
    ),
    (
        "host scope",
        "1: lo: <UP>\n",
        "inet 192.0.2.9/32 scope host lo\ninet6 2001:db8::9/128 scope host",
        &[],
    ),
    (
        "overlay, IPv4",
        "5: tunl0@NONE: <UP>\n",
        "inet 192.0.2.9/32 scope global tunl0\ninet 192.0.2.1/24 scope global tunl0",
        &[Node, Node],
    ),
    (
        "overlay, IPv6",
        "5: vxlan-v6.calico: <UP>\n",
        "inet6 2001:db8::9/128 scope global\ninet6 2001:db8::1/64 scope global",
        &[Node, Node],
    ),
    (
        "IPVS, IPv4",
        "6: kube-ipvs0: <NOARP>\n",
        "inet 192.0.2.9/32 scope global kube-ipvs0",
        &[Service],
    ),
    ("IPVS, IPv6", "6: kube-ipvs0: <NOARP>\n", "inet6 2001:db8::9/128 scope global", &[Service]),
    ("duplicate address", ETH0, "inet6 2001:db8::9/64 scope global dadfailed tentative", &[]),
    (
        "IPv4-mapped",
        ETH0,
        "inet6 ::ffff:192.0.2.9/128 scope global\ninet 192.0.2.1/24 scope global eth0",
        &[Vip, Node],
    ),
    (
        "ifconfig, IPv4",
        "eth0: flags=4163<UP>  mtu 1500\n",
        "inet 192.0.2.1  netmask 255.255.255.0  broadcast 192.0.2.255\neth0:1: flags=4163<UP>  mtu 1500\ninet 192.0.2.9  netmask 255.255.255.255  broadcast 0.0.0.0",
        &[Node, Vip],
    ),
    (
        "ifconfig, IPv6",
        "eth0: flags=4163<UP>  mtu 1500\n",
        "inet6 2001:db8::1  prefixlen 64  scopeid 0x0<global>\ninet6 2001:db8::9  prefixlen 128  scopeid 0x0<global>",
        &[Node, Vip],
    ),
];

#[test]
fn roles_follow_from_prefixes_flags_and_links() {
    for (name, heading, lines, expected) in ROLES {
        let actual: Vec<Role> =
            roles("", &format!("{heading}{lines}\n")).into_iter().map(|(_, role)| role).collect();
        assert_eq!(actual, *expected, "{name}");
    }
}

#[test]
fn every_way_to_print_addresses_is_read() {
    let cases = [
        (
            "one line each",
            "ip -o addr",
            "2: eth0    inet 192.0.2.1/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever preferred_lft forever\n2: eth0    inet 192.0.2.9/32 scope global eth0\\       valid_lft forever preferred_lft forever\n2: eth0    inet6 2001:db8::1/64 scope global \\       valid_lft forever preferred_lft forever\n2: eth0    inet6 2001:db8::9/128 scope global deprecated \\       valid_lft forever preferred_lft 0sec\n",
        ),
        (
            "brief",
            "ip -br addr",
            "lo               UNKNOWN        127.0.0.1/8 ::1/128\neth0@if2         UP             192.0.2.1/24 192.0.2.9/32 metric 100 2001:db8::1/64 2001:db8::9/128\nppp0             UNKNOWN        127.0.0.2 peer 127.0.0.3/32\n",
        ),
        (
            "filtered",
            "ip addr show eth0 | grep inet",
            "inet 192.0.2.1/24 scope global eth0\ninet 192.0.2.9/32 scope global eth0:vip\ninet6 2001:db8::1/64 scope global\ninet6 2001:db8::9/128 scope global deprecated\n",
        ),
        (
            "colours",
            "ip -c addr",
            "2: \u{1b}[36meth0: \u{1b}[0m<UP> state \u{1b}[32mUP\u{1b}[0m\n    inet \u{1b}[35m192.0.2.1\u{1b}[0m/24 scope global eth0\n    inet \u{1b}[35m192.0.2.9\u{1b}[0m/32 scope global eth0\n    inet6 \u{1b}[34m2001:db8::1\u{1b}[0m/64 scope global\n    inet6 \u{1b}[34m2001:db8::9\u{1b}[0m/128 scope global\n",
        ),
        (
            "carriage returns",
            "",
            "2: eth0: <UP>\r\n    inet 192.0.2.1/24 scope global eth0\r\n    inet 192.0.2.9/32 scope global eth0\r\n    inet6 2001:db8::1/64 scope global\r\n    inet6 2001:db8::9/128 scope global\r\n",
        ),
    ];
    for (name, command, text) in cases {
        let expected = [
            ("192.0.2.1".to_owned(), Role::Node),
            ("192.0.2.9".to_owned(), Role::Vip),
            ("2001:db8::1".to_owned(), Role::Node),
            ("2001:db8::9".to_owned(), Role::Vip),
        ];
        assert_eq!(roles(command, text), expected, "{name}");
    }
}

#[test]
fn a_lone_address_that_grep_left_over_stays_open() {
    let cases: [(&str, &[Role]); 4] = [
        ("inet 192.0.2.9/32 scope global eth0", &[]),
        ("inet6 2001:db8::9/128 scope global", &[]),
        ("inet6 2001:db8::9/128 scope global deprecated", &[Role::Vip]),
        ("inet 192.0.2.1/24 scope global eth0", &[Role::Node]),
    ];
    for (text, expected) in cases {
        let actual: Vec<Role> =
            roles("ip addr | grep global", text).into_iter().map(|(_, role)| role).collect();
        assert_eq!(actual, expected, "{text}");
    }
}

#[test]
fn reasons_say_what_was_seen() {
    let text = "2: eth0: <UP> state UP\ninet 192.0.2.1/24 scope global eth0\ninet 192.0.2.9/32 scope global eth0\ninet6 2001:db8::1/64 scope global\ninet6 2001:db8::9/128 scope global deprecated\nvalid_lft forever preferred_lft 0sec\ninet6 2001:db8::7/64 scope global temporary dynamic\n3: docker0: <UP> state DOWN\ninet 198.51.100.1/24 scope global docker0\n";
    let facts = parse("", None, text, 1);
    let reasons: Vec<&str> = facts.addresses.iter().map(|fact| fact.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "/24 on eth0",
            "/32 on eth0, beside 192.0.2.1/24",
            "/64 on eth0",
            "/128 and deprecated (preferred_lft 0sec) on eth0, beside 2001:db8::1/64",
            "/64 on eth0, temporary: it will change (RFC 8981)",
            "/24 on docker0, a link of the cluster's own network (the link is down)",
        ]
    );
    let temporary: IpAddr = "2001:db8::7".parse().unwrap();
    assert_eq!(facts.temporary, [temporary]);
}

#[test]
fn links_give_indexes_and_networks() {
    let text = "2: eth0@if5: <UP> state UP\ninet 192.0.2.1/24 scope global eth0\ninet6 2001:db8::1/64 scope global\ninet6 fe80::1/64 scope link\n";
    let facts = parse("ip addr", Some("node1"), text, 1);
    assert_eq!(facts.interfaces.len(), 1);
    assert_eq!((facts.interfaces[0].index, facts.interfaces[0].name.as_str()), (2, "eth0"));
    let networks: Vec<String> =
        facts.networks.iter().map(|fact| fact.network.to_string()).collect();
    assert_eq!(networks, ["192.0.2.0/24", "2001:db8::/64"]);
}

#[test]
fn inside_a_pod_all_addresses_are_the_pods() {
    let text = "3: eth0@if9: <UP>\ninet 192.0.2.1/32 scope global eth0\ninet6 2001:db8::1/128 scope global\n";
    let facts = parse("kubectl -n ss exec tftp-0 -- ip addr", Some("node1"), text, 1);
    for fact in &facts.addresses {
        assert_eq!((fact.role, fact.node.as_deref()), (Role::Pod, None));
        assert_eq!(fact.pod.as_deref(), Some("ss/tftp-0"));
    }
    assert_eq!((facts.addresses.len(), facts.interfaces.len(), facts.networks.len()), (2, 0, 0));
}

#[test]
fn an_unreadable_address_is_a_fault_and_the_rest_counts() {
    let text = "2: eth0: <UP>\ninet 192.0.2.1/33 scope global eth0\ninet6 2001:db8::1/64 scope global\ninet\n";
    let facts = parse("", None, text, 10);
    let faults: Vec<String> = facts.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "line 11: expected an IPv4 or IPv6 address, found '192.0.2.1/33'",
            "line 13: expected an address after 'inet', found the line's end",
        ]
    );
    assert_eq!(facts.addresses.len(), 1);
}
