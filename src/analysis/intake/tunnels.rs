//! How many packets came through which tunnel.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::packet::Tunnel;
use crate::model::report::CaptureTunnel;

/// Tunnels listed by themselves; the packets of others are counted.
const MAX_TUNNELS: usize = 64;

/// Keys of one tunnel that are listed.
const MAX_KEYS: usize = 16;

/// Packets by the tunnel they came through.
#[derive(Debug, Default)]
pub struct TunnelCounts {
    /// By kind and ends; the keys are in the count.
    tunnels: BTreeMap<Tunnel, Count>,
    further_packets: u64,
}

#[derive(Debug, Default)]
struct Count {
    packets: u64,
    keys: BTreeSet<u32>,
    packets_with_further_keys: u64,
}

impl Count {
    fn add(&mut self, key: Option<u32>) {
        self.packets += 1;
        let Some(key) = key else { return };
        if self.keys.len() < MAX_KEYS {
            self.keys.insert(key);
        } else if !self.keys.contains(&key) {
            self.packets_with_further_keys += 1;
        }
    }
}

impl TunnelCounts {
    pub fn add(&mut self, tunnel: Tunnel) {
        let ends = Tunnel { key: None, ..tunnel };
        if let Some(count) = self.tunnels.get_mut(&ends) {
            count.add(tunnel.key);
        } else if self.tunnels.len() < MAX_TUNNELS {
            self.tunnels.entry(ends).or_default().add(tunnel.key);
        } else {
            self.further_packets += 1;
        }
    }

    /// The tunnels as the report lists them, the busiest first.
    pub fn list(&self) -> Vec<CaptureTunnel> {
        let mut listed: Vec<_> = self
            .tunnels
            .iter()
            .map(|(tunnel, count)| CaptureTunnel {
                kind: tunnel.kind,
                source: tunnel.source,
                destination: tunnel.destination,
                packets: count.packets,
                keys: count.keys.iter().copied().collect(),
                packets_with_further_keys: count.packets_with_further_keys,
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
            let tunnel = |last| Tunnel {
                kind: TunnelKind::Vxlan,
                source: end(last),
                destination: end(0),
                key: Some(7),
            };
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

    #[test]
    fn keys_are_listed_once_and_bounded() {
        let ends: [(IpAddr, IpAddr); 2] = [
            (Ipv4Addr::new(203, 0, 113, 1).into(), Ipv4Addr::new(203, 0, 113, 2).into()),
            (
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).into(),
            ),
        ];
        for (source, destination) in ends {
            let mut counts = TunnelCounts::default();
            let mut add = |kind, key| counts.add(Tunnel { kind, source, destination, key });
            for key in (1..=20).rev().chain([20, 1, 1]) {
                add(TunnelKind::GtpU, Some(key));
            }
            add(TunnelKind::Gre, None);
            let [gtp_u, gre] = &counts.list()[..] else { panic!("{counts:?}") };
            assert_eq!(gtp_u.keys, (5..=20).collect::<Vec<_>>());
            assert_eq!((gtp_u.packets, gtp_u.packets_with_further_keys), (23, 6));
            assert_eq!((&gre.keys[..], gre.packets_with_further_keys), (&[][..], 0));
        }
    }
}
