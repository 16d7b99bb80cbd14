//! Addresses as tcpdump prints them: `192.0.2.1.69`, `2001:db8::1.tftp`, and the
//! names that it prints without `-n`: `switch1.example.tftp`.

use std::net::IpAddr;

use super::line::Family;
use super::services::{find_port, find_port_or_stand_in, find_stand_in};
use crate::model::stand_in::{self, Written};

/// Bytes of a name (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 255;

/// An address, and its port where one is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextEndpoint {
    pub address: IpAddr,
    pub port: Option<u16>,
}

/// Who is at one side of a packet line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    Address(IpAddr),
    Name(&'a str),
}

impl Host<'_> {
    /// The address; of a name, the one that stands for it.
    #[must_use]
    pub fn stand_in(self, family: Family) -> IpAddr {
        match self {
            Self::Address(address) => address,
            Self::Name(name) => stand_in::address_of(name, family == Family::V6),
        }
    }

    /// The name that stands in an address' place.
    #[must_use]
    pub fn name(self) -> Option<String> {
        match self {
            Self::Address(_) => None,
            Self::Name(name) => Some(name.to_owned()),
        }
    }

    /// The address.
    ///
    /// # Errors
    ///
    /// A sentence about the name that stands in its place.
    pub fn address(&self) -> Result<IpAddr, String> {
        match self {
            Self::Address(address) => Ok(*address),
            Self::Name(name) => Err(not_an_address(name)),
        }
    }
}

/// One side of a packet line, and its port where one is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side<'a> {
    pub host: Host<'a>,
    pub port: Option<u16>,
}

/// Reads one side of a packet line, such as `2001:db8::1%eth0.69`, or the name
/// that stands there.
///
/// # Errors
///
/// A sentence that names what stands where an address should.
pub fn parse_side(text: &str) -> Result<Side<'_>, String> {
    let text = text.trim_start_matches(['[', '(']).trim_end_matches([']', ')', ',', ';']);
    if let Some(address) = find_address(text) {
        return Ok(Side { host: Host::Address(address), port: None });
    }
    let named = |name, port| Ok(Side { host: Host::Name(parse_name(name)?), port });
    let Some((host, service)) = text.rsplit_once('.') else {
        return named(text, None);
    };
    // `[2001:db8::1].69` is written by people, not by tcpdump.
    let Some(address) = find_address(host.trim_end_matches(']')) else {
        return match find_port(service) {
            Some(port) => named(host, Some(port)),
            None => named(text, None),
        };
    };
    match find_port_or_stand_in(service) {
        Some(port) => Ok(Side { host: Host::Address(address), port: Some(port) }),
        None => Err(format!(
            "names the port '{}', which we do not know; run tcpdump with -n",
            shorten(service)
        )),
    }
}

/// The name at a side that has no port, such as an ICMP message's, or a port of a
/// `service` whose name is not known: the last label is told from the host's others by
/// that alone.
///
/// # Errors
///
/// A sentence about what is no name.
pub fn parse_named(
    text: &str,
    find_service: impl Fn(&str) -> Option<u16>,
) -> Result<Side<'_>, String> {
    let text = text.trim_start_matches(['[', '(']).trim_end_matches([']', ')', ',', ';']);
    let parted = text.rsplit_once('.').and_then(|(host, last)| Some((host, find_service(last)?)));
    let (name, port) = parted.map_or((text, None), |(host, port)| (host, Some(port)));
    Ok(Side { host: Host::Name(parse_name(name)?), port })
}

/// A host's name, or a word that a poster wrote in an address' place.
fn parse_name(name: &str) -> Result<&str, String> {
    // `[ME].53`: what opened the bracket is gone.
    let name = name.trim_end_matches([']', ')']);
    if is_cut_address(name) {
        Err("ends within an address; paste the whole line".to_owned())
    } else if name.len() <= LONGEST_NAME
        && matches!(Written::find(name), Some(Written::Name | Written::Mask))
    {
        Ok(name)
    } else {
        Err(not_an_address(name))
    }
}

/// Whether a side of a packet line has an address.
#[must_use]
pub fn is_address_side(text: &str) -> bool {
    matches!(parse_side(text), Ok(Side { host: Host::Address(_), .. }))
}

/// The name of a side's port, where another port stands for it.
#[must_use]
pub fn find_unknown_service(text: &str) -> Option<&str> {
    let (host, service) = text.trim_end_matches([')', ',', ';']).rsplit_once('.')?;
    find_address(host.trim_start_matches(['[', '(']).trim_end_matches(']'))?;
    find_stand_in(service).map(|_| service)
}

/// Reads one side of a packet line where it must be an address.
///
/// # Errors
///
/// A sentence that names what stands where an address should.
pub fn parse_endpoint(text: &str) -> Result<TextEndpoint, String> {
    let side = parse_side(text)?;
    Ok(TextEndpoint { address: side.host.address()?, port: side.port })
}

/// Reads an address that stands alone.
///
/// # Errors
///
/// A sentence that names what stands where an address should.
pub fn parse_address(text: &str) -> Result<IpAddr, String> {
    find_address(text).ok_or_else(|| not_an_address(text))
}

/// The address without its scope (`%eth0`), which names a link of the
/// capturing host and nothing in the packet.
fn find_address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        Some((address, scope)) => {
            let address: IpAddr = address.parse().ok()?;
            // In `fe80::1%eth0.546` the last part is a port.
            let has_port =
                scope.rsplit_once('.').is_some_and(|(_, port)| find_port(port).is_some());
            (address.is_ipv6() && !has_port).then_some(address)
        }
        None => text.parse().ok(),
    }
}

fn not_an_address(text: &str) -> String {
    let name = shorten(text);
    if Written::find(text) == Some(Written::Name) {
        format!("names '{name}' instead of an address; run tcpdump with -n")
    } else {
        format!(
            "has '{name}' where an address should be; masked addresses cannot be told apart, so paste them as `tcpdump -n` prints them, or replace each by one of 192.0.2.0/24 or 2001:db8::/32"
        )
    }
}

/// `192.0.2`, `2001:db8:`: what is left of an address at the end of a cut line.
fn is_cut_address(text: &str) -> bool {
    let is_v4 = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_v6 = text.contains(':')
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
    !text.is_empty() && (is_v4 || is_v6)
}

fn shorten(text: &str) -> String {
    const LIMIT_CHARACTERS: usize = 60;
    let mut name: String = text.chars().take(LIMIT_CHARACTERS).collect();
    if text.chars().nth(LIMIT_CHARACTERS).is_some() {
        name.push('…');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_ports() {
        let cases = [
            ("192.0.2.1", "192.0.2.1", None),
            ("192.0.2.1.69", "192.0.2.1", Some(69)),
            ("192.0.2.1.tftp", "192.0.2.1", Some(69)),
            ("2001:db8::1", "2001:db8::1", None),
            ("2001:db8::1.69", "2001:db8::1", Some(69)),
            ("2001:db8::1.snmptrap", "2001:db8::1", Some(162)),
            ("fe80::1%eth0", "fe80::1", None),
            ("fe80::1%eth0.546", "fe80::1", Some(546)),
            ("fe80::1%eth0.dhcpv6-client", "fe80::1", Some(546)),
            ("::ffff:192.0.2.1.53", "::ffff:192.0.2.1", Some(53)),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1", None),
            ("::1.53", "::1", Some(53)),
        ];
        for (text, address, port) in cases {
            let expected = TextEndpoint { address: address.parse().unwrap(), port };
            assert_eq!(parse_endpoint(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_service_that_is_not_known_is_a_port_all_the_same() {
        for host in ["192.0.2.1", "2001:db8::1"] {
            let text = format!("{host}.sightline");
            let side = parse_side(&text).unwrap();
            assert_eq!(side.host, Host::Address(host.parse().unwrap()));
            assert_eq!(side.port, find_stand_in("sightline"));
            assert_eq!(find_unknown_service(&text), Some("sightline"));
            assert_eq!(find_unknown_service(&format!("{host}.tftp")), None);
            assert_eq!(find_unknown_service(host), None);
        }
        assert_eq!(find_unknown_service("switch1.example.net"), None);
    }

    #[test]
    fn names_are_kept_where_they_may_stand() {
        let cases = [
            ("switch1.69", "switch1", Some(69)),
            ("switch1.example.com.tftp", "switch1.example.com", Some(69)),
            ("switch1.example.com", "switch1.example.com", None),
            ("cfefecaa22e1", "cfefecaa22e1", None),
            ("<server>.53", "<server>", Some(53)),
            ("[ME].domain", "ME", Some(53)),
            ("[ME]", "ME", None),
            ("${VIP}.69", "${VIP}", Some(69)),
            ("{{node}}.69", "{{node}}", Some(69)),
            ("${PREFIX}:${HOST}.51821", "${PREFIX}:${HOST}", Some(51_821)),
            ("2001:db8::<host>.53", "2001:db8::<host>", Some(53)),
            ("192.0.2.<host>.53", "192.0.2.<host>", Some(53)),
            ("a.b.c.d.53", "a.b.c.d", Some(53)),
            ("REDACTED_IP.53", "REDACTED_IP", Some(53)),
            ("[我的内网ip].53", "我的内网ip", Some(53)),
        ];
        for (text, name, port) in cases {
            assert_eq!(parse_side(text), Ok(Side { host: Host::Name(name), port }), "{text}");
        }
        let address = |text: &str| Host::Address(text.parse().unwrap());
        for text in ["192.0.2.1", "2001:db8::1"] {
            let expected = Side { host: address(text), port: Some(69) };
            assert_eq!(parse_side(&format!("{text}.tftp")), Ok(expected));
        }
        // What stands for different hosts, or is no word.
        let masked = [
            "XX.XX.CLIENT.XX.XX.47831",
            "<x.x.x.x>.53",
            "xxx.53",
            "x.x.x.x.53",
            "***.53",
            "<>.53",
            "<a<b>.53",
            "${PREFIX}:xx.53",
            "2001:db8::<x>.53",
        ];
        for text in masked {
            assert!(parse_side(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_without_a_port_keeps_its_last_label() {
        let none = |_: &str| None;
        let named = |name, port| Ok(Side { host: Host::Name(name), port });
        assert_eq!(parse_named("server.time", none), named("server.time", None));
        assert_eq!(parse_side("server.time"), named("server", Some(37)));
        let port = find_stand_in("sightline");
        let find = find_port_or_stand_in;
        assert_eq!(parse_named("backup.example.sightline", find), named("backup.example", port));
    }

    #[test]
    fn a_cut_address_is_no_name() {
        for text in ["192.0.2", "19", "192.0.2.", "2001:db8:", "2000:", "2001:db8::12345"] {
            let told = parse_side(text).unwrap_err();
            assert_eq!(told, "ends within an address; paste the whole line", "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        let cases = [
            ("cfefecaa22e1.69", "names 'cfefecaa22e1' instead of an address; run tcpdump with -n"),
            ("cfefecaa22e1", "names 'cfefecaa22e1' instead of an address; run tcpdump with -n"),
            ("time.example.com.ntp", "names 'time.example.com' instead"),
            ("XX.XX.CLIENT.XX.XX.47831", "has 'XX.XX.CLIENT.XX.XX' where an address"),
            ("${PREFIX}:${EUI64}.51821", "has '${PREFIX}:${EUI64}' where an address"),
            ("192.0.2.1.xxxxx", "names the port 'xxxxx'"),
            ("2001:db8::1.non/sense", "names the port 'non/sense'"),
            ("192.0.2.1.70000", "names the port '70000'"),
            ("", "has '' where"),
        ];
        for (text, message) in cases {
            let actual = parse_endpoint(text).unwrap_err();
            assert!(actual.starts_with(message), "{text}: {actual}");
        }
    }
}
