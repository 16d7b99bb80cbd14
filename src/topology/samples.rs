//! Facts in short, for tables of tests.

use crate::model::topology::Facts;

/// Each fact about an address as `address role node pod`.
pub fn render_addresses(facts: &Facts) -> Vec<String> {
    let or_dash = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
    let addresses = facts.addresses.iter().map(|fact| {
        let (node, pod) = (or_dash(&fact.node), or_dash(&fact.pod));
        format!("{} {} {node} {pod}", fact.address, fact.role.as_token())
    });
    addresses.collect()
}
