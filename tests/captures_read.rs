//! Reads every public capture that lies beside the repository and compares the
//! number of frames with what capinfos counts. Skipped where they are absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use replyscope::ingest::{Event, Limits, read};
use serde_json::Value;

/// Captures that are refused, or whose count differs, and why.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("formats/packetlife__snoop-working-ccm7.cap", "a NetScreen text trace, not a capture file"),
    (
        "formats/gopacket__le_test901.pcapng",
        "a section of pcapng 2.0, which capinfos refuses whole",
    ),
    (
        "formats/libpcap__linktype-reserved-field-not-zero.pcap",
        "reserved bits set, which capinfos refuses",
    ),
    ("malformed/libpcap__shb-option-too-long.pcapng", "its only section header is damaged"),
];

#[derive(Default, Debug)]
struct Count {
    captures: usize,
    ends: usize,
    frames: u64,
    faults: Vec<String>,
}

#[test]
fn frames_are_counted_as_capinfos_counts_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(truth) = fs::read(root.join("truth.json")) else {
        println!("skipped: frames_are_counted_as_capinfos_counts_them (no ../shared/captures)");
        return;
    };
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let exceptions = BTreeMap::from(EXCEPTIONS);
    let (mut right, mut wrong) = (0, Vec::new());
    for (name, entry) in truth["files"].as_object().unwrap() {
        if entry["kind"] != "capture" {
            continue;
        }
        let bytes = fs::read(root.join(name)).unwrap();
        let mut count = Count::default();
        let outcome =
            read(&mut &bytes[..], &Limits { expanded_bytes: 1 << 30 }, &mut |event| match event {
                Event::CaptureBegins(_) => count.captures += 1,
                Event::CaptureEnds => count.ends += 1,
                Event::Frame(_) => count.frames += 1,
                Event::Fault(fault) => count.faults.push(fault.to_string()),
                _ => {}
            });
        assert_eq!(count.captures, count.ends, "{name}");
        let expected = entry["packets"]["capinfos"].as_u64();
        if let Some(reason) = exceptions.get(&name[..]) {
            println!(
                "left out: {name}: {reason}; got {} frames, {outcome:?}, {:?}",
                count.frames, count.faults
            );
        } else if outcome.is_ok() && expected == Some(count.frames) {
            right += 1;
            let is_cut = entry["read"]["tshark_message"]
                .as_str()
                .is_some_and(|text| text.contains("cut short"));
            assert!(
                !is_cut || count.faults.iter().any(|fault| fault.contains(" is cut: ")),
                "{name}: {count:?}"
            );
        } else {
            wrong.push(format!("{name}: expected {expected:?}, got {count:?}, {outcome:?}"));
        }
    }
    println!(
        "{right} captures counted right, {} wrong, {} left out",
        wrong.len(),
        EXCEPTIONS.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}
