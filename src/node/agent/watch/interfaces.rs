//! Where watched devices are captured.

use std::collections::BTreeSet;

use super::super::capture::{self, Policy};
use super::super::netlink;
use super::devices::Devices;
use crate::node::wire::Link;

/// The interfaces whose names `patterns` give, or without those the ones
/// through which the node reaches the devices. Forbidden ones are left out.
///
/// # Errors
///
/// Where the kernel does not list its links.
pub async fn find(
    patterns: &[String],
    devices: &Devices,
    policy: &Policy,
) -> Result<Vec<Link>, capture::Error> {
    let mut tables = netlink::Tables::open()?;
    let mut links = tables.links().await?;
    let mut wanted = BTreeSet::new();
    if patterns.is_empty() {
        for address in devices.addresses() {
            let route = tables.find_route_to(address).await;
            wanted.extend(route.and_then(|route| route.interface));
        }
    }
    links.retain(|link| {
        let is_wanted = wanted.contains(&link.name)
            || patterns.iter().any(|pattern| matches(pattern, &link.name));
        is_wanted && policy.allows(&link.name)
    });
    links.sort_by_key(|link| link.index);
    Ok(links)
}

/// Whether a name is the pattern, or begins like it where it ends in `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}
