//! Nodes of a cluster: what runs on them, and what they know about themselves.

#[cfg(target_os = "linux")]
pub mod agent;
pub mod wire;
