//! How the packets of a capture are numbered.

use std::collections::BTreeSet;

use replyscope::ingest::Event;
use replyscope::model::capture::CaptureFormat;

/// Follows the events of one input, and panics where a number is wrong, where a
/// packet belongs to no capture or to an interface that was not told, and where a
/// capture begins that does not end.
#[derive(Default)]
pub struct Frames {
    open: Option<Open>,
}

/// The capture that has begun.
struct Open {
    order: Order,
    /// The highest number so far.
    last: u64,
    /// The number of the last packet that was not passed over.
    last_packet: u64,
    /// Numbers that were passed by, and are still to be told.
    missing: BTreeSet<u64>,
    interfaces: BTreeSet<u32>,
}

/// What a format's numbers count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Packets, as Wireshark counts them: each has the number behind the last one's.
    Counted,
    /// Flow events. One that shows a packet again is passed over at once, while the
    /// packet waits for more of them: packets are in order, and of all numbers none
    /// is left out and none is told twice.
    Events,
    /// Packets of a text. A first fragment is told once its datagram is whole or given
    /// up, so behind later lines; of all numbers none is left out and none is told twice.
    Late,
    /// Lines. Dig's complaint tells of the question, too: numbers never go back.
    Lines,
}

impl Frames {
    /// Takes the next event.
    pub fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::CaptureBegins(header) => {
                assert!(self.open.is_none(), "a capture begins within another");
                self.open = Some(Open::new(header.format));
            }
            Event::CaptureEnds => match self.open.take() {
                Some(open) => open.end(),
                None => panic!("a capture ends that did not begin"),
            },
            Event::Interface(header) => {
                self.open().interfaces.insert(header.index);
            }
            Event::Frame(frame) => self.open().packet(frame.number, frame.interface),
            Event::Packet(packet) => self.open().packet(packet.frame, packet.interface),
            Event::NamedPacket(named) => {
                self.open().packet(named.packet.frame, named.packet.interface);
            }
            Event::OtherPacket { frame, .. } => self.open().number(*frame),
            Event::Note(_)
            | Event::Dropped { .. }
            | Event::Listened { .. }
            | Event::Unread { .. } => {
                self.open();
            }
            Event::Fault(_) | Event::ServerLog(_) | Event::Fact(_) | Event::Inventory(_) => {}
        }
    }

    /// The input has ended.
    pub fn end(self) {
        assert!(self.open.is_none(), "a capture does not end");
    }

    fn open(&mut self) -> &mut Open {
        match &mut self.open {
            Some(open) => open,
            None => panic!("something of a capture comes before it begins"),
        }
    }
}

impl Open {
    fn new(format: CaptureFormat) -> Self {
        let order = match format {
            CaptureFormat::Pcap
            | CaptureFormat::Pcapng
            | CaptureFormat::Snoop
            | CaptureFormat::Erf
            | CaptureFormat::NetscreenText
            | CaptureFormat::NetfilterLog
            | CaptureFormat::HexDump => Order::Counted,
            CaptureFormat::TcpdumpText | CaptureFormat::FortigateText => Order::Late,
            CaptureFormat::Hubble | CaptureFormat::CiliumMonitor => Order::Events,
            CaptureFormat::Dig | CaptureFormat::OpenvpnLog | CaptureFormat::Conntrack => {
                Order::Lines
            }
        };
        Self {
            order,
            last: 0,
            last_packet: 0,
            missing: BTreeSet::new(),
            interfaces: BTreeSet::new(),
        }
    }

    fn packet(&mut self, number: u64, interface: u32) {
        assert!(self.interfaces.contains(&interface), "interface {interface} was not told");
        let is_in_order = match self.order {
            Order::Counted | Order::Events => number > self.last_packet,
            Order::Late => number > self.last_packet || self.missing.contains(&number),
            Order::Lines => number >= self.last_packet,
        };
        assert!(is_in_order, "packet {number} after packet {}", self.last_packet);
        self.last_packet = self.last_packet.max(number);
        self.number(number);
    }

    fn number(&mut self, number: u64) {
        let last = self.last;
        assert!(number > 0, "numbers count from 1");
        match self.order {
            Order::Counted => {
                assert_eq!(number, last + 1, "frame {number} after frame {last}");
            }
            Order::Events | Order::Late => {
                assert!(number > last || self.missing.contains(&number), "frame {number} twice");
                self.missing.remove(&number);
                self.missing.extend(last + 1..number);
            }
            Order::Lines => assert!(number >= last, "line {number} after line {last}"),
        }
        self.last = self.last.max(number);
    }

    fn end(self) {
        if matches!(self.order, Order::Events | Order::Late) {
            assert_eq!(self.missing.first(), None, "frames are left out");
        }
    }
}
