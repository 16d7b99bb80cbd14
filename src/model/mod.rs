//! The words that all rooms share. Nothing here reads bytes, asks a clock or
//! knows a rule: these are the nouns of the field and their invariants.

pub mod answers;
pub mod bearer;
pub mod capture;
pub mod cluster;
pub mod command_network;
pub mod conntrack;
pub mod endpoint;
pub mod exchange;
pub mod failure;
pub mod finding;
pub mod hop;
mod host_network;
pub mod hosts_file;
pub mod identity;
pub mod input;
pub mod label;
pub mod neighbour;
pub mod packet;
pub mod packet_filter;
pub mod parts;
pub mod problem;
pub mod progress;
pub mod protocol;
pub mod query;
pub mod reason;
pub mod report;
pub mod segment;
pub mod sip;
pub mod stand_in;
pub mod time;
pub mod topology;
