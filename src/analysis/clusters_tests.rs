//! Clusters beside captures: what of them counts.

use super::*;
use crate::model::cluster::{AddressPool, ServicePort, TrafficPolicy, Transport};
use crate::model::time::Timestamp;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn fact(address: &str, role: Role, node: Option<&str>, pod: Option<&str>) -> AddressFact {
    AddressFact {
        address: ip(address),
        role,
        node: node.map(str::to_owned),
        pod: pod.map(str::to_owned),
        source: FactSource::Kubernetes,
        reason: "stated".to_owned(),
    }
}

/// A cluster with one dual-stack node, pod and service; `site` tells its own
/// addresses from those of other clusters, the pod's are the same everywhere.
fn cluster(name: &str, site: u8) -> ClusterFacts {
    let node = format!("{name}-node1");
    let node = Some(node.as_str());
    let (vip4, vip6) = (format!("192.0.2.{site}"), format!("2001:db8:{site}::10"));
    let service = ServiceFact {
        name: "ss/tftp".to_owned(),
        cluster: Some(name.to_owned()),
        vips: vec![ip(&vip4), ip(&vip6)],
        cluster_ips: Vec::new(),
        ports: vec![ServicePort { transport: Transport::Udp, number: 69 }],
        external_traffic_policy: Some(TrafficPolicy::Local),
        internal_traffic_policy: None,
        announcer: None,
        vip_node: None,
        has_egress: false,
    };
    let pool = |network: &str| AddressPool {
        name: "pods".to_owned(),
        cluster: Some(name.to_owned()),
        network: network.parse().unwrap(),
        nat_outgoing: true,
    };
    ClusterFacts {
        cluster: name.to_owned(),
        at: Timestamp::from_seconds(1_700_000_000),
        facts: Facts {
            addresses: vec![
                fact(&format!("198.51.100.{site}"), Role::Node, node, None),
                fact(&format!("2001:db8:{site}::4"), Role::Node, node, None),
                fact("203.0.113.7", Role::Pod, node, Some("ss/tftp-0")),
                fact("2001:db8:ffff::7", Role::Pod, node, Some("ss/tftp-0")),
                fact("203.0.113.8", Role::Pod, node, Some("ss/other")),
                fact(&vip4, Role::Vip, None, None),
                fact(&vip6, Role::Vip, None, None),
            ],
            services: vec![service],
            pools: vec![pool("203.0.113.0/24"), pool("2001:db8:ffff::/64"), pool("10.0.0.0/8")],
            ..Facts::default()
        },
    }
}

fn told(clusters: Vec<ClusterFacts>, used: &[&str], known: &Facts) -> Vec<String> {
    let used = used.iter().map(|text| ip(text)).collect();
    let facts = concerning(clusters, &used, known);
    let mut told: Vec<String> = facts
        .addresses
        .iter()
        .map(|fact| {
            let node = fact.node.as_deref().unwrap_or("-");
            let pod = fact.pod.as_deref().unwrap_or("-");
            format!("{} {} {node} {pod}", fact.address, fact.role.as_token())
        })
        .collect();
    told.sort();
    told
}

#[test]
fn only_what_the_packets_touch_is_told_with_its_other_family() {
    let nothing = Facts::default();
    let cases: [(&[&str], &[&str]); 4] = [
        (&[], &[]),
        (&["192.0.2.77"], &[]),
        (
            &["203.0.113.7"],
            &[
                "198.51.100.1 node a-node1 -",
                "2001:db8:1::4 node a-node1 -",
                "2001:db8:ffff::7 pod a-node1 ss/tftp-0",
                "203.0.113.7 pod a-node1 ss/tftp-0",
            ],
        ),
        (&["2001:db8:1::10"], &["192.0.2.1 vip - -", "2001:db8:1::10 vip - -"]),
    ];
    for (used, expected) in cases {
        assert_eq!(told(vec![cluster("a", 1)], used, &nothing), expected, "{used:?}");
    }
}

#[test]
fn services_and_pools_come_with_their_addresses_and_reasons_with_the_cluster() {
    for (vip, pod) in [("192.0.2.1", "203.0.113.7"), ("2001:db8:1::10", "2001:db8:ffff::7")] {
        let used = [ip(vip), ip(pod)].into_iter().collect();
        let facts = concerning(vec![cluster("a", 1)], &used, &Facts::default());
        assert_eq!(facts.services.len(), 1, "{vip}");
        assert_eq!(facts.pools.len(), 2, "{vip}");
        for fact in &facts.addresses {
            let expected = "stated, cluster a, 2023-11-14T22:13:20.000000Z";
            assert_eq!(fact.reason, expected, "{}", fact.address);
        }
    }
}

#[test]
fn an_address_of_two_clusters_has_no_names_unless_one_of_them_takes_part() {
    let both = || vec![cluster("a", 1), cluster("b", 2)];
    let nothing = Facts::default();
    for (pod, vip, other) in [
        ("203.0.113.7", "192.0.2.2", "2001:db8:ffff::7"),
        ("2001:db8:ffff::7", "2001:db8:2::10", "203.0.113.7"),
    ] {
        assert_eq!(told(both(), &[pod], &nothing), [format!("{pod} pod - -")]);
        let told = told(both(), &[pod, vip], &nothing);
        assert!(told.contains(&format!("{pod} pod b-node1 ss/tftp-0")), "{told:?}");
        assert!(told.contains(&format!("{other} pod b-node1 ss/tftp-0")), "{told:?}");
        assert!(told.iter().all(|line| !line.contains("a-node1")), "{told:?}");
    }
    let mut other = cluster("b", 2);
    other.facts.addresses[2].role = Role::Vip;
    let clusters = vec![cluster("a", 1), other];
    assert!(told(clusters, &["203.0.113.7"], &nothing).is_empty());
}

#[test]
fn an_inventory_of_the_capture_counts_more_than_the_cluster_of_now() {
    for (pod, other) in [("203.0.113.7", "2001:db8:ffff::7"), ("2001:db8:ffff::7", "203.0.113.7")] {
        let of_then = |node: &str| Facts {
            addresses: vec![fact(pod, Role::Pod, Some(node), Some("ss/older"))],
            ..Facts::default()
        };
        let same = told(vec![cluster("a", 1)], &[pod], &of_then("a-node1"));
        assert!(same.iter().all(|line| !line.starts_with(pod)), "{same:?}");
        assert!(same.contains(&format!("{other} pod a-node1 ss/tftp-0")), "{same:?}");
        let foreign = told(vec![cluster("a", 1)], &[pod], &of_then("elsewhere"));
        assert!(foreign.is_empty(), "{foreign:?}");
    }
}
