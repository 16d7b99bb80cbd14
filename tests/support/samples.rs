//! Reports as the pipeline writes them, for tests that need some in the store.

use replyscope::model::report::Report;
use serde_json::{Value, json};
use uuid::Uuid;

/// A report on one device, created `second` seconds into 2025. Reports of
/// later seconds have greater ids, as those of the service.
pub fn report(second: u64, device: &str, verdict: &str, cause: &str) -> Report {
    let milliseconds = (1_735_689_600 + second) * 1_000;
    let id = Uuid::from_u128((u128::from(milliseconds) << 80) | 0x7000_8000_0000_0000_0001);
    let created_at = format!("2025-01-01T00:00:{second:02}.000000Z");
    let mut value = json!({
        "id": id, "title": format!("report {second}"), "created_at": created_at,
        "verdict": verdict, "headline": format!("{device} is {verdict}"),
        "summary": { "devices": 1, "verdicts": { verdict: 1 } },
        "captures": [{
            "name": format!("host-{second}.pcap"), "format": "pcap", "point": "host", "node": "node3",
            "interface": "eth0", "link_types": ["EN10MB"], "clock": "absolute", "packets": 4, "datagrams": 4,
            "icmp_errors": 0, "bytes": 400, "first_packet_at": null, "last_packet_at": null,
            "clock_offset_us": null, "warnings": []
        }],
        "addresses": [],
        "devices": [device_part(device, verdict, cause)],
    });
    if second == 0 {
        value["title"] = json!("100% of <b>switches</b>");
    }
    serde_json::from_value(value).unwrap()
}

fn device_part(device: &str, verdict: &str, cause: &str) -> Value {
    json!({
        "device": device, "name": format!("switch at {device}"),
        "addresses": [device, "2001:db8::ffff"], "verdict": verdict,
        "headline": format!("{device} is {verdict}"), "device_rule": "asked first",
        "findings": [{
            "cause": cause, "severity": "error", "confidence": "certain", "title": "t",
            "explanation": "e", "evidence": [], "remedies": [], "display_filter": "udp"
        }],
        "exchanges": [], "exchanges_omitted": 0
    })
}
