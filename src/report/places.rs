//! Where each device stands among those of a report.

use std::hash::BuildHasher;
use std::net::IpAddr;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::model::topology::Topology;

/// The devices' places, in order of appearance. Exchanges of a listed device belong
/// together, whatever address they use.
///
/// Of a device that no list has, the table holds its place alone: that of many
/// thousand devices fits a cache.
#[derive(Debug, Default)]
pub struct Places {
    /// By place, the address of a device that no list has.
    alone: Vec<Option<IpAddr>>,
    by_address: HashTable<u32>,
    by_name: HashMap<String, usize>,
    state: DefaultHashBuilder,
}

impl Places {
    /// The place of the device that `address` belongs to.
    pub fn find(&self, address: IpAddr, topology: &Topology) -> Option<usize> {
        match topology.device_of(address) {
            Some(entry) => self.by_name.get(&entry.name).copied(),
            None => self.find_alone(address),
        }
    }

    /// The place of a device that no list has.
    pub fn find_alone(&self, address: IpAddr) -> Option<usize> {
        let is_it = |place: &u32| is_of(&self.alone, *place, address);
        self.by_address.find(self.state.hash_one(address), is_it).map(|place| *place as usize)
    }

    /// The same, and whether the device is new: then its place is behind all others.
    pub fn find_or_add(&mut self, address: IpAddr, topology: &Topology) -> (usize, bool) {
        if let Some(known) = self.find(address, topology) {
            return (known, false);
        }
        let place = self.alone.len();
        match topology.device_of(address) {
            Some(entry) => {
                self.by_name.insert(entry.name.clone(), place);
                self.alone.push(None);
            }
            None => self.add_alone(address),
        }
        (place, true)
    }

    fn add_alone(&mut self, address: IpAddr) {
        let Self { alone, by_address, state, .. } = self;
        if let Ok(place) = u32::try_from(alone.len()) {
            by_address.insert_unique(state.hash_one(address), place, |place| {
                alone.get(*place as usize).copied().flatten().map_or(0, |one| state.hash_one(one))
            });
        }
        alone.push(Some(address));
    }
}

fn is_of(alone: &[Option<IpAddr>], place: u32, address: IpAddr) -> bool {
    alone.get(place as usize).is_some_and(|known| *known == Some(address))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::topology::{DeviceEntry, Facts};

    #[test]
    fn a_listed_device_has_one_place() {
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        let listed = DeviceEntry {
            name: "switch1".to_owned(),
            addresses: vec![ip("192.0.2.1"), ip("2001:db8::1")],
        };
        let facts = Facts { devices: vec![listed], ..Facts::default() };
        let topology = Topology::new(BTreeMap::new(), facts);
        let mut places = Places::default();
        for (address, place, is_new) in [
            ("192.0.2.7", 0, true),
            ("2001:db8::1", 1, true),
            ("192.0.2.1", 1, false),
            ("2001:db8::7", 2, true),
            ("192.0.2.7", 0, false),
            ("2001:db8::7", 2, false),
        ] {
            let known = places.find(ip(address), &topology);
            assert_eq!(known, (!is_new).then_some(place), "{address}");
            assert_eq!(places.find_or_add(ip(address), &topology), (place, is_new), "{address}");
        }
        assert_eq!(places.find_alone(ip("192.0.2.1")), None);
        assert_eq!(places.find_alone(ip("2001:db8::7")), Some(2));
    }

    #[test]
    fn many_devices_are_told_apart() {
        let topology = Topology::new(BTreeMap::new(), Facts::default());
        let devices = || (0..20_000_u32).map(|number| IpAddr::from(number.to_be_bytes()));
        let mut places = Places::default();
        for (place, device) in devices().enumerate() {
            assert_eq!(places.find_or_add(device, &topology), (place, true));
        }
        for (place, device) in devices().enumerate() {
            assert_eq!(places.find(device, &topology), Some(place));
        }
    }
}
