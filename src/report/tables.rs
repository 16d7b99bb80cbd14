//! The tables that end a report: addresses and captures.

use std::net::IpAddr;

use super::times::find_time;
use super::wording::{byte_size, count, fact_source_label, role_label};
use crate::model::capture::{CaptureFormat, PointKind};
use crate::model::report::{Address, Capture, CaptureTunnel, Device, Report};
use crate::model::stand_in::render_known;
use crate::model::topology::Role;

/// Rows of a table; the rest is counted.
const ROWS_MAX: usize = 200;

/// A table with more rows than this is folded.
const FOLDED_FROM: usize = 50;

/// Tunnels that get a line each; the rest is counted.
const TUNNELS_MAX: usize = 5;

/// Addresses with their roles, those that explain most first.
pub(super) struct AddressTable<'a> {
    pub rows: Vec<AddressRow<'a>>,
    /// Addresses of the report that are no rows.
    omitted: u64,
    /// Addresses that not even the report lists.
    unlisted: u64,
}

/// One address.
pub(super) struct AddressRow<'a> {
    pub entry: &'a Address,
    /// The address, or the name for which it stands.
    pub shown: String,
    pub role: &'static str,
    pub source: &'static str,
}

impl<'a> AddressTable<'a> {
    /// All addresses of a report.
    pub(super) fn new(report: &'a Report) -> Self {
        Self::of(report.addresses.iter().collect(), report.addresses_omitted)
    }

    /// The addresses that one device's exchanges name.
    pub(super) fn of_device(report: &'a Report, device: &Device) -> Self {
        let named = named_addresses(device);
        let entries = report.addresses.iter().filter(|entry| named.contains(&entry.address));
        Self::of(entries.collect(), 0)
    }

    fn of(mut entries: Vec<&'a Address>, unlisted: u64) -> Self {
        entries.sort_by_key(|entry| (rank(entry.role), entry.address.is_ipv4(), entry.address));
        let omitted = entries.len().saturating_sub(ROWS_MAX) as u64;
        let row = |entry: &'a Address| AddressRow {
            entry,
            shown: render_known(entry.address, entry.name.as_deref()),
            role: role_label(entry.role),
            source: fact_source_label(entry.source),
        };
        let rows = entries.into_iter().take(ROWS_MAX).map(row).collect();
        Self { rows, omitted, unlisted }
    }

    /// Whether the table would push what follows it out of sight.
    pub(super) const fn is_long(&self) -> bool {
        self.rows.len() > FOLDED_FROM
    }

    /// `200 addresses`.
    pub(super) fn shown_words(&self) -> String {
        count(self.rows.len() as u64, "address", "addresses")
    }

    /// What stands below all rows: its words before and after `JSON`, which may be a link.
    pub(super) fn omitted_around_json(&self) -> Option<(String, String)> {
        let words = self.omitted_words(self.rows.len())?;
        let (before, after) = words.split_once("JSON")?;
        Some((before.to_owned(), after.to_owned()))
    }

    /// What stands below `shown` rows: `and 12 more addresses; see the JSON`.
    pub(super) fn omitted_words(&self, shown: usize) -> Option<String> {
        let hidden = self.rows.len().saturating_sub(shown) as u64 + self.omitted;
        let all = count(hidden + self.unlisted, "more address", "more addresses");
        match (hidden, self.unlisted) {
            (0, 0) => None,
            (_, 0) => Some(format!("and {all}; see the JSON")),
            (_, unlisted) => Some(format!("and {all}; the JSON lists all but {unlisted}")),
        }
    }
}

/// Every address in a device's exchanges, each once.
fn named_addresses(device: &Device) -> Vec<IpAddr> {
    let mut named = device.addresses.clone();
    named.push(device.device);
    for exchange in &device.exchanges {
        named.extend(exchange.request.iter().map(|part| part.destination.address));
        named.extend(exchange.replies.iter().map(|part| part.source.address));
        named.extend(exchange.follow_ups.iter().map(|part| part.destination.address));
        named.extend(exchange.icmp_errors.iter().map(|part| part.from));
        named.extend(
            exchange.translations.iter().flat_map(|part| [part.before.address, part.after.address]),
        );
        named.extend(exchange.steps.iter().flat_map(|step| [step.source, step.destination]));
    }
    named.sort_unstable();
    named.dedup();
    named
}

/// The order of roles in a table: what an operator can change first.
const fn rank(role: Role) -> u8 {
    match role {
        Role::Vip => 0,
        Role::Node => 1,
        Role::Pod => 2,
        Role::Service => 3,
        Role::Device => 4,
        Role::Multicast | Role::Broadcast => 5,
        Role::External | Role::Unknown => 6,
    }
}

/// One capture.
pub(super) struct CaptureRow<'a> {
    pub capture: &'a Capture,
    pub point: String,
    pub span: Option<String>,
    pub contents: String,
    /// The busiest tunnels, a sentence each, and how many more there are.
    pub tunnels: Vec<String>,
}

impl<'a> CaptureRow<'a> {
    /// All captures of a report.
    pub(super) fn all(report: &'a Report) -> Vec<Self> {
        report.captures.iter().map(Self::new).collect()
    }

    fn new(capture: &'a Capture) -> Self {
        Self {
            capture,
            point: point(capture),
            span: span(capture),
            contents: contents(capture),
            tunnels: tunnels(capture),
        }
    }
}

/// `host, node3, eth0`, without what the capture's name says already.
fn point(capture: &Capture) -> String {
    let kind = match capture.point {
        _ if capture.format == CaptureFormat::Conntrack => "a node's kernel",
        PointKind::Unknown => "unknown place",
        PointKind::Device => "at the device",
        PointKind::Host => "host",
        PointKind::Pod => "pod",
    };
    let names = [capture.node.as_deref(), capture.interface.as_deref()];
    let news = names.into_iter().flatten().filter(|name| !has_word(&capture.name, name));
    std::iter::once(kind).chain(news).collect::<Vec<_>>().join(", ")
}

/// Whether `text` has `word`, and not as a part of a longer one: `n1` is none of `n10.pcap`.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// From the first to the last packet, by the capture's own clock.
fn span(capture: &Capture) -> Option<String> {
    let first = find_time(capture.clock, capture.first_packet_at?)?;
    let last = find_time(capture.clock, capture.last_packet_at?)?;
    Some(format!("{first} to {last}"))
}

/// `tcpdump text, 17 packets, 14 datagrams, 3 ICMP errors`.
fn contents(capture: &Capture) -> String {
    if capture.format == CaptureFormat::Conntrack {
        let entries = count(capture.tracked_entries, "entry", "entries");
        return format!("connection tracking, {entries}");
    }
    let mut words = vec![
        capture.format.as_text().to_owned(),
        count(capture.packets, "packet", "packets"),
        count(capture.datagrams, "UDP datagram", "UDP datagrams"),
    ];
    if capture.icmp_errors > 0 {
        words.push(count(capture.icmp_errors, "ICMP error", "ICMP errors"));
    }
    if capture.bytes > 0 {
        words.push(byte_size(capture.bytes));
    }
    if !capture.link_types.is_empty() {
        words.push(capture.link_types.join(" and "));
    }
    if let Some(before) = &capture.continues {
        words.push(format!("goes on where {before} ended"));
    }
    if let Some(offset) = capture.clock_offset_us.filter(|offset| *offset != 0) {
        let error = match capture.clock_offset_error_us {
            Some(error) => format!(" ± {error} µs"),
            None => " (by one exchange)".to_owned(),
        };
        words.push(format!("clock {offset:+} µs{error} against the first capture"));
    }
    words.join(", ")
}

/// Keys of one tunnel that are told.
const KEYS_MAX: usize = 4;

/// `, network 42`, `, networks 42, 43 and more`; nothing where there are none.
fn keys(tunnel: &CaptureTunnel) -> String {
    let name = tunnel.kind.key_name();
    let told: Vec<String> = tunnel.keys.iter().take(KEYS_MAX).map(u32::to_string).collect();
    let has_more = tunnel.keys.len() > KEYS_MAX || tunnel.packets_with_further_keys > 0;
    match &told[..] {
        [] => String::new(),
        [key] if !has_more => format!(", {name} {key}"),
        told => {
            let more = if has_more { " and more" } else { "" };
            format!(", {name}s {}{more}", told.join(", "))
        }
    }
}

/// `inside VXLAN, network 42, 192.0.2.1 → 192.0.2.2: 1,234 packets`.
fn tunnels(capture: &Capture) -> Vec<String> {
    let mut lines: Vec<String> = capture
        .tunnels
        .iter()
        .take(TUNNELS_MAX)
        .map(|tunnel| {
            let packets = count(tunnel.packets, "packet", "packets");
            format!(
                "inside {}{}, {} → {}: {packets}",
                tunnel.kind,
                keys(tunnel),
                tunnel.source,
                tunnel.destination
            )
        })
        .collect();
    let more = capture.tunnels.get(TUNNELS_MAX..).unwrap_or_default();
    if !more.is_empty() {
        let packets = more.iter().map(|tunnel| tunnel.packets).sum();
        lines.push(format!(
            "inside {}: {}",
            count(more.len() as u64, "more tunnel", "more tunnels"),
            count(packets, "packet", "packets")
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::TunnelKind;
    use crate::report::samples;

    #[test]
    fn a_place_is_named_unless_the_name_of_the_capture_has_it() {
        for (name, node, expected) in [
            ("n10.pcap", "n1", "host, n1"),
            ("n1.pcap", "n1", "host"),
            ("node3/eth0", "node3", "host"),
            ("host.pcap", "node3", "host, node3"),
        ] {
            let mut capture = samples::founding().captures.remove(0);
            (capture.name, capture.interface) = (name.to_owned(), None);
            (capture.point, capture.node) = (PointKind::Host, Some(node.to_owned()));
            assert_eq!(point(&capture), expected, "{name}");
        }
    }

    #[test]
    fn tunnels_are_told_the_busiest_first_and_then_counted() {
        let mut capture = samples::founding().captures.remove(0);
        assert_eq!(CaptureRow::new(&capture).tunnels, [""; 0]);
        let tunnel = |kind, ends: (&str, &str), packets| CaptureTunnel {
            kind,
            source: samples::ip(ends.0),
            destination: samples::ip(ends.1),
            packets,
            keys: Vec::new(),
            packets_with_further_keys: 0,
        };
        capture.tunnels = vec![
            tunnel(TunnelKind::Vxlan, ("192.0.2.1", "192.0.2.2"), 1_234),
            tunnel(TunnelKind::Geneve, ("2001:db8::1", "2001:db8::2"), 1),
        ];
        assert_eq!(
            CaptureRow::new(&capture).tunnels,
            [
                "inside VXLAN, 192.0.2.1 → 192.0.2.2: 1,234 packets",
                "inside Geneve, 2001:db8::1 → 2001:db8::2: 1 packet",
            ]
        );
        let cases = [
            (TunnelKind::Vxlan, vec![42], 0, "VXLAN, network 42, "),
            (TunnelKind::Gre, vec![1, 2], 0, "GRE, keys 1, 2, "),
            (TunnelKind::GtpU, vec![1, 2, 3, 4, 5], 0, "GTP-U, tunnels 1, 2, 3, 4 and more, "),
            (TunnelKind::Erspan, vec![9], 1, "ERSPAN, sessions 9 and more, "),
        ];
        for (kind, keys, packets_with_further_keys, expected) in cases {
            let plain = tunnel(kind, ("2001:db8::1", "2001:db8::2"), 2);
            capture.tunnels = vec![CaptureTunnel { keys, packets_with_further_keys, ..plain }];
            let expected = format!("inside {expected}2001:db8::1 → 2001:db8::2: 2 packets");
            assert_eq!(CaptureRow::new(&capture).tunnels, [expected]);
        }
        capture.tunnels =
            vec![tunnel(TunnelKind::Gre, ("192.0.2.1", "192.0.2.2"), 10); TUNNELS_MAX + 2];
        let lines = CaptureRow::new(&capture).tunnels;
        assert_eq!(lines.len(), TUNNELS_MAX + 1);
        assert_eq!(lines[TUNNELS_MAX], "inside 2 more tunnels: 20 packets");
    }
}
