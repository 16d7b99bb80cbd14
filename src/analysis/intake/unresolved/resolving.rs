//! A packet's names, replaced by what they stand for.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::analysis::ends::{Ends, Unresolved};
use crate::ingest::NamedPacket;
use crate::model::packet::{Content, IcmpError, Packet};
use crate::model::stand_in::{StandIns, address_of, canonical};

/// Names that a warning lists.
const LISTED_MAX: usize = 3;

/// Gives the packet the addresses of its names, or those that stand for them.
///
/// # Errors
///
/// A name that is not one host's.
pub fn resolve(waiting: &mut NamedPacket, ends: &mut Ends) -> Result<(), Unresolved> {
    let NamedPacket { packet, source, destination, quoted, is_ipv6, .. } = waiting;
    let changes = match &packet.content {
        Content::IcmpError(error) => {
            resolve_error(error, source.as_deref(), destination.as_deref(), quoted, ends)?
        }
        _ => match (ends_of(packet), source.as_deref(), destination.as_deref()) {
            (Some((from, to)), Some(source), Some(destination)) => {
                let found = ends.find_pair(source, destination, *is_ipv6)?;
                vec![(from, found.0), (to, found.1)]
            }
            (Some((from, to)), Some(source), None) => {
                vec![(from, ends.find(source, to.is_ipv6())?)]
            }
            (Some((from, to)), None, Some(destination)) => {
                vec![(to, ends.find(destination, from.is_ipv6())?)]
            }
            (_, None, None) | (None, ..) => Vec::new(),
        },
    };
    change_ends(packet, |address| {
        changes.iter().find(|(old, _)| *old == address).map(|(_, new)| *new)
    });
    Ok(())
}

/// Makes the packet's named ends unknown again.
pub fn forget_names(waiting: &mut NamedPacket) {
    let NamedPacket { packet, source, destination, quoted, .. } = waiting;
    let names: Vec<&String> = source.iter().chain(&*destination).chain(&*quoted).collect();
    change_ends(packet, |address| {
        let is_ipv6 = address.is_ipv6();
        let stands = names.iter().any(|name| address_of(name, is_ipv6) == address);
        stands.then_some(match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        })
    });
}

/// What becomes of the addresses of an error: of what it quotes all counts, and of itself
/// only who gets it, where the quote does not tell. Whatever its sender is called, the
/// quote says whose packet was refused.
fn resolve_error(
    error: &IcmpError,
    source: Option<&str>,
    destination: Option<&str>,
    quoted: &[String],
    ends: &mut Ends,
) -> Result<Vec<(IpAddr, IpAddr)>, Unresolved> {
    let mut changes = Vec::new();
    for name in quoted {
        let is_ipv6 = error.to.is_ipv6();
        changes.push((address_of(name, is_ipv6), ends.find(name, is_ipv6)?));
    }
    if let Some(name) = destination {
        let told = error.quote.map(|quote| quote.source).filter(|told| *told != error.to);
        match (ends.find(name, error.to.is_ipv6()), told) {
            (Ok(found), _) => changes.push((error.to, found)),
            (Err(_), Some(told)) => changes.push((error.to, told)),
            (Err(unresolved), None) => return Err(unresolved),
        }
    }
    if let Some(name) = source.filter(|_| !changes.iter().any(|(old, _)| *old == error.from)) {
        let is_ipv6 = error.from.is_ipv6();
        let found = ends.find(name, is_ipv6);
        let found = found.or_else(|unresolved| ends.stand_for(name, is_ipv6).ok_or(unresolved))?;
        changes.push((error.from, found));
    }
    Ok(changes)
}

fn ends_of(packet: &Packet) -> Option<(IpAddr, IpAddr)> {
    let flow = match &packet.content {
        Content::Datagram(datagram) | Content::Discarded(datagram) => &datagram.flow,
        Content::Dropped(dropped) => &dropped.datagram.flow,
        Content::IcmpError(_)
        | Content::FragmentsLost(_)
        | Content::Neighbour(_)
        | Content::Segment(_) => return None,
    };
    Some((flow.source.address, flow.destination.address))
}

fn change_ends(packet: &mut Packet, find_new: impl Fn(IpAddr) -> Option<IpAddr>) {
    let change = |address: &mut IpAddr| *address = find_new(*address).unwrap_or(*address);
    let flow = match &mut packet.content {
        Content::Datagram(datagram) | Content::Discarded(datagram) => &mut datagram.flow,
        Content::Dropped(dropped) => &mut dropped.datagram.flow,
        Content::IcmpError(error) => {
            change(&mut error.from);
            change(&mut error.to);
            if let Some(quote) = &mut error.quote {
                change(&mut quote.source);
                change(&mut quote.destination);
            }
            return;
        }
        Content::FragmentsLost(_) | Content::Neighbour(_) | Content::Segment(_) => return,
    };
    change(&mut flow.source.address);
    change(&mut flow.destination.address);
}

/// The names of a capture that are ends by themselves.
#[derive(Debug, Default)]
pub struct Standing {
    seen: BTreeSet<String>,
    /// Those that come first, as printed.
    listed: Vec<String>,
}

impl Standing {
    /// Notes the names of a packet that nothing resolved.
    pub fn note(&mut self, resolved: &NamedPacket, stand_ins: &StandIns) {
        let NamedPacket { source, destination, quoted, .. } = resolved;
        for name in source.iter().chain(destination).chain(quoted) {
            let stands =
                [false, true].iter().any(|v6| stand_ins.find(address_of(name, *v6)).is_some());
            if stands && self.seen.insert(canonical(name)) && self.listed.len() < LISTED_MAX {
                self.listed.push(format!("'{}'", name.trim_end_matches('.')));
            }
        }
    }

    /// What to know where names stand for addresses.
    pub fn find_warning(&self) -> Option<String> {
        let names = match (self.listed.as_slice(), self.seen.len()) {
            ([], _) => return None,
            (listed, count) if count == listed.len() => listed.join(", "),
            (listed, count) => format!("{} and {} more", listed.join(", "), count - listed.len()),
        };
        Some(format!(
            "hosts are named, and nothing tells their addresses: {names}. Each name is taken for one address; it may hide several addresses of one host, and a change between those is not seen here. Print addresses (`tcpdump -n`, `hubble observe --ip-translation=false`), or add the output of `kubectl get pod,node -A -o wide`, `/etc/hosts` or a device list"
        ))
    }
}
