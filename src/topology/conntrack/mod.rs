//! Connection tracking tables: what `conntrack -L` and `conntrack -E` print, as
//! lines or as XML, and `/proc/net/nf_conntrack`.

mod line;
mod xml;

use std::net::IpAddr;

use super::text::Reading;
use crate::model::conntrack::{TrackedCount, TrackedEntry, TrackedEvent, TrackedFlow};
use crate::model::endpoint::{Endpoint, FlowKey, Transport};
use crate::model::input::{Fault, Place};
use crate::model::time::Timestamp;
use crate::model::topology::Facts;

pub use xml::begins_at as xml_begins_at;

/// Entries kept of one text: twice what the kernel's own default allows on a
/// large host.
const MAX_ENTRIES: usize = 500_000;
/// Faults listed by themselves; the rest is counted.
const MAX_FAULTS: u64 = 20;

/// Collects the entries of a text.
#[derive(Debug, Default)]
pub struct Entries {
    read: Vec<TrackedEntry>,
    left_out: u64,
    first_left_out: Option<u64>,
    faults: Vec<Fault>,
    faults_omitted: u64,
}

impl Entries {
    /// Reads one line, if it is an entry. Protocols without ports are known and
    /// passed over.
    pub fn read(&mut self, text: &str, number: u64) -> Reading {
        let Some(read) = line::read(text) else { return Reading::Foreign };
        self.take(read, number);
        Reading::Read
    }

    /// Reads the XML with which `text` begins; gives the bytes that it takes up.
    pub fn read_xml(&mut self, text: &str, first_line: u64) -> usize {
        xml::read(text, first_line, &mut |read, number| self.take(read, number))
    }

    /// What was read.
    pub fn finish(mut self) -> Facts {
        if self.faults_omitted > 0 {
            let message = format!("and {} more entries that cannot be used", self.faults_omitted);
            self.faults.push(Fault { place: Place::Whole, message });
        }
        if let Some(number) = self.first_left_out {
            let message = format!(
                "from here on {} entries of connection tracking are left out: no more than {MAX_ENTRIES} of one text are read",
                self.left_out
            );
            self.faults.push(Fault { place: Place::Line(number), message });
        }
        Facts { tracked: self.read, faults: self.faults, ..Facts::default() }
    }

    fn take(&mut self, read: Result<Option<TrackedFlow>, String>, number: u64) {
        match read {
            Ok(None) => {}
            Ok(Some(_)) if self.read.len() >= MAX_ENTRIES => {
                self.left_out += 1;
                self.first_left_out.get_or_insert(number);
            }
            Ok(Some(flow)) => self.read.push(TrackedEntry { line: number, flow }),
            Err(_) if self.faults_omitted > 0 || self.faults.len() as u64 >= MAX_FAULTS => {
                self.faults_omitted += 1;
            }
            Err(message) => self.faults.push(Fault { place: Place::Line(number), message }),
        }
    }
}

/// What one entry says, field by field, before it is known to be whole.
#[derive(Debug, Default)]
struct Draft {
    transport: Option<Transport>,
    /// The original direction, then the one expected back.
    tuples: [TupleDraft; 2],
    is_unreplied: bool,
    is_assured: bool,
    helper: Option<String>,
    expires_in_s: Option<u32>,
    zone: Option<u16>,
    event: Option<TrackedEvent>,
    at: Option<Timestamp>,
}

#[derive(Debug, Default, Clone, Copy)]
struct TupleDraft {
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    packets: Option<u64>,
    bytes: Option<u64>,
}

impl Draft {
    /// The entry; `None` of a protocol without ports.
    fn finish(self) -> Result<Option<TrackedFlow>, String> {
        let Some(transport) = self.transport else { return Ok(None) };
        let [original, expected_reply] = self.tuples;
        Ok(Some(TrackedFlow {
            original: original.flow(transport, "first")?,
            expected_reply: expected_reply.flow(transport, "second")?,
            is_replied: !self.is_unreplied,
            is_assured: self.is_assured,
            helper: self.helper,
            expires_in_s: self.expires_in_s,
            original_count: original.count(),
            reply_count: expected_reply.count(),
            zone: self.zone,
            event: self.event,
            at: self.at,
        }))
    }
}

impl TupleDraft {
    /// Sets the field that `key` names; other keys say nothing about the flow.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "src" => self.source = Some(address(key, value)?),
            "dst" => self.destination = Some(address(key, value)?),
            "sport" => self.source_port = Some(number(key, value)?),
            "dport" => self.destination_port = Some(number(key, value)?),
            "packets" => self.packets = Some(number(key, value)?),
            "bytes" => self.bytes = Some(number(key, value)?),
            _ => {}
        }
        Ok(())
    }

    fn flow(&self, transport: Transport, which: &str) -> Result<FlowKey, String> {
        let end = |address: Option<IpAddr>, port: Option<u16>, names: (&str, &str)| {
            let address = address.ok_or_else(|| missing(names.0, which))?;
            let port = port.ok_or_else(|| missing(names.1, which))?;
            Ok::<_, String>(Endpoint::new(address, port))
        };
        let source = end(self.source, self.source_port, ("src", "sport"))?;
        let destination = end(self.destination, self.destination_port, ("dst", "dport"))?;
        Ok(FlowKey { transport, source, destination })
    }

    fn count(&self) -> Option<TrackedCount> {
        Some(TrackedCount { packets: self.packets?, bytes: self.bytes? })
    }
}

/// The transport of a protocol's name; `None` where it has no ports, or is none
/// that answers are told by. UDP-Lite (RFC 3828) has the ports of UDP.
fn find_transport(name: &str) -> Option<Transport> {
    match name {
        "udp" | "udplite" => Some(Transport::Udp),
        "tcp" => Some(Transport::Tcp),
        _ => None,
    }
}

fn find_event(name: &str) -> Option<TrackedEvent> {
    match name {
        "NEW" | "new" => Some(TrackedEvent::New),
        "UPDATE" | "update" => Some(TrackedEvent::Update),
        "DESTROY" | "destroy" => Some(TrackedEvent::Destroy),
        _ => None,
    }
}

fn missing(key: &str, which: &str) -> String {
    format!("an entry of connection tracking without '{key}' in its {which} direction")
}

fn address(key: &str, value: &str) -> Result<IpAddr, String> {
    let bare = value.split('%').next().unwrap_or(value);
    bare.parse::<IpAddr>()
        .map(|address| address.to_canonical())
        .map_err(|_| format!("after '{key}' an address was expected, found {}", quoted(value)))
}

fn number<Number: std::str::FromStr>(key: &str, value: &str) -> Result<Number, String> {
    value
        .parse()
        .map_err(|_| format!("after '{key}' a number was expected, found {}", quoted(value)))
}

/// The beginning of a word, for a fault.
fn quoted(word: &str) -> String {
    format!("'{}'", word.chars().filter(|c| !c.is_control()).take(40).collect::<String>())
}

#[cfg(test)]
mod tests;
