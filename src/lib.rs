//! Replyscope finds out why UDP does not get through: for each device, which
//! address was asked, which answered, where the follow-up went, whether that
//! worked, and why not.
//!
//! The rooms, in the order in which data flows:
//!
//! | room | turns |
//! |---|---|
//! | [`model`] | words that all rooms share |
//! | [`ingest`] | bytes into frames, packets and facts |
//! | [`decode`] | frames into packets |
//! | [`topology`] | texts into facts about addresses, facts into roles |
//! | [`correlate`] | packets into exchanges |
//! | [`diagnose`] | exchanges into verdicts and findings |
//! | [`report`] | findings into a report, HTML and text |
//! | [`analysis`] | the pipeline: the only caller of the stages above |
//! | [`store`] | reports and captures that survive a restart |
//! | [`node`] | nodes: the Kubernetes API, agents; a node's own facts and live captures |
//! | [`notify`] | changed verdicts into messages to chats and programs |
//! | [`web`] | pages and the JSON API |
//! | [`config`], [`app`] | settings, composition and shutdown |
//!
//! The last five rows are the feature `service`, which is on by default; without it
//! the crate is the pure core, which knows no file, socket or clock.
//!
//! Who may import whom is in `tests/layering.rs`.

pub mod analysis;
#[cfg(feature = "service")]
pub mod app;
#[cfg(feature = "service")]
pub mod clock;
#[cfg(feature = "service")]
pub mod config;
pub mod correlate;
pub mod decode;
pub mod diagnose;
pub mod ingest;
pub mod model;
#[cfg(feature = "service")]
pub mod node;
#[cfg(feature = "service")]
pub mod notify;
pub mod report;
#[cfg(feature = "service")]
pub mod store;
pub mod topology;
#[cfg(feature = "service")]
pub mod web;
