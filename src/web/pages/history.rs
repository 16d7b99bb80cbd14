//! What is known about one device: the page that alerts link to.

use std::net::IpAddr;

use askama::Template;
use uuid::Uuid;

use crate::model::report::DeviceSummary;
use crate::node::summary::NodeSummary;
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
    /// Nodes that can be asked.
    pub nodes: &'a [NodeSummary],
    /// The node that was asked about it last, after its cluster.
    pub last_node: Option<(Option<&'a str>, &'a str)>,
    /// A query about it that runs now.
    pub running: Option<Uuid>,
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
    /// What the form says of a node: its cluster, which may be none, and its name.
    #[expect(clippy::unused_self, reason = "templates call methods of the page")]
    fn choice(&self, node: &NodeSummary) -> String {
        format!("{}/{}", node.cluster.as_deref().unwrap_or_default(), node.node)
    }

    fn is_last(&self, node: &NodeSummary) -> bool {
        self.view.last_node == Some((node.cluster.as_deref(), node.node.as_str()))
    }

    /// A name for the capture that the page proposes: an address without what shells and
    /// file systems take for something else.
    fn file_name(&self) -> String {
        format!("{}.pcap", self.view.device.to_string().replace([':', '.'], "-"))
    }
}
