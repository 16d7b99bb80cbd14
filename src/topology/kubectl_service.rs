//! What a Service says beside its addresses, and pools of pod addresses.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::address::parse_address;
use super::kubectl_object::{Object, ObjectReading, text_of};
use crate::model::cluster::{
    AddressPool, Announcer, ServiceFact, ServicePort, TrafficPolicy, Transport,
};

/// Annotations with the addresses that the owner asks kube-vip, MetalLB or
/// Cilium for, or that they gave, separated by commas.
pub const VIP_ANNOTATIONS: [&str; 5] = [
    "kube-vip.io/loadbalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
    "metallb.io/loadBalancerIPs",
    "io.cilium/lb-ipam-ips",
    "lbipam.cilium.io/ips",
];

/// The node that kube-vip chose for a service's addresses.
pub fn find_vip_node<'a>(object: &Object<'a>) -> Option<&'a str> {
    object.annotation("kube-vip.io/vipHost").filter(|node| !node.is_empty())
}

/// Reads a Service; words that are no addresses are faults of its addresses
/// already.
pub fn read_service(object: &Object<'_>, reading: &mut ObjectReading<'_>) {
    let mut vips = addresses(object.texts("/spec/externalIPs", ""));
    vips.extend(addresses(object.texts("/status/loadBalancer/ingress", "ip")));
    vips.extend(addresses(object.text("/spec/loadBalancerIP")));
    for annotation in VIP_ANNOTATIONS {
        let words = object.annotation(annotation).unwrap_or_default();
        vips.extend(addresses(words.split(',').map(str::trim)));
    }
    let mut cluster_ips = addresses(object.texts("/spec/clusterIPs", ""));
    cluster_ips.extend(addresses(object.text("/spec/clusterIP")));
    for list in [&mut vips, &mut cluster_ips] {
        list.sort_unstable();
        list.dedup();
    }
    let policy = |pointer| object.text(pointer).and_then(TrafficPolicy::find_token);
    reading.facts.services.push(ServiceFact {
        name: object.name(),
        cluster: None,
        vips,
        cluster_ips,
        ports: object.elements("/spec/ports").iter().filter_map(find_port).collect(),
        external_traffic_policy: policy("/spec/externalTrafficPolicy"),
        internal_traffic_policy: policy("/spec/internalTrafficPolicy"),
        announcer: find_announcer(object),
        vip_node: find_vip_node(object).map(ToOwned::to_owned),
        has_egress: object.annotation("kube-vip.io/egress") == Some("true"),
    });
}

/// Reads a pool of Calico's: `natOutgoing` is off where it is not set.
pub fn read_pool(object: &Object<'_>, reading: &mut ObjectReading<'_>) {
    let Some(word) = object.text("/spec/cidr") else { return };
    match word.parse::<IpNet>() {
        Ok(network) => reading.facts.pools.push(AddressPool {
            name: object.name(),
            cluster: None,
            network: network.trunc(),
            nat_outgoing: object.at("/spec/natOutgoing") == Some(&Value::Bool(true)),
        }),
        Err(_) => reading.faults.push(format!(
            "{} {}: expected a network such as 192.0.2.0/24, found '{}'",
            object.kind,
            object.name(),
            super::address::excerpt(word)
        )),
    }
}

fn addresses<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<IpAddr> {
    words.into_iter().filter_map(|word| parse_address(word).ok()).collect()
}

/// The API leaves `protocol` away for TCP only where a client did; it defaults to TCP.
fn find_port(port: &Value) -> Option<ServicePort> {
    let transport = match text_of(port, "protocol").unwrap_or("TCP") {
        "UDP" => Transport::Udp,
        "TCP" => Transport::Tcp,
        "SCTP" => Transport::Sctp,
        _ => return None,
    };
    let number = port.get("port").and_then(Value::as_u64)?;
    Some(ServicePort { transport, number: u16::try_from(number).ok()? })
}

/// By the class that the service asks for, else by the notes that announcers
/// leave on the services which they serve.
fn find_announcer(object: &Object<'_>) -> Option<Announcer> {
    let class = object.text("/spec/loadBalancerClass").into_iter();
    let notes = object.at("/metadata/annotations").and_then(Value::as_object);
    let notes = notes.into_iter().flat_map(|notes| notes.keys().map(String::as_str));
    class.chain(notes).find_map(|name| {
        let (domain, _) = name.split_once('/')?;
        match domain {
            "kube-vip.io" => Some(Announcer::KubeVip),
            "metallb.io" | "metallb.universe.tf" => Some(Announcer::MetalLb),
            "io.cilium" | "lbipam.cilium.io" => Some(Announcer::Cilium),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::parse;

    const SERVICE: &str = r#"{"kind":"Service","metadata":{"name":"tftp","namespace":"ss","annotations":NOTES},
        "spec":{"type":"LoadBalancer","clusterIPs":["198.51.100.9","2001:db8:96::9"],
            "externalTrafficPolicy":"Local","internalTrafficPolicy":"Cluster",
            "ports":[{"port":69,"protocol":"UDP"},{"port":80}]},
        "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.9"},{"ip":"2001:db8::9"}]}}}"#;

    #[test]
    fn services_say_how_they_pass_traffic_on() {
        let cases = [
            (
                r#"{"kube-vip.io/vipHost":"node3","kube-vip.io/egress":"true"}"#,
                Some(Announcer::KubeVip),
            ),
            (r#"{"metallb.io/ip-allocated-from-pool":"lab"}"#, Some(Announcer::MetalLb)),
            (
                r#"{"metallb.universe.tf/loadBalancerIPs":"192.0.2.9,2001:db8::9"}"#,
                Some(Announcer::MetalLb),
            ),
            (r#"{"io.cilium/lb-ipam-ips":"192.0.2.9"}"#, Some(Announcer::Cilium)),
            (r#"{"example.org/kube-vip.io":"x"}"#, None),
        ];
        for (notes, announcer) in cases {
            let facts = parse("", None, &SERVICE.replace("NOTES", notes), 1);
            assert_eq!(facts.faults, [], "{notes}");
            let [service] = facts.services.as_slice() else { panic!("{:?}", facts.services) };
            assert_eq!(service.announcer, announcer, "{notes}");
            assert_eq!(service.external_traffic_policy, Some(TrafficPolicy::Local));
            assert_eq!(service.internal_traffic_policy, Some(TrafficPolicy::Cluster));
            assert_eq!(service.has_egress, notes.contains("egress"));
            assert_eq!(service.vip_node.as_deref(), notes.contains("vipHost").then_some("node3"));
            let cases = [
                ("192.0.2.9", 69, true),
                ("2001:db8::9", 69, true),
                ("198.51.100.9", 69, true),
                ("2001:db8:96::9", 69, true),
                ("192.0.2.9", 80, false),
                ("2001:db8::9", 80, false),
                ("192.0.2.8", 69, false),
                ("2001:db8::8", 69, false),
            ];
            for (address, port, expected) in cases {
                let serves = service.serves_udp(address.parse().unwrap(), port);
                assert_eq!(serves, expected, "{address} {port}");
            }
        }
    }

    #[test]
    fn a_vip_is_on_the_node_that_kube_vip_chose() {
        let text = SERVICE.replace("NOTES", r#"{"kube-vip.io/vipHost":"node3"}"#);
        let facts = parse("", None, &text, 1);
        for address in ["192.0.2.9", "2001:db8::9"] {
            let address: IpAddr = address.parse().unwrap();
            let fact = facts.addresses.iter().find(|fact| fact.address == address).unwrap();
            assert_eq!(fact.node.as_deref(), Some("node3"), "{address}");
        }
    }

    #[test]
    fn pools_say_whether_pods_leave_with_the_nodes_address() {
        let pool = |cidr: &str, rest: &str| {
            format!(
                r#"{{"kind":"IPPool","metadata":{{"name":"p"}},"spec":{{"cidr":"{cidr}"{rest}}}}}"#
            )
        };
        let cases = [
            ("198.51.100.0/24", r#","natOutgoing":true"#, Some(true)),
            ("2001:db8:1::/64", r#","natOutgoing":true"#, Some(true)),
            ("198.51.100.0/24", "", Some(false)),
            ("2001:db8:1::/64", r#","natOutgoing":false"#, Some(false)),
            ("somewhere", "", None),
        ];
        for (cidr, rest, expected) in cases {
            let facts = parse("", None, &pool(cidr, rest), 1);
            let found = facts.pools.first().map(|pool| pool.nat_outgoing);
            assert_eq!(found, expected, "{cidr}{rest}");
            assert_eq!(facts.faults.is_empty(), expected.is_some(), "{cidr}");
        }
    }
}
