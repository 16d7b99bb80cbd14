//! The first page: what to upload, and what was analysed lately.

use askama::Template;

use crate::model::finding::Verdict;
use crate::model::report::AnalysisSummary;
use crate::report::html::{Setting, TimeWords as _, VerdictWords as _, byte_size, finish};

/// What the first page shows.
#[derive(Debug, Clone, Copy)]
pub struct HomeView<'a> {
    /// The path of the stylesheet.
    pub stylesheet: &'a str,
    /// The path of the script that shows how far an upload is.
    pub script: &'a str,
    /// Newest first.
    pub analyses: &'a [AnalysisSummary],
    /// The query of the list's next page; `None` on the last.
    pub older: Option<&'a str>,
    /// The largest body that an upload may have, in bytes.
    pub limit_bytes: u64,
    /// What the list was filtered by, in words; `None` for all.
    pub filter_text: Option<&'a str>,
    /// What the filter's form holds: a verdict and a text, and what it keeps of
    /// a filter that it does not show.
    pub verdict: Option<Verdict>,
    pub text: &'a str,
    pub kept: &'a [(&'static str, String)],
    /// Clusters that are followed, to choose from.
    pub clusters: &'a [String],
}

/// The first page.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(view: &HomeView<'_>) -> Result<String, askama::Error> {
    finish(&Page { setting: Setting::Service { stylesheet: view.stylesheet }, view })
}

#[derive(Template)]
#[template(path = "pages/home.html")]
struct Page<'a> {
    setting: Setting<'a>,
    view: &'a HomeView<'a>,
}

impl Page<'_> {
    /// Verdicts to choose from, and whether each is chosen.
    fn choices(&self) -> [(Verdict, bool); 7] {
        Verdict::WORST_FIRST.map(|verdict| (verdict, self.view.verdict == Some(verdict)))
    }

    fn limit(&self) -> String {
        byte_size(self.view.limit_bytes)
    }
}
