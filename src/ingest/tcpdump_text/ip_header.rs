//! The IP header that `-v` prints in parentheses.

use crate::model::hop::HopMarks;

/// The parenthesised header of `-v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpHeader {
    /// IPv4 only.
    pub identification: Option<u16>,
    pub hop_marks: HopMarks,
    /// IPv4: bytes from the datagram's start to this fragment.
    pub offset_bytes: u32,
    /// IPv4: fragments follow (`flags [+]`).
    pub has_more: bool,
    /// The protocol that the header names.
    pub protocol: Option<u8>,
    /// Bytes behind the fixed IP header: 20 for IPv4 (options are not
    /// printed with their length), 40 for IPv6.
    pub payload_length: Option<u32>,
}

/// Splits `(a (b) c) rest` at the closing parenthesis of the first.
pub(super) fn split_parentheses(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('(') {
        return None;
    }
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(1..at)?, text.get(at + 1..)?.trim_start()));
        }
    }
    None
}

/// Reads what stands between the parentheses.
#[must_use]
pub(super) fn read_header(inside: &str) -> IpHeader {
    let payload = find_number(inside, "payload length: ");
    IpHeader {
        identification: find_number(inside, "id ").and_then(|id| u16::try_from(id).ok()),
        hop_marks: find_hop_marks(inside),
        offset_bytes: find_number(inside, "offset ").unwrap_or(0),
        has_more: inside.contains("flags [+"),
        protocol: find_protocol(inside),
        payload_length: payload
            .or_else(|| find_number(inside, "length ").and_then(|total| total.checked_sub(20))),
    }
}

/// `ttl 63`; `flowlabel 0xb3c1e, hlim 64`.
fn find_hop_marks(inside: &str) -> HopMarks {
    let number = |lead| find_number(inside, lead).and_then(|limit| u8::try_from(limit).ok());
    if let Some(time_to_live) = number("ttl ") {
        return HopMarks::of_v4(time_to_live);
    }
    let Some(hop_limit) = number("hlim ") else { return HopMarks::UNKNOWN };
    let label = inside.split_once("flowlabel 0x").and_then(|(_, rest)| {
        let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
        u32::from_str_radix(digits, 16).ok()
    });
    HopMarks::of_v6(hop_limit, label.unwrap_or(0))
}

/// `proto UDP (17)`, `next-header UDP (17)`, and `proto 17` of old versions.
fn find_protocol(inside: &str) -> Option<u8> {
    let rest = ["next-header ", "proto: ", "proto "]
        .iter()
        .find_map(|lead| inside.split_once(lead).map(|(_, rest)| rest))?;
    let end = rest.find(',').unwrap_or(rest.len());
    let (name, number) = rest.get(..end)?.split_once('(').unwrap_or((rest.get(..end)?, ""));
    let number = number.split_once(')').and_then(|(number, _)| number.parse().ok());
    number.or_else(|| match name.trim().to_ascii_uppercase().as_str() {
        "UDP" => Some(17),
        "ICMP" => Some(1),
        "ICMPV6" => Some(58),
        "TCP" => Some(6),
        other => other.parse().ok(),
    })
}

fn find_number(text: &str, lead: &str) -> Option<u32> {
    let mut from = text;
    while let Some((before, rest)) = from.split_once(lead) {
        if before.is_empty() || before.ends_with([' ', ',', '(']) {
            return rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
        }
        from = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_headers_are_read() {
        let cases = [
            (
                "(tos 0x0, ttl 63, id 10208, offset 0, flags [DF], proto UDP (17), length 999)",
                IpHeader {
                    identification: Some(10_208),
                    hop_marks: HopMarks::of_v4(63),
                    offset_bytes: 0,
                    has_more: false,
                    protocol: Some(17),
                    payload_length: Some(979),
                },
            ),
            (
                "(tos 0x0, ttl 63, id 7, offset 1480, flags [none], proto UDP (17), length 64, bad cksum 0 (->b404)!)",
                IpHeader {
                    identification: Some(7),
                    hop_marks: HopMarks::of_v4(63),
                    offset_bytes: 1_480,
                    has_more: false,
                    protocol: Some(17),
                    payload_length: Some(44),
                },
            ),
            (
                "(flowlabel 0xb3c1e, hlim 64, next-header UDP (17) payload length: 43)",
                IpHeader {
                    identification: None,
                    hop_marks: HopMarks::of_v6(64, 0xb_3c1e),
                    offset_bytes: 0,
                    has_more: false,
                    protocol: Some(17),
                    payload_length: Some(43),
                },
            ),
            (
                "(hlim 255, next-header ICMPv6 (58) payload length: 32)",
                IpHeader {
                    identification: None,
                    hop_marks: HopMarks::of_v6(255, 0),
                    offset_bytes: 0,
                    has_more: false,
                    protocol: Some(58),
                    payload_length: Some(32),
                },
            ),
        ];
        for (text, header) in cases {
            let (inside, rest) = split_parentheses(text).unwrap();
            assert_eq!((read_header(inside), rest), (header, ""), "{text}");
        }
    }
}
