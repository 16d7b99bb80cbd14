//! What `ip -j addr` prints.

use serde_json::Value;

use super::address::{parse_address, with_length};
use super::interface::{Interface, InterfaceAddress};

/// Whether a JSON value is a link of `ip -j addr`.
pub fn is_interface(value: &Value) -> bool {
    value.get("ifname").is_some() && value.get("addr_info").is_some()
}

/// Reads one link. Addresses that cannot be read are added to `faults`.
pub fn read_interface(value: &Value, faults: &mut Vec<String>) -> Interface {
    let index =
        value.get("ifindex").and_then(Value::as_u64).and_then(|index| index.try_into().ok());
    let mut interface = Interface::new(index, text(value, "ifname"));
    interface.state = text(value, "operstate");
    // The index at the other end; `link` names one in the same namespace.
    interface.is_paired = value.get("link_index").is_some();
    let entries = value.get("addr_info").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        // `ip -j addr show up` leaves empty objects where links are filtered out.
        if entry.as_object().is_some_and(serde_json::Map::is_empty) {
            continue;
        }
        match parse_entry(entry) {
            Ok(address) => interface.addresses.push(address),
            Err(message) => {
                let name = interface.name.as_deref().unwrap_or("a link without name");
                faults.push(format!("addr_info of {name}: {message}"));
            }
        }
    }
    interface
}

fn parse_entry(entry: &Value) -> Result<InterfaceAddress, String> {
    /// `INFINITY_LIFE_TIME` of the kernel's `include/net/addrconf.h`: forever.
    const FOREVER_SECONDS: u64 = 0xffff_ffff;
    let word = entry.get("local").and_then(Value::as_str).ok_or("expected the member 'local'")?;
    let address = parse_address(word).map_err(|error| error.to_string())?;
    let length =
        entry.get("prefixlen").and_then(Value::as_u64).and_then(|bits| bits.try_into().ok());
    let prefixed = with_length(address, word.contains(':'), length.unwrap_or(u8::MAX))
        .ok_or_else(|| format!("expected a prefixlen of {address}'s family"))?;
    let mut read = InterfaceAddress::new(prefixed);
    read.host_scope = entry.get("scope").and_then(Value::as_str) == Some("host");
    // Of a point-to-point link `address` is the peer.
    let peer = entry.get("address").and_then(Value::as_str);
    read.peer = peer.and_then(|word| parse_address(word).ok()).filter(|peer| *peer != address);
    for (flag, set) in entry.as_object().into_iter().flatten() {
        if set == &Value::Bool(true) {
            read.set_flag(flag);
        }
    }
    read.preferred_lifetime_seconds = entry
        .get("preferred_life_time")
        .and_then(Value::as_u64)
        .filter(|seconds| *seconds != FOREVER_SECONDS);
    read.deprecated |= read.preferred_lifetime_seconds == Some(0);
    Ok(read)
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(Value::as_str).map(ToOwned::to_owned)
}
