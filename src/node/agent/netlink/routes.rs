//! Routes and neighbours, from the kernel's messages.

use std::collections::HashMap;
use std::net::IpAddr;

use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteScope, RouteType, RouteVia,
};

use crate::node::wire::{Neighbour, Route};

/// RTA_TABLE, or the header's 8 bits where there is none.
pub fn table_of(message: &RouteMessage) -> u32 {
    let attribute = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    attribute.unwrap_or_else(|| message.header.table.into())
}

pub fn read_route(message: &RouteMessage, names: &HashMap<u32, String>, routes: &mut Vec<Route>) {
    let header = &message.header;
    let mut route = Route {
        kind: kind_of(header.kind),
        destination: "default".to_owned(),
        gateway: None,
        interface: None,
        protocol: header.protocol.to_string().to_lowercase(),
        scope: match header.scope {
            RouteScope::Universe => "global".to_owned(),
            other => other.to_string(),
        },
        source: None,
        metric: None,
    };
    let mut hops = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(to) => {
                let Some(address) = address_of(to) else { return };
                let bits = if address.is_ipv4() { 32 } else { 128 };
                let length = header.destination_prefix_length;
                route.destination = if length == bits {
                    address.to_string()
                } else {
                    format!("{address}/{length}")
                };
            }
            RouteAttribute::PrefSource(from) => route.source = address_of(from),
            RouteAttribute::Priority(metric) => route.metric = Some(*metric),
            RouteAttribute::MultiPath(parts) => hops.extend(parts),
            other => read_hop(other, names, &mut route),
        }
    }
    if hops.is_empty() {
        routes.push(route);
        return;
    }
    for hop in hops {
        let mut one = route.clone();
        one.interface = names.get(&hop.interface_index).cloned();
        for attribute in &hop.attributes {
            read_hop(attribute, names, &mut one);
        }
        routes.push(one);
    }
}

/// What a route says of one next hop.
fn read_hop(attribute: &RouteAttribute, names: &HashMap<u32, String>, route: &mut Route) {
    match attribute {
        RouteAttribute::Gateway(address) => route.gateway = address_of(address),
        RouteAttribute::Via(RouteVia::Inet(address)) => route.gateway = Some((*address).into()),
        RouteAttribute::Via(RouteVia::Inet6(address)) => route.gateway = Some((*address).into()),
        RouteAttribute::Oif(index) => route.interface = names.get(index).cloned(),
        _ => {}
    }
}

fn kind_of(kind: RouteType) -> String {
    match kind {
        RouteType::Unicast => "unicast",
        RouteType::Local => "local",
        RouteType::Broadcast => "broadcast",
        RouteType::Anycast => "anycast",
        RouteType::Multicast => "multicast",
        RouteType::BlackHole => "blackhole",
        RouteType::Unreachable => "unreachable",
        RouteType::Prohibit => "prohibit",
        RouteType::Throw => "throw",
        other => return u8::from(other).to_string(),
    }
    .to_owned()
}

fn address_of(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

pub fn read_neighbour(
    message: &NeighbourMessage,
    names: &HashMap<u32, String>,
) -> Option<Neighbour> {
    let (mut address, mut link_address) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(found)) => {
                address = Some(IpAddr::from(*found));
            }
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(found)) => {
                address = Some(IpAddr::from(*found));
            }
            NeighbourAttribute::LinkLayerAddress(bytes) => {
                let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                link_address = Some(pairs.join(":"));
            }
            _ => {}
        }
    }
    let state = match message.header.state {
        NeighbourState::Incomplete => "INCOMPLETE",
        NeighbourState::Reachable => "REACHABLE",
        NeighbourState::Stale => "STALE",
        NeighbourState::Delay => "DELAY",
        NeighbourState::Probe => "PROBE",
        NeighbourState::Failed => "FAILED",
        // Multicast groups and the like: nobody is asked for them.
        NeighbourState::Noarp => return None,
        NeighbourState::Permanent => "PERMANENT",
        _ => "NONE",
    };
    Some(Neighbour {
        address: address?,
        interface: names.get(&message.header.ifindex)?.clone(),
        link_address,
        state: state.to_owned(),
    })
}
