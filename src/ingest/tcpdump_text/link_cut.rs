//! Whether a packet's line ends within the link header that `-e` prints: `cut` and narrow
//! windows leave its beginning.

use super::line::{skip_kernel_index, split_columns, split_word};
use super::link::{LINK_LEADS, starts_with_mac};
use super::remark::find_remark;

/// What to say of such a line.
pub const MESSAGE: &str =
    "ends within its link header, so that its packet is not known; paste the whole line";

/// What comes before the name of a type, where the header has one.
const TYPE_LEAD: &str = "ethertype ";

/// The longest name of a type (`ethertype_values` of print-ether.c) is shorter.
const LIMIT_NAME_BYTES: usize = 24;

/// Whether the line is over before the packet's own text begins: `ether_print` of
/// print-ether.c ends each header with `length N: `, and those of VLAN tags (IEEE 802.1Q),
/// which stand behind it, with `ethertype NAME (0xNNNN), `. What carries another protocol
/// by its type is no packet that is missed.
#[must_use]
pub fn ends_within_link(text: &str) -> bool {
    let Some(text) = find_header(text) else { return false };
    let kind = find_kind(text);
    let Some(behind) = skip_length(text) else { return kind != Kind::Other && !is_old(text) };
    match kind {
        Kind::Ip => behind.is_empty(),
        Kind::Tag => lacks_type(behind),
        // A type of which the name or the number has no end.
        Kind::Unknown => {
            text.rsplit_once(TYPE_LEAD).is_some_and(|(_, kind)| !kind.contains([',', ':']))
        }
        Kind::Other => false,
    }
}

/// Whether a line has no link header, or one as tcpdump prints it, to its end. Lines that were
/// put together in the wrong place (`ethertypeIPv4`, `l ength 61: `) have none.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    find_header(text).is_none_or(|text| {
        let mut kinds = text.split(TYPE_LEAD).skip(1).map(Kind::of).collect::<Vec<_>>();
        let last = kinds.pop();
        let behind = skip_length(text);
        kinds.iter().all(|kind| *kind == Kind::Tag)
            && match last {
                Some(Kind::Ip | Kind::Other) => behind.is_some(),
                Some(Kind::Tag) => behind.is_some_and(|tag| !lacks_type(tag) && is_old_tag(tag)),
                Some(Kind::Unknown) => false,
                None => is_old(text) || (!starts_with_mac(text) && behind.is_some()),
            }
    })
}

/// The text from the link header on, where `-e` printed one.
fn find_header(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = find_remark(text).map_or_else(|| split_columns(text).2, |remark| remark.rest);
    let text = skip_kernel_index(text);
    (starts_with_mac(text) || LINK_LEADS.iter().any(|lead| text.starts_with(lead))).then_some(text)
}

/// What the last type of a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ip,
    /// A VLAN tag: another type follows.
    Tag,
    /// A protocol without UDP.
    Other,
    /// There is none, or its end is missing.
    Unknown,
}

impl Kind {
    /// `ARP (0x0806), …`. Old versions print no number.
    fn of(text: &str) -> Self {
        if ["IPv4,", "IPv6,"].iter().any(|name| text.starts_with(name)) {
            return Self::Ip;
        }
        let Some((name, rest)) = text.split_once(" (0x") else { return Self::Unknown };
        let code = rest.get(..4).filter(|_| rest.get(4..).is_some_and(|r| r.starts_with(')')));
        match code.and_then(|code| u16::from_str_radix(code, 16).ok()) {
            Some(0x0800) if name == "IPv4" => Self::Ip,
            Some(0x86dd) if name == "IPv6" => Self::Ip,
            // They may carry IP.
            Some(0x8847 | 0x8848) if name.starts_with("MPLS ") => Self::Ip,
            Some(0x8863 | 0x8864) if name.starts_with("PPPoE ") => Self::Ip,
            Some(0x8100 | 0x88a8 | 0x9100 | 0x9200) if name.starts_with("802.1Q") => Self::Tag,
            Some(
                0x0800 | 0x86dd | 0x8847 | 0x8848 | 0x8863 | 0x8864 | 0x8100 | 0x88a8 | 0x9100
                | 0x9200,
            ) => Self::Unknown,
            Some(_) if name.len() <= LIMIT_NAME_BYTES => Self::Other,
            _ => Self::Unknown,
        }
    }
}

fn find_kind(text: &str) -> Kind {
    text.rsplit_once(TYPE_LEAD).map_or(Kind::Unknown, |(_, behind)| Kind::of(behind))
}

/// What stands behind `length N:`.
fn skip_length(text: &str) -> Option<&str> {
    text.match_indices("length ").find_map(|(at, lead)| {
        let rest = text.get(at + lead.len()..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest.get(digits..)?.strip_prefix(':').filter(|_| digits > 0).map(str::trim_start)
    })
}

/// Whether a tag's fields are over before the type behind them: `vlan 100, p 0, `, perhaps
/// with `DEI, `. Old versions print `IP` and others' names in its place.
fn lacks_type(tag: &str) -> bool {
    let mut fields = tag.split(", ").filter(|field| !matches!(*field, "DEI" | "CFI"));
    let (id, _priority, kind) = (fields.next(), fields.next(), fields.next());
    let begins_type = |kind: &str| kind.is_empty() || TYPE_LEAD.starts_with(kind);
    id.is_none_or(|id| "vlan ".starts_with(id) || id.starts_with("vlan "))
        && kind.is_none_or(|kind| begins_type(kind) || kind == "DE" || kind == "D")
}

/// Whether a protocol's name stands behind a tag in place of its type.
fn is_old_tag(tag: &str) -> bool {
    let kind = tag.split(", ").filter(|field| *field != "DEI").nth(2).unwrap_or_default();
    kind.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// `02:…:01 02:…:02 0806 60: ` of OpenBSD, and `802.3` in place of a type.
fn is_old(text: &str) -> bool {
    let (_, rest) = split_word(text);
    let (second, rest) = split_word(rest);
    let (_, rest) = split_word(rest);
    (starts_with_mac(second) && split_word(rest).0.ends_with(':')) || text.contains("802.3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_cut_are_told_from_others() {
        let cases = [
            ("02:00:00:00:00:01 > 02:00:00:00:00:02", true),
            ("02:00:00:00:00:01 > 02:00:00:00:00:02, ethert", true),
            ("02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IP", true),
            ("02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv6 (0x86dd), len", true),
            ("02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 6", true),
            ("02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 61:", true),
            ("{tag}length 65: vl", true),
            ("{tag}length 65: vlan 100, p 0", true),
            ("{tag}length 65: vlan 100, p 0, DEI, ethert", true),
            ("{tag}length 65: vlan 100, p 0, ethertype IP", true),
            ("eth0  In  ifindex 2 02:00:00:00:00:01 ethertype IPv4 (0x0800), leng", true),
            ("AF IPv4 (2), length", true),
            (
                "{tag}length 46: vlan 100, p 0, ethertype ARP (0x0806), Request who-has 192.0.2.7 tell 192.0.2.1",
                false,
            ),
            ("{tag}length 46: vlan 100, p 0, ARP, Request who-has 192.0.2.7", false),
            ("02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype ARP (0x0806), leng", false),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x88cc), length 60: ",
                false,
            ),
            ("02:00:00:00:00:01 > 01:80:c2:00:00:00, 802.3, length 39: LLC, dsap STP", false),
            ("02:00:00:00:00:01 02:00:00:00:00:02 0806 60: arp who-has 192.0.2.7", false),
            ("IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", false),
            ("IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", false),
            ("ARP, Request who-has 192.0.2.7", false),
        ];
        for (text, expected) in cases {
            let tag = "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), ";
            let text = text.replace("{tag}", tag);
            assert_eq!(ends_within_link(&text), expected, "{text}");
        }
        let link = "02:00:00:00:00:01 > 02:00:00:00:00:02,";
        for (text, expected) in [
            ("ethertype ARP (0x0806), length 42: Request who-has 192.0.2.7", true),
            ("802.3, length 39: LLC, dsap STP", true),
            (
                "ethertype 802.1Q (0x8100), length 46: vlan 100, p 0, ethertype ARP (0x0806), x",
                true,
            ),
            ("ethertype IP v4 (0x0800), length 61: 192.0.2.1.5", false),
            ("ethertypeARP (0x0806), length 42: Request who-has 192.0.2.7", false),
            ("e thertype IPv6 (0x86dd), length 81: 2001:db8::1.5", false),
            ("ethertype IPv4 (0x0800), length 61: 192.0.2.1.5", true),
            ("ethertype IPv4, length 61: IP 192.0.2.1.5", true),
            ("ethertype IPv4 (0x08 00), length 61: 192.0.2.1.5", false),
            ("ethertype IPv6 (0x86dd), l ength 81: 2001:db8::1.5", false),
            (
                "ethertype 802.1Q (0x8100), length 85: vlan 100, p 0, ethertypeIPv6 (0x86dd), x",
                false,
            ),
            ("ethertype IPv6 (0x86 dd), length 81: 2001:db8::1.5", false),
            (
                "ethertype 802.1Q (0x8100), length 65: vlan 100, p 0, ethertype IP v6 (0x86dd)",
                false,
            ),
        ] {
            assert_eq!(is_well_formed(&format!("{link} {text}")), expected, "{text}");
        }
        assert!(is_well_formed("STP 802.1d, Config, Flags [none], length 43"));
    }
}
