//! Remedies of many devices: told in full for the first, then by reference.
//!
//! A remedy with its commands is some kilobytes, and a thousand devices with one
//! fault have the same one but for their addresses.

use std::hash::{BuildHasher as _, BuildHasherDefault};
use std::net::IpAddr;

use hashbrown::HashMap;
use rustc_hash::FxHasher;

use crate::model::finding::{Cause, Remedy};

/// Devices per cause whose remedies are told in full.
const FULL_MAX: usize = 1_000;

/// The remedies that are told so far.
#[derive(Debug, Default)]
pub struct RemedyShelf {
    causes: HashMap<Cause, Told>,
}

#[derive(Debug, Default)]
struct Told {
    devices: usize,
    /// Remedies that none of those devices had.
    others: usize,
    /// The first device with a remedy, by the digest of what it says for any device.
    first: HashMap<u64, IpAddr>,
}

/// What a remedy says, whichever device it is for.
pub fn for_any_device(remedy: &Remedy, device: IpAddr) -> Remedy {
    let (own, is_v6) = (device.to_string(), device.is_ipv6());
    let generalise = |text: &String| replace_address(text, &own, is_v6);
    Remedy {
        title: generalise(&remedy.title),
        steps: remedy.steps.iter().map(generalise).collect(),
        commands: remedy.commands.iter().map(generalise).collect(),
    }
}

/// `text` with `{device}` in place of the address `own`, where it is not a part of a
/// longer one: `10.1.1.1` is none of `10.1.1.11`, but is of `10.1.1.1:69` and `10.1.1.1/32`.
fn replace_address(text: &str, own: &str, is_v6: bool) -> String {
    let is_digit =
        |c: char| if is_v6 { c.is_ascii_hexdigit() || c == ':' } else { c.is_ascii_digit() };
    let mut general = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(own) {
        let joins_before = before.ends_with(is_digit)
            || before.strip_suffix('.').is_some_and(|before| before.ends_with(is_digit));
        // A colon that ends a word is no part of an address.
        let follows = after.strip_prefix(':').filter(|_| is_v6).unwrap_or(after);
        let joins_after = follows.starts_with(is_digit);
        general.push_str(before);
        general.push_str(if joins_before || joins_after { own } else { "{device}" });
        rest = after;
    }
    general.push_str(rest);
    general
}

fn digest(remedy: &Remedy, device: IpAddr) -> u64 {
    let Remedy { title, steps, commands } = for_any_device(remedy, device);
    BuildHasherDefault::<FxHasher>::default().hash_one((title, steps, commands))
}

impl RemedyShelf {
    /// The remedies for another device with this cause, as its part of the report tells them.
    pub fn tell(&mut self, cause: Cause, device: IpAddr, remedies: &[Remedy]) -> Vec<Remedy> {
        let told = self.causes.entry(cause).or_default();
        told.devices = told.devices.saturating_add(1);
        if told.devices <= FULL_MAX {
            for remedy in remedies {
                told.first.entry(digest(remedy, device)).or_insert(device);
            }
            return remedies.to_vec();
        }
        remedies.iter().map(|remedy| told.shorten(remedy, device)).collect()
    }
}

impl Told {
    fn shorten(&mut self, remedy: &Remedy, device: IpAddr) -> Remedy {
        let step = match self.first.get(&digest(remedy, device)) {
            Some(first) => format!(
                "As for {first}, whose part of the report has the steps and commands: put this device's address in place of that one."
            ),
            None if self.others < FULL_MAX => {
                self.others += 1;
                return remedy.clone();
            }
            None => format!(
                "Steps and commands are told for the first {FULL_MAX} devices of a report only. Analyse this device's packets alone to have them."
            ),
        };
        Remedy { title: remedy.title.clone(), steps: vec![step], commands: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(title: &str) -> Remedy {
        Remedy {
            title: title.to_owned(),
            steps: vec!["Do it.".to_owned()],
            commands: vec!["conntrack -L".to_owned()],
        }
    }

    fn device(index: usize) -> IpAddr {
        let base: std::net::Ipv6Addr = "2001:db8::".parse().unwrap();
        IpAddr::from((u128::from(base) + index as u128).to_be_bytes())
    }

    #[test]
    fn a_remedy_is_known_whichever_device_it_names() {
        let for_device = |device: &str| Remedy {
            title: format!("Set the address on {device}"),
            steps: vec![format!("On {device}, ask 198.51.100.10.")],
            commands: vec![format!("conntrack -D --orig-src {device}")],
        };
        for (one, other) in [("192.0.2.7", "192.0.2.9"), ("2001:db8::7", "2001:db8::9")] {
            let general =
                |device: &str| for_any_device(&for_device(device), device.parse().unwrap());
            assert_eq!(general(one), general(other));
            assert_ne!(general(one), for_any_device(&for_device(one), other.parse().unwrap()));
        }
    }

    #[test]
    fn only_whole_addresses_are_the_devices() {
        for (device, text, expected) in [
            ("10.1.1.1", "to 10.1.1.11 and 10.1.1.1.", "to 10.1.1.11 and {device}."),
            ("10.1.1.1", "110.1.1.1, 10.1.1.1:69", "110.1.1.1, {device}:69"),
            ("0.1.1.1", "10.1.1.1 0.1.1.1", "10.1.1.1 {device}"),
            ("10.1.1.1", "host 10.1.1.1 and port 69", "host {device} and port 69"),
            ("2001:db8::1", "2001:db8::11 [2001:db8::1]:69", "2001:db8::11 [{device}]:69"),
            ("2001:db8::1", "2001:db8::1:5 2001:db8::1: no", "2001:db8::1:5 {device}: no"),
            ("2001:db8::1", "2001:db8::1/128", "{device}/128"),
            ("db8::1", "2001:db8::1 db8::1", "2001:db8::1 {device}"),
        ] {
            let is_v6 = device.contains(':');
            assert_eq!(replace_address(text, device, is_v6), expected, "{device}");
        }
    }

    #[test]
    fn later_devices_refer_to_the_first() {
        let mut shelf = RemedyShelf::default();
        let common = [remedy("Attach the helper")];
        for index in 0..FULL_MAX {
            assert_eq!(shelf.tell(Cause::ReplyIgnored, device(index), &common), common);
        }
        let later = shelf.tell(Cause::ReplyIgnored, device(FULL_MAX), &common);
        assert_eq!(later[0].title, "Attach the helper");
        assert!(later[0].steps[0].starts_with("As for 2001:db8::,"), "{later:?}");
        assert!(later[0].commands.is_empty());
        // The same words about another server are another remedy.
        let elsewhere = [Remedy { commands: vec!["conntrack -D".to_owned()], ..common[0].clone() }];
        assert_eq!(shelf.tell(Cause::ReplyIgnored, device(3), &elsewhere), elsewhere);
        // Another cause and another remedy have had no device yet.
        assert_eq!(shelf.tell(Cause::PacketTooBig, device(1), &common), common);
        let rare: Vec<Remedy> =
            (1..FULL_MAX).map(|index| remedy(&format!("Look at {}", device(index)))).collect();
        assert_eq!(shelf.tell(Cause::ReplyIgnored, device(1), &rare), rare);
        let last = shelf.tell(Cause::ReplyIgnored, device(2), &[remedy("Look elsewhere")]);
        assert!(last[0].steps[0].contains("first 1000 devices"), "{last:?}");
    }
}
