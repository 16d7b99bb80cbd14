//! Names that whoever asks for the analysis gives to devices.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::topology::DeviceEntry;

/// Gives devices the names that `names` has for one of their addresses. Those of
/// inventories make way; all addresses of a device keep together.
pub fn name_devices(devices: &mut Vec<DeviceEntry>, names: BTreeMap<IpAddr, String>) {
    let mut by_address: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    for (position, device) in devices.iter().enumerate() {
        for address in &device.addresses {
            by_address.entry(address.to_canonical()).or_default().push(position);
        }
    }
    let mut has_given_name = vec![false; devices.len()];
    for (address, name) in names {
        let address = address.to_canonical();
        for position in by_address.get(&address).into_iter().flatten().copied() {
            let device = &mut devices[position];
            if has_given_name[position] && device.name != name {
                // Two names for two addresses of what a list calls one device.
                device.addresses.retain(|known| known.to_canonical() != address);
            } else {
                device.name.clone_from(&name);
                has_given_name[position] = true;
            }
        }
        // Entries of one name are one device.
        devices.push(DeviceEntry { name, addresses: vec![address] });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const V4: &str = "192.0.2.9";
    const V6: &str = "2001:db8::9";

    /// An address and the name that is given to it.
    type Given = (&'static str, &'static str);
    /// A name and the addresses that it has.
    type Named = (&'static str, &'static [&'static str]);

    #[test]
    fn a_given_name_counts_more_than_an_inventorys() {
        let cases: [(&str, &[Given], &[Named]); 4] = [
            ("none given", &[], &[("a-switch", &[V4, V6])]),
            ("one", &[(V4, "zz-core")], &[("zz-core", &[V4, V6])]),
            (
                "two names for one device",
                &[(V4, "core"), (V6, "edge")],
                &[("core", &[V4]), ("edge", &[V6])],
            ),
            (
                "a device that no list has",
                &[("192.0.2.8", "new")],
                &[("a-switch", &[V4, V6]), ("new", &["192.0.2.8"])],
            ),
        ];
        for (case, given, expected) in cases {
            let parse = |address: &str| address.parse::<IpAddr>().unwrap();
            let mut devices = vec![DeviceEntry {
                name: "a-switch".to_owned(),
                addresses: vec![parse(V4), parse(V6)],
            }];
            let given = given.iter().map(|(address, name)| (parse(address), (*name).to_owned()));
            name_devices(&mut devices, given.collect());
            let mut actual: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
            for device in devices {
                actual.entry(device.name).or_default().extend(device.addresses);
            }
            let expected: BTreeMap<String, BTreeSet<IpAddr>> = expected
                .iter()
                .map(|(name, all)| {
                    ((*name).to_owned(), all.iter().map(|address| parse(address)).collect())
                })
                .collect();
            assert_eq!(actual, expected, "{case}");
        }
    }
}
