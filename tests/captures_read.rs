//! Reads every public capture that lies beside the repository and compares the
//! number of frames and their times with what capinfos says. Skipped where they
//! are absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use replyscope::ingest::{Event, Limits, read};
use serde_json::Value;

/// Captures that are not read, and why.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[derive(Default, Debug)]
struct Count {
    captures: usize,
    ends: usize,
    frames: u64,
    /// The earliest and the latest time, in nanoseconds.
    times: Option<(i64, i64)>,
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
                Event::Frame(frame) => {
                    count.frames += 1;
                    let at = frame.at.as_nanoseconds();
                    let (first, last) = count.times.unwrap_or((at, at));
                    count.times = Some((first.min(at), last.max(at)));
                }
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
        } else if expected.is_none() {
            // Refused by capinfos: what came before the damage, and a word about it.
            let before = entry["packets"]["tshark"].as_u64().unwrap_or(0);
            let is_told = outcome.is_err() || !count.faults.is_empty();
            if count.frames == before && is_told {
                right += 1;
            } else {
                wrong.push(format!("{name}: expected {before} frames and a fault, got {count:?}"));
            }
        } else if outcome.is_ok() && expected == Some(count.frames) {
            let told = ["first_timestamp", "last_timestamp"]
                .map(|key| entry["packets"][key].as_str().and_then(find_nanoseconds));
            if let ([Some(first), Some(last)], Some(times)) = (told, count.times) {
                assert_eq!((first, last), times, "{name}");
            }
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

/// Seconds as capinfos prints them. `None` after the year 2262, and where a
/// fraction is so much more than a second that capinfos prints it as negative.
fn find_nanoseconds(seconds: &str) -> Option<i64> {
    let (whole, fraction) = seconds.split_once('.')?;
    let fraction: u32 = format!("{fraction:0<9}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction.into())
}
