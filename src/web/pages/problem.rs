//! An error, and what to do about it.

use askama::Template;

use crate::report::html::{Setting, finish};

/// What an error page says.
#[derive(Debug, Clone, Copy)]
pub struct ProblemView<'a> {
    /// The path of the stylesheet.
    pub stylesheet: &'a str,
    /// The HTTP status.
    pub status: u16,
    pub title: &'a str,
    pub detail: &'a str,
    /// What to do.
    pub hint: Option<&'a str>,
}

/// The page of an error.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(view: &ProblemView<'_>) -> Result<String, askama::Error> {
    finish(&Page { setting: Setting::Service { stylesheet: view.stylesheet }, view })
}

#[derive(Template)]
#[template(path = "pages/problem.html")]
struct Page<'a> {
    setting: Setting<'a>,
    view: &'a ProblemView<'a>,
}
