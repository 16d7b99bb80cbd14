//! Findings to a report, and a report to HTML and terminal text.

pub mod html;
pub mod text;
