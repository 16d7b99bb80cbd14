//! The founding fault on every link that tcpdump prints, under the options that people use.

use std::fs;
use std::net::SocketAddr;

use etherparse::{Icmpv4Type, Icmpv6Type, PacketBuilder, icmpv4, icmpv6};
use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::report::Report;

use crate::folder::Folder;
use crate::header::header;
use crate::tcpdump::{has_tcpdump, print};
use crate::udp::udp;

/// A link: its number in a capture's header, and the header before a packet of this length.
type Link = (&'static str, u32, fn(bool, usize) -> Vec<u8>);

const LINKS: [Link; 13] = [
    ("Ethernet", 1, |is_v4, _| [&ETHERNET[..], ether_type(is_v4)].concat()),
    ("VLAN", 1, |is_v4, _| [&ETHERNET[..], &[0x81, 0, 0, 5], ether_type(is_v4)].concat()),
    ("QinQ", 1, |is_v4, _| {
        [&ETHERNET[..], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 5], ether_type(is_v4)].concat()
    }),
    ("MPLS", 1, |_, _| [&ETHERNET[..], &[0x88, 0x47, 0, 6, 0x41, 64]].concat()),
    ("two labels", 1, |_, _| {
        [&ETHERNET[..], &[0x88, 0x47, 0, 6, 0x40, 64, 0, 7, 0x41, 64]].concat()
    }),
    ("PPPoE", 1, |is_v4, bytes| {
        let length = u16::try_from(bytes + 2).unwrap().to_be_bytes();
        [&ETHERNET[..], &[0x88, 0x64, 0x11, 0, 0, 1], &length, ppp_protocol(is_v4)].concat()
    }),
    ("null", 0, |is_v4, _| vec![if is_v4 { 2 } else { 30 }, 0, 0, 0]),
    ("loop", 108, |is_v4, _| vec![0, 0, 0, if is_v4 { 2 } else { 24 }]),
    ("raw", 101, |_, _| Vec::new()),
    ("SLL", 113, |is_v4, _| {
        [&[0, 0, 0, 1, 0, 6, 4, 4, 4, 4, 4, 4, 0, 0], ether_type(is_v4)].concat()
    }),
    ("PPP", 9, |is_v4, _| [&[0xff, 3], ppp_protocol(is_v4)].concat()),
    ("pflog", 117, |is_v4, _| {
        let mut header = vec![61, if is_v4 { 2 } else { 24 }, 0, 0];
        header.extend(b"em0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        header.extend([0; 16]);
        header.extend([0, 0, 0, 3]);
        header.extend([0xff; 8]);
        header.extend([0, 0, 0, 0, 0, 0, 3, 232, 0, 0, 0, 0, 1, 0, 0, 0]);
        header
    }),
    ("nflog", 239, |is_v4, bytes| {
        let length = u16::try_from(bytes + 4).unwrap().to_le_bytes();
        [&[if is_v4 { 2 } else { 10 }, 0, 0, 5], &length[..], &[9, 0]].concat()
    }),
];

const ETHERNET: [u8; 12] = [2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4];

const OPTIONS: [&[&str]; 6] = [&["-n"], &["-ne"], &["-nv"], &["-nev"], &["-nt"], &["-nte"]];

fn ether_type(is_v4: bool) -> &'static [u8] {
    if is_v4 { &[8, 0] } else { &[0x86, 0xdd] }
}

fn ppp_protocol(is_v4: bool) -> &'static [u8] {
    if is_v4 { &[0, 0x21] } else { &[0, 0x57] }
}

/// Request, answer of the node, follow-up to the address asked, and its refusal.
fn packets([device, vip, node]: [&str; 3]) -> Vec<Vec<u8>> {
    let end = |address: &str, port| SocketAddr::new(address.parse().unwrap(), port);
    let follow_up = udp(end(device, 41_226), end(vip, 32_991), b"\0\x03\0\x01abc");
    vec![
        udp(end(device, 41_226), end(vip, 69), b"\0\x02a.cfg\0octet\0"),
        udp(end(node, 32_991), end(device, 41_226), b"\0\x04\0\0"),
        follow_up.clone(),
        refusal(vip, device, &follow_up),
    ]
}

fn refusal(from: &str, to: &str, quoted: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let (Ok(from), Ok(to)) = (from.parse::<std::net::Ipv4Addr>(), to.parse()) {
        let to: std::net::Ipv4Addr = to;
        let kind = Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Port);
        let builder = PacketBuilder::ipv4(from.octets(), to.octets(), 64);
        builder.icmpv4(kind).write(&mut bytes, quoted).unwrap();
    } else {
        let (from, to): (std::net::Ipv6Addr, std::net::Ipv6Addr) =
            (from.parse().unwrap(), to.parse().unwrap());
        let kind = Icmpv6Type::DestinationUnreachable(icmpv6::DestUnreachableCode::Port);
        let builder = PacketBuilder::ipv6(from.octets(), to.octets(), 64);
        builder.icmpv6(kind).write(&mut bytes, quoted).unwrap();
    }
    bytes
}

/// A capture of the link with 5 ms between any two packets.
fn capture((_, number, link_header): Link, is_v4: bool, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x0004_0000, number] {
        bytes.extend(word.to_le_bytes());
    }
    for (at, packet) in (0_u32..).zip(packets) {
        let mut frame = [link_header(is_v4, packet.len()), packet.clone()].concat();
        // What netfilter logs is padded to words of four bytes.
        frame.resize(if number == 239 { frame.len().next_multiple_of(4) } else { frame.len() }, 0);
        let length = u32::try_from(frame.len()).unwrap();
        for word in [1_732_000_000, at * 5_000, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(frame);
    }
    bytes
}

fn analyse(bytes: &[u8]) -> Report {
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("capture", None, &mut &bytes[..]).unwrap();
    analysis.finish(header()).unwrap()
}

#[test]
fn the_founding_fault_is_found_on_every_link() {
    if !has_tcpdump() {
        println!("skipped: the_founding_fault_is_found_on_every_link: tcpdump is not installed");
        return;
    }
    let folder = Folder::new("printed-links");
    let file = folder.path().join("link.pcap");
    let mut wrong = Vec::new();
    for ends in [
        ["192.0.2.119", "198.51.100.21", "198.51.100.13"],
        ["2001:db8:1::119", "2001:db8::21", "2001:db8::13"],
    ] {
        let packets = packets(ends);
        for link in LINKS {
            let bytes = capture(link, !ends[0].contains(':'), &packets);
            fs::write(&file, &bytes).unwrap();
            let texts = OPTIONS.iter().map(|options| (options.concat(), print(&file, options)));
            for (options, bytes) in [("pcap".to_owned(), bytes)].into_iter().chain(texts) {
                let report = analyse(&bytes);
                let packets = report.captures[0].packets;
                let found = report.devices.iter().map(|device| {
                    let causes = device.findings.iter().map(|finding| finding.cause);
                    (device.verdict, causes.collect::<Vec<_>>())
                });
                let found: Vec<_> = found.collect();
                let is_found = matches!(&found[..], [(verdict, causes)]
                    if *verdict == Verdict::Broken
                        && causes.contains(&Cause::FollowUpToRequestAddress)
                        && causes.contains(&Cause::PortUnreachable));
                if !is_found || packets != 4 {
                    wrong.push(format!("{} {} {options}: {packets} {found:?}", ends[0], link.0));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
