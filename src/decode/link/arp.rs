//! ARP behind a link header. It is looked for where a frame carries no IP.

use super::super::field::{find_u8, find_u16, find_u32};
use super::cooked::find_direction;
use super::ether_type::{Ending, follow_ether_type, follow_ethernet};
use super::{Link, Way, wrapped};
use crate::model::capture::LinkType;

/// The link whose payload is an ARP message; `Link::ip` is that message.
pub(in crate::decode) fn find_arp(link_type: LinkType, bytes: &[u8]) -> Option<Link<'_>> {
    match link_type {
        LinkType::Ethernet => find_message(follow_ethernet(bytes, Way::START).ok()??),
        LinkType::LinuxSll => {
            let link = find_behind(find_u16(bytes, 14), bytes.get(16..)?)?;
            Some(Link { direction: find_u16(bytes, 0).and_then(find_direction), ..link })
        }
        LinkType::LinuxSll2 => {
            let link = find_behind(find_u16(bytes, 0), bytes.get(20..)?)?;
            Some(Link {
                direction: find_u8(bytes, 10).and_then(|value| find_direction(value.into())),
                kernel_interface: find_u32(bytes, 4),
                ..link
            })
        }
        _ if link_type == LinkType::Pktap || wrapped::is_private_pktap(link_type, bytes) => {
            let (inner, payload, direction) = wrapped::unwrap_pktap(bytes).ok()??;
            let link = match inner {
                LinkType::Ethernet => find_message(follow_ethernet(payload, Way::START).ok()??)?,
                _ => return None,
            };
            Some(Link { direction, ..link })
        }
        _ => None,
    }
}

fn find_behind(ether_type: Option<u16>, payload: &[u8]) -> Option<Link<'_>> {
    find_message(follow_ether_type(ether_type, payload, Way::START).ok()??)
}

fn find_message(ending: Ending<'_>) -> Option<Link<'_>> {
    match ending {
        Ending::Arp(message) => Some(Link::bare(message)),
        Ending::Ip(_) => None,
    }
}
