//! The least loop that a capture reader can be: pcap-parser cuts, etherparse
//! decodes, a hash table counts per flow. What Replyscope is compared with.
//!
//! use: `bare FILE`, a pcap (microseconds, little endian) or `-`

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use hashbrown::HashMap;

const BUFFER_BYTES: usize = 256 * 1024;
const FILE_HEADER_BYTES: usize = 24;

type Flow = (IpAddr, u16, IpAddr, u16);

#[derive(Default)]
struct Counters {
    packets: u64,
    bytes: u64,
    first_us: u64,
    last_us: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("use: bare FILE")?;
    let mut source: Box<dyn Read> =
        if path == "-" { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    source.read_exact(&mut [0; FILE_HEADER_BYTES])?;
    let mut flows: HashMap<Flow, Counters> = HashMap::new();
    let (mut packets, mut datagrams) = (0_u64, 0_u64);
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut end = 0;
    loop {
        let count = source.read(&mut buffer[end..])?;
        if count == 0 {
            break;
        }
        end += count;
        let mut rest = &buffer[..end];
        while let Ok((after, record)) = pcap_parser::pcap::parse_pcap_frame(rest) {
            rest = after;
            packets += 1;
            if let Some((flow, length)) = find_datagram(record.data) {
                let at_us = u64::from(record.ts_sec) * 1_000_000 + u64::from(record.ts_usec);
                let counters = flows
                    .entry(flow)
                    .or_insert_with(|| Counters { first_us: at_us, ..Counters::default() });
                counters.packets += 1;
                counters.bytes += length as u64;
                counters.last_us = at_us;
                datagrams += 1;
            }
        }
        let used = end - rest.len();
        buffer.copy_within(used..end, 0);
        end -= used;
    }
    let longest_us = flows.values().map(|flow| flow.last_us - flow.first_us).max().unwrap_or(0);
    let (of_flows, bytes) = flows
        .values()
        .fold((0, 0), |(packets, bytes), flow| (packets + flow.packets, bytes + flow.bytes));
    assert_eq!(of_flows, datagrams);
    println!(
        "{packets} packets, {datagrams} datagrams of {bytes} bytes, {} flows, up to {longest_us} us",
        flows.len()
    );
    Ok(())
}

/// The directed flow of a UDP datagram, and its payload's length in bytes.
fn find_datagram(frame: &[u8]) -> Option<(Flow, usize)> {
    let packet = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let Some(TransportSlice::Udp(udp)) = &packet.transport else { return None };
    let (source, destination) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into())
        }
        LaxNetSlice::Ipv6(ip) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into())
        }
        LaxNetSlice::Arp(_) => return None,
    };
    Some(((source, udp.source_port(), destination, udp.destination_port()), udp.payload().len()))
}
