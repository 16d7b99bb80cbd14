//! Writes large pcap files whose content is known: the same bytes for the same
//! arguments.
//!
//! use: `generate mix|small|live|churn SIZE_MIB OUT TRUTH [SEED]`

#![expect(
    clippy::cast_possible_truncation,
    reason = "ports, lengths and identifiers are made to fit, or wrap on purpose"
)]

mod dialogue;
mod network;
mod payload;
mod random;
mod truth;
mod wire;
mod workload;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;

use dialogue::{Step, StepKind};
use random::draw_below;
use truth::Counts;
use workload::Workload;

/// 2025-10-09T08:53:20Z
const START_NS: u64 = 1_760_000_000_000_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, size_mib, out, truth, rest @ ..] = arguments.as_slice() else {
        return Err("use: generate mix|small|live|churn SIZE_MIB OUT TRUTH [SEED]".into());
    };
    let workload = Workload::find(kind).ok_or("the kinds are mix, small, live and churn")?;
    let size_mib: u64 = size_mib.parse()?;
    let seed: u64 = rest.first().map_or(Ok(1), |seed| seed.parse())?;
    let devices = workload.devices(size_mib);
    let mut capture = Capture {
        out: BufWriter::with_capacity(1 << 20, File::create(out)?),
        counts: Counts::default(),
        now_ns: START_NS,
        segments_due: 0,
        workload,
        seed,
    };
    capture.header()?;
    run(&mut capture, workload.dialogues(size_mib), devices)?;
    capture.out.flush()?;
    let truth_text = truth::describe(kind, seed, devices, &capture.counts);
    std::fs::write(truth, format!("{truth_text:#}\n"))?;
    Ok(())
}

/// Lets all dialogues take their steps, in the order of time.
fn run(capture: &mut Capture, dialogues: u64, devices: u64) -> io::Result<()> {
    let workload = capture.workload;
    let gap_ns = workload.span_ns() / dialogues.max(1);
    let mut waiting: BinaryHeap<Reverse<(u64, u64, u64)>> = BinaryHeap::new();
    let mut begun = 0;
    loop {
        let begins_ns = START_NS + begun * gap_ns;
        let is_due = waiting.peek().is_some_and(|Reverse((at_ns, ..))| *at_ns < begins_ns);
        if begun < dialogues && !is_due {
            waiting.push(Reverse((begins_ns, begun, 0)));
            begun += 1;
            continue;
        }
        let Some(Reverse((at_ns, number, index))) = waiting.pop() else { break };
        capture.now_ns = capture.now_ns.max(at_ns);
        let step = workload.dialogue(number, devices, capture.seed).step(index);
        if let Some(next_ns) = step.next_ns {
            waiting.push(Reverse((at_ns + next_ns, number, index + 1)));
        }
        capture.step(&step)?;
    }
    capture.counts.dialogues = begun;
    Ok(())
}

/// The file that is being written.
struct Capture {
    out: BufWriter<File>,
    counts: Counts,
    now_ns: u64,
    /// TCP segments to come, in thousandths.
    segments_due: u64,
    workload: Workload,
    seed: u64,
}

impl Capture {
    /// The file header: microseconds, little endian, Ethernet.
    fn header(&mut self) -> io::Result<()> {
        let words: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.counts.bytes += bytes.len() as u64;
        self.out.write_all(&bytes)
    }

    fn step(&mut self, step: &Step) -> io::Result<()> {
        let (source, destination) = (step.source, step.destination);
        let identification = self.counts.packets as u16;
        match step.kind {
            StepKind::Datagram => {
                self.counts.datagrams += 1;
                for frame in
                    wire::datagram_frames(source, destination, &step.payload, identification)
                {
                    self.record(&frame)?;
                }
                self.segments()
            }
            StepKind::Unreachable => {
                self.counts.icmp_errors += 1;
                let frame =
                    wire::unreachable_frame(source, destination, &step.payload, identification);
                self.record(&frame)
            }
        }
    }

    /// The TCP that is due after a datagram.
    fn segments(&mut self) -> io::Result<()> {
        self.segments_due += self.workload.segments_per_thousand();
        while self.segments_due >= 1_000 {
            self.segments_due -= 1_000;
            let number = self.counts.segments;
            self.counts.segments += 1;
            let length = match draw_below(self.seed, number, 9, 100) {
                _ if self.workload != Workload::Mix => 0,
                0..45 => 0,
                45..60 => 400,
                _ => 1_448,
            };
            let server = SocketAddr::new(network::vip(false), 443);
            let client = SocketAddr::new(network::web_client(number), 40_000);
            let payload = payload::filler(length, number);
            let frame = wire::segment_frame(server, client, number as u32, &payload);
            self.now_ns += 1_000;
            self.record(&frame)?;
        }
        Ok(())
    }

    fn record(&mut self, frame: &[u8]) -> io::Result<()> {
        let length = frame.len() as u32;
        let seconds = (self.now_ns / 1_000_000_000) as u32;
        let microseconds = (self.now_ns % 1_000_000_000 / 1_000) as u32;
        for word in [seconds, microseconds, length, length] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.counts.packets += 1;
        self.counts.bytes += 16 + u64::from(length);
        self.out.write_all(frame)
    }
}
