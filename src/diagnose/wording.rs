//! Names and counts, as findings write them.

use std::net::IpAddr;

use super::reading::Reading;
use crate::model::answers::Answers;
use crate::model::capture::CapturePoint;
use crate::model::exchange::{Point, Tally, View};
use crate::model::protocol::Protocol;
use crate::model::topology::Role;

/// Titles are read in lists and chat previews; longer ones would be cut there.
pub const TITLE_LIMIT_CHARS: usize = 90;

/// The first of `candidates` that fits a title, longest first; the last one in any case.
#[must_use]
pub fn fit_title<const N: usize>(candidates: [String; N]) -> String {
    let mut chosen = String::new();
    for candidate in candidates {
        chosen = candidate;
        if chosen.chars().count() <= TITLE_LIMIT_CHARS {
            break;
        }
    }
    chosen
}

/// `once`, `twice`, `4 times`.
#[must_use]
pub fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// `1 packet`, `4 packets`.
#[must_use]
pub fn count(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// An outside name, if it is one that a shell and a reader can take as it is.
/// Names come from inventories and captures, and commands are meant to be
/// copied: anything unusual is left out.
#[must_use]
pub fn plain_name(name: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '@');
    let usable =
        !name.is_empty() && name.len() <= 128 && !name.starts_with('-') && name.chars().all(plain);
    usable.then_some(name)
}

/// A capture point as the command line writes it: `pod@node3/cali1`.
#[must_use]
pub fn place(point: &Point) -> String {
    let named = |name: &Option<String>| name.as_deref().and_then(plain_name).map(str::to_owned);
    let (node, interface) = (named(&point.node), named(&point.interface));
    CapturePoint { kind: point.kind, node, interface }.to_string()
}

/// An article for a protocol's name: `a TFTP`, `an SNMP`.
#[must_use]
pub const fn article(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Snmp
        | Protocol::SnmpTrap
        | Protocol::Ntp
        | Protocol::Mdns
        | Protocol::Llmnr
        | Protocol::Ssdp
        | Protocol::Ike
        | Protocol::Ipfix
        | Protocol::Sflow => "an",
        _ => "a",
    }
}

impl Reading<'_> {
    /// An address with its role: `the VIP 2000::65:21`, `the node 2000::65:13
    /// (node3)`; the address alone where nothing is known of it.
    #[must_use]
    pub fn name(&self, address: IpAddr) -> String {
        let role = self.role_of(address);
        if address == self.exchange.device {
            return format!("the device {address}");
        }
        let device = self.topology.device_of(self.exchange.device);
        if device.is_some_and(|device| device.addresses.contains(&address)) {
            return format!("the device's other address {address}");
        }
        if role == Role::Unknown {
            return address.to_string();
        }
        let belief = self.topology.find(address);
        let owner = belief.and_then(|belief| match role {
            Role::Node => belief.node.as_deref(),
            Role::Pod => belief.pod.as_deref(),
            _ => None,
        });
        match owner.and_then(plain_name) {
            Some(owner) => format!("{} {address} ({owner})", role.as_text()),
            None => format!("{} {address}", role.as_text()),
        }
    }

    /// [`Reading::name`] at the start of a sentence.
    #[must_use]
    pub fn name_first(&self, address: IpAddr) -> String {
        capitalised(&self.name(address))
    }

    /// The point of a view: see [`place`].
    #[must_use]
    pub fn place_of(&self, view: &View) -> String {
        self.points
            .iter()
            .find(|point| point.id == view.point)
            .map_or_else(|| view.kind.as_token().to_owned(), place)
    }

    /// The client in one word or two: `the device`, `the pod`, `the client`.
    #[must_use]
    pub fn client_word(&self) -> &'static str {
        if self.exchange.device_is_client() {
            return "the device";
        }
        match self.role_of(self.exchange.client.address) {
            Role::Pod => "the pod",
            Role::Node => "the node",
            _ => "the client",
        }
    }

    /// [`Reading::client_word`] at the start of a sentence.
    #[must_use]
    pub fn client_word_first(&self) -> String {
        capitalised(self.client_word())
    }

    /// That a changed reply did no harm, as far as the packets show it: who goes
    /// on, or asks something else, has taken it. Of a protocol that is not known nobody
    /// can say what is something else.
    #[must_use]
    pub fn took_it(&self) -> String {
        if self.discarded().is_some() {
            return format!("{} says itself that it did not take it", self.client_word_first());
        }
        let requests = self.view.requests;
        let follows = self.follow_ups().next().is_some();
        // Who says nothing but its first words again may have heard no answer to them.
        let says_more = requests.packets > requests.repeats + 1;
        let is_known = self.exchange.protocol.answers() != Answers::Unknown;
        if follows || (says_more && (self.went_on() || is_known)) {
            format!("{} took it and nothing failed", self.client_word_first())
        } else {
            format!("Nothing shows whether {} took it", self.client_word())
        }
    }

    /// `4 follow-ups`; where the kernel does not count packets, `at least 1 follow-up`.
    #[must_use]
    pub fn count(&self, tally: &Tally, noun: &str) -> String {
        let words = count(tally.packets, noun);
        if self.is_counted(tally) { words } else { format!("at least {words}") }
    }

    /// `4 times`; where the kernel does not count packets, `at least once`.
    #[must_use]
    pub fn times(&self, tally: &Tally) -> String {
        let words = times(tally.packets);
        if self.is_counted(tally) { words } else { format!("at least {words}") }
    }

    /// The node that holds `address`, by a name that commands may carry.
    #[must_use]
    pub fn node_of(&self, address: IpAddr) -> Option<&str> {
        self.topology.find(address)?.node.as_deref().and_then(plain_name)
    }
}

/// At the start of a sentence; an address stays as it is, be it `fd00::1`.
fn capitalised(text: &str) -> String {
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_shell_characters_stay_out() {
        let cases = [
            ("node3", true),
            ("kube-system/coredns-7d8", true),
            ("node3; reboot", false),
            ("$(reboot)", false),
            ("`x`", false),
            ("-rf", false),
            ("", false),
            ("nœud", false),
        ];
        for (name, expected) in cases {
            assert_eq!(plain_name(name).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn the_first_title_that_fits_is_taken() {
        let long = "x".repeat(TITLE_LIMIT_CHARS + 1);
        assert_eq!(fit_title([long.clone(), "short".to_owned()]), "short");
        assert_eq!(fit_title(["é".repeat(TITLE_LIMIT_CHARS), String::new()]).chars().count(), 90);
    }
}
