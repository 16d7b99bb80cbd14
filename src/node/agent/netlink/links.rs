//! Links and addresses, from the kernel's messages.

use std::collections::HashMap;

use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressScope,
};
use rtnetlink::packet_route::link::{LinkAttribute, LinkInfo, LinkLayerType, LinkMessage};

use crate::node::wire::{InterfaceAddress, Link};

pub fn find_name(message: &LinkMessage) -> Option<String> {
    message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })
}

pub fn read_link(message: &LinkMessage, names: &HashMap<u32, String>) -> Option<Link> {
    let mut link = Link {
        index: message.header.index,
        name: find_name(message)?,
        link_type: match message.header.link_layer_type {
            LinkLayerType::Ether => "ether".to_owned(),
            LinkLayerType::Loopback => "loopback".to_owned(),
            LinkLayerType::None => "none".to_owned(),
            other => u16::from(other).to_string(),
        },
        state: "UNKNOWN".to_owned(),
        mtu_bytes: None,
        kind: None,
        peer_index: None,
        peer_namespace: None,
        controller: None,
        addresses: Vec::new(),
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::OperState(state) => link.state = state.to_string(),
            LinkAttribute::Mtu(bytes) => link.mtu_bytes = Some(*bytes),
            LinkAttribute::Link(index) => link.peer_index = Some(*index),
            LinkAttribute::LinkNetNsId(id) => link.peer_namespace = Some(*id),
            LinkAttribute::Controller(index) => link.controller = names.get(index).cloned(),
            LinkAttribute::LinkInfo(parts) => {
                link.kind = parts.iter().find_map(|part| match part {
                    LinkInfo::Kind(kind) => Some(kind.to_string()),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    Some(link)
}

pub fn read_address(message: &AddressMessage) -> Option<InterfaceAddress> {
    let (mut own, mut other, mut flags) = (None, None, None);
    let (mut valid, mut preferred) = (u32::MAX, u32::MAX);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => own = Some(*address),
            AddressAttribute::Address(address) => other = Some(*address),
            AddressAttribute::Flags(bits) => flags = Some(*bits),
            AddressAttribute::CacheInfo(lifetimes) => {
                (valid, preferred) = (lifetimes.ifa_valid, lifetimes.ifa_preferred);
            }
            _ => {}
        }
    }
    // IFA_FLAGS has what the 8 bits of the header have no room for.
    let flags =
        flags.unwrap_or_else(|| AddressFlags::from_bits_retain(message.header.flags.bits().into()));
    // Of a point-to-point link IFA_ADDRESS is the other end; IPv6 has IFA_LOCAL only there.
    let address = own.or(other)?;
    let is_secondary = flags.contains(AddressFlags::Secondary);
    Some(InterfaceAddress {
        family: if address.is_ipv4() { "inet" } else { "inet6" }.to_owned(),
        address,
        peer: other.filter(|other| *other != address),
        prefix_length: message.header.prefix_len,
        scope: match message.header.scope {
            AddressScope::Universe => "global",
            AddressScope::Site => "site",
            AddressScope::Link => "link",
            AddressScope::Host => "host",
            _ => "other",
        }
        .to_owned(),
        deprecated: flags.contains(AddressFlags::Deprecated),
        // The kernel has one bit for both: IFA_F_TEMPORARY is IFA_F_SECONDARY.
        temporary: is_secondary && address.is_ipv6(),
        secondary: is_secondary && address.is_ipv4(),
        tentative: flags.contains(AddressFlags::Tentative),
        dadfailed: flags.contains(AddressFlags::Dadfailed),
        dynamic: !flags.contains(AddressFlags::Permanent),
        noprefixroute: flags.contains(AddressFlags::Noprefixroute),
        valid_lifetime_seconds: valid,
        preferred_lifetime_seconds: preferred,
    })
}
