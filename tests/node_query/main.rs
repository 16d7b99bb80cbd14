//! Node queries on a node made of network namespaces, with real kernel NAT: the
//! real service, the real agent, and devices that make backups by TFTP.
//!
//! Needs root; without it each test says so and does nothing.

#![cfg(target_os = "linux")]

#[cfg(test)]
#[path = "../support/agent.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod agent;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod backup;
#[cfg(test)]
#[path = "../support/certificates.rs"]
mod certificates;
#[cfg(test)]
#[path = "../support/folder.rs"]
mod folder;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
#[path = "../support/netns.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod netns;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod site;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod watched;

/// No test: what tests start of this program in a namespace.
#[test]
#[ignore = "a helper that other tests start"]
fn help() {
    if let Ok(words) = std::env::var("REPLYSCOPE_TEST_HELPER") {
        backup::run(&words);
    }
}
