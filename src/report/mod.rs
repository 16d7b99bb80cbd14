//! Findings to a report, and a report to HTML and terminal text.

mod build;
mod community_id;
mod exchange_part;
mod filter;
mod headline;
pub mod html;
pub mod text;

pub use build::{Material, build};
