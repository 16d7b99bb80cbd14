//! The first page.

use askama::Template;

use crate::model::report::AnalysisSummary;

/// What the first page shows.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    ext = "html",
    source = "<!doctype html><html lang=en><title>Replyscope</title><link rel=stylesheet href=\"{{ stylesheet }}\"><p>{{ limit_bytes }}{% for analysis in analyses %}<p><a href=\"/analyses/{{ analysis.id }}\">{{ analysis.title }}</a>{% endfor %}{% if let Some(cursor) = next_cursor %}<a href=\"/?cursor={{ cursor }}\">Older</a>{% endif %}{% if let Some(text) = filter_text %}{{ text }}{% endif %}"
)]
pub struct HomeView<'a> {
    pub stylesheet: &'a str,
    pub analyses: &'a [AnalysisSummary],
    pub next_cursor: Option<&'a str>,
    pub limit_bytes: u64,
    /// What the list was filtered by, in words; `None` for all.
    pub filter_text: Option<&'a str>,
}

/// The first page.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(view: &HomeView<'_>) -> Result<String, askama::Error> {
    view.render()
}
