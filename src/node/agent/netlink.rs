//! Links, addresses, routes and neighbours, as the kernel has them (rtnetlink(7)).

use std::collections::HashMap;
use std::net::IpAddr;

use futures_util::{Stream, StreamExt as _};
use rtnetlink::Handle;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressScope,
};
use rtnetlink::packet_route::link::{LinkAttribute, LinkInfo, LinkLayerType, LinkMessage};
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteScope, RouteType, RouteVia,
};

use crate::node::wire::{InterfaceAddress, Link, Neighbour, Route};

/// `RT_TABLE_MAIN` of the kernel's `include/uapi/linux/rtnetlink.h`.
const MAIN_TABLE: u32 = 254;

/// Entries of one kind in one answer: a router of the internet has a million routes.
const MAX_ENTRIES: usize = 20_000;

/// Why the kernel's tables cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the kernel's routing tables cannot be asked")]
    Socket(#[source] std::io::Error),
    #[error("the kernel did not list its {0}")]
    Dump(&'static str, #[source] rtnetlink::Error),
}

/// A connection to the kernel for one answer; it ends with it.
#[derive(Debug)]
pub struct Tables {
    handle: Handle,
    connection: tokio::task::JoinHandle<()>,
    /// Names by index, for what refers to links.
    names: HashMap<u32, String>,
    pub faults: Vec<String>,
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Tables {
    /// Connects to the kernel.
    ///
    /// # Errors
    ///
    /// Where no netlink socket can be opened.
    pub fn open() -> Result<Self, Error> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(Error::Socket)?;
        let connection = tokio::spawn(connection);
        Ok(Self { handle, connection, names: HashMap::new(), faults: Vec::new() })
    }

    /// All links, each with its addresses.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub async fn links(&mut self) -> Result<Vec<Link>, Error> {
        let dump = self.handle.link().get().execute();
        let messages = self.collect("links", dump).await?;
        self.names = messages
            .iter()
            .filter_map(|message| Some((message.header.index, find_name(message)?)))
            .collect();
        let mut links: Vec<Link> =
            messages.iter().filter_map(|message| read_link(message, &self.names)).collect();
        let dump = self.handle.address().get().execute();
        for message in self.collect("addresses", dump).await? {
            let link = links.iter_mut().find(|link| link.index == message.header.index);
            if let (Some(link), Some(address)) = (link, read_address(&message)) {
                link.addresses.push(address);
            }
        }
        Ok(links)
    }

    /// The routes of the main table. Call [`Self::links`] before.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub async fn routes(&mut self) -> Result<Vec<Route>, Error> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut request = RouteMessage::default();
            request.header.address_family = family;
            let dump = self.handle.route().get(request).execute();
            for message in self.collect("routes", dump).await? {
                if table_of(&message) == MAIN_TABLE {
                    read_route(&message, &self.names, &mut routes);
                }
            }
        }
        Ok(routes)
    }

    /// The way to one address, as the kernel would send now. `None` where there is none.
    pub async fn find_route_to(&self, address: IpAddr) -> Option<Route> {
        let mut request = RouteMessage::default();
        (request.header.address_family, request.header.destination_prefix_length) = match address {
            IpAddr::V4(_) => (AddressFamily::Inet, 32),
            IpAddr::V6(_) => (AddressFamily::Inet6, 128),
        };
        request.attributes.push(RouteAttribute::Destination(address.into()));
        let answer = self.handle.route().get(request).execute();
        let mut answer = std::pin::pin!(answer);
        let message = answer.next().await?.ok()?;
        let mut routes = Vec::new();
        read_route(&message, &self.names, &mut routes);
        routes.into_iter().next()
    }

    /// Neighbours of both families. Call [`Self::links`] before.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub async fn neighbours(&mut self) -> Result<Vec<Neighbour>, Error> {
        let dump = self.handle.neighbours().get().execute();
        let messages = self.collect("neighbours", dump).await?;
        Ok(messages.iter().filter_map(|message| read_neighbour(message, &self.names)).collect())
    }

    /// The entries of a dump, up to the limit.
    async fn collect<T>(
        &mut self,
        kind: &'static str,
        dump: impl Stream<Item = Result<T, rtnetlink::Error>>,
    ) -> Result<Vec<T>, Error> {
        let mut dump = std::pin::pin!(dump);
        let mut entries = Vec::new();
        while let Some(entry) = dump.next().await {
            if entries.len() == MAX_ENTRIES {
                self.faults.push(format!("of the {kind} only the first {MAX_ENTRIES} were read"));
                break;
            }
            entries.push(entry.map_err(|error| Error::Dump(kind, error))?);
        }
        Ok(entries)
    }
}

fn find_name(message: &LinkMessage) -> Option<String> {
    message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })
}

fn read_link(message: &LinkMessage, names: &HashMap<u32, String>) -> Option<Link> {
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

fn read_address(message: &AddressMessage) -> Option<InterfaceAddress> {
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

/// RTA_TABLE, or the header's 8 bits where there is none.
fn table_of(message: &RouteMessage) -> u32 {
    let attribute = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    attribute.unwrap_or_else(|| message.header.table.into())
}

fn read_route(message: &RouteMessage, names: &HashMap<u32, String>, routes: &mut Vec<Route>) {
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

fn read_neighbour(message: &NeighbourMessage, names: &HashMap<u32, String>) -> Option<Neighbour> {
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
