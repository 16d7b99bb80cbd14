//! What `ip -j route` prints.

use serde_json::Value;

use super::address::parse_address;
use super::ip_route::parse_destination;
use super::route::{Route, RouteKind};

/// Whether a JSON value is a route of `ip -j route`.
pub fn is_route(value: &Value) -> bool {
    value.get("dst").is_some()
        && !is_neighbour(value)
        && ["dev", "gateway", "via", "nexthops", "type"]
            .iter()
            .any(|member| value.get(member).is_some())
}

/// Whether a JSON value is a neighbour of `ip -j neighbor`: it has a state, as an
/// array. A host that answered on a link says nothing of roles.
pub fn is_neighbour(value: &Value) -> bool {
    value.get("dst").is_some()
        && (value.get("lladdr").is_some() || value.get("state").is_some_and(Value::is_array))
}

/// Reads one route; `None` where it names no link or ends at the node.
///
/// # Errors
///
/// Where its destination or source is no address.
pub fn parse_route(value: &Value) -> Result<Option<Route>, String> {
    let text = |member: &str| value.get(member).and_then(Value::as_str);
    let kind = match text("type") {
        None | Some("unicast") => RouteKind::Unicast,
        Some("local") => RouteKind::Local,
        Some("broadcast") => RouteKind::Broadcast,
        Some(_) => return Ok(None),
    };
    let destination = parse_destination(text("dst").unwrap_or_default())
        .map_err(|error| format!("dst of a route: {error}"))?;
    let source = text("prefsrc")
        .map(parse_address)
        .transpose()
        .map_err(|error| format!("prefsrc of a route: {error}"))?;
    let Some(interface) = text("dev") else { return Ok(None) };
    Ok(Some(Route {
        kind,
        destination,
        via_gateway: value.get("gateway").is_some() || value.get("via").is_some(),
        interface: interface.to_owned(),
        source,
        protocol: text("protocol").map(ToOwned::to_owned),
        link_scope: text("scope") == Some("link"),
    }))
}
