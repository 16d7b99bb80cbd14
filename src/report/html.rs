//! A report as a page.

use std::net::IpAddr;

use crate::model::report::Report;

/// The stylesheet of all pages.
pub const STYLESHEET: &str = "";

/// Where a page stands: the frame around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting<'a> {
    /// A file that stands alone: styles inside, no links to a service.
    File,
    /// A page of the service, which serves the stylesheet at this path.
    Service { stylesheet: &'a str },
}

/// The page of a whole report.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_report(_report: &Report, _setting: Setting<'_>) -> Result<String, askama::Error> {
    Ok(String::new())
}

/// The page of one device's part; `None` where the report has no such device.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_device(
    _report: &Report,
    _device: IpAddr,
    _setting: Setting<'_>,
) -> Result<Option<String>, askama::Error> {
    Ok(None)
}
