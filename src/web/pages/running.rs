//! An analysis that runs: how far it is.

use askama::Template;

use crate::model::progress::Progress;
use crate::model::query::NodeQuery;
use crate::report::html::{Setting, byte_size, finish};

/// What the page of a running analysis shows.
#[derive(Debug, Clone, Copy)]
pub struct RunningView<'a> {
    /// The path of the stylesheet.
    pub stylesheet: &'a str,
    /// The path of the script that follows the analysis.
    pub script: &'a str,
    pub progress: Progress,
    /// The node query that it belongs to.
    pub query: Option<&'a NodeQuery>,
}

/// The page of an analysis that runs.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(view: &RunningView<'_>) -> Result<String, askama::Error> {
    finish(&Page { setting: Setting::Service { stylesheet: view.stylesheet }, view })
}

#[derive(Template)]
#[template(path = "pages/running.html")]
struct Page<'a> {
    setting: Setting<'a>,
    view: &'a RunningView<'a>,
}

impl Page<'_> {
    fn bytes(&self) -> String {
        let received = byte_size(self.view.progress.bytes_received);
        match self.view.progress.bytes_expected {
            Some(expected) => format!("{received} of {}", byte_size(expected)),
            None => received,
        }
    }
}
