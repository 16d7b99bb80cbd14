//! Captures that others published: where their truth says that an address
//! asymmetry is in them, one is found; nowhere else is one claimed.
//!
//! They lie beside the project as `../shared/captures`; without them this test
//! says that it was skipped.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::Verdict;
    use serde_json::Value;

    use super::header::header;

    #[test]
    fn asymmetry_is_claimed_where_it_is_and_nowhere_else() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
        let Ok(truth) = std::fs::read(folder.join("truth.json")) else {
            println!(
                "skipped: asymmetry_is_claimed_where_it_is_and_nowhere_else: ../shared/captures is not there"
            );
            return;
        };
        let truth: Value = serde_json::from_slice(&truth).unwrap();
        let files: BTreeMap<String, Value> =
            serde_json::from_value(truth["files"].clone()).unwrap();
        let (mut missed, mut false_alarms, mut right) = (Vec::new(), Vec::new(), 0);
        for (file, truth) in &files {
            let is_asymmetric = truth["judgement"]["address_asymmetry"] == true;
            let claims = claims(&folder.join(file));
            match (is_asymmetric, claims.is_empty()) {
                (true, true) => missed.push(file.as_str()),
                (false, false) => false_alarms.push(format!("{file}: {}", claims.join("; "))),
                _ => right += 1,
            }
        }
        println!("verdicts: {right} of {} captures as their truth says", files.len());
        println!("  missed: {}", missed.join(", "));
        assert!(false_alarms.is_empty(), "false alarms:\n{}", false_alarms.join("\n"));
        assert!(missed.is_empty(), "missed: {missed:?}");
    }

    /// Devices that are broken or tolerated; none where the file cannot be analysed.
    fn claims(path: &Path) -> Vec<String> {
        let mut analysis = Analysis::new(Limits::default());
        let mut input = std::fs::File::open(path).unwrap();
        if analysis.read_capture("capture", None, &mut input).is_err() {
            return Vec::new();
        }
        let report = analysis.finish(header()).unwrap();
        report
            .devices
            .iter()
            .filter(|device| matches!(device.verdict, Verdict::Broken | Verdict::Tolerated))
            .map(|device| format!("{} {}: {}", device.device, device.verdict, device.headline))
            .collect()
    }
}
