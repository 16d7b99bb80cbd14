//! What is known of the addresses.

use std::net::IpAddr;

use super::Sample;
use crate::model::topology::{AddressRole, FactSource, NodeSettings, Role};

impl Sample {
    pub fn temporary(mut self, address: IpAddr) -> Self {
        self.temporary.push(address);
        self
    }

    pub fn on_node(mut self, address: IpAddr, node: &str) -> Self {
        self.roles.get_mut(&address).unwrap().node = Some(node.to_owned());
        self
    }

    pub fn role(mut self, address: IpAddr, role: Role, source: FactSource) -> Self {
        let reason = "a sample".to_owned();
        self.roles.insert(address, AddressRole { role, node: None, pod: None, source, reason });
        self
    }

    pub fn with_settings(mut self, settings: NodeSettings) -> Self {
        self.settings.push(settings);
        self
    }

    pub fn without_topology(mut self) -> Self {
        self.roles.clear();
        self
    }
}
