//! Networks of links, to be asked whether an address is in one of them.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::address::width_bits;
use crate::model::topology::NetworkFact;

/// All networks of one inventory. There may be many, and as many addresses to ask for.
#[derive(Debug, Default)]
pub struct Networks {
    known: HashSet<IpNet>,
    lengths_bits: BTreeSet<u8>,
}

impl Networks {
    pub fn of(facts: &[NetworkFact]) -> Self {
        let known: HashSet<IpNet> = facts.iter().map(|fact| fact.network.trunc()).collect();
        let lengths_bits = known.iter().map(IpNet::prefix_len).collect();
        Self { known, lengths_bits }
    }

    /// Whether the address is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.lengths_bits.iter().filter(|bits| **bits <= width_bits(address)).any(|bits| {
            IpNet::new(address, *bits).is_ok_and(|network| self.known.contains(&network.trunc()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_of_its_family() {
        let fact = |network: &str| NetworkFact {
            node: None,
            interface: "eth0".to_owned(),
            network: network.parse().unwrap(),
        };
        let networks = Networks::of(&[
            fact("192.0.2.0/25"),
            fact("198.51.100.0/24"),
            fact("2001:db8:7::/48"),
            fact("2001:db8::/64"),
        ]);
        let cases = [
            ("192.0.2.1", true),
            ("192.0.2.200", false),
            ("198.51.100.200", true),
            ("203.0.113.1", false),
            ("2001:db8::1", true),
            ("2001:db8:7:9::1", true),
            ("2001:db8:0:1::1", false),
        ];
        for (address, expected) in cases {
            assert_eq!(networks.contain(address.parse().unwrap()), expected, "{address}");
        }
        assert!(!Networks::default().contain(IpAddr::from([192, 0, 2, 1])));
    }
}
