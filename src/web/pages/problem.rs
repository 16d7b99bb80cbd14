//! An error, and what to do about it.

use askama::Template;

/// What an error page says.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    ext = "html",
    source = "<!doctype html><html lang=en><title>{{ title }}</title><link rel=stylesheet href=\"{{ stylesheet }}\"><h1>{{ status }} {{ title }}</h1><p>{{ detail }}{% if let Some(hint) = hint %}<p>{{ hint }}{% endif %}"
)]
pub struct ProblemView<'a> {
    pub stylesheet: &'a str,
    pub status: u16,
    pub title: &'a str,
    pub detail: &'a str,
    pub hint: Option<&'a str>,
}

/// The page of an error.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(view: &ProblemView<'_>) -> Result<String, askama::Error> {
    view.render()
}
