//! Findings to a report, and a report to HTML and terminal text.
