//! Other addresses and ephemeral ports throughout a scenario.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::frames::find_ip;
use super::scenarios::Scenario;

/// Swaps networks for others of the same size: prefixes stay prefixes, and a
/// subnet's broadcast and a host's solicited-node address stay what they are.
#[derive(Debug, Clone, Copy)]
pub struct Renumbering {
    /// Of the second octet of IPv4, and of the third group of IPv6.
    pub network: u8,
    /// Of ephemeral ports.
    pub port: u16,
}

/// A service's port among the ephemeral ones.
const WIREGUARD: u16 = 51_820;

/// Ports from here are nobody's own (RFC 6335 section 6); some below are those
/// that traceroute probes.
const FIRST_EPHEMERAL: u16 = 0x9000;

impl Renumbering {
    pub fn address(self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) if is_unicast_v4(v4) => {
                let mut octets = v4.octets();
                octets[1] ^= self.network;
                IpAddr::V4(octets.into())
            }
            IpAddr::V6(v6) if is_unicast_v6(v6) => {
                let mut segments = v6.segments();
                segments[2] ^= u16::from(self.network);
                IpAddr::V6(segments.into())
            }
            other => other,
        }
    }

    pub fn port(self, port: u16) -> u16 {
        if port >= FIRST_EPHEMERAL && port != WIREGUARD { port ^ self.port } else { port }
    }

    pub fn scenario(self, scenario: &Scenario) -> Scenario {
        let mut changed = scenario.map(|frames| {
            frames.map(|frame, link_type| {
                let mut frame = frame.clone();
                self.frame(&mut frame.bytes, link_type);
                frame
            })
        });
        for (_, text) in &mut changed.inventories {
            *text = self.text(text);
        }
        changed
    }

    /// Addresses wherever they stand alone; ports of connection tracking.
    fn text(self, text: &str) -> String {
        let is_inside = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
        let mut out = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| is_inside(c) != is_inside(first)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            let is_port = out.ends_with("sport=") || out.ends_with("dport=");
            match (word.parse::<IpAddr>(), word.parse::<u16>()) {
                (Ok(address), _) => out.push_str(&self.address(address).to_string()),
                (_, Ok(port)) if is_port => out.push_str(&self.port(port).to_string()),
                _ => out.push_str(word),
            }
            rest = behind;
        }
        out
    }

    fn frame(self, bytes: &mut [u8], link_type: u16) {
        match find_ip(bytes, link_type) {
            Some(at) => self.ip(&mut bytes[at..]),
            None => self.arp(bytes, link_type),
        }
    }

    fn arp(self, bytes: &mut [u8], link_type: u16) {
        let begins = match link_type {
            1 if bytes.get(12..14) == Some(&[8, 6]) => 14,
            1 if bytes.get(12..14) == Some(&[0x81, 0]) && bytes.get(16..18) == Some(&[8, 6]) => 18,
            113 if bytes.get(14..16) == Some(&[8, 6]) => 16,
            276 if bytes.get(..2) == Some(&[8, 6]) => 20,
            _ => return,
        };
        for at in [begins + 14, begins + 24] {
            self.address_at(bytes, at, 4);
        }
    }

    fn ip(self, ip: &mut [u8]) {
        let Some(version) = ip.first().map(|first| first >> 4) else { return };
        if version == 4 && ip.len() >= 20 {
            self.address_at(ip, 12, 4);
            self.address_at(ip, 16, 4);
            let header_bytes = usize::from(ip[0] & 15) * 4;
            let is_first = u16::from_be_bytes([ip[6], ip[7]]) << 3 == 0;
            let protocol = ip[9];
            if is_first && ip.len() > header_bytes {
                self.transport(&mut ip[header_bytes..], protocol);
            }
        } else if version == 6 && ip.len() >= 40 {
            self.address_at(ip, 8, 16);
            self.address_at(ip, 24, 16);
            match ip[6] {
                44 if ip.len() > 48 => {
                    let is_first = u16::from_be_bytes([ip[42], ip[43]]) >> 3 == 0;
                    let protocol = ip[40];
                    if is_first {
                        self.transport(&mut ip[48..], protocol);
                    }
                }
                protocol => self.transport(&mut ip[40..], protocol),
            }
        }
    }

    fn transport(self, bytes: &mut [u8], protocol: u8) {
        let kind = bytes.first().copied();
        match (protocol, kind) {
            (6 | 17, _) => {
                if protocol == 17
                    && let Some(inner) = find_overlay_packet(bytes)
                {
                    self.ip(inner);
                }
                for at in [0, 2] {
                    if let Some(port) = bytes.get_mut(at..at + 2) {
                        let old = u16::from_be_bytes([port[0], port[1]]);
                        port.copy_from_slice(&self.port(old).to_be_bytes());
                    }
                }
            }
            (1, Some(3 | 5 | 11 | 12)) | (58, Some(1..=4)) if bytes.len() > 8 => {
                self.ip(&mut bytes[8..]);
            }
            // A packet in a packet: IPIP and 6in4.
            (4 | 41, _) => self.ip(bytes),
            (58, Some(135 | 136)) => self.address_at(bytes, 8, 16),
            _ => {}
        }
    }

    fn address_at(self, bytes: &mut [u8], at: usize, length: usize) {
        let Some(field) = bytes.get_mut(at..at + length) else { return };
        let old = match <[u8; 4]>::try_from(&*field) {
            Ok(v4) => IpAddr::from(v4),
            Err(_) => IpAddr::from(<[u8; 16]>::try_from(&*field).unwrap()),
        };
        match self.address(old) {
            IpAddr::V4(v4) => field.copy_from_slice(&v4.octets()),
            IpAddr::V6(v6) => field.copy_from_slice(&v6.octets()),
        }
    }
}

fn is_unicast_v4(v4: Ipv4Addr) -> bool {
    !(v4.is_unspecified() || v4.is_loopback() || v4.is_multicast() || v4.is_broadcast())
}

fn is_unicast_v6(v6: Ipv6Addr) -> bool {
    let is_link_local = v6.segments()[0] & 0xffc0 == 0xfe80;
    !(v6.is_unspecified() || v6.is_loopback() || v6.is_multicast() || is_link_local)
}

/// The IP packet inside Ethernet inside Geneve (RFC 8926) or VXLAN (RFC 7348), from
/// the UDP header on.
fn find_overlay_packet(udp: &mut [u8]) -> Option<&mut [u8]> {
    const UDP_BYTES: usize = 8;
    const OVERLAY_BYTES: usize = 8;
    const ETHERNET_BYTES: usize = 14;
    let options_bytes = match u16::from_be_bytes([*udp.get(2)?, *udp.get(3)?]) {
        6_081 => usize::from(udp.get(UDP_BYTES)? & 0x3f) * 4,
        4_789 | 8_472 => 0,
        _ => return None,
    };
    udp.get_mut(UDP_BYTES + OVERLAY_BYTES + options_bytes + ETHERNET_BYTES..)
}
