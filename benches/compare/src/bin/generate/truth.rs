//! What a generated capture holds, for whoever checks a report.

use serde_json::{Value, json};

use crate::dialogue::Script;
use crate::network;
use crate::workload::asymmetry;

/// Counts of a capture.
#[derive(Debug, Default)]
pub struct Counts {
    pub bytes: u64,
    pub packets: u64,
    /// A fragmented one once.
    pub datagrams: u64,
    pub icmp_errors: u64,
    pub segments: u64,
    pub dialogues: u64,
}

/// The truth file: counts, and the devices that a report must find.
pub fn describe(kind: &str, seed: u64, devices: u64, counts: &Counts) -> Value {
    let asymmetric: Vec<Value> = (0..devices.min(counts.dialogues))
        .filter_map(|device| {
            let (verdict, causes) = match asymmetry(device)? {
                Script::FollowUpToVip => ("broken", ["follow_up_to_request_address"].as_slice()),
                Script::ReplyIgnored => ("broken", ["reply_ignored"].as_slice()),
                _ => (
                    "tolerated",
                    ["reply_source_translated", "reply_source_not_requested"].as_slice(),
                ),
            };
            Some(json!({
                "device": network::device(device),
                "verdict": verdict,
                "causes_any_of": causes,
            }))
        })
        .collect();
    json!({
        "kind": kind,
        "seed": seed,
        "bytes": counts.bytes,
        "packets": counts.packets,
        "datagrams": counts.datagrams,
        "icmp_errors": counts.icmp_errors,
        "tcp_segments": counts.segments,
        "client_sockets": counts.dialogues,
        "mean_frame_bytes": counts.bytes / counts.packets.max(1) - 16,
        "devices": devices,
        "asymmetric": asymmetric,
    })
}
