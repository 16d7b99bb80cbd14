//! Frames: Ethernet, IP, UDP, TCP and ICMP, with the checksums that they need.

use std::net::{IpAddr, SocketAddr};

const UDP: u8 = 17;
const TCP: u8 = 6;
const HOP_LIMIT: u8 = 63;
/// What Ethernet pads to, without the frame check sequence.
const LEAST_FRAME_BYTES: usize = 60;
/// IP payload of a frame on an Ethernet link; a multiple of 8.
const FRAGMENT_BYTES: usize = 1480;
const MORE_FRAGMENTS: u16 = 0x2000;

/// A UDP datagram's headers and payload, as IP carries it.
pub fn datagram(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let mut bytes = Vec::with_capacity(usize::from(length));
    bytes.extend(source.port().to_be_bytes());
    bytes.extend(destination.port().to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    let sum = checksum(pseudo_header(source.ip(), destination.ip(), UDP, &bytes), &bytes);
    bytes[6..8].copy_from_slice(&if sum == 0 { [0xff; 2] } else { sum.to_be_bytes() });
    bytes
}

/// The frames of a datagram: more than one where it must be fragmented.
pub fn datagram_frames(
    source: SocketAddr,
    destination: SocketAddr,
    payload: &[u8],
    identification: u16,
) -> Vec<Vec<u8>> {
    let bytes = datagram(source, destination, payload);
    if bytes.len() <= FRAGMENT_BYTES || source.is_ipv6() {
        return vec![frame(source.ip(), destination.ip(), UDP, (identification, 0), &bytes)];
    }
    let last = (bytes.len() - 1) / FRAGMENT_BYTES;
    bytes
        .chunks(FRAGMENT_BYTES)
        .enumerate()
        .map(|(index, part)| {
            let offset = (index * FRAGMENT_BYTES / 8) as u16;
            let place = if index < last { offset | MORE_FRAGMENTS } else { offset };
            frame(source.ip(), destination.ip(), UDP, (identification, place), part)
        })
        .collect()
}

/// ICMP or ICMPv6 "port unreachable" from `destination`, which quotes a datagram.
pub fn unreachable_frame(
    source: SocketAddr,
    destination: SocketAddr,
    payload: &[u8],
    identification: u16,
) -> Vec<u8> {
    let quoted = datagram(source, destination, payload);
    let quoted = &frame(source.ip(), destination.ip(), UDP, (identification, 0), &quoted)[14..];
    // RFC 1812, section 4.3.2.3: up to 576 bytes; RFC 4443, section 3.1: the least MTU.
    let (protocol, kind, limit_bytes) =
        if source.is_ipv4() { (1, [3, 3], 548) } else { (58, [1, 4], 1232) };
    let mut bytes = vec![kind[0], kind[1], 0, 0, 0, 0, 0, 0];
    bytes.extend(&quoted[..quoted.len().min(limit_bytes)]);
    let start = match protocol {
        1 => 0,
        _ => pseudo_header(destination.ip(), source.ip(), protocol, &bytes),
    };
    let sum = checksum(start, &bytes).to_be_bytes();
    bytes[2..4].copy_from_slice(&sum);
    frame(destination.ip(), source.ip(), protocol, (identification, 0), &bytes)
}

/// A TCP segment with its acknowledgement flag set.
pub fn segment_frame(
    source: SocketAddr,
    destination: SocketAddr,
    sequence: u32,
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20 + payload.len());
    bytes.extend(source.port().to_be_bytes());
    bytes.extend(destination.port().to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 3, 0xe8, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(payload);
    let sum = checksum(pseudo_header(source.ip(), destination.ip(), TCP, &bytes), &bytes);
    bytes[16..18].copy_from_slice(&sum.to_be_bytes());
    frame(source.ip(), destination.ip(), TCP, (0, 0), &bytes)
}

/// Ethernet and IP around `payload`. `fragment` is identification, and flags and offset.
fn frame(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    fragment: (u16, u16),
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(54 + payload.len());
    bytes.extend([0x02, 0, 0x5e, 0, 0, 1, 0x02, 0, 0x5e, 0, 0, 2]);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            bytes.extend([0x08, 0x00, 0x45, 0]);
            bytes.extend(((20 + payload.len()) as u16).to_be_bytes());
            bytes.extend(fragment.0.to_be_bytes());
            bytes.extend(fragment.1.to_be_bytes());
            bytes.extend([HOP_LIMIT, protocol, 0, 0]);
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
            let sum = checksum(0, &bytes[14..34]).to_be_bytes();
            bytes[24..26].copy_from_slice(&sum);
        }
        (source, destination) => {
            bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            bytes.extend((payload.len() as u16).to_be_bytes());
            bytes.extend([protocol, HOP_LIMIT]);
            for address in [source, destination] {
                let IpAddr::V6(address) = address else { continue };
                bytes.extend(address.octets());
            }
        }
    }
    bytes.extend(payload);
    bytes.resize(bytes.len().max(LEAST_FRAME_BYTES), 0);
    bytes
}

/// The sum over the pseudo header (RFC 768, RFC 8200 section 8.1).
fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> u64 {
    let addresses = [source, destination].map(|address| match address {
        IpAddr::V4(address) => sum(0, &address.octets()),
        IpAddr::V6(address) => sum(0, &address.octets()),
    });
    addresses[0] + addresses[1] + u64::from(protocol) + payload.len() as u64
}

fn sum(start: u64, bytes: &[u8]) -> u64 {
    let pairs = bytes.chunks_exact(2);
    let odd = pairs.remainder().first().map_or(0, |byte| u64::from(*byte) << 8);
    pairs.fold(start + odd, |sum, pair| sum + u64::from(u16::from_be_bytes([pair[0], pair[1]])))
}

/// The Internet checksum (RFC 1071).
fn checksum(start: u64, bytes: &[u8]) -> u16 {
    let mut folded = sum(start, bytes);
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    !(folded as u16)
}
