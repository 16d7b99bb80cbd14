//! Text of tcpdump without `-n`: what is made of it, for tests.

#![allow(dead_code, reason = "each test uses a part")]

#[path = "header.rs"]
mod header;

use header::header;
use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::Cause;
use replyscope::model::report::Report;

/// The founding fault, as tcpdump prints it where it can look up every address.
pub const LINES: &str = "\
12:00:00.000000 IP switch7.41226 > backup.example.tftp: TFTP, length 20, WRQ \"running.cfg\" octet
12:00:00.001000 IP node3.example.32991 > switch7.41226: UDP, length 4
12:00:00.002000 IP switch7.41226 > backup.example.32991: UDP, length 516
12:00:03.002000 IP switch7.41226 > backup.example.32991: UDP, length 516
12:00:06.002000 IP switch7.41226 > backup.example.32991: UDP, length 516
";

/// Analyses texts, each a capture of its own, beside an inventory.
pub fn report_on(texts: &[&str], inventory: Option<&str>) -> Report {
    let mut analysis = Analysis::new(Limits::default());
    for (number, text) in texts.iter().enumerate() {
        let name = format!("text{number}");
        analysis.read_capture(&name, None, &mut text.as_bytes()).unwrap();
    }
    if let Some(inventory) = inventory {
        analysis.read_inventory("names", &mut inventory.as_bytes()).unwrap();
    }
    analysis.finish(header()).unwrap()
}

/// The causes of all findings.
pub fn causes(report: &Report) -> Vec<Cause> {
    let findings = report.devices.iter().flat_map(|device| &device.findings);
    findings.map(|finding| finding.cause).collect()
}
