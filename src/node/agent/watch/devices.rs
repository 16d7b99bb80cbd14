//! The devices that are watched.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::analysis;
use crate::model::topology::DeviceEntry;

/// Devices of one watch.
pub const MAX_DEVICES: usize = 1_000;

/// Addresses of one device: what a list names beyond is a mistake.
const MAX_ADDRESSES: usize = 16;

/// One watched device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Nothing where only its address was given.
    pub name: Option<String>,
    /// At least one; the first identifies it in labels and links.
    pub addresses: Vec<IpAddr>,
}

/// The devices that are watched, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devices {
    list: Vec<Device>,
    by_address: BTreeMap<IpAddr, usize>,
}

/// Why devices cannot be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DevicesError {
    #[error(
        "expected addresses, one a line, or a device list (CSV with the columns name and address, or JSON), found '{0}'"
    )]
    NotAList(String),
    #[error("no device is named; give at least one address")]
    Empty,
    #[error("expected at most {MAX_DEVICES} devices, found {0}")]
    TooMany(usize),
    #[error("expected at most {MAX_ADDRESSES} addresses of one device, found {found} of {name}")]
    TooManyAddresses { name: String, found: usize },
    #[error("{0} is no device's address")]
    NoDevice(IpAddr),
    #[error(
        "{0} is a link-local address, which leads nowhere without an interface; name the device by another address"
    )]
    LinkLocal(IpAddr),
}

impl Devices {
    /// Devices of which only addresses are known, and those of a list as `text`, if there is one.
    /// A list has one address a line, or is one that an inventory may be.
    ///
    /// # Errors
    ///
    /// Where there is no device, too many, or the text is no list.
    pub fn parse(addresses: &[IpAddr], text: Option<&str>) -> Result<Self, DevicesError> {
        let mut listed = text.map(parse_list).transpose()?.unwrap_or_default();
        let nameless =
            |address: &IpAddr| Device { name: None, addresses: vec![address.to_canonical()] };
        listed.extend(addresses.iter().map(nameless));
        let mut devices = Self { list: Vec::new(), by_address: BTreeMap::new() };
        for device in listed {
            devices.add(device)?;
        }
        match devices.list.len() {
            0 => Err(DevicesError::Empty),
            found if found > MAX_DEVICES => Err(DevicesError::TooMany(found)),
            _ => Ok(devices),
        }
    }

    /// Addresses that are there already stay with their first device.
    fn add(&mut self, mut device: Device) -> Result<(), DevicesError> {
        for address in &device.addresses {
            if address.is_unspecified() || address.is_multicast() {
                return Err(DevicesError::NoDevice(*address));
            }
            // Of IPv4's a node may have a route to each (RFC 3927).
            if matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
                return Err(DevicesError::LinkLocal(*address));
            }
        }
        device.addresses.retain(|address| !self.by_address.contains_key(address));
        let Some(first) = device.addresses.first() else { return Ok(()) };
        if device.addresses.len() > MAX_ADDRESSES {
            return Err(DevicesError::TooManyAddresses {
                name: device.name.unwrap_or_else(|| first.to_string()),
                found: device.addresses.len(),
            });
        }
        for address in &device.addresses {
            self.by_address.insert(*address, self.list.len());
        }
        self.list.push(device);
        Ok(())
    }

    /// All of them, in the order in which they were named.
    #[must_use]
    pub fn list(&self) -> &[Device] {
        &self.list
    }

    /// All addresses of all devices.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.by_address.keys().copied()
    }

    /// The number of the device that has one of these addresses.
    #[must_use]
    pub fn find(&self, addresses: &[IpAddr]) -> Option<usize> {
        addresses.iter().find_map(|address| self.by_address.get(address).copied())
    }

    /// The same as a device list states them: whom an inventory names is the device.
    #[must_use]
    pub fn entries(&self) -> Vec<DeviceEntry> {
        let entry = |device: &Device| {
            let first = device.addresses.first().map(ToString::to_string);
            DeviceEntry {
                name: device.name.clone().or(first).unwrap_or_default(),
                addresses: device.addresses.clone(),
            }
        };
        self.list.iter().map(entry).collect()
    }
}

fn parse_list(text: &str) -> Result<Vec<Device>, DevicesError> {
    // Programs of Windows begin a text with it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Between and behind the addresses are comments.
    let lines = text.lines().map(|line| without_comment(line).trim());
    let lines = lines.filter(|line| !line.is_empty());
    let plain: Result<Vec<IpAddr>, _> = lines.clone().map(str::parse).collect();
    if let Ok(addresses) = plain {
        let nameless =
            |address: IpAddr| Device { name: None, addresses: vec![address.to_canonical()] };
        return Ok(addresses.into_iter().map(nameless).collect());
    }
    let listed = analysis::read_device_list(text);
    if listed.is_empty() {
        let odd = lines.clone().find(|line| line.parse::<IpAddr>().is_err()).unwrap_or_default();
        let excerpt = odd.chars().filter(|c| !c.is_control()).take(60).collect();
        return Err(DevicesError::NotAList(excerpt));
    }
    let named = |DeviceEntry { name, addresses }| {
        let addresses = addresses.iter().map(IpAddr::to_canonical).collect();
        Device { name: Some(name), addresses }
    };
    Ok(listed.into_iter().map(named).collect())
}

/// A line up to the `#` that begins it or stands behind white space.
fn without_comment(line: &str) -> &str {
    let begins = |(at, _): &(usize, &str)| {
        line.get(..*at).is_some_and(|before| before.chars().all(char::is_whitespace))
            || line.get(..*at).is_some_and(|before| before.ends_with(char::is_whitespace))
    };
    let comment = line.match_indices('#').find(begins);
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_addresses_or_what_an_inventory_may_be() {
        let cases = [
            ("192.0.2.7\n# rack 2\n\n2001:db8::7\n", "192.0.2.7|2001:db8::7"),
            ("\u{feff}192.0.2.7\r\n2001:db8::7\r\n", "192.0.2.7|2001:db8::7"),
            ("192.0.2.7 # rack 1\n2001:db8::7\t# rack 2\n  # no more\n", "192.0.2.7|2001:db8::7"),
            ("\u{feff}name,address\r\nswitch#1,2001:db8::7\r\n", "switch#1 2001:db8::7"),
            ("::ffff:192.0.2.7\n192.0.2.7\n", "192.0.2.7"),
            (
                "name,address\nswitch1,192.0.2.7\nswitch1,2001:db8::7\nswitch2,192.0.2.8\n",
                "switch1 192.0.2.7 2001:db8::7|switch2 192.0.2.8",
            ),
            (r#"[{"name": "switch1", "address": "2001:db8::7"}]"#, "switch1 2001:db8::7"),
        ];
        for (text, expected) in cases {
            let devices = Devices::parse(&[], Some(text)).unwrap();
            let render = |device: &Device| {
                let addresses = device.addresses.iter().map(ToString::to_string);
                device.name.iter().cloned().chain(addresses).collect::<Vec<_>>().join(" ")
            };
            let found: Vec<String> = devices.list().iter().map(render).collect();
            assert_eq!(found.join("|"), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_watched_is_refused() {
        let many: Vec<_> = (0..=MAX_DEVICES).map(|n| format!("2001:db8:1::{n:x}")).collect();
        let many = many.join("\n");
        for (text, expected) in [
            ("", "no device is named"),
            ("# none\n", "no device is named"),
            ("switch1\n", "found 'switch1'"),
            ("\u{feff}2001:db8::7;\r\n", "found '2001:db8::7;'"),
            ("0.0.0.0\n", "0.0.0.0 is no device's address"),
            ("ff02::1\n", "ff02::1 is no device's address"),
            ("fe80::9\n", "fe80::9 is a link-local address"),
            ("192.0.2.9\nfebf::9\n", "febf::9 is a link-local address"),
            (&many, "at most 1000 devices, found 1001"),
        ] {
            let error = Devices::parse(&[], Some(text)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_listed_device_keeps_its_name_where_its_address_is_given_too() {
        let address = "2001:db8::7".parse().unwrap();
        let devices =
            Devices::parse(&[address], Some("name,address\nswitch1,2001:db8::7\n")).unwrap();
        assert_eq!(devices.list().len(), 1);
        assert_eq!(devices.entries()[0].name, "switch1");
        assert_eq!(devices.find(&["192.0.2.1".parse().unwrap(), address]), Some(0));
    }
}
