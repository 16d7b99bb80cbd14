//! A part of a report that shows one cause: for the pages that explain causes.

use askama::Template;

use super::device::{DeviceView, FindingView};
use super::prose::{ProseWords as _, Span};
use super::{RowMark, VerdictWords as _, finish};
use crate::model::finding::Cause;
use crate::model::report::Report;
use crate::report::parties::Parties;
use crate::report::times::Times;

/// The first device with this cause: its exchange, what was found and what to change.
/// `None` where no device has it.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_example(report: &Report, cause: Cause) -> Result<Option<String>, askama::Error> {
    let (parties, times) = (Parties::new(report), Times::new(report));
    for device in &report.devices {
        let mut view = DeviceView::new(device, &parties, &times);
        let position = view.findings.iter().position(|item| item.finding.cause == cause);
        let Some(position) = position else { continue };
        let item = view.findings.swap_remove(position);
        view.remedies = item.finding.remedies.iter().collect();
        return finish(&Example { item, view }).map(Some);
    }
    Ok(None)
}

#[derive(Template)]
#[template(path = "partials/example.html")]
struct Example<'a> {
    item: FindingView<'a>,
    /// With the remedies of this finding only.
    view: DeviceView<'a>,
}
