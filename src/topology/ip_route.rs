//! What `ip route` prints, line by line.

use ipnet::IpNet;

use super::address::{Prefixed, parse_address, parse_prefixed};
use super::route::{Route, RouteKind};
use super::text::Reading;

/// Reads one line, if it is a route; those that name a link are added to `routes`.
pub fn read(line: &str, routes: &mut Vec<Route>) -> Reading {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (kind, words) = match words.as_slice() {
        ["unicast", rest @ ..] => (Some(RouteKind::Unicast), rest),
        ["local", rest @ ..] => (Some(RouteKind::Local), rest),
        ["broadcast", rest @ ..] => (Some(RouteKind::Broadcast), rest),
        // These end here, or name no single owner.
        [
            "blackhole" | "unreachable" | "prohibit" | "throw" | "multicast" | "anycast",
            rest @ ..,
        ] => (None, rest),
        words => (Some(RouteKind::Unicast), words),
    };
    let Some((destination, options)) = words.split_first() else { return Reading::Foreign };
    let leads_on = options.first().is_some_and(|word| is_route_word(word));
    let Ok(network) = parse_destination(destination) else {
        return Reading::Foreign;
    };
    let Some(kind) = kind else { return Reading::Read };
    if !leads_on {
        return Reading::Foreign;
    }
    let Some(interface) = find_option(options, "dev") else { return Reading::Read };
    let source = match find_option(options, "src").map(parse_address).transpose() {
        Ok(source) => source,
        Err(error) => return Reading::Fault(format!("after 'src': {error}")),
    };
    routes.push(Route {
        kind,
        destination: network,
        via_gateway: options.contains(&"via"),
        interface: interface.to_owned(),
        source,
        protocol: find_option(options, "proto").map(ToOwned::to_owned),
        link_scope: find_option(options, "scope") == Some("link"),
    });
    Reading::Read
}

/// A network, a single address, or `default`, which is `None`.
///
/// # Errors
///
/// Where the word is none of these.
pub fn parse_destination(word: &str) -> Result<Option<IpNet>, super::address::NotAnAddress> {
    if word == "default" {
        return Ok(None);
    }
    let Prefixed { address, length_bits } = parse_prefixed(word)?;
    Ok(IpNet::new(address, length_bits).ok().map(|network| network.trunc()))
        .map(|network| network.filter(|network| network.prefix_len() > 0))
}

fn is_route_word(word: &str) -> bool {
    matches!(
        word,
        "dev" | "via" | "nhid" | "proto" | "scope" | "src" | "metric" | "table" | "encap" | "tos"
    )
}

fn find_option<'a>(options: &[&'a str], name: &str) -> Option<&'a str> {
    options.iter().skip_while(|word| **word != name).nth(1).copied()
}
