//! Nodes: who knows them, what runs on them, and what they know about themselves.

#[cfg(target_os = "linux")]
pub mod agent;
pub mod client;
pub mod kubernetes;
pub mod openapi;
pub mod registry;
pub mod summary;
pub mod wire;
