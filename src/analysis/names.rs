//! Names that texts write where packets have addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use crate::model::stand_in::canonical;
use crate::model::topology::{Facts, Role};

/// What an inventory says of a name's address of one family, or of those of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<T = IpAddr> {
    One(T),
    Several,
    Nothing,
}

/// The addresses of pods, nodes and devices by their names.
#[derive(Debug, Default)]
pub struct Names {
    by_name: BTreeMap<String, Vec<IpAddr>>,
}

impl Names {
    /// All names that an inventory ties to addresses.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let mut names = Self::default();
        for fact in &facts.addresses {
            match fact.role {
                Role::Pod => {
                    if let Some(pod) = &fact.pod {
                        names.add(pod, fact.address);
                        if let Some((_, bare)) = pod.split_once('/') {
                            names.add(bare, fact.address);
                        }
                    }
                }
                Role::Node => {
                    if let Some(node) = &fact.node {
                        names.add(node, fact.address);
                    }
                }
                _ => {}
            }
        }
        for device in &facts.devices {
            for address in &device.addresses {
                names.add(&device.name, *address);
            }
        }
        for fact in &facts.hosts {
            names.add(&fact.name, fact.address);
        }
        names
    }

    /// What is known of `name` in one family. A name with a domain may be known by its
    /// first label.
    #[must_use]
    pub fn look_up(&self, name: &str, is_ipv6: bool) -> Known {
        let name = canonical(name);
        let label = name.split_once('.').map(|(label, _)| label);
        let known = self.by_name.get(&name).or_else(|| self.by_name.get(label?));
        let fits = |address: &IpAddr| address.is_ipv6() == is_ipv6;
        let Some(known) = known else {
            return find_written(&name).filter(fits).map_or(Known::Nothing, Known::One);
        };
        let mut fitting = known.iter().filter(|address| fits(address));
        match (fitting.next(), fitting.next()) {
            (None, _) => Known::Nothing,
            (Some(one), None) => Known::One(*one),
            (Some(_), Some(_)) => Known::Several,
        }
    }

    /// The addresses of two names that talk to each other: those of the one family in which
    /// both have an address. Where there are two such families, or none and something is known
    /// in each, it is not told which they used.
    #[must_use]
    pub fn find_pair(&self, one: &str, other: &str) -> Known<(IpAddr, IpAddr)> {
        let ends = |is_ipv6| [one, other].map(|name| self.look_up(name, is_ipv6));
        let pair_of = |ends: [Known; 2]| match ends {
            [Known::One(one), Known::One(other)] => Some((one, other)),
            _ => None,
        };
        let (v4, v6) = (ends(false), ends(true));
        let is_known = |ends: [Known; 2]| ends.iter().any(|known| *known != Known::Nothing);
        match (pair_of(v4), pair_of(v6)) {
            (Some(pair), None) | (None, Some(pair)) => Known::One(pair),
            (Some(_), Some(_)) => Known::Several,
            (None, None) if is_known(v4) && is_known(v6) => Known::Several,
            (None, None) => Known::Nothing,
        }
    }

    fn add(&mut self, name: &str, address: IpAddr) {
        let known = self.by_name.entry(canonical(name)).or_default();
        if !known.contains(&address) {
            known.push(address);
        }
    }
}

/// The address that a name spells out: `ip-192-0-2-9.ec2.internal`, as EC2 names its
/// hosts, and `192-0-2-9.ns.pod.cluster.local`, as Kubernetes' DNS does pods and endpoints
/// (its DNS specification, sections 2.3 and 2.4).
fn find_written(name: &str) -> Option<IpAddr> {
    let (label, domain) = name.split_once('.').unwrap_or((name, ""));
    if let Some(numbers) = label.strip_prefix("ip-") {
        return numbers.replace('-', ".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let mut parts = domain.split('.');
    let is_kubernetes = parts.any(|part| matches!(part, "pod" | "svc"));
    if !is_kubernetes {
        return None;
    }
    let v4 = label.replace('-', ".").parse().ok().map(IpAddr::V4);
    v4.or_else(|| label.replace('-', ":").parse().ok().map(IpAddr::V6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::topology::{AddressFact, DeviceEntry, FactSource, HostFact};

    fn fact(address: &str, role: Role, node: &str, pod: &str) -> AddressFact {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        AddressFact {
            address: address.parse().unwrap(),
            role,
            node: named(node),
            pod: named(pod),
            source: FactSource::Kubernetes,
            reason: String::new(),
        }
    }

    fn find_one(names: &Names, name: &str, is_ipv6: bool) -> Option<IpAddr> {
        match names.look_up(name, is_ipv6) {
            Known::One(address) => Some(address),
            Known::Several | Known::Nothing => None,
        }
    }

    #[test]
    fn a_name_has_the_one_address_of_its_family() {
        let names = Names::of(&Facts {
            addresses: vec![
                fact("198.51.100.7", Role::Pod, "node3", "default/tftp-0"),
                fact("2001:db8:1::7", Role::Pod, "node3", "default/tftp-0"),
                fact("198.51.100.8", Role::Pod, "node3", "other/tftp-0"),
                fact("203.0.113.3", Role::Node, "node3", ""),
                fact("203.0.113.21", Role::Vip, "node3", ""),
                fact("203.0.113.4", Role::Node, "node4", ""),
                fact("203.0.113.5", Role::Node, "node4", ""),
            ],
            devices: vec![DeviceEntry {
                name: "switch1".to_owned(),
                addresses: vec!["192.0.2.9".parse().unwrap(), "2001:db8::9".parse().unwrap()],
            }],
            hosts: vec![HostFact {
                name: "ns1.example.com".to_owned(),
                address: "192.0.2.53".parse().unwrap(),
            }],
            ..Facts::default()
        });
        let (v4, v6) = ("192.0.2.1", "2001:db8::1");
        let cases = [
            ("default/tftp-0", v4, Some("198.51.100.7")),
            ("default/tftp-0", v6, Some("2001:db8:1::7")),
            // Two pods are called so.
            ("tftp-0", v4, None),
            ("tftp-0", v6, Some("2001:db8:1::7")),
            ("node3", v4, Some("203.0.113.3")),
            ("node3.example.com", v4, Some("203.0.113.3")),
            ("node3", v6, None),
            ("node4", v4, None),
            ("Switch1", v6, Some("2001:db8::9")),
            ("ns1.example.com", v4, Some("192.0.2.53")),
            ("NS1.example.com.", v4, Some("192.0.2.53")),
            ("ns1", v4, None),
            ("nobody", v4, None),
        ];
        for (name, other, expected) in cases {
            let other: IpAddr = other.parse().unwrap();
            let actual = find_one(&names, name, other.is_ipv6()).map(|address| address.to_string());
            assert_eq!(actual.as_deref(), expected, "{name} beside {other}");
        }
        let pair = |one: &str, other: &str| {
            Known::One((one.parse::<IpAddr>().unwrap(), other.parse::<IpAddr>().unwrap()))
        };
        let pairs = [
            // Both have addresses of both families: which ones they used is not told.
            ("switch1", "default/tftp-0", Known::Several),
            ("switch1", "nobody", Known::Several),
            ("switch1", "node3", pair("192.0.2.9", "203.0.113.3")),
            ("node3", "nobody", Known::Nothing),
            ("nobody", "node3", Known::Nothing),
            ("nobody", "no one", Known::Nothing),
        ];
        for (one, other, expected) in pairs {
            assert_eq!(names.find_pair(one, other), expected, "{one} and {other}");
        }
    }

    #[test]
    fn names_that_spell_out_an_address_need_no_table() {
        let names = Names::default();
        let (v4, v6) = (false, true);
        let cases = [
            ("ip-192-0-2-9.ec2.internal", v4, Some("192.0.2.9")),
            ("ip-192-0-2-9", v4, Some("192.0.2.9")),
            ("192-0-2-9.default.pod.cluster.local", v4, Some("192.0.2.9")),
            ("192-0-2-9.kube-dns.kube-system.svc.cluster.local", v4, Some("192.0.2.9")),
            ("2001-db8--9.default.pod.cluster.local", v6, Some("2001:db8::9")),
            ("ip-192-0-2-9.ec2.internal", v6, None),
            ("192-0-2-9.example.com", v4, None),
            ("tftp-0.default.svc.cluster.local", v4, None),
            ("ip-192-0-2-999", v4, None),
        ];
        for (name, is_ipv6, expected) in cases {
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(find_one(&names, name, is_ipv6), expected, "{name}");
        }
    }
}
