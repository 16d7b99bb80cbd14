//! Who an address is, as a label beside it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;

use super::wording::role_label;
use crate::model::capture::CaptureFormat;
use crate::model::endpoint::Endpoint;
use crate::model::report::{Address, Device, DeviceExchange, Report};
use crate::model::stand_in::find_shown;
use crate::model::topology::Role;

/// The addresses of a report, to be asked for their roles.
pub(super) struct Parties<'a> {
    addresses: HashMap<IpAddr, &'a Address>,
    /// Captures that are tables of connection tracking.
    tables: HashSet<&'a str>,
}

impl<'a> Parties<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let tables =
            report.captures.iter().filter(|capture| capture.format == CaptureFormat::Conntrack);
        Self {
            addresses: report.addresses.iter().map(|entry| (entry.address, entry)).collect(),
            tables: tables.map(|table| table.name.as_str()).collect(),
        }
    }

    /// Whether only connection tracking tells of an exchange.
    pub(super) fn is_tracked(&self, exchange: &DeviceExchange) -> bool {
        exchange.captures.iter().all(|capture| self.tables.contains(capture.as_str()))
            && !exchange.captures.is_empty()
    }

    /// Who `address` is in the story of `device`.
    pub(super) fn party(&self, address: IpAddr, device: &'a Device) -> Party<'a> {
        let entry = self.addresses.get(&address);
        let mut role = entry.map_or(Role::Unknown, |entry| entry.role);
        let is_device = address == device.device || device.addresses.contains(&address);
        if role == Role::Unknown {
            if is_device {
                role = Role::Device;
            } else if address.is_multicast() {
                role = Role::Multicast;
            }
        }
        let name = match role {
            Role::Device if is_device => device.name.as_deref(),
            Role::Pod => entry.and_then(|entry| entry.pod.as_deref()),
            _ => entry.and_then(|entry| entry.node.as_deref()),
        };
        // The unspecified address is also a client's own, in DHCP.
        let is_unknown = address.is_unspecified()
            && device.exchanges.iter().any(|exchange| exchange.client_unknown);
        // Where a name is all that is known of a host, it stands in the address' place.
        let shown = entry.and_then(|entry| find_shown(address, entry.name.as_deref()));
        let name = name.filter(|name| Some(*name) != shown);
        Party { role, name, address, shown, port: None, is_unknown }
    }

    /// An end without its role: `192.0.2.7:69`, or `switch7:69` where only the name is known.
    pub(super) fn render_end(&self, endpoint: Endpoint, device: &'a Device) -> String {
        match self.party(endpoint.address, device).shown {
            Some(name) => format!("{name}:{}", endpoint.port),
            None => endpoint.to_string(),
        }
    }

    /// Who is at `endpoint` in the story of `device`.
    pub(super) fn at(&self, endpoint: Endpoint, device: &'a Device) -> Party<'a> {
        Party { port: Some(endpoint.port), ..self.party(endpoint.address, device) }
    }
}

/// An address with its role, and a port where one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Party<'a> {
    pub role: Role,
    /// Of the device, the node or the pod.
    pub name: Option<&'a str>,
    pub address: IpAddr,
    /// The name for which the address stands.
    pub shown: Option<&'a str>,
    pub port: Option<u16>,
    /// The input does not tell who this is.
    pub is_unknown: bool,
}

impl Party<'_> {
    /// `VIP`.
    pub(super) fn label(&self) -> &'static str {
        role_label(self.role)
    }

    /// The label with the name that belongs to it: `VIP on node3`, `node node3`.
    pub(super) fn title(&self) -> String {
        match (self.role, self.name) {
            (_, None) => self.label().to_owned(),
            (Role::Device | Role::Node | Role::Pod, Some(name)) => {
                format!("{} {name}", self.label())
            }
            (_, Some(name)) => format!("{} on {name}", self.label()),
        }
    }

    /// The address, where it is known.
    pub(super) fn address_words(&self) -> String {
        match self.shown {
            _ if self.is_unknown => "unknown".to_owned(),
            Some(name) => name.to_owned(),
            None => self.address.to_string(),
        }
    }

    /// As a sentence names it: `the VIP 2000::65:21`, or the address alone.
    pub(super) fn in_sentence(&self) -> String {
        if self.is_unknown {
            return "an unknown client".to_owned();
        }
        let article = if self.role == Role::Unknown { "" } else { "the " };
        format!("{article}{self}")
    }

    /// Whether this is a group, from whose members answers come by design.
    pub(super) fn is_group(&self) -> bool {
        matches!(self.role, Role::Multicast | Role::Broadcast)
    }
}

/// `VIP [2000::65:21]:69`; of an unknown role the address alone.
impl fmt::Display for Party<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown {
            return f.write_str("unknown client");
        }
        if self.role != Role::Unknown {
            write!(f, "{} ", self.label())?;
        }
        match (self.port, self.shown) {
            (Some(port), Some(name)) => write!(f, "{name}:{port}"),
            (None, Some(name)) => f.write_str(name),
            (Some(port), None) => Endpoint::new(self.address, port).fmt(f),
            (None, None) => self.address.fmt(f),
        }
    }
}
