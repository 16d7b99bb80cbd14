//! Nodes: who knows them, and what they say of themselves.

pub mod kubernetes;
pub mod registry;
pub mod summary;
