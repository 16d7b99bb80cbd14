//! What is known about one device: the page that alerts link to.

use std::net::IpAddr;

use askama::Template;

use crate::model::report::DeviceSummary;
use crate::report::html::{Setting, TimeWords as _, VerdictWords as _, finish};

/// What a device's page shows.
#[derive(Debug, Clone, Copy)]
pub struct HistoryView<'a> {
    /// The path of the stylesheet.
    pub stylesheet: &'a str,
    pub device: IpAddr,
    pub name: Option<&'a str>,
    /// Newest first; empty where no report names the device.
    pub entries: &'a [DeviceSummary],
}

/// The page of one device over all analyses.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(view: &HistoryView<'_>) -> Result<String, askama::Error> {
    finish(&Page { setting: Setting::Service { stylesheet: view.stylesheet }, view })
}

#[derive(Template)]
#[template(path = "pages/history.html")]
struct Page<'a> {
    setting: Setting<'a>,
    view: &'a HistoryView<'a>,
}

impl Page<'_> {
    /// A name for the capture that the page proposes: an address without what shells and
    /// file systems take for something else.
    fn file_name(&self) -> String {
        format!("{}.pcap", self.view.device.to_string().replace([':', '.'], "-"))
    }
}
