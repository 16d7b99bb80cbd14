//! What IP carries in IP, and GRE, as tcpdump prints it: behind the outer addresses, or
//! under `-v` on the next line.

use super::address::parse_endpoint;
use super::line::{Family, Network, read_head};
use super::tunnel::Carried;
use crate::model::packet::{Tunnel, TunnelKind};

/// The IP packet that a packet from `source` to `destination` carries without UDP.
#[must_use]
pub fn find_nested<'a>(
    source: &str,
    destination: &str,
    summary: &'a str,
    body: &'a [String],
) -> Option<Carried<'a>> {
    let (source, destination) = (parse_endpoint(source).ok()?, parse_endpoint(destination).ok()?);
    let is_gre = summary.starts_with("GREv0");
    let (text, rest) = if is_gre {
        let own_line = summary.find(": IP").and_then(|at| Some((summary.get(at + 2..)?, body)));
        let next_line = || body.split_first().map(|(first, rest)| (first.trim(), rest));
        own_line.or_else(next_line)?
    } else {
        (summary, body)
    };
    if !text.starts_with("IP ") && !text.starts_with("IP6 ") {
        return None;
    }
    let head = read_head(text);
    let Network::Ip { family, .. } = head.network else { return None };
    let kind = match (is_gre, source.address.is_ipv4(), family) {
        (true, ..) => TunnelKind::Gre,
        (false, true, Family::V4) => TunnelKind::FourInFour,
        (false, true, Family::V6) => TunnelKind::SixInFour,
        (false, false, Family::V4) => TunnelKind::FourInSix,
        (false, false, Family::V6) => TunnelKind::SixInSix,
    };
    let key = is_gre.then(|| find_key(summary)).flatten();
    let tunnel = Tunnel { kind, source: source.address, destination: destination.address, key };
    Some(Carried { tunnel, head, text, rest })
}

/// `key=0x7` of GRE (RFC 2890).
fn find_key(summary: &str) -> Option<u32> {
    let (_, rest) = summary.split_once("key=0x")?;
    u32::from_str_radix(rest.split(|c: char| !c.is_ascii_hexdigit()).next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A summary, the lines below it, and the tunnel with its key.
    type Case<'a> = (String, &'a [String], Option<(TunnelKind, Option<u32>)>);

    #[test]
    fn packets_in_packets_are_found() {
        let (v4, v6) = (
            "IP 198.51.100.3.5 > 198.51.100.5.69: UDP, length 4",
            "IP6 2001:db8:1::3.5 > 2001:db8:1::5.69: UDP, length 4",
        );
        let below = [format!("\t{v4}")];
        let gre = |inner: &str| format!("GREv0, key=0x7, length 84: {inner}");
        let outer = [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")];
        let kinds = [
            [TunnelKind::FourInFour, TunnelKind::SixInFour],
            [TunnelKind::FourInSix, TunnelKind::SixInSix],
        ];
        for ((source, destination), [four, six]) in outer.into_iter().zip(kinds) {
            let cases: [Case<'_>; 7] = [
                (v4.to_owned(), &[], Some((four, None))),
                (v6.to_owned(), &[], Some((six, None))),
                (gre(v4), &[], Some((TunnelKind::Gre, Some(7)))),
                (gre(v6), &[], Some((TunnelKind::Gre, Some(7)))),
                (
                    "GREv0, Flags [none], proto IPv4 (0x0800), length 84".to_owned(),
                    &below,
                    Some((TunnelKind::Gre, None)),
                ),
                ("GREv0, length 84: ARP, Request who-has x".to_owned(), &[], None),
                ("UDP, length 4".to_owned(), &below, None),
            ];
            for (summary, body, expected) in cases {
                let found = find_nested(source, destination, &summary, body);
                let told = found.map(|carried| (carried.tunnel.kind, carried.tunnel.key));
                assert_eq!(told, expected, "{source}: {summary}");
            }
        }
    }
}
