//! Names that texts write where packets have addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::stand_in::canonical;
use crate::model::topology::{Facts, Role};

/// What an inventory says of a name's addresses of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    One(IpAddr),
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

    /// The one address of `name` that is of the family of `other`.
    #[must_use]
    pub fn find(&self, name: &str, other: IpAddr) -> Option<IpAddr> {
        match self.look_up(name, other.is_ipv6()) {
            Known::One(address) => Some(address),
            Known::Several | Known::Nothing => None,
        }
    }

    /// The addresses of two names that talk to each other, over IPv6 or not
    /// where that is known.
    ///
    /// # Errors
    ///
    /// The name of which no address is known, or of which none is sure: both
    /// may have addresses of both families.
    pub fn find_pair(
        &self,
        one: &str,
        other: &str,
        is_ipv6: Option<bool>,
    ) -> Result<(IpAddr, IpAddr), String> {
        let mut families =
            vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        families.retain(|family| is_ipv6.is_none_or(|is_ipv6| family.is_ipv6() == is_ipv6));
        let pairs: Vec<_> = families
            .iter()
            .filter_map(|family| Some((self.find(one, *family)?, self.find(other, *family)?)))
            .collect();
        if let [pair] = pairs[..] {
            return Ok(pair);
        }
        let is_known = families.iter().any(|family| self.find(one, *family).is_some());
        Err(if is_known { other } else { one }.to_owned())
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
            let actual =
                names.find(name, other.parse().unwrap()).map(|address| address.to_string());
            assert_eq!(actual.as_deref(), expected, "{name} beside {other}");
        }
        assert_eq!(names.find_pair("switch1", "nobody", None), Err("nobody".to_owned()));
        assert_eq!(names.find_pair("nobody", "switch1", None), Err("nobody".to_owned()));
        // Both have addresses of both families: which ones they used is not told.
        assert!(names.find_pair("switch1", "default/tftp-0", None).is_err());
        assert_eq!(
            names.find_pair("switch1", "default/tftp-0", Some(true)),
            Ok(("2001:db8::9".parse().unwrap(), "2001:db8:1::7".parse().unwrap()))
        );
        assert_eq!(
            names.find_pair("switch1", "default/tftp-0", Some(false)),
            Ok(("192.0.2.9".parse().unwrap(), "198.51.100.7".parse().unwrap()))
        );
        assert_eq!(
            names.find_pair("switch1", "node3", None),
            Ok(("192.0.2.9".parse().unwrap(), "203.0.113.3".parse().unwrap()))
        );
    }

    #[test]
    fn names_that_spell_out_an_address_need_no_table() {
        let names = Names::default();
        let (v4, v6) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
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
        for (name, other, expected) in cases {
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(names.find(name, other), expected, "{name}");
        }
    }
}
