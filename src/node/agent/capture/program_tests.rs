//! Compiled filters, run as the kernel would run them.

use std::net::IpAddr;

use super::super::bpf::{self, Instruction};
use super::*;

/// What `program` keeps of `packet`: an interpreter of the instructions that we
/// use, with the kernel's rules for loads behind the end.
fn run(program: &[Instruction], packet: &[u8], packet_type: u32) -> u32 {
    let (mut a, mut x, mut memory) = (0_u32, 0_u32, [0_u32; 16]);
    let mut at = 0;
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let load = |place: u32, bytes: usize| {
            if place == PACKET_TYPE_OFFSET {
                return Some(packet_type);
            }
            let place = usize::try_from(place).unwrap();
            let bytes = packet.get(place..place + bytes)?;
            Some(bytes.iter().fold(0, |value, byte| (value << 8) | u32::from(*byte)))
        };
        let loaded = match code {
            bpf::LOAD_BYTE => load(k, 1),
            bpf::LOAD_HALF => load(k, 2),
            bpf::LOAD_BYTE_AT_X => load(x + k, 1),
            bpf::LOAD_HALF_AT_X => load(x + k, 2),
            bpf::LOAD_WORD_AT_X => load(x + k, 4),
            bpf::LOAD_IMMEDIATE => Some(k),
            bpf::LOAD_MEMORY => Some(memory[usize::try_from(k).unwrap()]),
            bpf::ADD => Some(a.wrapping_add(k)),
            bpf::ADD_X => Some(a.wrapping_add(x)),
            bpf::AND => Some(a & k),
            bpf::SHIFT_LEFT => Some(a << k),
            bpf::X_TO_A => Some(x),
            _ => Some(a),
        };
        let Some(loaded) = loaded else { return 0 };
        a = loaded;
        match code {
            bpf::SET_X => x = k,
            bpf::A_TO_X => x = a,
            bpf::STORE => memory[usize::try_from(k).unwrap()] = a,
            bpf::JUMP => at += usize::try_from(k).unwrap(),
            bpf::EQUAL => at += usize::from(if a == k { jt } else { jf }),
            bpf::GREATER => at += usize::from(if a > k { jt } else { jf }),
            bpf::RETURN => return k,
            _ => {}
        }
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn udp(source: u16, destination: u16) -> Vec<u8> {
    [source.to_be_bytes(), destination.to_be_bytes(), [0, 12], [0, 0], [1, 2], [3, 4]].concat()
}

/// An IP packet of the addresses' family; `fragment` is its offset in units of 8 bytes.
fn packet(source: &str, destination: &str, protocol: u8, fragment: u16, body: &[u8]) -> Vec<u8> {
    match (ip(source), ip(destination)) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            // With four bytes of options: headers are not always 20 bytes long.
            let mut bytes = vec![0x46, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0];
            bytes[6..8].copy_from_slice(&(fragment | 0x2000).to_be_bytes());
            if fragment == 0 {
                bytes[6] = 0x40;
            }
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
            bytes.extend([1, 1, 1, 0]);
            bytes.extend(body);
            bytes
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let mut bytes = vec![0x60, 0, 0, 0, 0, 0, 0, 64];
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
            // Hop-by-hop options of 16 bytes; then, of a fragment, its header.
            bytes[6] = 0;
            let next = if fragment == 0 { protocol } else { 44 };
            bytes.extend([next, 1]);
            bytes.extend([0; 14]);
            if fragment != 0 {
                let [high, low] = (fragment << 3 | 1).to_be_bytes();
                bytes.extend([protocol, 0, high, low, 0, 0, 0, 7]);
            }
            bytes.extend(body);
            bytes
        }
        _ => panic!("two families"),
    }
}

fn icmp_error(quoted: &[u8]) -> Vec<u8> {
    let mut bytes = vec![if quoted[0] >> 4 == 4 { 3 } else { 1 }, 3, 0, 0, 0, 0, 0, 0];
    bytes.extend(quoted);
    bytes
}

fn icmp_of(address: &str) -> u8 {
    if ip(address).is_ipv4() { 1 } else { 58 }
}

/// An Ethernet frame with these VLAN tags inline.
fn frame(tags: &[u16], packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2; 12];
    for tag in tags {
        bytes.extend(tag.to_be_bytes());
        bytes.extend([0, 7]);
    }
    let ether_type: u16 = match packet[0] >> 4 {
        4 => 0x0800,
        6 => 0x86dd,
        _ => 0x0806,
    };
    bytes.extend(ether_type.to_be_bytes());
    bytes.extend(packet);
    bytes
}

fn neighbour_question(asker: &str, target: &str) -> Vec<u8> {
    match (ip(asker), ip(target)) {
        (IpAddr::V4(asker), IpAddr::V4(target)) => {
            let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, 1, 2, 2, 2, 2, 2, 2];
            bytes.extend(asker.octets());
            bytes.extend([0; 6]);
            bytes.extend(target.octets());
            bytes
        }
        (_, IpAddr::V6(target)) => {
            let mut body = vec![135, 0, 0, 0, 0, 0, 0, 0];
            body.extend(target.octets());
            let mut bytes = packet(asker, "ff02::1:ff00:1", 58, 0, &[]);
            // NDP has no extension headers.
            bytes.truncate(40);
            bytes[6] = 58;
            bytes.extend(body);
            bytes
        }
        _ => panic!("two families"),
    }
}

/// Device, another host, node, a router.
const FAMILIES: [[&str; 4]; 2] = [
    ["192.0.2.9", "192.0.2.10", "198.51.100.3", "203.0.113.1"],
    ["2001:db8::9", "2001:db8::10", "2001:db8:1::3", "2001:db8:2::1"],
];

fn filter(devices: &[&str], ports: &[u16]) -> CaptureFilter {
    CaptureFilter {
        ports: ports.to_vec(),
        ..CaptureFilter::of_devices(devices.iter().map(|device| ip(device)).collect())
    }
}

fn keeps(filter: &CaptureFilter, packet: &[u8]) -> bool {
    let compile =
        |link| compile(Selection::Filter(filter), link, Outgoing::Captured, 1_000).unwrap();
    let program = compile(LinkLayer::Ethernet);
    let kept = run(&program, &frame(&[], packet), 0) == 1_000;
    // However it is tagged, and whichever link it is on, it is the same packet.
    for tags in [&[0x8100][..], &[0x88a8, 0x8100]] {
        assert_eq!(run(&program, &frame(tags, packet), 0) == 1_000, kept, "{tags:x?}");
    }
    if packet[0] >> 4 != 0 {
        assert_eq!(run(&compile(LinkLayer::Network), packet, 0) == 1_000, kept);
    }
    kept
}

#[test]
fn a_filter_keeps_what_concerns_its_device() {
    for [device, other, node, router] in FAMILIES {
        let icmp = icmp_of(device);
        let quoted = packet(device, node, 17, 0, &udp(5_000, 69));
        let quoted_reply = packet(node, device, 17, 0, &udp(40_000, 5_000));
        let quoted_other = packet(other, node, 17, 0, &udp(5_000, 69));
        let quoted_tcp = packet(device, node, 6, 0, &udp(5_000, 22));
        let quoted_fragment = packet(device, node, 17, 185, &[7; 16]);
        let cases = [
            ("from the device", packet(device, node, 17, 0, &udp(5_000, 69)), true),
            ("to the device", packet(node, device, 17, 0, &udp(40_000, 5_000)), true),
            ("of another", packet(other, node, 17, 0, &udp(5_000, 69)), false),
            ("TCP of the device", packet(device, node, 6, 0, &udp(5_000, 22)), false),
            ("a later fragment", packet(device, node, 17, 185, &[7; 16]), true),
            ("a later fragment of another", packet(other, node, 17, 185, &[7; 16]), false),
            ("a later fragment of TCP", packet(device, node, 6, 185, &[7; 16]), false),
            ("an error to it", packet(node, device, icmp, 0, &icmp_error(&quoted)), true),
            ("an error by it", packet(device, node, icmp, 0, &icmp_error(&quoted_reply)), true),
            ("a router's", packet(router, node, icmp, 0, &icmp_error(&quoted_reply)), true),
            ("of a fragment", packet(router, device, icmp, 0, &icmp_error(&quoted_fragment)), true),
            ("about another", packet(router, node, icmp, 0, &icmp_error(&quoted_other)), false),
            ("about TCP", packet(router, device, icmp, 0, &icmp_error(&quoted_tcp)), false),
            ("a ping", packet(device, node, icmp, 0, &[128, 0, 0, 0, 0, 1, 0, 1]), false),
            ("a question for it", neighbour_question(node, device), true),
            ("a question for another", neighbour_question(node, other), false),
        ];
        for (name, packet, expected) in cases {
            assert_eq!(keeps(&filter(&[device], &[]), &packet), expected, "{name}: {device}");
        }
    }
}

#[test]
fn switches_leave_out_what_they_name() {
    for [device, _, node, router] in FAMILIES {
        let whole = filter(&[device], &[]);
        let quoted = packet(device, node, 17, 0, &udp(5_000, 69));
        let error = packet(router, device, icmp_of(device), 0, &icmp_error(&quoted));
        let fragment = packet(device, node, 17, 185, &[7; 16]);
        let question = neighbour_question(node, device);
        let tcp = packet(device, node, 6, 0, &udp(5_000, 22));
        let cases = [
            (CaptureFilter { with_icmp_errors: false, ..whole.clone() }, &error, false),
            (CaptureFilter { with_icmp_errors: false, ..whole.clone() }, &question, true),
            (CaptureFilter { with_fragments: false, ..whole.clone() }, &fragment, false),
            (CaptureFilter { with_fragments: false, ..whole.clone() }, &error, true),
            (CaptureFilter { with_neighbour_discovery: false, ..whole.clone() }, &question, false),
            (CaptureFilter { with_neighbour_discovery: false, ..whole.clone() }, &error, true),
            (CaptureFilter { with_tcp: true, ..whole.clone() }, &tcp, true),
        ];
        for (filter, packet, expected) in cases {
            assert_eq!(keeps(&filter, packet), expected, "{filter:?}");
        }
        let next_hops = CaptureFilter { next_hops: vec![ip(router)], ..whole };
        assert!(keeps(&next_hops, &neighbour_question(node, router)));
    }
}

#[test]
fn ports_narrow_what_is_kept() {
    for [device, other, node, router] in FAMILIES {
        let icmp = icmp_of(device);
        let quoted = packet(device, node, 17, 0, &udp(5_000, 69));
        let quoted_other = packet(device, node, 17, 0, &udp(5_000, 161));
        let cases = [
            ("to the port", packet(device, node, 17, 0, &udp(5_000, 69)), true),
            ("from the port", packet(node, device, 17, 0, &udp(69, 5_000)), true),
            ("another port", packet(device, node, 17, 0, &udp(5_000, 161)), false),
            ("an error about it", packet(router, device, icmp, 0, &icmp_error(&quoted)), true),
            (
                "about another port",
                packet(router, device, icmp, 0, &icmp_error(&quoted_other)),
                false,
            ),
            ("a later fragment", packet(device, node, 17, 185, &[7; 16]), true),
        ];
        for (name, packet, expected) in cases {
            assert_eq!(keeps(&filter(&[device], &[69]), &packet), expected, "{name}: {device}");
        }
        // Ports alone: whoever it is.
        let anybody = filter(&[], &[69]);
        assert!(keeps(&anybody, &packet(other, node, 17, 0, &udp(5_000, 69))));
        assert!(!keeps(&anybody, &packet(other, node, 17, 0, &udp(5_000, 161))));
        assert!(!keeps(&anybody, &neighbour_question(node, other)));
    }
}

#[test]
fn one_filter_takes_devices_of_both_families() {
    let [[device_v4, _, node_v4, _], [device_v6, _, node_v6, _]] = FAMILIES;
    let both = filter(&[device_v4, device_v6, "::ffff:192.0.2.77"], &[]);
    assert!(keeps(&both, &packet(device_v4, node_v4, 17, 0, &udp(1, 2))));
    assert!(keeps(&both, &packet(device_v6, node_v6, 17, 0, &udp(1, 2))));
    assert!(keeps(&both, &packet(node_v4, "192.0.2.77", 17, 0, &udp(1, 2))));
}

#[test]
fn extension_headers_are_followed_up_to_a_limit() {
    let [_, [device, _, node, _]] = FAMILIES;
    let plain = packet(device, node, 17, 0, &udp(5_000, 69));
    // Behind the hop-by-hop header: authentication of 12 bytes, destination
    // options of 8, and a first fragment.
    let mut long = plain[..56].to_vec();
    long[40] = 51;
    long.extend([60, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    long.extend([44, 0, 0, 0, 0, 0, 0, 0]);
    long.extend([17, 0, 0, 1, 0, 0, 0, 9]);
    long.extend(udp(5_000, 69));
    assert!(keeps(&filter(&[device], &[69]), &long));
    assert!(!keeps(&filter(&[device], &[161]), &long));
    let mut endless = plain[..40].to_vec();
    for _ in 0..20 {
        endless.extend([60, 0, 0, 0, 0, 0, 0, 0]);
    }
    assert!(!keeps(&filter(&[device], &[]), &endless));
}

#[test]
fn cut_packets_are_left_out_and_never_run_on() {
    for [device, _, node, router] in FAMILIES {
        let quoted = packet(device, node, 17, 0, &udp(5_000, 69));
        let whole = frame(&[0x8100], &packet(router, node, icmp_of(node), 0, &icmp_error(&quoted)));
        let filter = filter(&[device], &[69]);
        let program =
            compile(Selection::Filter(&filter), LinkLayer::Ethernet, Outgoing::Captured, 64)
                .unwrap();
        assert_eq!(run(&program, &whole, 0), 64);
        for length in 0..whole.len() - 10 {
            assert_eq!(run(&program, &whole[..length], 0), 0, "{length}");
        }
    }
}

#[test]
fn outgoing_packets_are_skipped_where_each_comes_twice() {
    let [[device, _, node, _], _] = FAMILIES;
    let bytes = frame(&[], &packet(device, node, 17, 0, &udp(1, 2)));
    let filter = filter(&[device], &[]);
    for selection in [Selection::Filter(&filter), Selection::Everything] {
        for (outgoing, kept) in [(Outgoing::Captured, 64), (Outgoing::Skipped, 0)] {
            let program = compile(selection, LinkLayer::Ethernet, outgoing, 64).unwrap();
            assert_eq!(run(&program, &bytes, OUTGOING), kept, "{outgoing:?}");
            assert_eq!(run(&program, &bytes, 0), 64, "{outgoing:?}");
        }
    }
}

#[test]
fn the_largest_filter_fits_the_kernel() {
    let filter = CaptureFilter {
        devices: (0..MAX_DEVICES).map(|n| ip(&format!("2001:db8::{n:x}"))).collect(),
        next_hops: (0..MAX_NEXT_HOPS).map(|n| ip(&format!("2001:db8:1::{n:x}"))).collect(),
        ports: (1..=u16::try_from(MAX_PORTS).unwrap()).collect(),
        with_tcp: true,
        ..CaptureFilter::of_devices(Vec::new())
    };
    let program =
        compile(Selection::Filter(&filter), LinkLayer::Ethernet, Outgoing::Skipped, 64).unwrap();
    assert!(program.len() <= bpf::MAX_INSTRUCTIONS, "{}", program.len());
}
