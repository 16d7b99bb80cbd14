//! The agent on a node made of network namespaces, with real kernel NAT.
//!
//! Needs root; without it each test says so and does nothing.

#![cfg(target_os = "linux")]

#[cfg(test)]
#[path = "../support/agent.rs"]
mod agent;
#[cfg(test)]
mod captures;
#[cfg(test)]
#[path = "../support/certificates.rs"]
mod certificates;
#[cfg(test)]
mod facts;
#[cfg(test)]
#[path = "../support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "../support/helper.rs"]
mod helper;
#[cfg(test)]
mod load;
#[cfg(test)]
#[path = "../support/netns.rs"]
mod netns;
#[cfg(test)]
mod watch;

/// No test: what tests start of this program in a namespace.
#[test]
#[ignore = "a helper that other tests start"]
fn help() {
    if let Ok(words) = std::env::var("REPLYSCOPE_TEST_HELPER") {
        helper::run(&words);
    }
}
