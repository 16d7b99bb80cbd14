//! Remedies of many devices: told in full for the first, then by reference.
//!
//! A remedy with its commands is some kilobytes, and a thousand devices with one
//! fault have the same one but for their addresses.

use std::net::IpAddr;

use hashbrown::HashMap;

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
    /// Remedies whose title none of those devices had.
    others: usize,
    /// The first device with a remedy of this title.
    first: HashMap<String, IpAddr>,
}

impl RemedyShelf {
    /// The remedies for another device with this cause, as its part of the report tells them.
    pub fn tell(&mut self, cause: Cause, device: IpAddr, remedies: &[Remedy]) -> Vec<Remedy> {
        let told = self.causes.entry(cause).or_default();
        told.devices = told.devices.saturating_add(1);
        if told.devices <= FULL_MAX {
            for remedy in remedies {
                told.first.entry_ref(remedy.title.as_str()).or_insert(device);
            }
            return remedies.to_vec();
        }
        remedies.iter().map(|remedy| told.shorten(remedy)).collect()
    }
}

impl Told {
    fn shorten(&mut self, remedy: &Remedy) -> Remedy {
        let step = match self.first.get(&remedy.title) {
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
        // Another cause and another remedy have had no device yet.
        assert_eq!(shelf.tell(Cause::PacketTooBig, device(1), &common), common);
        let rare: Vec<Remedy> =
            (0..FULL_MAX).map(|index| remedy(&format!("Look at {}", device(index)))).collect();
        assert_eq!(shelf.tell(Cause::ReplyIgnored, device(1), &rare), rare);
        let last = shelf.tell(Cause::ReplyIgnored, device(2), &[remedy("Look elsewhere")]);
        assert!(last[0].steps[0].contains("first 1000 devices"), "{last:?}");
    }
}
