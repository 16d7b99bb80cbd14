//! A capture of many devices: most work, some do not.

use std::net::Ipv6Addr;

const SERVICE: &str = "2001:db8:ffff::10";
const NODE: &str = "2001:db8:ffff::4";

/// Of each twenty devices one goes on at the wrong address, one gets no answer, and
/// the others work.
pub const PATTERN: u32 = 20;

/// The address of a device, by its number.
pub fn device(number: u32) -> Ipv6Addr {
    let network = u128::from("2001:db8::".parse::<Ipv6Addr>().unwrap());
    Ipv6Addr::from(network + (u128::from(number) << 16) + 7)
}

/// A pcap file (raw IP) with `devices` devices, a millisecond apart.
pub fn capture(devices: u32) -> Vec<u8> {
    let mut file = Vec::new();
    for value in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend_from_slice(&value.to_le_bytes());
    }
    let (service, node): (Ipv6Addr, Ipv6Addr) = (SERVICE.parse().unwrap(), NODE.parse().unwrap());
    for number in 0..devices {
        let client = device(number);
        let at = u64::from(number) * 1_000;
        let mut push = |after_us: u64, packet: &[u8]| push(&mut file, at + after_us, packet);
        match number % PATTERN {
            0 => {
                push(0, &datagram(client, service, (41_226, 69), b"\0\x02startup.cfg\0octet\0"));
                for turn in 0..3 {
                    let after = turn * 300;
                    push(after + 100, &datagram(node, client, (32_991, 41_226), b"\0\x04\0\0"));
                    let lost = datagram(client, service, (41_226, 32_991), &[0, 3, 0, 1, 7, 7]);
                    push(after + 200, &lost);
                    push(after + 210, &port_unreachable(service, client, &lost));
                }
            }
            1 => {
                let request =
                    datagram(client, service, (41_226, 69), b"\0\x02startup.cfg\0octet\0");
                for turn in 0..3 {
                    push(turn * 1_000_000, &request);
                }
            }
            _ => {
                let (mut ask, mut answer) = ([0; 48], [0; 48]);
                ask[0] = 0x23;
                ask[40..44].copy_from_slice(&(number + 1).to_be_bytes());
                (answer[0], answer[1]) = (0x24, 2);
                answer[24..28].copy_from_slice(&(number + 1).to_be_bytes());
                push(0, &datagram(client, service, (50_000, 123), &ask));
                push(400, &datagram(service, client, (123, 50_000), &answer));
            }
        }
    }
    file
}

fn push(file: &mut Vec<u8>, at_us: u64, packet: &[u8]) {
    let seconds = u32::try_from(1_700_000_000 + at_us / 1_000_000).unwrap();
    let length = u32::try_from(packet.len()).unwrap();
    let microseconds = u32::try_from(at_us % 1_000_000).unwrap();
    for value in [seconds, microseconds, length, length] {
        file.extend_from_slice(&value.to_le_bytes());
    }
    file.extend_from_slice(packet);
}

fn datagram(source: Ipv6Addr, destination: Ipv6Addr, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    let mut body = Vec::new();
    for value in [ports.0, ports.1, length, 0] {
        body.extend_from_slice(&value.to_be_bytes());
    }
    body.extend_from_slice(payload);
    packet(source, destination, 17, body, 6)
}

fn port_unreachable(source: Ipv6Addr, destination: Ipv6Addr, quoted: &[u8]) -> Vec<u8> {
    let body = [&[1, 4, 0, 0, 0, 0, 0, 0], quoted].concat();
    packet(source, destination, 58, body, 2)
}

/// An IPv6 packet; the checksum of its body goes to `checksum_at`.
fn packet(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    next_header: u8,
    mut body: Vec<u8>,
    checksum_at: usize,
) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let pseudo = [&source.octets()[..], &destination.octets(), &body].concat();
    let mut sum: u32 = u32::from(length) + u32::from(next_header);
    for pair in pseudo.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !u16::try_from(sum).unwrap();
    let checksum = if checksum == 0 { u16::MAX } else { checksum };
    body[checksum_at..checksum_at + 2].copy_from_slice(&checksum.to_be_bytes());
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[next_header, 64]);
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
    packet.extend_from_slice(&body);
    packet
}
