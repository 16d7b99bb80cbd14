//! Lines of FortiGate's `diagnose sniffer packet`, put as tcpdump puts them.
//!
//! The program descends from tcpdump 3, and its hex dumps are those of that one.
//! Its verbosities 1 to 3 print a packet, its IP bytes, or its frame; 4 to 6 the
//! same with the interface.

use super::address::parse_endpoint;
use super::line::split_word;
use super::timestamp::find_stamp;

/// A packet line in tcpdump's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FortigateLine {
    pub text: String,
    /// Seconds are counted from when the sniffer was started, not from the epoch.
    pub is_relative: bool,
}

/// Whether lines around this one came from the program too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    Unknown,
    Fortigate,
}

/// Reads `0.545306 port1 in 192.0.2.1.5000 -> 192.0.2.2.69: udp 20`, with or
/// without the interface, and with a date in place of the seconds (`a`, `l`).
#[must_use]
pub fn find_line(text: &str, around: Around) -> Option<FortigateLine> {
    let text = text.trim();
    let (_, behind) = find_stamp(text)?;
    let time = text.get(..text.len() - behind.len())?;
    let is_relative = time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_dated = time.as_bytes().get(4) == Some(&b'-');
    if !is_relative && !is_dated {
        return None;
    }
    let (columns, rest) = split_columns(behind.trim_start());
    let is_surely_ours = !columns.is_empty() || around == Around::Fortigate;
    let packet = match find_packet(skip_vlan(rest)) {
        Some(packet) => packet,
        None if !is_surely_ours => return None,
        None if rest.starts_with("arp ") => rest.to_owned(),
        None if rest.starts_with("Ether type ") || around == Around::Fortigate => {
            format!("UNKNOWN {rest}")
        }
        None => return None,
    };
    Some(FortigateLine { text: format!("{time} {columns}{packet}"), is_relative })
}

/// `port1 in `, `port1 out `, and `port1 -- ` where the program cannot tell.
fn split_columns(text: &str) -> (String, &str) {
    let (interface, rest) = split_word(text);
    let (word, rest) = split_word(rest);
    let direction = match word {
        "in" => "In",
        "out" => "Out",
        "--" => "P",
        _ => return (String::new(), text),
    };
    (format!("{interface} {direction} "), rest)
}

/// `802.1Q vlan#10 P0 `, which tcpdump 3 and Cisco's ASA print too.
pub fn skip_vlan(text: &str) -> &str {
    let mut rest = text;
    while let Some(behind) = rest.strip_prefix("802.1Q vlan#") {
        let (_, behind) = split_word(behind);
        let (priority, packet) = split_word(behind);
        rest = if priority.starts_with('P') { packet } else { behind };
    }
    rest.trim_start_matches("-- ").trim_start()
}

/// `192.0.2.1.5000 -> 192.0.2.2.69: udp 20`.
fn find_packet(text: &str) -> Option<String> {
    let (source, rest) = split_word(text);
    let (destination, summary) = split_word(rest.strip_prefix("-> ")?);
    let to = parse_endpoint(destination.strip_suffix(':')?).ok()?;
    let from = parse_endpoint(source).ok()?;
    if from.address.is_ipv4() != to.address.is_ipv4() {
        return None;
    }
    let family = if to.address.is_ipv4() { "IP" } else { "IP6" };
    let summary = find_segment(summary).unwrap_or_else(|| summary.to_owned());
    Some(format!("{family} {source} > {destination} {summary}"))
}

/// `syn 1000 ack 7`, `psh 1 ack 2`: the flags in words, the numbers as they are.
fn find_segment(summary: &str) -> Option<String> {
    let (word, rest) = split_word(summary);
    let flag = match word {
        "syn" => "S",
        "rst" => "R",
        "fin" => "F",
        "psh" => "P",
        "ack" | "urg" => return Some(format!("Flags [.], {summary}")),
        _ => return None,
    };
    let (sequence, rest) = split_word(rest);
    let (dot, acknowledged) = match rest.strip_prefix("ack ") {
        Some(number) => (".", format!(", ack {}", split_word(number).0)),
        None => ("", String::new()),
    };
    Some(format!("Flags [{flag}{dot}], seq {sequence}{acknowledged}"))
}

#[cfg(test)]
mod tests {
    use super::super::line::{Family, Network, read_head};
    use super::super::packet_line::looks_like_packet;
    use super::*;

    #[test]
    fn lines_are_put_in_tcpdumps_words() {
        let cases = [
            (
                "0.545306 192.0.2.1.5000 -> 192.0.2.2.69: udp 20",
                "0.545306 IP 192.0.2.1.5000 > 192.0.2.2.69: udp 20",
            ),
            (
                "0.545306 port1 in 192.0.2.1.5000 -> 192.0.2.2.69: udp 20",
                "0.545306 port1 In IP 192.0.2.1.5000 > 192.0.2.2.69: udp 20",
            ),
            (
                "10.545306 wan1 out 2001:db8::1.5000 -> 2001:db8::2.69: udp 20",
                "10.545306 wan1 Out IP6 2001:db8::1.5000 > 2001:db8::2.69: udp 20",
            ),
            (
                "2025-02-28 16:29:17.741947 port1 -- 192.0.2.1 -> 192.0.2.2: icmp: echo request",
                "2025-02-28 16:29:17.741947 port1 P IP 192.0.2.1 > 192.0.2.2: icmp: echo request",
            ),
            (
                "2.915386 port1 in 802.1Q vlan#10 P0 192.0.2.1.5 -> 192.0.2.2.6: udp 4",
                "2.915386 port1 In IP 192.0.2.1.5 > 192.0.2.2.6: udp 4",
            ),
            (
                "0.5 port1 in arp who-has 192.0.2.1 tell 192.0.2.2",
                "", // one digit behind the point is no time of the program
            ),
            (
                "0.500000 port1 in arp who-has 192.0.2.1 tell 192.0.2.2",
                "0.500000 port1 In arp who-has 192.0.2.1 tell 192.0.2.2",
            ),
            (
                "0.500000 port1 in Ether type 0x88cc printer havn't been added to sniffer.",
                "0.500000 port1 In UNKNOWN Ether type 0x88cc printer havn't been added to sniffer.",
            ),
            (
                "0.500000 192.0.2.1.5 -> 192.0.2.2.80: syn 1000",
                "0.500000 IP 192.0.2.1.5 > 192.0.2.2.80: Flags [S], seq 1000",
            ),
            (
                "0.500000 192.0.2.2.80 -> 192.0.2.1.5: syn 7 ack 1001",
                "0.500000 IP 192.0.2.2.80 > 192.0.2.1.5: Flags [S.], seq 7, ack 1001",
            ),
            (
                "0.500000 192.0.2.2.80 -> 192.0.2.1.5: psh 7 ack 1001",
                "0.500000 IP 192.0.2.2.80 > 192.0.2.1.5: Flags [P.], seq 7, ack 1001",
            ),
            (
                "0.500000 192.0.2.2.80 -> 192.0.2.1.5: ack 1001",
                "0.500000 IP 192.0.2.2.80 > 192.0.2.1.5: Flags [.], ack 1001",
            ),
            // what other programs print
            ("0.500000 192.0.2.1 -> 192.0.2.2 UDP 62 5000 → 69 Len=20", ""),
            ("07:29:48.654684 192.0.2.1.5 -> 192.0.2.2.69: udp 20", ""),
            ("0.500000 192.0.2.1.5 > 192.0.2.2.69: udp 20", ""),
            ("0.500000 web.example.80 -> 192.0.2.2.69: udp 20", ""),
            ("0.500000 192.0.2.1.5 -> 2001:db8::2.69: udp 20", ""),
            ("0.500000 arp who-has 192.0.2.1 tell 192.0.2.2", ""),
            ("0.500000 of them in use", ""),
            ("", ""),
        ];
        for (text, expected) in cases {
            let line = find_line(text, Around::Unknown);
            assert_eq!(line.map(|line| line.text).unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn tags_are_passed_over_in_the_lines_of_other_programs() {
        for (family, packet) in [
            (Family::V4, "192.0.2.7.41226 > 198.51.100.10.69:  udp 33"),
            (Family::V6, "2001:db8::7.41226 > 2001:db8:1::10.69:  udp 33"),
        ] {
            for tags in ["802.1Q vlan#10 P0 ", "802.1Q vlan#10 P0 802.1Q vlan#20 P3 "] {
                let line = format!("{tags}{packet}");
                assert_eq!(
                    read_head(&line).network,
                    Network::Ip { family, text: packet },
                    "{tags}"
                );
                assert!(looks_like_packet(&format!("22:13:20.000000       {tags}{packet}")));
            }
        }
        assert_eq!(read_head("802.1Q vlan#10 P0 arp who-has 192.0.2.1").network, Network::Other);
    }

    #[test]
    fn among_its_own_every_timed_line_is_a_packet() {
        let text = "0.500000 port1 in stp 802.1w";
        assert_eq!(find_line(text, Around::Unknown), None);
        let line = find_line(text, Around::Fortigate).unwrap();
        assert_eq!(line.text, "0.500000 port1 In UNKNOWN stp 802.1w");
        assert!(line.is_relative);
    }
}
