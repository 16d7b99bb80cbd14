//! A report for terminals.

use crate::model::report::Report;

/// The report as text without control characters, but for ANSI colours where `style` says so.
#[must_use]
pub fn render_text(_report: &Report, _style: Style) -> String {
    String::new()
}

/// Whether the reader shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Ansi,
}
