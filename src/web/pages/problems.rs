//! What problems mean: `/problems`, and `/problems/{type}`, which documents name.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::super::assets::stylesheet_path;
use super::super::error::PageError;
use super::super::extract::Path;
use super::super::problem_types::{ALL, ProblemType, find};
use crate::report::html::{Setting, finish};

/// Characters of a name that nobody knows.
const UNKNOWN_MAX: usize = 80;

/// `GET /problems`
pub async fn show_problems() -> Result<Html<String>, PageError> {
    Ok(Html(render(stylesheet_path(), None, None)?))
}

/// `GET /problems/{type}`. A name that is none has the list of those that are.
pub async fn show_problem(Path(token): Path<String>) -> Result<Response, PageError> {
    let chosen = find(&token);
    let unknown = chosen.is_none().then_some(token.as_str());
    let page = render(stylesheet_path(), chosen, unknown)?;
    let status = if chosen.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok((status, Html(page)).into_response())
}

/// The list of all types, after the chosen one, or a word about one that is none.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(
    stylesheet: &str,
    chosen: Option<&'static ProblemType>,
    unknown: Option<&str>,
) -> Result<String, askama::Error> {
    finish(&Page {
        setting: Setting::Service { stylesheet },
        chosen,
        unknown: unknown.map(|name| name.chars().take(UNKNOWN_MAX).collect()),
        all: ALL,
    })
}

#[derive(Template)]
#[template(path = "pages/problems.html")]
struct Page<'a> {
    setting: Setting<'a>,
    chosen: Option<&'static ProblemType>,
    unknown: Option<String>,
    all: &'static [&'static ProblemType],
}
