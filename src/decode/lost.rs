//! What is known of a datagram that was never whole.

use etherparse::IpNumber;

use super::Decoded;
use super::field::{find_u16, saturating_u32};
use super::fragment::Lost;
use super::reader::read_lost;
use crate::model::hop::HopMarks;
use crate::model::packet::{Content, FragmentsLost, FragmentsSeen, Packet};

/// The packet that reports a lost datagram. `None` where it was no UDP datagram
/// and held none.
pub(super) fn find_packet(lost: &Lost) -> Option<Packet> {
    let (mut flow, mut tunnel) = (None, None);
    match &lost.head {
        Some(head) => match read_lost(lost, head) {
            Ok(Decoded::Packet(Packet {
                content: Content::Datagram(datagram),
                tunnel: inside,
                ..
            })) => {
                (flow, tunnel) = (Some(datagram.flow), inside);
            }
            // The ports should be there, and are not.
            Err(_) if lost.protocol == IpNumber::UDP => {}
            Ok(_) | Err(_) => return None,
        },
        None if lost.protocol == IpNumber::UDP => {}
        None => return None,
    }
    let key = &lost.key;
    Some(Packet {
        frame: lost.seen.frame,
        at: lost.seen.at,
        interface: key.path.interface,
        kernel_interface: key.path.kernel_interface,
        direction: key.path.direction,
        link_audience: key.path.link_audience,
        ip_identification: find_v4_identification(lost),
        hop_marks: HopMarks::UNKNOWN,
        network: key.path.network(),
        tunnel: tunnel.or(key.path.tunnel),
        tunnel_port: None,
        content: Content::FragmentsLost(FragmentsLost {
            flow,
            source: key.source,
            destination: key.destination,
            identification: key.identification,
            received_bytes: lost.received_bytes,
            total_bytes: lost.total_bytes.or_else(|| find_udp_length(lost)),
            seen: if lost.head.is_some() { FragmentsSeen::First } else { FragmentsSeen::LaterOnly },
            ended: lost.ended,
        }),
    })
}

fn find_v4_identification(lost: &Lost) -> Option<u16> {
    lost.key
        .source
        .is_ipv4()
        .then_some(lost.key.identification)
        .and_then(|value| u16::try_from(value).ok())
        .filter(|value| *value != 0)
}

/// The length in the UDP header, where the datagram begins with that.
fn find_udp_length(lost: &Lost) -> Option<u32> {
    let head = lost.head.as_deref().filter(|_| lost.protocol == IpNumber::UDP)?;
    find_u16(head, 4).map(u32::from).filter(|length| *length >= saturating_u32(head.len()))
}
