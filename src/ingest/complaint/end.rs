//! An end as a program prints it, or as a poster masked it.

use std::net::IpAddr;

use crate::model::endpoint::Endpoint;
use crate::model::stand_in;

/// Bytes of a name or a mask; a DNS name has at most 253 (RFC 1035 section 2.3.4).
const LONGEST_BYTES: usize = 255;

/// Who was asked, or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub host: Host,
    pub port: u16,
}

/// An end by its address, or by what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    /// A poster's word. These programs print addresses alone.
    Masked(String),
}

impl End {
    /// Puts a host and its port together; `None` where one of them is cut.
    ///
    /// Even a mask that says nothing of whose it is (`x.x.x.x`) is one end: the program
    /// itself says that the two in its line differ.
    pub fn find(host: &str, port: &str) -> Option<Self> {
        let port = port.parse().ok()?;
        let host = host.trim();
        if let Some(address) = host.split('%').next().and_then(|text| text.parse::<IpAddr>().ok()) {
            return Some(Self { host: Host::Address(address.to_canonical()), port });
        }
        is_mask(host).then(|| Self { host: Host::Masked(host.to_owned()), port })
    }

    /// The family; a mask may have been of both.
    pub const fn is_ipv6(&self) -> Option<bool> {
        match self.host {
            Host::Address(address) => Some(address.is_ipv6()),
            Host::Masked(_) => None,
        }
    }

    /// The mask, whose address has to be looked up.
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Address(_) => None,
            Host::Masked(name) => Some(name),
        }
    }

    /// The end; for a mask with the address that stands for it.
    pub fn endpoint(&self, is_ipv6: bool) -> Endpoint {
        let address = match &self.host {
            Host::Address(address) => *address,
            Host::Masked(name) => stand_in::address_of(name, is_ipv6),
        };
        Endpoint::new(address, self.port)
    }
}

/// Whether a text is a word in an address' place: no sentence, and not what is left of an
/// address at the end of a cut line.
fn is_mask(text: &str) -> bool {
    const BRACKETS: [(char, char); 3] = [('<', '>'), ('[', ']'), ('{', '}')];
    let is_within =
        BRACKETS.iter().any(|(open, close)| text.starts_with(*open) && text.ends_with(*close));
    let is_part = |c: char| c.is_alphanumeric() || ".:-_*<>[]{}$".contains(c);
    let is_cut = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        || (text.contains(':')
            && text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')));
    !text.is_empty()
        && text.len() <= LONGEST_BYTES
        && !is_cut
        && text.chars().any(|c| c.is_alphanumeric() || c == '*')
        && text.chars().all(|c| is_part(c) || (is_within && c == ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_addresses_or_masks() {
        let address = |text: &str| Some(Host::Address(text.parse().unwrap()));
        let masked = |text: &str| Some(Host::Masked(text.to_owned()));
        let cases = [
            ("192.0.2.1", address("192.0.2.1")),
            ("2001:db8::1", address("2001:db8::1")),
            ("fe80::1%eth0", address("fe80::1")),
            ("::ffff:192.0.2.1", address("192.0.2.1")),
            ("<IP>", masked("<IP>")),
            ("<my own IP>", masked("<my own IP>")),
            ("[我的内网ip]", masked("[我的内网ip]")),
            ("x.x.x.x", masked("x.x.x.x")),
            ("${VIP}", masked("${VIP}")),
            ("MY_IP", masked("MY_IP")),
            ("aaa.bbb.ccc.ddd", masked("aaa.bbb.ccc.ddd")),
            // Cut off, or a sentence.
            ("192.0.2", None),
            ("2001:db8:", None),
            ("my own IP", None),
            ("<>", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(End::find(text, "53").map(|end| end.host), expected, "{text}");
        }
        assert_eq!(End::find("192.0.2.1", "99999"), None);
        assert_eq!(End::find("<IP>", "x"), None);
    }
}
