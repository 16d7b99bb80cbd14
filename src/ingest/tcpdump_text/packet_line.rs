//! Which lines are packets, whatever was put around them.

use std::borrow::Cow;

use super::fortigate::{Around, find_line};
use super::line::{Network, is_untimed_packet, read_head, split_word};
use super::timestamp::{Stamp, find_stamp};

/// A line with a packet's time, or without one where it surely is a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketLine<'a> {
    pub stamp: Option<Stamp>,
    /// What follows the time.
    pub rest: &'a str,
    /// Whether tcpdump's own words follow, so that it is no log line.
    pub is_sure: bool,
}

/// Whether a line outside a run begins one.
#[must_use]
pub fn looks_like_packet(text: &str) -> bool {
    super::columns::find_row(text).is_some()
        || find_line(text, Around::Unknown).is_some()
        || find_packet_line(&remove_bold(text)).is_some_and(|packet| packet.begins_run())
}

/// Whether a line begins with a packet's time and what tcpdump prints behind it: nothing
/// stands before the packet.
#[must_use]
pub fn is_timed_packet(text: &str) -> bool {
    find_timed(text).is_some_and(|packet| packet.begins_run())
}

/// Whether a line begins with a packet that has no time.
#[must_use]
pub fn is_untimed_packet_line(text: &str) -> bool {
    find_untimed(text).is_some()
}

impl PacketLine<'_> {
    /// Whether it is a packet even where none stands before it.
    fn begins_run(&self) -> bool {
        self.is_sure
            && self.stamp.is_none_or(|stamp| stamp.has_fraction || names_network(self.rest))
    }
}

/// Whether tcpdump's word for IP follows a time, perhaps behind the columns of `-i any`:
/// a time without a fraction may be anybody's.
pub fn names_network(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.starts_with("IP") || {
        let head = read_head(rest);
        head.direction.is_some() && matches!(head.network, Network::Ip { .. })
    }
}

/// Markdown's bold marks, which people put even inside addresses.
#[must_use]
pub fn remove_bold(text: &str) -> Cow<'_, str> {
    if text.contains("**") { Cow::Owned(text.replace("**", "")) } else { Cow::Borrowed(text) }
}

/// Finds the packet in a line, behind the `^C` that stopped a tcpdump which had not printed it
/// yet, and the quotes around code.
#[must_use]
pub fn find_packet_line(text: &str) -> Option<PacketLine<'_>> {
    let text = text.trim().trim_start_matches("^C").trim_matches('`').trim();
    find_timed(text).or_else(|| find_untimed(text))
}

fn find_timed(text: &str) -> Option<PacketLine<'_>> {
    let (stamp, rest) = find_stamp(text)?;
    // A log line may well hold ` > `; two addresses with dots or colons and
    // nothing before them do not stand there by chance.
    let is_sure = !matches!(read_head(rest).network, Network::Unknown) || has_sides(rest);
    Some(PacketLine { stamp: Some(stamp), rest, is_sure })
}

fn find_untimed(text: &str) -> Option<PacketLine<'_>> {
    is_untimed_packet(text).then_some(PacketLine { stamp: None, rest: text, is_sure: true })
}

/// `host.53 > other.5000: …` right behind the time.
fn has_sides(rest: &str) -> bool {
    let (source, behind) = split_word(rest.trim_start());
    behind.strip_prefix("> ").is_some_and(|destination| {
        source.contains(['.', ':']) && split_word(destination).0.contains(['.', ':'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_found_behind_what_people_put_around_them() {
        let cases = [
            ("07:29:48.654684 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("07:29:48.654684 IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
            ("**07:29:48.654684** IP 192.0.2.1.5 > **192.0.2.2**.69: UDP, length 4", true),
            ("07:29:48 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("07:29:48.654684 ARP, Request who-has 192.0.2.1 tell 192.0.2.2, length 28", true),
            ("07:29:48 eth0 In IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("07:29:48 eth0  Out IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
            ("^C07:29:48.654684 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("07:29:48.654684 IP", false),
            ("07:29:48 the device was restarted", false),
            ("07:29:48.123 INFO state > ready", false),
            ("2024-01-31 07:29:48.654684 INFO listening", false),
            ("1. First the device asks", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(looks_like_packet(text), expected, "{text}");
        }
    }
}
