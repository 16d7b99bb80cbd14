//! The agent of one node: facts from its kernel, and live captures.
//!
//! It needs CAP_NET_RAW and CAP_NET_ADMIN, and nothing else.

mod capture;
mod conntrack;
mod counters;
mod facts;
mod netlink;
mod settings;
