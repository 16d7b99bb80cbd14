//! What a DHCP server says to the clients that have no address yet.
//!
//! They all ask from the unspecified address, to all hosts of their network (RFC 2131 section
//! 4.1), and tell their messages apart by a transaction id that each chooses (section 2). The
//! address that an answer gives (`yiaddr`, section 3.1), or to which it is sent, is the
//! client's from then on: by that it is known. What is asked is kept until then; what nobody
//! answers is of a client that has no name.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hashbrown::HashMap;

use super::PointTable;
use crate::correlate::broadcasts::looks_like_broadcast;
use crate::correlate::fold;
use crate::correlate::opening::is_lease;
use crate::correlate::record::{ExchangeIndex, Record, is_group};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Origin;
use crate::model::identity::lease_of;
use crate::model::packet::{Application, Content, Datagram, Packet, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// A client that got nothing asks again after so long (RFC 2131 section 4.1).
pub(super) const OFFER_DELAY: Duration = Duration::from_secs(10);
const CLIENT_PORT: u16 = 68;
const SERVER_PORT: u16 = 67;
/// Where a client listens that has no address yet.
const WITHOUT_ADDRESS: Endpoint =
    Endpoint { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: CLIENT_PORT };
/// Transactions that are followed at once; of more, the latest.
const MAX_ASKING: usize = 4_096;
/// Messages kept of one: a client gives up after five (section 4.1). Of text without ids there
/// is one for all clients.
const MAX_HELD: usize = 64;

/// Clients without an address, by what their messages have in common; `None` where no
/// transaction id was read.
#[derive(Debug, Default)]
pub struct Leases {
    asking: HashMap<Option<u64>, Asking>,
    /// The keys, the earliest first.
    in_order: VecDeque<Option<u64>>,
}

/// A request that is kept.
type Held = (FrameRef, Packet);

/// What one client asks.
#[derive(Debug, Default)]
struct Asking {
    /// Until an answer names the client.
    held: VecDeque<Held>,
    named: Option<(ExchangeIndex, IpAddr)>,
}

/// Whether `datagram` has the ports of a client and a server, of which the client has no
/// address yet, or may have none.
#[inline]
pub(super) fn may_be_of_lease(datagram: &Datagram) -> bool {
    let (source, destination) = (datagram.flow.source, datagram.flow.destination);
    (source.port, destination.port) == (SERVER_PORT, CLIENT_PORT)
        || (destination.port == SERVER_PORT && source == WITHOUT_ADDRESS)
}

impl Leases {
    /// Keeps a request; gives those for which there is no room any more.
    fn hold(&mut self, key: Option<u64>, frame: FrameRef, packet: &Packet) -> Vec<Held> {
        let mut left = Vec::new();
        if !self.asking.contains_key(&key) {
            if self.in_order.len() >= MAX_ASKING
                && let Some(earliest) = self.in_order.pop_front()
                && let Some(asking) = self.asking.remove(&earliest)
            {
                left.extend(asking.held);
            }
            self.in_order.push_back(key);
        }
        let held = &mut self.asking.entry(key).or_default().held;
        if held.len() >= MAX_HELD {
            left.extend(held.pop_front());
        }
        held.push_back((frame, packet.clone()));
        left
    }

    /// Gives up what was asked so long before `at` that nobody answers it any more, and
    /// takes what an answer of then is for: of one transaction all, else the earliest.
    fn take_waiting(&mut self, key: Option<u64>, at: Timestamp) -> (Vec<Held>, Vec<Held>) {
        let Some(asking) = self.asking.get_mut(&key) else { return (Vec::new(), Vec::new()) };
        let is_timely = |(_, packet): &Held| at.since(packet.at) <= OFFER_DELAY;
        if key.is_some() {
            let is_awaited = asking.held.back().is_some_and(is_timely);
            let held =
                if is_awaited { std::mem::take(&mut asking.held).into() } else { Vec::new() };
            return (Vec::new(), held);
        }
        let count = asking.held.iter().position(is_timely).unwrap_or(asking.held.len());
        let late = asking.held.drain(..count).collect();
        (late, asking.held.pop_front().into_iter().collect())
    }
}

impl PointTable {
    /// Takes what a client asks that has no address, and what it is answered.
    pub(super) fn lease(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) -> bool {
        if datagram.flow.source == WITHOUT_ADDRESS {
            self.ask_without_address(packet, frame, datagram)
        } else {
            self.give_address(packet, frame, datagram)
        }
    }

    /// Gives up what was asked without an address and is not answered.
    pub fn give_up_leases(&mut self) {
        let leases = std::mem::take(&mut self.leases);
        let mut held: Vec<Held> =
            leases.asking.into_values().flat_map(|asking| asking.held).collect();
        held.sort_by_key(|(frame, _)| *frame);
        for (frame, packet) in held {
            self.ask_namelessly(&packet, frame);
        }
    }

    fn ask_without_address(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> bool {
        let Some(key) = find_key(datagram, TransactionRole::Request) else { return false };
        if let Some((index, _)) = self.find_named(key) {
            self.exchanges[index.position()].request(packet, frame, datagram);
            return true;
        }
        for (frame, packet) in self.leases.hold(key, frame, packet) {
            self.ask_namelessly(&packet, frame);
        }
        true
    }

    /// Takes an answer that names its client, or one for a client that was named before.
    fn give_address(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) -> bool {
        if !is_lease(datagram) {
            return false;
        }
        let Some(key) = find_key(datagram, TransactionRole::Reply) else { return false };
        let own = find_own_address(packet, datagram);
        if let Some((index, known)) = self.find_named(key) {
            if packet.at.since(self.exchanges[index.position()].last_at()) > OFFER_DELAY {
                return false;
            }
            // Of two servers' offers the client takes one.
            if let Some(own) = own.filter(|own| *own != known) {
                self.rename(index, own);
                self.leases.asking.entry(key).or_default().named = Some((index, own));
            }
            self.exchanges[index.position()].reply(packet, frame, datagram, Origin::ByDesign);
            return true;
        }
        let Some(own) = own else { return false };
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        // Who has the address already asks from it.
        if key.is_none() && self.flows.knows(&self.hasher, &self.exchanges, source, destination) {
            return false;
        }
        let (late, waiting) = self.leases.take_waiting(key, packet.at);
        for (frame, packet) in late {
            self.ask_namelessly(&packet, frame);
        }
        let Some(index) = self.ask_under(own, &waiting, packet) else { return false };
        if key.is_some() {
            self.leases.asking.entry(key).or_default().named = Some((index, own));
        }
        // No flow is registered: what the client says from its address later, to keep it,
        // is an exchange of its own.
        self.exchanges[index.position()].reply(packet, frame, datagram, Origin::ByDesign);
        true
    }

    /// The exchange in which a client that is `own` now asked what was `waiting`; `answer`
    /// names it. An answer that comes twice is for what was asked last.
    fn ask_under(
        &mut self,
        own: IpAddr,
        waiting: &[Held],
        answer: &Packet,
    ) -> Option<ExchangeIndex> {
        let client = Endpoint::new(own, CLIENT_PORT);
        let Some((first_frame, first)) = waiting.first() else {
            return self.find_leased(client, |exchange| {
                answer.at.since(exchange.last_at()) <= OFFER_DELAY
            });
        };
        let Content::Datagram(datagram) = &first.content else { return None };
        let asked = datagram.flow.destination;
        let known = self.find_leased(client, |exchange| exchange.asked == Some(asked));
        let index = match known {
            Some(index) => index,
            None => self.open_leased(client, waiting.len(), (*first_frame, first), datagram)?,
        };
        for (frame, packet) in waiting {
            if let Content::Datagram(datagram) = &packet.content {
                self.exchanges[index.position()].request(packet, *frame, datagram);
            }
        }
        Some(index)
    }

    /// Opens the exchange that began with `first` and is `client`'s, of which so many requests
    /// are known.
    fn open_leased(
        &mut self,
        client: Endpoint,
        requests: usize,
        (frame, first): (FrameRef, &Packet),
        datagram: &Datagram,
    ) -> Option<ExchangeIndex> {
        fold::sweep(self, first.at);
        let Some(index) = self.free_place() else {
            self.unfollowed_packets += u64::try_from(requests).unwrap_or(0);
            return None;
        };
        let asked = Some(datagram.flow.destination);
        let audience = self.broadcasts.take_opening(first, frame, datagram);
        let mut exchange = Record::open(Protocol::Dhcp, WITHOUT_ADDRESS, asked, datagram);
        exchange.audience = audience;
        // Its packets are shown as they came: from no address.
        let _ = exchange.details(frame.capture);
        exchange.client = client;
        self.put(index, exchange);
        self.clients.add(&self.hasher, &mut self.exchanges, index);
        Some(index)
    }

    /// Puts a request where those of clients without a name stand.
    fn ask_namelessly(&mut self, packet: &Packet, frame: FrameRef) {
        let Content::Datagram(datagram) = &packet.content else { return };
        let hash = self.hasher.pair(datagram.flow.source, datagram.flow.destination);
        self.place(packet, frame, datagram, self.foresee(hash));
    }

    /// Notes that the client of an exchange took another address than it was offered first.
    fn rename(&mut self, index: ExchangeIndex, own: IpAddr) {
        self.clients.remove(&self.hasher, &mut self.exchanges, index);
        self.exchanges[index.position()].client.address = own;
        self.clients.add(&self.hasher, &mut self.exchanges, index);
    }

    /// The exchange of a transaction whose client was named, and how.
    fn find_named(&self, key: Option<u64>) -> Option<(ExchangeIndex, IpAddr)> {
        let (index, own) = self.leases.asking.get(&key)?.named?;
        let exchange = self.exchanges.get(index.position())?;
        // The place may be another exchange's by now.
        let is_its = exchange.protocol == Protocol::Dhcp
            && exchange.client == Endpoint::new(own, CLIENT_PORT)
            && !exchange.is_vacant();
        is_its.then_some((index, own))
    }

    /// The exchange in which `client` asked before it had its address.
    fn find_leased(
        &self,
        client: Endpoint,
        fits: impl Fn(&Record) -> bool,
    ) -> Option<ExchangeIndex> {
        let found = self.exchanges_of(client).find(|(_, exchange)| {
            exchange.protocol == Protocol::Dhcp
                && exchange.asked.is_some_and(|asked| is_group(asked.address))
                && fits(exchange)
        });
        found.map(|(index, _)| index)
    }
}

/// What the messages of one client have in common, where that was read; `None` of what is no
/// such message.
#[expect(clippy::option_option, reason = "a message without an id is still a message")]
fn find_key(datagram: &Datagram, role: TransactionRole) -> Option<Option<u64>> {
    match &datagram.application {
        Application::Plain(Protocol::Dhcp) => Some(None),
        Application::Transaction(said) if said.protocol == Protocol::Dhcp => {
            (said.role == role).then(|| Some(lease_of(said.identity)))
        }
        Application::Plain(_)
        | Application::Report(_)
        | Application::Transaction(_)
        | Application::Tftp(_)
        | Application::Unknown { .. } => None,
    }
}

/// The address that an answer gives its client: by its words, or else the one that it is sent to.
fn find_own_address(packet: &Packet, datagram: &Datagram) -> Option<IpAddr> {
    let told = match &datagram.application {
        Application::Transaction(said) => said.reply_to.as_deref().and_then(|own| own.address),
        _ => None,
    };
    let destination = datagram.flow.destination.address;
    let is_one = destination.is_ipv4()
        && !is_group(destination)
        && !destination.is_unspecified()
        && !packet.is_to_all_hosts(destination)
        && !looks_like_broadcast(destination);
    told.or_else(|| is_one.then_some(destination))
}
