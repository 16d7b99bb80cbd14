//! Device lists as people keep them.

use crate::model::topology::Facts;
use crate::topology::{parse, resolve};

/// Devices as `name: addresses`, then roles as `address role node`, or with the pod.
fn says(facts: &Facts) -> Vec<String> {
    let devices = facts.devices.iter().map(|device| {
        let addresses: Vec<String> = device.addresses.iter().map(ToString::to_string).collect();
        format!("{}: {}", device.name, addresses.join(" "))
    });
    let roles = facts.addresses.iter().map(|fact| {
        let (node, pod) = (fact.node.as_deref(), fact.pod.as_deref());
        let named = node.or(pod).unwrap_or("-");
        format!("{} {} {named}", fact.address, fact.role.as_token())
    });
    devices.chain(roles).collect()
}

#[test]
fn lists_are_read_whatever_their_form() {
    let cases: [(&str, &str, &[&str]); 17] = [
        (
            "rows of one name join",
            "name,address,role\nsw,192.0.2.1,device\nsw,2001:db8::1,device\n",
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "several in one cell",
            "hostname,addresses\nsw,192.0.2.1;2001:db8::1|192.0.2.2 2001:db8::2\n",
            &["sw: 192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2"],
        ),
        (
            "commas in a quoted cell",
            "device,ip\nsw,\"192.0.2.1, 2001:db8::1\"\n",
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "a column per family",
            "Name;IPv4;IPv6;Site\nsw;192.0.2.1;2001:db8::1;attic\n",
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "tabs and a byte order mark",
            "\u{feff}Management IP\tName\r\n192.0.2.1\tsw\r\n2001:db8::1\tsw\r\n",
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "prefix lengths",
            "name,primary_ip4,primary_ip6\nsw,192.0.2.1/24,2001:db8::1/64\n",
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        ("IPv4-mapped", "name,address\nsw,::ffff:192.0.2.1\nsw,192.0.2.1\n", &["sw: 192.0.2.1"]),
        (
            "no names",
            "address\n192.0.2.1\n2001:db8::1\n",
            &["192.0.2.1: 192.0.2.1", "2001:db8::1: 2001:db8::1"],
        ),
        (
            "comments and blank lines",
            "# devices\n\nname,address\n# old\n\nsw,192.0.2.1\nsw,2001:db8::1\n",
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "other roles",
            "name,address,role\nn1,192.0.2.1,node\nns/p,2001:db8::7,Pod\nv,192.0.2.9,vip\nv,2001:db8::9,vip\n",
            &["192.0.2.1 node n1", "2001:db8::7 pod ns/p", "192.0.2.9 vip -", "2001:db8::9 vip -"],
        ),
        (
            "JSON, array",
            r#"[{"name":"sw","address":"192.0.2.1"},{"name":"sw","addresses":["2001:db8::1"]}]"#,
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "JSON, roles",
            r#"[{"name":"v","address":"192.0.2.9","role":"vip"},{"name":"v","address":"2001:db8::9","role":"vip"}]"#,
            &["192.0.2.9 vip -", "2001:db8::9 vip -"],
        ),
        (
            "JSON, names to an address",
            r#"{"sw":"192.0.2.1","sw2":"2001:db8::1"}"#,
            &["sw: 192.0.2.1", "sw2: 2001:db8::1"],
        ),
        (
            "JSON, names to addresses",
            r#"{"sw":["192.0.2.1","2001:db8::1"]}"#,
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "JSON, names to objects",
            r#"{"v":{"addresses":["192.0.2.9","2001:db8::9"],"role":"vip"}}"#,
            &["192.0.2.9 vip -", "2001:db8::9 vip -"],
        ),
        (
            "JSON, one device",
            r#"{"name":"sw","address":"192.0.2.1","addresses":["2001:db8::1"]}"#,
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            "JSON, under a member",
            r#"{"devices":[{"hostname":"sw","ip":"192.0.2.1 2001:db8::1"}]}"#,
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
    ];
    for (name, text, expected) in cases {
        let facts = parse("", None, text, 1);
        assert_eq!(facts.faults, [], "{name}");
        assert_eq!(says(&facts), expected, "{name}");
    }
}

#[test]
fn a_bad_entry_is_a_fault_and_the_rest_counts() {
    let cases: [(&str, &[&str], &[&str]); 5] = [
        (
            "# list\nname,address,role\nsw,192.0.2.1,\nsw,192.0.2.300,\nsw2,,\nsw,2001:db8::1,access switch\n",
            &[
                "line 13: expected an IPv4 or IPv6 address, found '192.0.2.300'",
                "line 14: expected an address, found none in 'sw2,,'",
                "line 15: expected a role (device, vip, node, pod, service, multicast, broadcast, external, unknown), found 'access switch'; taken as a device",
            ],
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            r#"[{"name":"sw","address":"192.0.2.1"},{"name":"sw2"},7,{"name":"sw","address":"2001:db8::1"}]"#,
            &[
                "line 10: entry 2: expected the member address or addresses, found none",
                "line 10: entry 3: expected an object with the members name and address",
            ],
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            r#"{"sw":"192.0.2.1","sw2":"soon","sw3":"2001:db8::1"}"#,
            &["line 10: sw2: expected an IPv4 or IPv6 address, found 'soon'"],
            &["sw: 192.0.2.1", "sw3: 2001:db8::1"],
        ),
        (
            r#"[{"name":"sw","address":"192.0.2.1"},{"name":"sw","address":"2001:db8::1"},{"name":"#,
            &[
                "line 10: damaged JSON, 2 complete elements were read: EOF while parsing a value in column 83",
            ],
            &["sw: 192.0.2.1 2001:db8::1"],
        ),
        (
            r#"{"level":"info","msg":"started"}"#,
            &[
                "line 10: expected links, routes, Kubernetes objects or a device list, found other JSON",
            ],
            &[],
        ),
    ];
    for (text, faults, expected) in cases {
        let facts = parse("", None, text, 10);
        let actual: Vec<String> = facts.faults.iter().map(ToString::to_string).collect();
        assert_eq!(actual, faults, "{text}");
        assert_eq!(says(&facts), expected, "{text}");
    }
}

#[test]
fn a_listed_device_is_found_by_each_of_its_addresses() {
    let text = include_str!("../../tests/fixtures/topology/devices/devices.csv");
    let topology = resolve(parse("", None, text, 1));
    let cases = [
        ("192.168.101.254", Some("edge-sw-4")),
        ("192.168.101.201", Some("edge-sw-4")),
        ("2000::65:119", Some("edge-sw-6")),
        ("2000::65:201", Some("edge-sw-6")),
        ("192.0.2.1", None),
        ("2001:db8::1", None),
    ];
    for (address, name) in cases {
        let address = address.parse().unwrap();
        let device = topology.device_of(address).map(|device| device.name.as_str());
        assert_eq!(device, name, "{address}");
        let role = if name.is_some() { "device" } else { "unknown" };
        assert_eq!(topology.role_of(address).as_token(), role, "{address}");
    }
}

#[test]
fn the_first_line_of_excel_is_no_row() {
    for text in [
        "sep=;\nname;address\nsw1;192.0.2.9\nsw1;2001:db8::9\n",
        "SEP=,\nname,address\nsw1,192.0.2.9\nsw1,2001:db8::9\n",
    ] {
        let facts = parse("", None, text, 1);
        assert_eq!(facts.faults, []);
        let [device] = &facts.devices[..] else { panic!("{text}") };
        assert_eq!((device.name.as_str(), device.addresses.len()), ("sw1", 2), "{text}");
    }
}
