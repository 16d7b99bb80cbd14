//! Addresses as commands and lists print them.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// A word that should have been an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an IPv4 or IPv6 address, found '{0}'")]
pub struct NotAnAddress(String);

impl NotAnAddress {
    fn of(word: &str) -> Self {
        Self(excerpt(word))
    }
}

/// An address with the length of its prefix in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefixed {
    pub address: IpAddr,
    pub length_bits: u8,
}

impl Prefixed {
    /// Whether the prefix is the address alone: /32 or /128.
    pub const fn is_host(self) -> bool {
        self.length_bits >= width_bits(self.address)
    }

    /// The network that the address is in; `None` where the prefix is the address alone.
    pub fn network(self) -> Option<IpNet> {
        if self.is_host() {
            return None;
        }
        IpNet::new(self.address, self.length_bits).ok().map(|network| network.trunc())
    }
}

/// Reads one address in canonical form: an IPv4-mapped IPv6 address is the
/// IPv4 address it carries (RFC 4291, section 2.5.5.2). A zone (`%eth0`) and
/// the brackets of URLs are left away.
///
/// # Errors
///
/// Where the word is no address.
pub fn parse_address(word: &str) -> Result<IpAddr, NotAnAddress> {
    let bare = word.trim().trim_start_matches('[').trim_end_matches(']');
    let bare = bare.split_once('%').map_or(bare, |(address, _zone)| address);
    bare.parse::<IpAddr>().map(|address| address.to_canonical()).map_err(|_| NotAnAddress::of(word))
}

/// Reads `address/length`; without a length the prefix is the address alone.
///
/// # Errors
///
/// Where the word is no address, or the length is not one of its family.
pub fn parse_prefixed(word: &str) -> Result<Prefixed, NotAnAddress> {
    let (bare, length) = match word.split_once('/') {
        Some((bare, length)) => (bare, Some(length)),
        None => (word, None),
    };
    let address = parse_address(bare).map_err(|_| NotAnAddress::of(word))?;
    let Some(length) = length else {
        return Ok(Prefixed { address, length_bits: width_bits(address) });
    };
    let length_bits: u8 = length.parse().map_err(|_| NotAnAddress::of(word))?;
    with_length(address, bare.contains(':'), length_bits).ok_or_else(|| NotAnAddress::of(word))
}

/// `address` with its prefix length; that of an IPv4-mapped address counts the
/// 96 bits before it too.
pub fn with_length(address: IpAddr, written_as_ipv6: bool, length_bits: u8) -> Option<Prefixed> {
    let length_bits = match address {
        IpAddr::V4(_) if written_as_ipv6 => length_bits.saturating_sub(96),
        _ => length_bits,
    };
    (length_bits <= width_bits(address)).then_some(Prefixed { address, length_bits })
}

/// Bits in an address of this family.
pub const fn width_bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Whether the address can have a role: it names one host beyond its own link.
/// Loopback, link-local, unspecified, multicast and limited broadcast do not.
pub const fn has_role(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.is_unspecified()
                || v6.is_multicast())
        }
    }
}

/// The length of the prefix that a netmask (`255.255.0.0`, on BSD `0xffff0000`) stands for.
pub fn find_mask_length_bits(mask: &str) -> Option<u8> {
    let mask: Ipv4Addr = match mask.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?.into(),
        None => mask.parse().ok()?,
    };
    ipnet::ipv4_mask_to_prefix(mask).ok()
}

/// The beginning of a word or line, short enough for a message.
pub fn excerpt(text: &str) -> String {
    const LIMIT_CHARACTERS: usize = 60;
    let text = text.trim();
    match text.char_indices().nth(LIMIT_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_canonical() {
        let cases = [
            ("192.0.2.1", Some("192.0.2.1")),
            ("2001:DB8:0::1", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("192.0.2", None),
            ("2001:db8::1::2", None),
            ("<none>", None),
            ("", None),
        ];
        for (word, expected) in cases {
            let actual = parse_address(word).ok().map(|address| address.to_string());
            assert_eq!(actual.as_deref(), expected, "{word}");
        }
    }

    #[test]
    fn a_prefix_length_belongs_to_its_family() {
        let cases = [
            ("192.0.2.1/24", Some(("192.0.2.1", 24))),
            ("2001:db8::1/64", Some(("2001:db8::1", 64))),
            ("192.0.2.1", Some(("192.0.2.1", 32))),
            ("2001:db8::1", Some(("2001:db8::1", 128))),
            ("::ffff:192.0.2.1/120", Some(("192.0.2.1", 24))),
            ("192.0.2.1/33", None),
            ("2001:db8::1/129", None),
            ("192.0.2.1/", None),
            ("192.0.2.1/-1", None),
        ];
        for (word, expected) in cases {
            let actual = parse_prefixed(word).ok();
            let expected = expected.map(|(address, length_bits)| Prefixed {
                address: address.parse().unwrap(),
                length_bits,
            });
            assert_eq!(actual, expected, "{word}");
        }
    }

    #[test]
    fn a_message_quotes_only_the_beginning() {
        let error = parse_address(&"é".repeat(500)).unwrap_err();
        assert!(error.to_string().chars().count() < 120);
    }
}
