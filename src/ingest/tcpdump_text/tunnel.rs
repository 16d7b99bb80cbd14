//! What VXLAN and Geneve carry, as tcpdump prints it: behind the header on the same
//! line, or on the next one.

use std::net::IpAddr;

use super::line::{Head, Network, read_head};
use crate::model::packet::{Tunnel, TunnelKind};

/// How summaries of tunnels begin. At port 8472 Linux means VXLAN, and tcpdump reads
/// OTV, whose instance is VXLAN's network: the same bits of the same header.
const LEADS: [(&str, TunnelKind, &str); 3] = [
    ("VXLAN, ", TunnelKind::Vxlan, "vni "),
    ("OTV, ", TunnelKind::Vxlan, "instance "),
    ("Geneve, ", TunnelKind::Geneve, "vni "),
];

/// A tunnel's packet, and the packet inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    pub tunnel: Tunnel,
    pub head: Head<'a>,
    /// The first line of the packet inside.
    pub text: &'a str,
    /// Lines of the body that belong to the packet inside.
    pub rest: &'a [String],
}

/// The IP packet that a tunnel's datagram from `source` to `destination` carries.
#[must_use]
pub fn find_carried<'a>(
    source: IpAddr,
    destination: IpAddr,
    summary: &'a str,
    body: &'a [String],
) -> Option<Carried<'a>> {
    let summary = summary.trim();
    let (lead, kind, key_name) = LEADS.iter().find(|(lead, ..)| summary.starts_with(lead))?;
    let header = summary.get(lead.len()..)?;
    let key = find_number(header, key_name);
    let tunnel = Tunnel { kind: *kind, source, destination, key };
    let own_line = find_behind_header(header).map(|text| (text, body));
    let next_line = || body.split_first().map(|(first, rest)| (first.trim(), rest));
    let (text, rest) = own_line.or_else(next_line)?;
    let head = read_head(text);
    matches!(head.network, Network::Ip { .. }).then_some(Carried { tunnel, head, text, rest })
}

/// What follows the colon that ends a header, options and all:
/// `Flags [C], vni 0xa, options [class 0x102 (…) type 0x1 len 8]: IP 192.0.2.1 > …`.
fn find_behind_header(header: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, sign) in header.char_indices() {
        match sign {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                return header.get(at + 1..).map(str::trim).filter(|text| !text.is_empty());
            }
            _ => {}
        }
    }
    None
}

/// `vni 5`, `vni 0xb`.
fn find_number(header: &str, name: &str) -> Option<u32> {
    let (_, rest) = header.split_once(name)?;
    let word = rest.split([' ', ',', ':', '\n']).next()?;
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A summary, the lines below it, and what is carried: tunnel, key and text.
    type Case<'a> = (String, &'a [String], Option<(TunnelKind, Option<u32>, &'a str)>);

    #[test]
    fn what_is_carried_is_found_behind_the_header_or_below() {
        let inner = "IP 198.51.100.3.5 > 198.51.100.5.6: UDP, length 4";
        let inner_v6 = "IP6 2001:db8::3.5 > 2001:db8::5.6: UDP, length 4";
        let below = [inner.to_owned(), "\tmore".to_owned()];
        let below_v6 = [inner_v6.to_owned()];
        let (vxlan, geneve) = (TunnelKind::Vxlan, TunnelKind::Geneve);
        let cases: [Case<'_>; 9] = [
            (
                format!("Geneve, Flags [none], vni 0xb: {inner}"),
                &[],
                Some((geneve, Some(11), inner)),
            ),
            (
                format!("Geneve, Flags [none], vni 0xb, proto TEB (0x6558): {inner_v6}"),
                &[],
                Some((geneve, Some(11), inner_v6)),
            ),
            (
                format!(
                    "Geneve, Flags [C], vni 0x1, options [class Open Virtual Networking (OVN) (0x102) type 0x80(C) len 8 data 00: 01]: {inner}"
                ),
                &[],
                Some((geneve, Some(1), inner)),
            ),
            ("VXLAN, flags [I] (0x08), vni 5".to_owned(), &below, Some((vxlan, Some(5), inner))),
            (
                "OTV, flags [I] (0x08), overlay 0, instance 1".to_owned(),
                &below_v6,
                Some((vxlan, Some(1), inner_v6)),
            ),
            ("VXLAN, flags [I] (0x08), vni 5".to_owned(), &[], None),
            ("Geneve, Flags [O], vni 0xb: ARP, Request who-has x".to_owned(), &[], None),
            ("Geneve [|geneve]".to_owned(), &[], None),
            (format!("UDP, length 50: {inner}"), &below, None),
        ];
        for (source, destination) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
            for (summary, body, expected) in &cases {
                let found = find_carried(source, destination, summary, body);
                let told = found.map(|carried| {
                    assert_eq!(carried.tunnel.source, source, "{summary}");
                    (carried.tunnel.kind, carried.tunnel.key, carried.text)
                });
                assert_eq!(told, *expected, "{summary}");
                let rest = found.map_or(0, |carried| carried.rest.len());
                assert_eq!(rest, usize::from(body.len() > 1 && expected.is_some()), "{summary}");
            }
        }
    }
}
