//! What `ip addr` prints: full, `-o`, `-br`, `-d`, `-s`, filtered by grep, with
//! or without indentation. The lines of `ifconfig` are read too.

use std::collections::HashMap;

use super::address::{self, Prefixed, parse_address, parse_prefixed};
use super::command::Command;
use super::interface::{Interface, InterfaceAddress};
use super::text::Reading;

/// Collects the links of one text.
#[derive(Debug)]
pub struct IpAddrReader {
    interfaces: Vec<Interface>,
    /// Where each link is in `interfaces`.
    places: HashMap<(Option<u32>, Option<String>), usize>,
    /// The link that the last heading opened.
    current: Option<usize>,
    /// The link that received the last address: whose lifetimes come next.
    filled: Option<usize>,
    /// The link that the command named.
    named_by_command: Option<String>,
    filtered: bool,
}

impl IpAddrReader {
    /// A reader of what `command` printed.
    pub fn new(command: &Command) -> Self {
        Self {
            interfaces: Vec::new(),
            places: HashMap::new(),
            current: None,
            filled: None,
            named_by_command: command.interface.clone(),
            filtered: command.filtered,
        }
    }

    /// Reads one line, if it is one of `ip addr`.
    pub fn read(&mut self, line: &str) -> Reading {
        let mut reading = Reading::Foreign;
        // `ip -o` prints the line break as a backslash.
        for piece in line.split('\\') {
            let words: Vec<&str> = piece.split_whitespace().collect();
            match self.read_words(&words) {
                Reading::Foreign => {}
                Reading::Read => reading = Reading::Read,
                fault @ Reading::Fault(_) => return fault,
            }
        }
        reading
    }

    /// The links read.
    pub fn finish(self) -> Vec<Interface> {
        self.interfaces
    }

    fn read_words(&mut self, words: &[&str]) -> Reading {
        match words {
            ["inet" | "inet6", rest @ ..] => self.read_address(rest),
            ["valid_lft", rest @ ..] => self.read_lifetimes(rest),
            [name, "Link", encapsulation, ..] if encapsulation.starts_with("encap:") => {
                let name = name.split(':').next().unwrap_or_default();
                self.current = Some(self.open(None, Some(name)));
                Reading::Read
            }
            [name, flags, ..] if name.ends_with(':') && flags.starts_with("flags=") => {
                // An alias (`eth0:1:`) is its link.
                let name = name.split(':').next().unwrap_or_default();
                self.current = Some(self.open(None, Some(name)));
                Reading::Read
            }
            [number, name, rest @ ..] if number.ends_with(':') => {
                let Ok(index) = number.trim_end_matches(':').parse::<u32>() else {
                    return Reading::Foreign;
                };
                self.read_heading(index, name, rest)
            }
            [name, state, rest @ ..] if is_state(state) => self.read_brief(name, state, rest),
            _ => Reading::Foreign,
        }
    }

    /// `2: eth0@if5: <UP> … state UP …`, or `2: eth0    inet …` of `ip -o`.
    fn read_heading(&mut self, index: u32, name: &str, rest: &[&str]) -> Reading {
        let whole = name.trim_end_matches(':');
        let bare = whole.split('@').next().unwrap_or(whole);
        match rest {
            [flags, ..] if name.ends_with(':') && flags.starts_with('<') => {
                let opened = self.open(Some(index), Some(bare));
                self.current = Some(opened);
                let state = rest.iter().skip_while(|word| **word != "state").nth(1);
                if let Some(interface) = self.interfaces.get_mut(opened) {
                    interface.is_paired = is_paired(whole);
                    interface.state = state.map(|state| (*state).to_owned());
                }
                Reading::Read
            }
            ["inet" | "inet6", rest @ ..] => {
                self.current = Some(self.open(Some(index), Some(bare)));
                self.read_address(rest)
            }
            _ => Reading::Foreign,
        }
    }

    /// `eth0@if5  UP  192.0.2.1/24 2001:db8::1/64` of `ip -br`.
    fn read_brief(&mut self, name: &str, state: &str, words: &[&str]) -> Reading {
        let mut addresses: Vec<InterfaceAddress> = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match (*word, parse_prefixed(word)) {
                ("metric", _) => {
                    words.next();
                }
                ("peer", _) => {
                    let peer = words.next().and_then(|word| parse_prefixed(word).ok());
                    if let Some(entry) = addresses.last_mut() {
                        entry.peer = peer.map(|peer| peer.address);
                    }
                }
                (_, Ok(prefixed)) => addresses.push(InterfaceAddress::new(prefixed)),
                (_, Err(_)) => return Reading::Foreign,
            }
        }
        if addresses.is_empty() {
            return Reading::Foreign;
        }
        let bare = name.split('@').next().unwrap_or(name);
        let opened = self.open(None, Some(bare));
        if let Some(interface) = self.interfaces.get_mut(opened) {
            interface.is_paired = is_paired(name);
            interface.state = Some(state.to_owned());
            interface.addresses.extend(addresses);
        }
        Reading::Read
    }

    /// What follows `inet` or `inet6`.
    fn read_address(&mut self, words: &[&str]) -> Reading {
        let Some((word, options)) = words.split_first() else {
            return Reading::Fault("expected an address after 'inet', found the line's end".into());
        };
        // `inet addr:192.0.2.1`, `inet6 addr: 2001:db8::1/64` of old versions of ifconfig.
        let (word, options) = match (word.strip_prefix("addr:"), options.split_first()) {
            (Some(""), Some((word, options))) => (*word, options),
            (Some(word), _) => (word, options),
            (None, _) => (*word, options),
        };
        let prefixed = match parse_prefixed(word) {
            Ok(prefixed) => prefixed,
            Err(error) => return Reading::Fault(error.to_string()),
        };
        let mut entry = InterfaceAddress::new(prefixed);
        let label = read_options(&mut entry, options);
        let target = self.current.unwrap_or_else(|| {
            let name = self.named_by_command.clone().or(label);
            let opened = self.open(None, name.as_deref());
            if let Some(interface) = self.interfaces.get_mut(opened) {
                interface.partial = true;
            }
            opened
        });
        if let Some(interface) = self.interfaces.get_mut(target) {
            interface.addresses.push(entry);
            self.filled = Some(target);
        }
        Reading::Read
    }

    /// `valid_lft forever preferred_lft 0sec`.
    fn read_lifetimes(&mut self, words: &[&str]) -> Reading {
        let address = self
            .filled
            .and_then(|index| self.interfaces.get_mut(index))
            .and_then(|interface| interface.addresses.last_mut());
        let preferred = words.iter().skip_while(|word| **word != "preferred_lft").nth(1);
        if let (Some(address), Some(preferred)) = (address, preferred) {
            // `forever` is no number, and stays `None`.
            let seconds = preferred.trim_end_matches("sec").parse().ok();
            address.preferred_lifetime_seconds = seconds;
            address.deprecated |= seconds == Some(0);
        }
        Reading::Read
    }

    /// The link with this index and name, new if need be.
    fn open(&mut self, index: Option<u32>, name: Option<&str>) -> usize {
        let name = name.map(ToOwned::to_owned);
        *self.places.entry((index, name.clone())).or_insert_with(|| {
            let partial = self.filtered;
            self.interfaces.push(Interface { partial, ..Interface::new(index, name) });
            self.interfaces.len() - 1
        })
    }
}

/// `eth0@if7`: of the link at the other end only the index is known here. Of a VLAN
/// the link below it is named: `eth0.7@eth0`.
fn is_paired(name: &str) -> bool {
    name.split_once("@if").is_some_and(|(_, index)| {
        !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_state(word: &str) -> bool {
    matches!(
        word,
        "UP" | "DOWN" | "UNKNOWN" | "LOWERLAYERDOWN" | "DORMANT" | "NOTPRESENT" | "TESTING"
    )
}

/// Reads what follows the address; gives the label (`eth0`, `eth0:1`) that ends
/// the line of an IPv4 address, without its suffix.
fn read_options(entry: &mut InterfaceAddress, options: &[&str]) -> Option<String> {
    let mut label = None;
    let mut words = options.iter();
    while let Some(word) = words.next() {
        match *word {
            "scope" => entry.host_scope = words.next() == Some(&"host"),
            "peer" => {
                let peer = words.next().and_then(|word| parse_prefixed(word).ok());
                entry.peer = peer.map(|peer| peer.address);
            }
            "destination" => {
                entry.peer = words.next().and_then(|word| parse_address(word).ok());
            }
            "brd" | "any" | "metric" | "proto" | "broadcast" | "scopeid" => {
                words.next();
            }
            "vhid" => {
                entry.shared = true;
                words.next();
            }
            "netmask" => {
                let length = words.next().and_then(|mask| address::find_mask_length_bits(mask));
                set_length(entry, length);
            }
            word if word.starts_with("Mask:") => {
                let mask = word.trim_start_matches("Mask:");
                set_length(entry, address::find_mask_length_bits(mask));
            }
            word if word.starts_with("P-t-P:") => {
                entry.peer = parse_address(word.trim_start_matches("P-t-P:")).ok();
            }
            "Scope:Host" => entry.host_scope = true,
            word if ["Bcast:", "Scope:"].iter().any(|lead| word.starts_with(lead)) => {}
            "prefixlen" => {
                set_length(entry, words.next().and_then(|length| length.parse().ok()));
            }
            word if entry.set_flag(word) => {}
            word => label = word.split(':').next().map(ToOwned::to_owned),
        }
    }
    label.filter(|label| !label.is_empty())
}

fn set_length(entry: &mut InterfaceAddress, length_bits: Option<u8>) {
    let Prefixed { address, .. } = entry.prefixed;
    if let Some(prefixed) = length_bits.and_then(|bits| address::with_length(address, false, bits))
    {
        entry.prefixed = prefixed;
    }
}
