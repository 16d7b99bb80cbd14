//! ARP behind a link header. It is looked for where a frame carries no IP.

use super::super::field::{find_u8, find_u16, find_u32};
use super::cooked::find_direction;
use super::{Link, MAX_HEADERS};
use crate::model::capture::LinkType;

const ETHER_TYPE_ARP: u16 = 0x0806;

/// The link whose payload is an ARP message; `Link::ip` is that message.
pub(in crate::decode) fn find_arp(link_type: LinkType, bytes: &[u8]) -> Option<Link<'_>> {
    let (type_at, payload_at) = match link_type {
        LinkType::Ethernet => (12, 14),
        LinkType::LinuxSll => (14, 16),
        LinkType::LinuxSll2 => (0, 20),
        _ => return None,
    };
    let message = skip_tags(find_u16(bytes, type_at)?, bytes.get(payload_at..)?)?;
    let bare = Link::bare(message);
    Some(match link_type {
        LinkType::LinuxSll => {
            Link { direction: find_u16(bytes, 0).and_then(find_direction), ..bare }
        }
        LinkType::LinuxSll2 => Link {
            direction: find_u8(bytes, 10).and_then(|value| find_direction(value.into())),
            kernel_interface: find_u32(bytes, 4),
            ..bare
        },
        _ => bare,
    })
}

fn skip_tags(ether_type: u16, payload: &[u8]) -> Option<&[u8]> {
    let (mut ether_type, mut payload) = (ether_type, payload);
    for _ in 0..MAX_HEADERS {
        match ether_type {
            ETHER_TYPE_ARP => return Some(payload),
            0x8100 | 0x88a8 => {
                ether_type = find_u16(payload, 2)?;
                payload = payload.get(4..)?;
            }
            _ => return None,
        }
    }
    None
}
