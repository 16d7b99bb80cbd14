//! How many packets came through which tunnel.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::packet::Tunnel;
use crate::model::report::CaptureTunnel;

/// Tunnels listed by themselves; the packets of others are counted.
const MAX_TUNNELS: usize = 64;

/// Packets by the tunnel they came through.
#[derive(Debug, Default)]
pub struct TunnelCounts {
    packets: BTreeMap<Tunnel, u64>,
    further_packets: u64,
}

impl TunnelCounts {
    pub fn add(&mut self, tunnel: Tunnel) {
        if let Some(packets) = self.packets.get_mut(&tunnel) {
            *packets += 1;
        } else if self.packets.len() < MAX_TUNNELS {
            self.packets.insert(tunnel, 1);
        } else {
            self.further_packets += 1;
        }
    }

    /// The tunnels as the report lists them, the busiest first.
    pub fn list(&self) -> Vec<CaptureTunnel> {
        let mut listed: Vec<_> = self
            .packets
            .iter()
            .map(|(tunnel, packets)| CaptureTunnel {
                kind: tunnel.kind,
                source: tunnel.source,
                destination: tunnel.destination,
                packets: *packets,
            })
            .collect();
        listed.sort_by_key(|tunnel| Reverse(tunnel.packets));
        listed
    }

    /// What the list leaves out.
    pub fn warning(&self) -> Option<String> {
        (self.further_packets > 0).then(|| {
            format!(
                "{} packets came through further tunnels, which are not listed",
                self.further_packets
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::model::packet::TunnelKind;

    #[test]
    fn the_busiest_come_first_and_the_list_is_bounded() {
        let ends: [fn(u8) -> IpAddr; 2] = [
            |last| Ipv4Addr::new(203, 0, 113, last).into(),
            |last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()).into(),
        ];
        for end in ends {
            let tunnel =
                |last| Tunnel { kind: TunnelKind::Vxlan, source: end(last), destination: end(0) };
            let mut counts = TunnelCounts::default();
            for last in (1..=70).chain([9, 9, 70]) {
                counts.add(tunnel(last));
            }
            let listed = counts.list();
            assert_eq!(listed.len(), MAX_TUNNELS);
            assert_eq!((listed[0].source, listed[0].packets), (end(9), 3));
            assert_eq!((listed[1].source, listed[1].packets), (end(1), 1));
            assert_eq!(
                counts.warning().unwrap(),
                "7 packets came through further tunnels, which are not listed"
            );
        }
        assert_eq!(TunnelCounts::default().warning(), None);
    }
}
