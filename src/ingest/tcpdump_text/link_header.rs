//! How long the link header is of which `-e` prints the fields: the length that stands
//! there is the frame's.

use super::line::{skip_kernel_index, split_columns, split_word};
use super::link::starts_with_mac;
use super::remark::find_remark;

const ETHERNET_BYTES: u32 = 14;
/// IEEE 802.1Q: the tag, and the type of what is behind it.
const VLAN_TAG_BYTES: u32 = 4;
/// BSD's loopback, link types 0 and 108: the address family alone.
const FAMILY_BYTES: u32 = 4;
/// Linux' cooked header of the older version; the newer has 20.
const COOKED_BYTES: u32 = 16;
/// Tags that are counted.
const LIMIT_TAGS: usize = 8;

/// Bytes of the link header of a packet line, by how `-e` begins; `None` where that does
/// not tell. Labels behind Ethernet's type are not counted: it is never too many.
pub fn find_link_header_bytes(text: &str) -> Option<u32> {
    let text = text.trim();
    let text = find_remark(text).map_or_else(|| split_columns(text).2, |remark| remark.rest);
    let text = skip_kernel_index(text);
    if text.starts_with("AF ") {
        return Some(FAMILY_BYTES);
    }
    if text.starts_with("ethertype ") {
        return Some(COOKED_BYTES);
    }
    if !starts_with_mac(text) {
        return None;
    }
    let (_, behind) = split_word(text);
    let to = behind.strip_prefix("> ").unwrap_or(behind);
    if !starts_with_mac(to) && !to.starts_with("Broadcast") {
        // A cooked header has the sender's address only.
        return Some(COOKED_BYTES);
    }
    let tags = text.matches("ethertype 802.1Q").take(LIMIT_TAGS).count();
    Some(ETHERNET_BYTES + VLAN_TAG_BYTES * u32::try_from(tags).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_tells_the_length() {
        let cases = [
            ("AF IPv4 (2), length 61: {4}", Some(4)),
            ("AF IPv6 (30), length 81: {6}", Some(4)),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 71: {4}",
                Some(14),
            ),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv6 (0x86dd), length 91: {6}",
                Some(14),
            ),
            ("02:00:00:00:00:01 > Broadcast, ethertype IPv4 (0x0800), length 71: {4}", Some(14)),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 75: vlan 5, p 0, ethertype IPv4 (0x0800), {4}",
                Some(18),
            ),
            ("02:00:00:00:00:01 02:00:00:00:00:02 0800 71: {4}", Some(14)),
            ("In 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 73: {4}", Some(16)),
            (
                "eth0  In  ifindex 2 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 77: {4}",
                Some(16),
            ),
            ("tun0  Out ifindex 5 ethertype IPv6 (0x86dd), length 97: {6}", Some(16)),
            ("version 0, resource ID 5, family IPv4, length 99: {4}", None),
            ("rule 5/0(match): pass in on em0: {4}", None),
            ("IP {4}", None),
            ("IP6 {6}", None),
        ];
        for (text, expected) in cases {
            let text = text.replace("{4}", "192.0.2.1.5 > 192.0.2.2.53: UDP, length 29");
            let text = text.replace("{6}", "2001:db8::1.5 > 2001:db8::2.53: UDP, length 29");
            assert_eq!(find_link_header_bytes(&text), expected, "{text}");
        }
    }
}
