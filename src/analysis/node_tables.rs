//! What a node's own tables and a list of its devices say, as an agent reads them.

use crate::model::topology::{DeviceEntry, FactSource, Facts};
use crate::topology;

/// The facts that the tables of the node called `node` state. `tables` is JSON
/// in the form of `ip -j addr` and `ip -j route`, one value after the other.
///
/// The rules are those for pasted output, so an agent and a paste of the same
/// node agree; only the source differs.
#[must_use]
pub fn read_node_tables(node: &str, tables: &str) -> Facts {
    let mut facts = topology::parse("", Some(node), tables, 1);
    for fact in &mut facts.addresses {
        if matches!(fact.source, FactSource::IpAddr | FactSource::IpRoute) {
            fact.source = FactSource::Agent;
        }
    }
    facts
}

/// The devices of a device list: CSV with the columns name and address, or JSON,
/// as an inventory has them. Empty where the text is none.
#[must_use]
pub fn read_device_list(text: &str) -> Vec<DeviceEntry> {
    topology::parse("", None, text, 1).devices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::topology::Role;

    #[test]
    fn a_nodes_tables_give_roles_cables_and_networks() {
        let tables = r#"[{"ifindex":2,"ifname":"eth0","operstate":"UP","addr_info":[
            {"family":"inet","local":"192.0.2.13","prefixlen":24,"scope":"global"},
            {"family":"inet","local":"192.0.2.21","prefixlen":32,"scope":"global"},
            {"family":"inet6","local":"2001:db8::13","prefixlen":64,"scope":"global"},
            {"family":"inet6","local":"2001:db8::21","prefixlen":128,"scope":"global","deprecated":true}]},
            {"ifindex":5,"ifname":"cali1234","operstate":"UP","addr_info":[]}]
            [{"type":"unicast","dst":"198.51.100.7","dev":"cali1234","protocol":"boot","scope":"link"},
            {"type":"unicast","dst":"2001:db8:1::7","dev":"cali1234","protocol":"boot","scope":"global"}]"#;
        let facts = read_node_tables("node3", tables);
        for (address, role) in [
            ("192.0.2.13", Role::Node),
            ("192.0.2.21", Role::Vip),
            ("2001:db8::13", Role::Node),
            ("2001:db8::21", Role::Vip),
            ("198.51.100.7", Role::Pod),
            ("2001:db8:1::7", Role::Pod),
        ] {
            let fact = facts.addresses.iter().find(|fact| fact.address.to_string() == address);
            let fact = fact.unwrap_or_else(|| panic!("nothing about {address}"));
            assert_eq!((fact.role, fact.source), (role, FactSource::Agent), "{address}");
            assert_eq!(fact.node.as_deref(), Some("node3"), "{address}");
        }
        assert_eq!(facts.links.len(), 2);
        assert!(facts.links.iter().all(|link| link.interface == "cali1234"));
        assert_eq!(facts.interfaces.len(), 2);
        assert!(facts.faults.is_empty(), "{:?}", facts.faults);
    }
}
