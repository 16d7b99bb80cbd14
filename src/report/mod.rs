//! Findings to a report, and a report to HTML and terminal text.

mod advice;
mod build;
mod community_id;
mod draft;
mod exchange_part;
mod filter;
mod headline;
pub mod html;
mod ladder;
mod naming;
mod parties;
mod picture;
mod places;
mod plain;
mod shelf;
mod story;
mod tables;
pub mod text;
mod times;
mod wireshark;
mod wording;

#[cfg(test)]
pub(crate) mod samples;

pub use build::{Builder, Chosen, Header, Listing, Uncounted};
pub use draft::DeviceDraft;
