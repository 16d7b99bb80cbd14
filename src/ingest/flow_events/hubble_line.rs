//! Lines of `hubble observe`: compact (the default) and the table.
//!
//! `Jan  6 13:41:22.025 [node1]: default/a:5000 (ID:1) -> 192.0.2.1:69 (world) to-stack FORWARDED (UDP)`

use super::event::{Carries, Fate, FlowEvent, Party, Side, find_icmp_error};
use crate::ingest::tcpdump_text::{Stamp, find_stamp, split_month};

/// Verdicts as `Printer.getVerdict` of Hubble prints them.
const VERDICTS: [(&str, Fate); 11] = [
    ("FORWARDED", Fate::Forwarded),
    ("DROPPED", Fate::Dropped),
    ("REDIRECTED", Fate::Forwarded),
    ("ERROR", Fate::Dropped),
    ("AUDIT", Fate::Forwarded),
    ("TRACED", Fate::NoPacket),
    ("TRANSLATED", Fate::NoPacket),
    ("ALLOWED", Fate::Forwarded),
    ("DENIED", Fate::Dropped),
    ("AUDITED", Fate::Forwarded),
    ("VERDICT_UNKNOWN", Fate::NoPacket),
];

/// Reads a compact line.
pub(super) fn find_compact(text: &str) -> Option<FlowEvent> {
    let (text, summary) = split_summary(text)?;
    let (text, fate) = split_verdict(text)?;
    let (stamp, rest) = split_stamp(text);
    let (arrow, mark) = [" -> ", " <- ", " <> "]
        .into_iter()
        .filter_map(|mark| rest.find(mark).map(|at| (at, mark)))
        .min()?;
    let (left, right) = (rest.get(..arrow)?, rest.get(arrow + mark.len()..)?);
    let left = Party::find(without_identity(left.trim()))?;
    let (right, kind) = right.trim_start().split_once(' ')?;
    let right = Party::find(right)?;
    let kind = skip_identity(kind.trim_start());
    // Of a reply the printer swaps both ends, so that the client stands left.
    let (source, destination, is_reply) = match mark {
        " <- " => (right, left, Some(true)),
        " -> " => (left, right, Some(false)),
        _ => (left, right, None),
    };
    Some(event(stamp, source, destination, kind, fate, summary, is_reply))
}

/// Reads a row of the table: `TIMESTAMP   SOURCE   DESTINATION   TYPE   VERDICT   SUMMARY`.
pub(super) fn find_row(text: &str) -> Option<FlowEvent> {
    let cells: Vec<&str> =
        text.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let verdict_at = cells.iter().rposition(|cell| find_verdict(cell).is_some())?;
    let fate = find_verdict(cells.get(verdict_at)?)?;
    // With `--print-node-name` there is one cell more in front.
    let [.., source, destination, kind] = cells.get(..verdict_at)? else { return None };
    let (stamp, _) = split_stamp(cells.first()?);
    stamp?;
    let summary = cells.get(verdict_at + 1).copied().unwrap_or_default();
    Some(event(stamp, Party::find(source)?, Party::find(destination)?, kind, fate, summary, None))
}

/// `TIMESTAMP   SOURCE   DESTINATION   TYPE   VERDICT   SUMMARY`.
pub(super) fn is_header(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next() == Some("TIMESTAMP")
        && text.contains(" SOURCE ")
        && text.contains(" DESTINATION ")
        && text.contains(" VERDICT")
}

/// `EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 12`: how many.
pub(super) fn find_lost(text: &str) -> Option<u64> {
    text.trim().strip_prefix("EVENTS LOST: ")?.split_whitespace().last()?.parse().ok()
}

pub(super) fn event(
    stamp: Option<Stamp>,
    source: Party,
    destination: Party,
    kind: &str,
    fate: Fate,
    summary: &str,
    is_reply: Option<bool>,
) -> FlowEvent {
    let fate = if is_about_packets(kind) { fate } else { Fate::NoPacket };
    let side = match fate {
        // A policy judges at the pod's cable, translation on the way out.
        Fate::Dropped if kind.starts_with("Policy") || kind.starts_with("policy") => Side::Endpoint,
        _ => Side::of_point(kind),
    };
    FlowEvent {
        stamp,
        source,
        destination,
        carries: carries(summary),
        point: kind.to_owned(),
        side,
        fate,
        is_reply,
    }
}

/// What a summary says of the packet: `UDP`, `ICMPv4 DestinationUnreachable(Port)`.
pub(super) fn carries(summary: &str) -> Carries {
    let summary = summary.rsplit("; ").find(|part| !part.is_empty()).unwrap_or(summary).trim();
    if summary == "UDP" || summary.starts_with("UDP ") {
        return Carries::Udp;
    }
    let icmp = summary.strip_prefix("ICMPv4 ").or_else(|| summary.strip_prefix("ICMPv6 "));
    icmp.and_then(find_icmp_error).map_or(Carries::Other, Carries::IcmpError)
}

/// Not what a proxy recorded, nor what a socket was told.
fn is_about_packets(kind: &str) -> bool {
    const NO_PACKETS: [&str; 7] =
        ["pre-xlate", "post-xlate", "dns-", "http-", "kafka-", "l7-", "UNKNOWN"];
    !NO_PACKETS.iter().any(|lead| kind.starts_with(lead))
}

/// Takes the brackets at the end off; they may hold brackets.
fn split_summary(text: &str) -> Option<(&str, &str)> {
    let inside = text.trim_end().strip_suffix(')')?;
    let mut depth = 1_u32;
    for (at, byte) in inside.bytes().enumerate().rev() {
        match byte {
            b')' => depth = depth.saturating_add(1),
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((inside.get(..at)?.trim_end(), inside.get(at + 1..)?));
        }
    }
    None
}

fn split_verdict(text: &str) -> Option<(&str, Fate)> {
    let (before, verdict) = text.rsplit_once(' ')?;
    Some((before.trim_end(), find_verdict(verdict)?))
}

pub(super) fn find_verdict(word: &str) -> Option<Fate> {
    VERDICTS.iter().find(|(name, _)| *name == word).map(|(_, fate)| *fate)
}

/// `Jan  6 13:41:22.025 [node1]: ` or an RFC 3339 time before the source.
pub(super) fn split_stamp(text: &str) -> (Option<Stamp>, &str) {
    let text = text.trim_start();
    // `Jan  6 `: without a year, so only the time of day can be used.
    let clock = split_month(text).map_or(text, |(.., clock)| clock);
    let (word, rest) = clock.split_once(' ').unwrap_or((clock, ""));
    match find_stamp(word.strip_suffix(':').unwrap_or(word)) {
        Some((stamp, "")) => (Some(stamp), skip_node(rest)),
        _ => (None, text),
    }
}

/// ` [node1]: `.
fn skip_node(rest: &str) -> &str {
    let rest = rest.trim_start();
    // An IPv6 address stands in brackets, too, but its port follows at once.
    let behind = rest.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    let node = behind.filter(|(node, _)| !node.contains(char::is_whitespace));
    node.map_or(rest, |(_, rest)| rest).trim_start()
}

/// `default/a:5000 (ID:1)` without what stands in brackets.
fn without_identity(text: &str) -> &str {
    text.split_once(' ').map_or(text, |(party, _)| party)
}

/// The rest behind `(ID:1) `.
fn skip_identity(text: &str) -> &str {
    if !text.starts_with('(') {
        return text;
    }
    text.split_once(") ").map_or(text, |(_, rest)| rest.trim_start())
}

#[cfg(test)]
#[path = "hubble_line_tests.rs"]
mod tests;
