//! The founding case with hostile text in every string.

use std::net::IpAddr;

use super::founding;
use crate::model::capture::Clock;
use crate::model::finding::Remedy;
use crate::model::report::{Report, Step};
use crate::model::time::Timestamp;

/// Markup, a terminal escape, a reordering mark and line ends: what a file name can hold.
pub(crate) const HOSTILE: &str = "\"'><script>alert(1)</script></style><img src=x onerror=alert(2)>{{7*7}}\x1b[2J\x07\u{202e}gfc\u{9b}31m\r\n</title>";

/// The founding case with [`HOSTILE`] in every string, many lanes, and many packets.
pub(crate) fn hostile() -> Report {
    let bad = || HOSTILE.to_owned();
    let mut report = founding();
    (report.title, report.headline) = (bad(), bad());
    for capture in &mut report.captures {
        (capture.name, capture.clock) = (bad(), Clock::None);
        (capture.node, capture.interface) = (Some(bad()), Some(bad()));
        (capture.link_types, capture.warnings) = (vec![bad()], vec![bad(), "x".repeat(100_000)]);
        capture.clock_offset_us = Some(i64::MIN);
        capture.clock_offset_error_us = Some(u64::MAX);
        capture.continues = Some(bad());
    }
    for address in &mut report.addresses {
        (address.node, address.pod, address.reason) = (Some(bad()), Some(bad()), bad());
    }
    for device in &mut report.devices {
        (device.name, device.headline, device.device_rule) = (Some(bad()), bad(), bad());
        for finding in &mut device.findings {
            (finding.title, finding.explanation, finding.display_filter) = (bad(), bad(), bad());
            for frame in &mut finding.evidence {
                (frame.capture, frame.summary) = (bad(), bad());
                frame.at = Timestamp::from_nanoseconds(i64::MAX);
            }
            finding.remedies.push(Remedy {
                title: bad(),
                steps: vec![bad()],
                commands: vec![bad()],
            });
        }
        for exchange in &mut device.exchanges {
            (exchange.captures, exchange.display_filter) = (vec![bad()], bad());
            exchange.community_id = Some(bad());
            if let Some(request) = &mut exchange.request {
                request.first = bad();
            }
            for translation in &mut exchange.translations {
                translation.between = bad();
            }
            // Every packet between other addresses, so that no lane and no fold fits.
            let template = exchange.steps[0].clone();
            exchange.steps = (0..300_u16)
                .map(|index| Step {
                    capture: bad(),
                    summary: bad(),
                    source: IpAddr::from([192, 0, 2, u8::try_from(index % 250).unwrap()]),
                    destination_port: Some(index),
                    ..template.clone()
                })
                .collect();
            exchange.steps_omitted = u64::MAX;
        }
    }
    report
}
