//! The inner loops, one by one: `cargo bench`.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read ends the benchmark")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use replyscope::correlate::Correlator;
use replyscope::decode::{self, Decoded, Decoder};
use replyscope::ingest::tcpdump_text::{Origin, Run};
use replyscope::ingest::{self, Event, Limits};
use replyscope::model::capture::{CaptureId, Frame, LinkType};
use replyscope::model::endpoint::Endpoint;
use replyscope::model::exchange::PointId;
use replyscope::model::packet::{Content, Packet};
use replyscope::model::time::Timestamp;

const FILE_HEADER_BYTES: usize = 24;
const CAPTURE: &[u8] = include_bytes!("../tests/fixtures/lab/founding/host.pcap");
const SESSION: &str = include_str!("../examples/founding-incident.txt");
const LIMITS: Limits = Limits { expanded_bytes: u64::MAX };

fn main() {
    divan::main();
}

/// A pcap of some megabytes: the frames of a fixture over and over.
fn long_capture() -> Vec<u8> {
    let (header, records) = CAPTURE.split_at(FILE_HEADER_BYTES);
    [header, &records.repeat((4 << 20) / records.len())].concat()
}

/// The frames of the fixture, each by its bytes.
fn frames() -> Vec<(LinkType, Vec<u8>)> {
    let mut frames = Vec::new();
    ingest::read(&mut { CAPTURE }, &LIMITS, &mut |event| {
        if let Event::Frame(frame) = event {
            frames.push((frame.link_type, frame.bytes.to_vec()));
        }
    })
    .unwrap();
    frames
}

fn frame(number: u64, (link_type, bytes): &(LinkType, Vec<u8>)) -> Frame<'_> {
    Frame {
        number,
        at: Timestamp::from_microseconds(i64::try_from(number).unwrap()),
        interface: 0,
        link_type: *link_type,
        direction: None,
        original_length: u32::try_from(bytes.len()).unwrap(),
        bytes,
    }
}

#[divan::bench]
fn cut_pcap(bencher: Bencher) {
    let capture = long_capture();
    bencher.counter(BytesCount::of_slice(&capture)).bench_local(|| {
        let mut bytes = 0;
        ingest::read(&mut capture.as_slice(), &LIMITS, &mut |event| {
            if let Event::Frame(frame) = event {
                bytes += frame.bytes.len();
            }
        })
        .unwrap();
        bytes
    });
}

#[divan::bench]
fn decode_frames(bencher: Bencher) {
    let frames = frames();
    let mut decoder = Decoder::new(decode::Limits::default());
    bencher.counter(ItemsCount::new(frames.len())).bench_local(|| {
        for (number, bytes) in (1..).zip(&frames) {
            let _ = black_box(decoder.decode(&frame(number, bytes)));
        }
    });
}

/// Packets of one exchange, told again by so many clients.
#[divan::bench(args = [1, 1_000, 100_000])]
fn correlate_packets(bencher: Bencher, clients: u32) {
    let mut decoder = Decoder::new(decode::Limits::default());
    let exchange: Vec<Packet> = (1..)
        .zip(&frames())
        .filter_map(|(number, bytes)| match decoder.decode(&frame(number, bytes)) {
            Ok(Decoded::Packet(packet)) => Some(packet),
            _ => None,
        })
        .collect();
    let point = PointId { capture: CaptureId(0), interface: 0 };
    let packets: Vec<Packet> = (0..clients)
        .flat_map(|client| exchange.iter().map(move |packet| told_by(client, packet)))
        .collect();
    bencher
        .counter(ItemsCount::new(packets.len()))
        .with_inputs(|| Correlator::new(usize::MAX))
        .bench_local_values(|mut correlator| {
            correlator.push_all(packets.iter().map(|packet| (point, packet)));
            correlator
        });
}

/// The same packet with other addresses at both ends.
fn told_by(client: u32, packet: &Packet) -> Packet {
    let moved = |endpoint: Endpoint| {
        let address = match endpoint.address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) ^ (client << 8)).into(),
            IpAddr::V6(address) => {
                Ipv6Addr::from(u128::from(address) ^ (u128::from(client) << 64)).into()
            }
        };
        Endpoint::new(address, endpoint.port)
    };
    let mut packet = packet.clone();
    if let Content::Datagram(datagram) = &mut packet.content {
        datagram.flow.source = moved(datagram.flow.source);
        datagram.flow.destination = moved(datagram.flow.destination);
    }
    packet
}

#[divan::bench]
fn read_text_lines(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(SESSION)).bench_local(|| {
        let mut run = Run::new(Origin::default());
        let mut packets = 0;
        let mut sink = |event: Event<'_>| packets += u32::from(matches!(event, Event::Packet(_)));
        for (number, line) in (1..).zip(SESSION.lines()) {
            run.push(number, line, &mut sink);
        }
        run.finish(&mut sink);
        packets
    });
}
