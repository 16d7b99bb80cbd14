//! What Linux' netfilter logs of packets: `LOG` and `TRACE` of iptables, `log` of nft, and
//! the same words from ulogd.
//!
//! Each line is one packet at one hook of a host. A log holds what rules log, often one
//! direction or the first packet of a flow only: what is not there may have been all the
//! same, and a prefix such as `DROP` is anybody's text, which proves nothing.

mod head;
mod line;
mod sightings;

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::ingest::tcpdump_text::{StampStyle, Timeline};
use crate::ingest::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Direction, LinkType};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::input::{Fault, Place};
use crate::model::packet::{Application, Content, Datagram, IcmpError, Packet};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;
use head::{Head, read_head};
use line::{Carries, LoggedLine, find_logged};
use sightings::{Marks, Shown, Sightings};

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Faults that are told one by one.
const LIMIT_FAULTS: u64 = 100;
/// Hosts of one log that are told apart; further ones are left out.
const LIMIT_HOSTS: usize = 64;

/// Whether a line is one of the log.
#[must_use]
pub fn begins_log(text: &str) -> bool {
    find_logged(text).is_some()
}

/// One log: a capture of its own.
#[derive(Debug)]
pub struct NetfilterRun {
    first_line: u64,
    timeline: Timeline,
    clock: Option<Clock>,
    frames: u64,
    hosts: Vec<Host>,
    /// Answers that seem to have been logged before they were translated back.
    behind: u64,
    first_behind: u64,
    faults: u64,
}

/// One host of a log; a collector may mix those of several.
#[derive(Debug, Default)]
struct Host {
    name: Option<String>,
    sightings: Sightings,
    /// The kernel's clock at a time that syslog wrote.
    anchor: Option<(i64, Timestamp)>,
}

impl NetfilterRun {
    /// A log that begins at `first_line`.
    #[must_use]
    pub fn new(first_line: u64) -> Self {
        Self {
            first_line,
            timeline: Timeline::new(StampStyle::Default),
            clock: None,
            frames: 0,
            hosts: Vec::new(),
            behind: 0,
            first_behind: 0,
            faults: 0,
        }
    }

    /// Takes the next line; says whether it is one of the log.
    pub fn push(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        let Some(logged) = find_logged(text) else { return false };
        let head = read_head(logged.before);
        self.begin(&head, sink);
        self.frames += 1;
        let Some(interface) = self.host_index(head.host, sink) else {
            sink(Event::OtherPacket { frame: self.frames, at: None });
            let message = format!(
                "is of more than {LIMIT_HOSTS} hosts; give each host's lines as a text of its own"
            );
            self.fault(line, message, sink);
            return true;
        };
        let at = self.place(interface, &head);
        self.take(line, &logged, (interface, at), place_of(&head, &logged), sink);
        true
    }

    fn take(
        &mut self,
        line: u64,
        logged: &LoggedLine<'_>,
        (interface, at): (usize, Timestamp),
        place: u64,
        sink: Sink<'_>,
    ) {
        let other = Event::OtherPacket { frame: self.frames, at: Some(at) };
        let index = u32::try_from(interface).unwrap_or(0);
        let marks = |source_port, quote| Marks {
            source: logged.source,
            source_port,
            length: logged.length,
            identification: logged.identification,
            quote,
        };
        let Some(host) = self.hosts.get_mut(interface) else { return sink(other) };
        let sightings = &mut host.sightings;
        let content = match logged.carries {
            Carries::Other => return sink(other),
            Carries::Cut => {
                sink(other);
                sink(Event::Unread { interface: index });
                let message = "ends before it tells what the packet is; paste the whole line";
                return self.fault(line, message.to_owned(), sink);
            }
            Carries::IcmpError { kind, quote } => {
                if sightings.is_copy(marks(None, quote), at, place) {
                    return sink(other);
                }
                let (from, to) = (logged.source, logged.destination);
                Content::IcmpError(IcmpError { kind, from, to, quote, fingerprint: None })
            }
            Carries::Datagram { source_port, destination_port, length } => {
                if sightings.is_copy(marks(Some(source_port), None), at, place) {
                    return sink(other);
                }
                let flow = FlowKey::udp(
                    Endpoint::new(logged.source, source_port),
                    Endpoint::new(logged.destination, destination_port),
                );
                if sightings.place(flow, at) == Shown::BehindTranslation {
                    self.behind += 1;
                    if self.behind == 1 {
                        self.first_behind = line;
                    }
                    return sink(other);
                }
                Content::Datagram(datagram(flow, length))
            }
        };
        let direction = match (logged.input.is_empty(), logged.output.is_empty()) {
            (false, true) => Some(Direction::In),
            (true, false) => Some(Direction::Out),
            _ => None,
        };
        let packet = Packet::without_headers(self.frames, at, index, content);
        sink(Event::Packet(Packet { direction, ..packet }));
    }

    /// Ends the log; says whether it became a capture.
    pub fn finish(self, sink: Sink<'_>) -> bool {
        if self.clock.is_none() {
            return false;
        }
        if self.behind > 0 {
            let what = match self.behind {
                1 => "a datagram comes".to_owned(),
                more => format!("{more} datagrams come"),
            };
            sink(Event::Note(format!(
                "{what} from an address that was not asked, first in line {}: netfilter logs an answer before its address is translated back, so the log does not show who answered on the wire; capture there with `tcpdump -n -i any`",
                self.first_behind
            )));
        }
        if let Some(more) = self.faults.checked_sub(LIMIT_FAULTS).filter(|more| *more > 0) {
            let message = format!("{more} more lines of the log could not be read");
            sink(Event::Fault(Fault { place: Place::Whole, message }));
        }
        sink(Event::CaptureEnds);
        true
    }

    fn begin(&mut self, head: &Head<'_>, sink: Sink<'_>) {
        if self.clock.is_some() {
            return;
        }
        let clock = match (head.stamp, head.uptime_ns) {
            // Seconds since the host was started.
            (None, Some(_)) => self.timeline.settle_relative(),
            (stamp, _) => self.timeline.settle(stamp),
        };
        self.clock = Some(clock);
        sink(Event::CaptureBegins(CaptureHeader {
            node: head.host.map(str::to_owned),
            line: Some(self.first_line),
            ..CaptureHeader::of(CaptureFormat::NetfilterLog, clock)
        }));
    }

    /// The place of a line's host among those of the log.
    fn host_index(&mut self, name: Option<&str>, sink: Sink<'_>) -> Option<usize> {
        if let Some(at) = self.hosts.iter().position(|host| host.name.as_deref() == name) {
            return Some(at);
        }
        let at = self.hosts.len();
        let index = u32::try_from(at).ok().filter(|_| at < LIMIT_HOSTS)?;
        let name = name.map(str::to_owned);
        sink(Event::Interface(InterfaceHeader {
            index,
            name: name.clone().filter(|_| at > 0),
            link_type: Some(LinkType::Nflog),
        }));
        self.hosts.push(Host { name, ..Host::default() });
        Some(at)
    }

    /// When a packet was logged: by the kernel's clock, which is finer, from the first time on
    /// that syslog wrote. It begins anew when the host does.
    fn place(&mut self, host: usize, head: &Head<'_>) -> Timestamp {
        let anchor = self.hosts.get(host).and_then(|host| host.anchor);
        let since = |uptime_ns: i64| {
            let (from_ns, at) = anchor.filter(|(from_ns, _)| *from_ns <= uptime_ns)?;
            let passed_ns = uptime_ns.saturating_sub(from_ns);
            Some(Timestamp::from_nanoseconds(at.as_nanoseconds().saturating_add(passed_ns)))
        };
        match (head.uptime_ns, head.stamp) {
            (Some(uptime_ns), stamp) => since(uptime_ns).unwrap_or_else(|| {
                let at = match stamp {
                    Some(_) => self.timeline.place(stamp),
                    None => Timestamp::from_nanoseconds(uptime_ns),
                };
                if let Some(host) = self.hosts.get_mut(host) {
                    host.anchor = Some((uptime_ns, at));
                }
                at
            }),
            (None, stamp) => self.timeline.place(stamp),
        }
    }

    fn fault(&mut self, line: u64, message: String, sink: Sink<'_>) {
        self.faults += 1;
        if self.faults <= LIMIT_FAULTS {
            sink(Event::Fault(Fault { place: Place::Line(line), message }));
        }
    }
}

/// What tells the rule and the hook that logged a packet from others.
fn place_of(head: &Head<'_>, logged: &LoggedLine<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    (head.prefix, logged.input, logged.output).hash(&mut hasher);
    hasher.finish()
}

/// A datagram of which the payload is not told.
fn datagram(flow: FlowKey, length: u32) -> Datagram {
    let protocol = Protocol::of_flow(&flow);
    let application =
        protocol.map_or(Application::Unknown { tftp_shape: None }, Application::Plain);
    Datagram { flow, length, fingerprint: None, is_cut: false, application }
}

#[cfg(test)]
mod tests;
