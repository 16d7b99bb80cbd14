//! What is known about one device: the page that alerts link to.

use std::net::IpAddr;

use askama::Template;
use uuid::Uuid;

use crate::model::query::{QueryState, QuerySummary};
use crate::model::report::DeviceSummary;
use crate::model::stand_in::{find_shown, render_known, render_segment};
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
    /// Node queries about it, newest first.
    pub asked: &'a [QuerySummary],
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

impl HistoryView<'_> {
    /// The device's address, or its name where no address is known.
    fn known_as(&self) -> String {
        render_known(self.device, self.name)
    }

    /// Its name beside the address.
    fn name_beside(&self) -> Option<&str> {
        self.name.filter(|_| find_shown(self.device, self.name).is_none())
    }
}

impl Page<'_> {
    /// The device of an entry, in a link.
    #[expect(clippy::unused_self, reason = "templates call methods of the page")]
    fn segment(&self, entry: &DeviceSummary) -> String {
        render_segment(entry.device, entry.name.as_deref())
    }

    /// What the form says of a node: its cluster, which may be none, and its name.
    #[expect(clippy::unused_self, reason = "templates call methods of the page")]
    fn choice(&self, node: &NodeSummary) -> String {
        format!("{}/{}", node.cluster.as_deref().unwrap_or_default(), node.node)
    }

    fn is_last(&self, node: &NodeSummary) -> bool {
        self.view.last_node == Some((node.cluster.as_deref(), node.node.as_str()))
    }

    /// What is known of a device that no report names: what came of asking for it last.
    fn unseen(&self) -> String {
        let Some(QuerySummary { query, headline, .. }) = self.view.asked.first() else {
            return "Nothing is known yet about this device.".to_owned();
        };
        let node = &query.node;
        let (at, seconds) = (query.created_at.minute(), query.duration_s);
        match (query.state, headline, &query.message) {
            (QueryState::Queued | QueryState::Running, ..) => {
                format!("{node} is asked about this device now.")
            }
            // Only one that captured for its whole time says so much of it.
            (QueryState::Finished, Some(headline), None) => format!(
                "{node} was asked at {at}, for {seconds} s, and saw no exchange of this device. {headline}."
            ),
            (_, Some(headline), message) => format!(
                "{node} was asked at {at}, and the capture did not last {seconds} s{}. Until it ended, it saw no exchange of this device. {headline}.",
                message.as_deref().map(|message| format!(": {message}")).unwrap_or_default()
            ),
            (_, None, Some(message)) => {
                format!("{node} was asked at {at}, and there is no report: {message}.")
            }
            (_, None, None) => format!("{node} was asked at {at}, and there is no report."),
        }
    }

    /// What came of a query.
    #[expect(clippy::unused_self, reason = "templates call methods of the page")]
    fn outcome<'b>(&self, asked: &'b QuerySummary) -> &'b str {
        let message = asked.query.message.as_deref();
        match asked.query.state {
            QueryState::Queued => "waits for its turn",
            QueryState::Running => "captures now",
            QueryState::Finished | QueryState::Failed | QueryState::Interrupted => {
                asked.headline.as_deref().or(message).unwrap_or("no report")
            }
        }
    }

    /// A name for the capture that the page proposes: an address without what shells and
    /// file systems take for something else.
    fn file_name(&self) -> String {
        format!("{}.pcap", self.view.device.to_string().replace([':', '.'], "-"))
    }
}
