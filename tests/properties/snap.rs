//! What a snap length cuts off is not known: it makes no fault.

use std::net::IpAddr;

use replyscope::model::finding::Verdict;

use super::scenarios::{Diagnoses, Diagnosis, apart_scenarios, scenarios};

/// From the link, network and UDP headers of IPv4 alone, over Ethernet's shortest frame and
/// what `tcpdump` kept of a packet in former times, to what people choose.
const SNAP_BYTES: [usize; 6] = [54, 60, 64, 68, 96, 128];

#[test]
fn no_verdict_gets_worse_where_packets_are_cut() {
    let mut failed = Vec::new();
    for scenario in scenarios().into_iter().chain(apart_scenarios()) {
        let whole = scenario.diagnose();
        for snap_bytes in SNAP_BYTES {
            let found = scenario.map(|frames| frames.cut(snap_bytes)).diagnose();
            let worse = worse(&whole, &found);
            failed.extend(
                worse.iter().map(|line| format!("{} at {snap_bytes}: {line}", scenario.name)),
            );
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

/// Devices of which the cut packets tell a fault that the whole ones do not.
fn worse(whole: &Diagnoses, found: &Diagnoses) -> Vec<String> {
    // Behind a masquerade only its words tell whose a request is; without them what is the
    // device's is told of the address that it was given, and no worse.
    let worst = whole.values().map(|whole| whole.verdict).max();
    let is_worse = |(device, found): &(&IpAddr, &Diagnosis)| {
        let before = whole.get(device).map(|whole| whole.verdict).or(worst);
        found.verdict >= Verdict::Unanswered && before < Some(found.verdict)
    };
    let told = found.iter().filter(is_worse);
    told.map(|(device, found)| format!("{device}: {:?} -> {found:?}", whole.get(device))).collect()
}
