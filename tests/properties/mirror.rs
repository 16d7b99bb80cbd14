//! What a mirror port, a snap length and other people's traffic do to a capture.

use super::frames::{Frames, RawFrame, find_ip};

/// How the second copy of a frame differs from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// Not at all: ingress and egress of a switch are mirrored.
    Same,
    /// One of them carries the VLAN's tag.
    Tagged,
    /// It was routed in between.
    Routed,
}

impl Frames {
    /// Each frame twice, the second `later_ns` after the first.
    pub fn duplicated(&self, copy: Copy, later_ns: i64) -> Self {
        let copies = self.frames.iter().map(|frame| {
            let mut bytes = frame.bytes.clone();
            if self.link_type(frame) == 1 {
                match copy {
                    Copy::Same => {}
                    Copy::Tagged => drop(bytes.splice(12..12, [0x81, 0, 0, 7])),
                    Copy::Routed => route(&mut bytes),
                }
            }
            let grown = u32::try_from(bytes.len() - frame.bytes.len()).unwrap();
            RawFrame {
                at_ns: frame.at_ns + later_ns,
                original_length: frame.original_length + grown,
                interface: frame.interface,
                bytes,
            }
        });
        let mut frames: Vec<RawFrame> = self.frames.iter().cloned().chain(copies).collect();
        frames.sort_by_key(|frame| frame.at_ns);
        self.with(frames)
    }

    /// Cut to `snap_bytes` a frame.
    pub fn cut(&self, snap_bytes: usize) -> Self {
        self.map(|frame, _| {
            let mut frame = frame.clone();
            frame.bytes.truncate(snap_bytes);
            frame
        })
    }

    /// With other hosts' frames in between, at the given parts of the capture's
    /// time in thousandths. Ethernet only.
    pub fn with_background(&self, at_thousandths: &[i64]) -> Self {
        let times = || self.frames.iter().map(|frame| frame.at_ns);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return self.clone() };
        let Some(ethernet) = self.interfaces.iter().position(|(_, link)| *link == 1) else {
            return self.clone();
        };
        let mut frames = self.frames.clone();
        for (number, part) in (0_u8..).zip(at_thousandths) {
            let at_ns = first + (last - first) / 1_000 * part;
            for (step, bytes) in (0_i64..).zip(background(number)) {
                frames.push(RawFrame {
                    at_ns: (at_ns + step * 300_000).min(last),
                    interface: u32::try_from(ethernet).unwrap(),
                    original_length: u32::try_from(bytes.len()).unwrap(),
                    bytes,
                });
            }
        }
        frames.sort_by_key(|frame| frame.at_ns);
        self.with(frames)
    }
}

/// Other link addresses, and one hop less to live.
fn route(bytes: &mut [u8]) {
    bytes[..12].copy_from_slice(&[2, 0, 0x5e, 0, 0, 1, 2, 0, 0x5e, 0, 0, 2]);
    let Some(ip) = find_ip(bytes, 1).map(|at| &mut bytes[at..]) else { return };
    match ip[0] >> 4 {
        4 => {
            ip[8] = ip[8].saturating_sub(1);
            let sum = checksum(&[&ip[..10], &ip[12..20]]);
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        _ => ip[7] = ip[7].saturating_sub(1),
    }
}

/// RFC 1071, over parts of even length but for the last.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 =
        words.map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

/// A question and its answer between hosts that no scenario has, a handshake of
/// TCP, and ARP.
fn background(number: u8) -> Vec<Vec<u8>> {
    let (client, server) = ([203, 0, 113, 7], [203, 0, 113, 53]);
    let (client6, server6) = (ipv6(7), ipv6(0x53));
    let port = 40_000 + u16::from(number);
    let dns = |answers: u8| {
        let mut message = vec![0x12, number, answers << 7 | 1, 0, 0, 1, 0, answers, 0, 0, 0, 0];
        message.extend(b"\x07example\x03com\0\0\x01\0\x01");
        if answers == 1 {
            message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 80]);
        }
        message
    };
    let ntp = |mode: u8| {
        let mut message = vec![0x20 | mode, 2, 6, 0xec];
        message.resize(48, 0);
        let stamp = [0xe9, 1, 2, 3, 4, 5, 6, number];
        message[if mode == 3 { 40..48 } else { 24..32 }].copy_from_slice(&stamp);
        message
    };
    match number % 5 {
        0 => vec![
            frame4(client, server, 17, &udp(port, 53, &dns(0))),
            frame4(server, client, 17, &udp(53, port, &dns(1))),
        ],
        1 => vec![
            frame6(client6, server6, 17, &udp(port, 53, &dns(0))),
            frame6(server6, client6, 17, &udp(53, port, &dns(1))),
        ],
        2 => vec![
            frame4(client, server, 17, &udp(port, 123, &ntp(3))),
            frame4(server, client, 17, &udp(123, port, &ntp(4))),
        ],
        3 => vec![
            frame4(client, server, 6, &tcp(port, 443, 0x02)),
            frame4(server, client, 6, &tcp(443, port, 0x12)),
            frame4(client, server, 6, &tcp(port, 443, 0x10)),
        ],
        _ => {
            let mut request = vec![0xff; 6];
            request.extend([2, 0, 0, 0, 9, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 9, 9]);
            request.extend(client);
            request.extend([0; 6]);
            request.extend(server);
            vec![request]
        }
    }
}

fn ipv6(last: u8) -> [u8; 16] {
    [0x20, 1, 0x0d, 0xb8, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
}

fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let mut out: Vec<u8> =
        [source, destination, length, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
    out.extend(payload);
    out
}

fn tcp(source: u16, destination: u16, flags: u8) -> Vec<u8> {
    let mut out: Vec<u8> =
        [source, destination].iter().flat_map(|word| word.to_be_bytes()).collect();
    out.extend([0, 0, 0, 9, 0, 0, 0, 9, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    out
}

fn ethernet(kind: [u8; 2]) -> Vec<u8> {
    vec![2, 0, 0, 0, 9, 1, 2, 0, 0, 0, 9, 2, kind[0], kind[1]]
}

fn frame4(source: [u8; 4], destination: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend(u16::try_from(payload.len() + 20).unwrap().to_be_bytes());
    ip.extend([0, 0, 0x40, 0, 63, protocol, 0, 0]);
    ip.extend(source);
    ip.extend(destination);
    let sum = checksum(&[&ip]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    [ethernet([8, 0]), ip, payload.to_vec()].concat()
}

fn frame6(source: [u8; 16], destination: [u8; 16], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x60, 0, 0, 0];
    ip.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    ip.extend([protocol, 63]);
    ip.extend(source);
    ip.extend(destination);
    [ethernet([0x86, 0xdd]), ip, payload.to_vec()].concat()
}
