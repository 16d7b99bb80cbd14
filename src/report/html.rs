//! A report as a page.
//!
//! Logic is in the views; templates only loop and choose. Pages need no script
//! and no outside host, and carry no `style` attribute, so that the strictest
//! content security policy fits them.

mod device;
mod devices;
#[cfg(feature = "service")]
mod example;
mod prose;

use std::net::IpAddr;

use askama::Template;

use self::device::DeviceView;
use self::devices::DeviceTable;
pub use self::devices::{DEVICES_PER_PAGE, Listed};
#[cfg(feature = "service")]
pub use self::example::render_example;
use self::prose::{ProseWords as _, Span};
use super::parties::Parties;
use super::picture::RowMark;
use super::plain::many_lines;
use super::tables::{AddressTable, CaptureRow};
pub(crate) use super::times::TimeWords;
use super::times::Times;
pub(crate) use super::wording::VerdictWords;
#[cfg(feature = "service")]
pub(crate) use super::wording::byte_size;
use super::wording::needs_detail;
use crate::model::finding::Verdict;
use crate::model::report::{Device, Report};

/// The text of the one stylesheet of all pages.
pub const STYLESHEET: &str = include_str!("../../static/app.css");

/// Devices that are shown in full; the others are rows of a table.
pub const DETAILED_MAX: usize = 10;

/// Rows of the table of devices in a file; the rest is counted.
pub const ROWS_MAX: usize = 200;

/// Where a page stands: the frame around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting<'a> {
    /// A file that stands alone: styles inside, no links to a service.
    File,
    /// A page of the service, which serves the stylesheet at this path.
    Service { stylesheet: &'a str },
}

impl<'a> Setting<'a> {
    /// The path of the stylesheet, where it is not inside the page.
    pub(crate) const fn stylesheet(&self) -> Option<&'a str> {
        match self {
            Self::File => None,
            Self::Service { stylesheet } => Some(stylesheet),
        }
    }

    /// Whether it is a page of the service, which has links to other parts of it.
    pub(crate) const fn is_service(&self) -> bool {
        matches!(self, Self::Service { .. })
    }

    /// The text of the stylesheet. It goes into a `<style>` element as it is,
    /// where nothing is escaped: it is ours and holds no `<`.
    #[expect(clippy::unused_self, reason = "templates reach it through the setting they are given")]
    pub(crate) const fn inline_style(&self) -> &'static str {
        STYLESHEET
    }
}

/// The page of a whole report.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_report(report: &Report, setting: Setting<'_>) -> Result<String, askama::Error> {
    render_worst(report, setting, ROWS_MAX)
}

/// The page of a report with up to `most` of its devices in the table.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_worst(
    report: &Report,
    setting: Setting<'_>,
    most: usize,
) -> Result<String, askama::Error> {
    let (parties, times) = (Parties::new(report), Times::new(report));
    let detailed = detailed(report, &parties, &times);
    let devices = DeviceTable::new(report, &detailed, setting, most);
    finish(&ReportPage::new(report, setting, detailed, devices))
}

/// A page of the service on a report with any number of devices: `report` holds
/// those that the page may tell of in full, `listed` the rows of its table.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_listed(
    report: &Report,
    listed: Listed<'_>,
    stylesheet: &str,
) -> Result<String, askama::Error> {
    let detailed = if listed.is_beginning() {
        detailed(report, &Parties::new(report), &Times::new(report))
    } else {
        Vec::new()
    };
    let devices = DeviceTable::listed(report, listed);
    let mut page = ReportPage::new(report, Setting::Service { stylesheet }, detailed, devices);
    if !listed.is_beginning() {
        // Who turns the pages of the list looks for a device; the first page has these.
        (page.addresses.rows, page.captures) = (Vec::new(), Vec::new());
    }
    finish(&page)
}

/// The worst device, and others that there is something to say about.
fn detailed<'a>(
    report: &'a Report,
    parties: &Parties<'a>,
    times: &Times<'_>,
) -> Vec<DeviceView<'a>> {
    report
        .devices
        .iter()
        .enumerate()
        .filter(|(index, device)| *index == 0 || needs_detail(device))
        .take(DETAILED_MAX)
        .map(|(_, device)| DeviceView::new(device, parties, times))
        .collect()
}

/// The page of one device's part; `None` where the report has no such device.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_device(
    report: &Report,
    device: IpAddr,
    setting: Setting<'_>,
) -> Result<Option<String>, askama::Error> {
    let owns = |entry: &&Device| entry.device == device || entry.addresses.contains(&device);
    let exact = report.devices.iter().find(|entry| entry.device == device);
    let Some(entry) = exact.or_else(|| report.devices.iter().find(owns)) else {
        return Ok(None);
    };
    let (parties, times) = (Parties::new(report), Times::new(report));
    finish(&DevicePage {
        setting,
        report,
        created: report.created_at.minute(),
        view: DeviceView::new(entry, &parties, &times),
        addresses: AddressTable::of_device(report, entry),
        captures: CaptureRow::all(report),
    })
    .map(Some)
}

/// A template's text, without the characters that act on a screen. Every page
/// goes through here, so that no string can be forgotten.
pub(crate) fn finish(template: &impl Template) -> Result<String, askama::Error> {
    let page = template.render()?;
    Ok(match many_lines(&page) {
        std::borrow::Cow::Borrowed(_) => page,
        std::borrow::Cow::Owned(replaced) => replaced,
    })
}

/// Devices per verdict, worst first.
fn verdict_counts(report: &Report) -> Vec<(Verdict, u64)> {
    report.summary.verdicts.iter().rev().map(|(verdict, devices)| (*verdict, *devices)).collect()
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    setting: Setting<'a>,
    report: &'a Report,
    created: String,
    counts: Vec<(Verdict, u64)>,
    /// The worst first.
    detailed: Vec<DeviceView<'a>>,
    devices: DeviceTable<'a>,
    addresses: AddressTable<'a>,
    captures: Vec<CaptureRow<'a>>,
}

impl<'a> ReportPage<'a> {
    fn new(
        report: &'a Report,
        setting: Setting<'a>,
        detailed: Vec<DeviceView<'a>>,
        devices: DeviceTable<'a>,
    ) -> Self {
        Self {
            setting,
            report,
            created: report.created_at.minute(),
            counts: verdict_counts(report),
            detailed,
            devices,
            addresses: AddressTable::new(report),
            captures: CaptureRow::all(report),
        }
    }
}

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage<'a> {
    setting: Setting<'a>,
    report: &'a Report,
    created: String,
    view: DeviceView<'a>,
    addresses: AddressTable<'a>,
    captures: Vec<CaptureRow<'a>>,
}

#[cfg(test)]
mod tests;
