//! Lists of devices, or of addresses with their roles, whatever their format.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::address::{excerpt, parse_prefixed};
use crate::model::topology::{AddressFact, DeviceEntry, FactSource, Facts, Role};

/// Joins entries that have one name.
#[derive(Debug, Default)]
pub struct DeviceList {
    devices: Vec<DeviceEntry>,
    places: HashMap<String, usize>,
    addresses: Vec<AddressFact>,
}

impl DeviceList {
    /// Adds an entry. Without a name, each address is a device of its own.
    pub fn add(&mut self, name: &str, role: Role, addresses: &[IpAddr]) {
        if role != Role::Device {
            self.addresses.extend(addresses.iter().map(|address| fact(name, role, *address)));
            return;
        }
        if name.is_empty() {
            for address in addresses {
                self.add_device(&address.to_string(), &[*address]);
            }
        } else {
            self.add_device(name, addresses);
        }
    }

    fn add_device(&mut self, name: &str, addresses: &[IpAddr]) {
        let place = *self.places.entry(name.to_owned()).or_insert_with(|| {
            self.devices.push(DeviceEntry { name: name.to_owned(), addresses: Vec::new() });
            self.devices.len() - 1
        });
        if let Some(device) = self.devices.get_mut(place) {
            device.addresses.extend(addresses);
        }
    }

    /// The list as facts.
    pub fn finish(mut self) -> Facts {
        for device in &mut self.devices {
            let mut known = BTreeSet::new();
            device.addresses.retain(|address| known.insert(*address));
        }
        Facts { addresses: self.addresses, devices: self.devices, ..Facts::default() }
    }
}

fn fact(name: &str, role: Role, address: IpAddr) -> AddressFact {
    let named = Some(name.to_owned()).filter(|name| !name.is_empty());
    let token = role.as_token();
    let reason = match &named {
        Some(name) => format!("listed as {token} {name}"),
        None => format!("listed as {token}"),
    };
    let node = named.clone().filter(|_| role == Role::Node);
    let pod = named.filter(|_| role == Role::Pod);
    AddressFact { address, role, node, pod, source: FactSource::DeviceList, reason }
}

/// The role of a list's entry; a blank one is a device.
///
/// # Errors
///
/// Where it is no role of ours. Inventories also call a switch's place in the
/// network its role, so the entry still counts as a device.
pub fn parse_role(word: &str) -> Result<Role, String> {
    const ROLES: [Role; 9] = [
        Role::Device,
        Role::Vip,
        Role::Node,
        Role::Pod,
        Role::Service,
        Role::Multicast,
        Role::Broadcast,
        Role::External,
        Role::Unknown,
    ];
    let word = word.trim();
    if word.is_empty() {
        return Ok(Role::Device);
    }
    ROLES.into_iter().find(|role| role.as_token().eq_ignore_ascii_case(word)).ok_or_else(|| {
        let tokens = ROLES.map(Role::as_token).join(", ");
        format!("expected a role ({tokens}), found '{}'; taken as a device", excerpt(word))
    })
}

/// The addresses of one cell, separated by space, `;`, `,` or `|`. A prefix
/// length is left away. Words that are no address are added to `faults`.
pub fn read_addresses(cell: &str, faults: &mut Vec<String>) -> Vec<IpAddr> {
    let words = cell.split([' ', '\t', '\n', ';', ',', '|']).filter(|word| !word.is_empty());
    let mut addresses = Vec::new();
    for word in words {
        match parse_prefixed(word) {
            Ok(prefixed) => addresses.push(prefixed.address),
            Err(error) => faults.push(error.to_string()),
        }
    }
    addresses
}

/// What the column or member called `name` holds.
pub fn find_field(name: &str) -> Option<Field> {
    let name = name.trim().trim_matches('"').to_ascii_lowercase().replace([' ', '-'], "_");
    match name.as_str() {
        "address" | "addresses" | "addr" | "ip" | "ips" | "ipv4" | "ipv6" | "ip_address"
        | "ip_addresses" | "ipaddress" | "ipv4_address" | "ipv6_address" | "management_ip"
        | "management_address" | "mgmt_ip" | "mgmt_address" | "primary_ip" | "primary_ip4"
        | "primary_ip6" | "loopback" | "loopback_ip" => Some(Field::Address),
        "name" | "hostname" | "host_name" | "host" | "device" | "device_name" | "sysname" => {
            Some(Field::Name)
        }
        "role" => Some(Field::Role),
        _ => None,
    }
}

/// The fields of a list's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Address,
    Name,
    Role,
}

#[cfg(test)]
#[path = "device_list_tests.rs"]
mod tests;
