//! Addresses that stand for names.
//!
//! A text of `tcpdump` without `-n` prints a host's name where its packets have an
//! address, and prints each address alike throughout one run (its table of names). A name
//! that nothing resolves therefore is an end of its own, and gets an address to be told
//! apart by: one that stands for that name alone, always the same one, and that no host
//! has. For IPv4 they are taken from 240.0.0.0/4, which is reserved (RFC 1112 section 4),
//! without what RFC 919 uses for broadcasts; for IPv6 from 100::/64, the discard-only
//! prefix (RFC 6666).

mod written;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::identity::hash_words;
use crate::model::report::Report;

pub use self::written::Written;

/// 240.0.0.0 and all up to 254.255.255.255.
const V4_FIRST: u32 = 240 << 24;
const V4_ADDRESSES: u32 = 15 << 24;
/// 100::.
const V6_FIRST: u128 = 0x100 << 112;
/// Characters of a name that are shown; a DNS name has at most 253 (RFC 1035 section 2.3.4).
const LONGEST: usize = 253;

/// The address that stands for `name`. Names compare without case (RFC 1035 section
/// 2.3.3), and a dot at the end says only that the name is whole.
#[must_use]
pub fn address_of(name: &str, is_ipv6: bool) -> IpAddr {
    // FxHash mixes upwards: the low bits know only the end of the name.
    let hash = hash_words(&["name", &canonical(name)]).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8;
    if is_ipv6 {
        return IpAddr::V6(Ipv6Addr::from_bits(V6_FIRST | u128::from(hash | 1)));
    }
    let offset = u32::try_from(hash % u64::from(V4_ADDRESSES)).unwrap_or(0);
    IpAddr::V4(Ipv4Addr::from_bits(V4_FIRST + offset))
}

/// Whether an address can stand for a name: it is of those that are taken for that, and
/// that no host on a network has.
#[must_use]
pub fn may_stand_in(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => (240..=254).contains(&v4.octets()[0]),
        IpAddr::V6(v6) => v6.segments()[..4] == [0x100, 0, 0, 0],
    }
}

/// Whether `address` stands for `name`.
#[must_use]
pub fn stands_for(address: IpAddr, name: &str) -> bool {
    address_of(name, address.is_ipv6()) == address
}

/// A name as it is compared: in lower case, without the dot at its end.
#[must_use]
pub fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// The name by which people know a device of this address and name, where it has no other
/// address than the one that stands for the name.
#[must_use]
pub fn find_shown(address: IpAddr, name: Option<&str>) -> Option<&str> {
    name.filter(|name| stands_for(address, name))
}

/// A device as people know it: by its address, or by its name alone.
#[must_use]
pub fn render_known(address: IpAddr, name: Option<&str>) -> String {
    find_shown(address, name).map_or_else(|| address.to_string(), str::to_owned)
}

/// A device by its name and address, where both are known: `switch7 (192.0.2.7)`.
#[must_use]
pub fn render_named(address: IpAddr, name: Option<&str>) -> String {
    match name {
        Some(name) if !stands_for(address, name) => format!("{name} ({address})"),
        name => render_known(address, name),
    }
}

/// What stands before a name in a path, for IPv4 and IPv6: a name is no address.
const PATH_LEADS: [(&str, bool); 2] = [("ip:", false), ("ip6:", true)];

/// A character of a name within a command. The brackets of masks stay, as such that mean
/// nothing to a shell: `[PREFIX]:[HOST]` is an address of masked parts, `PREFIX:HOST` looks
/// like a host and its port.
const fn for_command(c: char) -> Option<char> {
    match c {
        '<' | '{' => Some('['),
        '>' | '}' => Some(']'),
        '$' | '`' | '\'' | '"' | '\\' | ';' | '|' | '&' => None,
        c => Some(c),
    }
}

/// The segment of a path that leads to a device: its address, or `ip:` and its name where it
/// has no other than the one that stands for it. RFC 3986 section 3.3 says what is encoded.
#[must_use]
pub fn render_segment(address: IpAddr, name: Option<&str>) -> String {
    let Some(name) = find_shown(address, name) else { return address.to_string() };
    let lead = PATH_LEADS.iter().find(|(_, is_ipv6)| *is_ipv6 == address.is_ipv6());
    let mut segment = lead.map_or("", |(lead, _)| lead).to_owned();
    for byte in canonical(name).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push('%');
            let digits = [byte >> 4, byte & 0xf];
            let digits = digits.map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            segment.extend(digits.map(|digit| digit.to_ascii_uppercase()));
        }
    }
    segment
}

/// The address to which such a segment leads, decoded, where it has a name.
#[must_use]
pub fn find_segment(text: &str) -> Option<IpAddr> {
    PATH_LEADS.iter().find_map(|(lead, is_ipv6)| {
        let name = text.strip_prefix(lead).filter(|name| !name.is_empty())?;
        (name.len() <= 4 * LONGEST).then(|| address_of(name, *is_ipv6))
    })
}

/// Where a text with addresses is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// People read it.
    Prose,
    /// It is typed into a shell or Wireshark, where a stand-in would match nothing.
    Command,
}

/// The names for which addresses of an analysis stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandIns {
    names: BTreeMap<IpAddr, Box<str>>,
}

impl StandIns {
    /// Those of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let named = report.addresses.iter().filter_map(|entry| {
            let name = entry.name.as_deref()?;
            stands_for(entry.address, name).then(|| (entry.address, name.into()))
        });
        Self { names: named.collect() }
    }

    /// Has the address that stands for `name` do so, unless it stands for another one.
    pub fn add(&mut self, name: &str, is_ipv6: bool) -> Option<IpAddr> {
        let address = address_of(name, is_ipv6);
        let shown: String = name.trim_end_matches('.').chars().take(LONGEST).collect();
        let known = self.names.entry(address).or_insert_with(|| shown.into());
        (canonical(known) == canonical(name)).then_some(address)
    }

    /// The name for which `address` stands.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&str> {
        self.names.get(&address).map(AsRef::as_ref)
    }

    /// All of them, by address.
    pub fn iter(&self) -> impl Iterator<Item = (IpAddr, &str)> {
        self.names.iter().map(|(address, name)| (*address, name.as_ref()))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// `text` with names in place of the addresses that stand for them; in a command with
    /// words that say what is to be filled in.
    #[must_use]
    pub fn name_in<'t>(&self, text: &'t str, used: Use) -> Cow<'t, str> {
        if self.is_empty() || !text.contains(|c: char| c.is_ascii_digit()) {
            return Cow::Borrowed(text);
        }
        let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        let mut named = String::new();
        let (mut copied, mut rest_at) = (0, 0);
        while let Some(begin) = text[rest_at..].find(is_part).map(|at| rest_at + at) {
            let run = &text[begin..];
            // `udp:` before an address is none of it.
            let lead = run.len() - run.trim_start_matches(['.', ':']).len();
            let (begin, run) = (begin + lead, &run[lead..]);
            let end = begin + run.find(|c: char| !is_part(c)).unwrap_or(run.len());
            // A word that goes on is none: `10.0.0.1` is no part of `v10.0.0.1x`.
            let is_word = !text[..begin].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                && !text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
            if let Some((name, length)) = self.find_at(&text[begin..end]).filter(|_| is_word) {
                let (mut from, mut to) = (begin, begin + length);
                if text[..from].ends_with('[') && text[to..].starts_with(']') {
                    (from, to) = (from - 1, to + 1);
                }
                named.push_str(&text[copied..from]);
                match used {
                    Use::Prose => named.push_str(name),
                    Use::Command => {
                        named.push_str("<address of ");
                        named.extend(name.chars().filter_map(for_command));
                        named.push('>');
                    }
                }
                (copied, rest_at) = (to, to.max(end));
            } else {
                rest_at = end;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        named.push_str(&text[copied..]);
        Cow::Owned(named)
    }

    /// The name of the address with which `run` begins, and the address' length. A port or
    /// the end of a sentence may follow.
    fn find_at(&self, run: &str) -> Option<(&str, usize)> {
        let whole = run.trim_end_matches(['.', ':']);
        let before = whole.rsplit_once(':').map(|(host, _)| host);
        let first = whole.split_once(':').map(|(host, _)| host);
        let first_four = whole.match_indices('.').nth(3).map(|(at, _)| &whole[..at]);
        [Some(whole), before, first, first_four].into_iter().flatten().find_map(|text| {
            let address = text.parse().ok()?;
            Some((self.find(address)?, text.len()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_address_of_each_family() {
        for is_ipv6 in [false, true] {
            let address = address_of("switch7", is_ipv6);
            assert_eq!(address.is_ipv6(), is_ipv6);
            assert_eq!(address, address_of("SWITCH7.", is_ipv6));
            assert_ne!(address, address_of("switch8", is_ipv6));
            assert!(stands_for(address, "Switch7") && !stands_for(address, "switch8"));
            assert!(!address.is_multicast());
        }
        assert!(!stands_for("192.0.2.7".parse().unwrap(), "switch7"));
        assert!(!stands_for("2001:db8::7".parse().unwrap(), "switch7"));
    }

    #[test]
    fn a_device_without_an_address_is_known_by_its_name() {
        for (is_ipv6, true_address) in [(false, "192.0.2.7"), (true, "2001:db8::7")] {
            let lead = if is_ipv6 { "ip6" } else { "ip" };
            let known: IpAddr = true_address.parse().unwrap();
            assert_eq!(render_named(known, Some("sw")), format!("sw ({true_address})"));
            assert_eq!(render_segment(known, Some("sw")), true_address);
            for (name, segment) in
                [("Sw7.example", "sw7.example"), ("<vip>", "%3Cvip%3E"), ("a/b", "a%2Fb")]
            {
                let address = address_of(name, is_ipv6);
                assert_eq!(render_known(address, Some(name)), name);
                assert_eq!(render_named(address, Some(name)), name);
                assert_eq!(render_known(address, None), address.to_string());
                assert_eq!(render_segment(address, Some(name)), format!("{lead}:{segment}"));
                assert_eq!(find_segment(&format!("{lead}:{name}")), Some(address));
                assert!(may_stand_in(address));
            }
            assert!(!may_stand_in(known));
        }
        for text in ["192.0.2.7", "switch7", "ip:", "ip6:", "::1"] {
            assert_eq!(find_segment(text), None, "{text}");
        }
    }

    #[test]
    fn stand_ins_are_of_reserved_ranges_and_spread() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..20_000 {
            let name = format!("host-{number}.example.net");
            for is_ipv6 in [false, true] {
                let address = address_of(&name, is_ipv6);
                assert!(may_stand_in(address), "{address}");
                seen.insert(address);
            }
        }
        assert!(seen.len() > 39_995, "{}", seen.len());
    }

    #[test]
    fn texts_have_names_for_stand_ins() {
        for is_ipv6 in [false, true] {
            let mut known = StandIns::default();
            let address = known.add("switch7", is_ipv6).unwrap();
            let bare = address.to_string();
            let end = std::net::SocketAddr::new(address, 69).to_string();
            let longer = format!("{bare}1");
            let cases = [
                (bare.clone(), "switch7", "<address of switch7>"),
                (format!("udp:{end}"), "udp:switch7:69", "udp:<address of switch7>:69"),
                (
                    format!("to {end}, and back"),
                    "to switch7:69, and back",
                    "to <address of switch7>:69, and back",
                ),
                (
                    format!("It asked {bare}."),
                    "It asked switch7.",
                    "It asked <address of switch7>.",
                ),
                (
                    format!("host {bare} and not {bare}"),
                    "host switch7 and not switch7",
                    "host <address of switch7> and not <address of switch7>",
                ),
                (format!("-d {bare}/32"), "-d switch7/32", "-d <address of switch7>/32"),
                (format!("({bare}): x"), "(switch7): x", "(<address of switch7>): x"),
            ];
            for (text, prose, command) in &cases {
                assert_eq!(known.name_in(text, Use::Prose), *prose, "{text}");
                assert_eq!(known.name_in(text, Use::Command), *command, "{text}");
            }
            for (mask, shown) in [
                ("<server>", "<address of [server]>"),
                ("${PREFIX}:${HOST}", "<address of [PREFIX]:[HOST]>"),
            ] {
                let address = known.add(mask, is_ipv6).unwrap().to_string();
                assert_eq!(known.name_in(&address, Use::Prose), mask);
                assert_eq!(known.name_in(&address, Use::Command), shown);
            }
            let others = [
                "192.0.2.7:69",
                "[2001:db8::7]:69",
                "v1.2.3",
                "",
                "dead beef: 12:00:00",
                "é 1 → 2",
                longer.as_str(),
            ];
            for text in others {
                assert_eq!(known.name_in(text, Use::Prose), text);
            }
        }
    }
}
