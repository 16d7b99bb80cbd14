//! What the library reports on a scenario.

use std::path::Path;

use replyscope::analysis::{Analysis, Limits};
use replyscope::model::report::Report;

use crate::header::header;
use crate::scenarios::Scenario;

/// The report on a scenario, with what `read` makes of each capture's file, or why
/// there is none.
pub fn analyse(scenario: &Scenario, read: impl Fn(&Path) -> Vec<u8>) -> Result<Report, String> {
    let mut analysis = Analysis::new(Limits::default());
    for name in &scenario.inventories {
        let text = std::fs::read(scenario.folder.join(name)).unwrap();
        analysis.read_inventory(name, &mut &text[..]).map_err(|error| error.to_string())?;
    }
    for capture in &scenario.captures {
        let bytes = read(&scenario.folder.join(&capture.name));
        analysis
            .read_capture(&capture.name, capture.point.clone(), &mut &bytes[..])
            .map_err(|error| error.to_string())?;
    }
    analysis.finish(header()).map_err(|error| error.to_string())
}
