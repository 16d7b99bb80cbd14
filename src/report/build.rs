//! Exchanges and findings, sorted into one report.

mod chosen;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use uuid::Uuid;

pub use self::chosen::Chosen;
use super::draft::{DeviceCount, DeviceDraft, Room, Weight};
use super::exchange_part::Names;
use super::headline::{Unread, report_headline};
use super::places::Places;
use super::shelf::RemedyShelf;
use super::wording::count;
use crate::model::endpoint::is_group;
use crate::model::exchange::{DeviceRule, Exchange, Point};
use crate::model::finding::{Diagnosis, Severity, Verdict};
use crate::model::input::Fault;
use crate::model::parts::CaptureParts;
use crate::model::protocol::Protocol;
use crate::model::report::{Address, Capture, Device, Report, Summary};
use crate::model::stand_in::StandIns;
use crate::model::time::Timestamp;
use crate::model::topology::{FactSource, Role, Topology};

/// Addresses listed, those that matter most.
const MAX_ADDRESSES: usize = 2_000;
/// Addresses that are told apart; of more it is not even known how many there are.
const MAX_SEEN_ADDRESSES: usize = 100_000;
/// Lines of inventories that could not be used and are told one by one.
const MAX_INVENTORY_FAULTS: usize = 20;
/// Addresses that an inventory names though no packet does.
const MAX_UNSEEN_ADDRESSES: usize = 200;

/// Devices that are looked up together.
const TOGETHER: usize = 32;

/// How many exchanges a report lists; all others are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    pub per_device: usize,
    /// Exchanges that went well, over all devices.
    pub well: usize,
    /// Exchanges that did not, over all devices.
    pub other: usize,
}

/// What the caller calls the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub id: Uuid,
    /// `None`: named after the captures.
    pub title: Option<String>,
    pub created_at: Timestamp,
}

/// A report to which exchanges are added one at a time: memory follows the
/// devices and what is listed of them.
#[derive(Debug)]
pub struct Builder<'a> {
    captures: Vec<Capture>,
    parts: &'a CaptureParts,
    points: &'a [Point],
    topology: &'a Topology,
    listing: Listing,
    /// Of `listing.other`, what may go to devices that have an exchange listed: half,
    /// so that devices with many do not take the room of those that have none yet.
    further: usize,
    shelf: RemedyShelf,
    /// Where a device stands in `counts` and `drafts`.
    places: Places,
    counts: Vec<DeviceCount>,
    drafts: Vec<DeviceDraft>,
    /// Where exchanges are listed whose parts are to be made, and their numbers.
    chosen: Vec<(usize, usize)>,
    seen: BTreeSet<IpAddr>,
    /// Exchanges without an address that names a device, by the place of the capture.
    nameless: BTreeMap<usize, u64>,
    /// Whether the warnings of the captures say what could not be read.
    unread: Unread,
}

/// Exchanges of one device that are not told one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncounted {
    pub device: IpAddr,
    pub device_rule: DeviceRule,
    pub verdict: Verdict,
    pub protocol: Protocol,
    pub exchanges: u64,
}

impl<'a> Builder<'a> {
    /// A report without exchanges.
    #[must_use]
    pub fn new(
        captures: Vec<Capture>,
        parts: &'a CaptureParts,
        points: &'a [Point],
        topology: &'a Topology,
        listing: Listing,
    ) -> Self {
        Self {
            captures,
            parts,
            points,
            topology,
            listing,
            further: listing.other / 2,
            shelf: RemedyShelf::default(),
            places: Places::default(),
            counts: Vec::new(),
            drafts: Vec::new(),
            chosen: Vec::new(),
            seen: BTreeSet::new(),
            nameless: BTreeMap::new(),
            unread: Unread::None,
        }
    }

    /// Notes that the warnings of a capture say what of it could not be read.
    pub const fn note_unread(&mut self) {
        self.unread = Unread::Told;
    }

    /// Adds an exchange and what was found out about it. If it is listed, its part is to
    /// be made: [`take_chosen`](Self::take_chosen) says so, under its `number`.
    pub fn add(&mut self, number: usize, exchange: &Exchange, diagnosis: &Diagnosis) {
        let verdict = diagnosis.verdict;
        if names_nobody(exchange.device) {
            let capture = exchange.views.first().map_or(0, |view| view.point.capture.0);
            let place = usize::try_from(capture).unwrap_or(0);
            *self.nameless.entry(place).or_insert(0) += 1;
            return;
        }
        self.note_addresses(exchange);
        let (device, device_rule) = (exchange.device, exchange.device_rule);
        let place = self.place(device, device_rule, verdict, exchange.protocol);
        let names = Names { captures: &self.captures, parts: self.parts, points: self.points };
        let (count, draft) = (&mut self.counts[place], &mut self.drafts[place]);
        if diagnosis.is_still_waiting {
            count.count_waiting();
        } else {
            count.count(device, device_rule, verdict, exchange.protocol, 1);
        }
        if draft.take_error(exchange) {
            count.count_failed();
        }
        draft.find(count, exchange, diagnosis, names, &mut self.shelf);
        let weight = Weight::new(verdict, exchange.primary().error_answer.as_ref());
        let room = draft.room_for(weight, self.listing.per_device);
        if room == Room::Another {
            let budget =
                if weight.is_well() { &mut self.listing.well } else { &mut self.listing.other };
            let is_further = draft.is_told() && !weight.is_well();
            if *budget == 0 || is_further && self.further == 0 {
                return;
            }
            *budget -= 1;
            if is_further {
                self.further -= 1;
            }
        }
        if draft.list(number, weight, room) {
            self.chosen.push((place, number));
        }
    }

    /// Counts exchanges that are not told one by one.
    ///
    /// Of many devices none is in a cache; looked up one behind the other, several
    /// wait for memory together.
    pub fn count_all(&mut self, all: &[Uncounted]) {
        for some in all.chunks(TOGETHER) {
            let mut places = [None; TOGETHER];
            for (one, place) in some.iter().zip(&mut places) {
                *place = self.places.find(one.device, self.topology);
            }
            for (one, place) in some.iter().zip(places) {
                self.count(*one, place);
            }
        }
    }

    fn count(&mut self, one: Uncounted, place: Option<usize>) {
        let Uncounted { device, device_rule, verdict, protocol, exchanges } = one;
        if names_nobody(device) {
            *self.nameless.entry(0).or_insert(0) += exchanges;
            return;
        }
        let place = place.unwrap_or_else(|| self.place(device, device_rule, verdict, protocol));
        self.counts[place].count(device, device_rule, verdict, protocol, exchanges);
    }

    /// Takes the devices' parts, each to be [finished](Self::finish_device).
    #[must_use]
    pub fn take_drafts(&mut self) -> Vec<DeviceDraft> {
        std::mem::take(&mut self.drafts)
    }

    /// One device as the report tells it; its draft was the one at `place`. `None`
    /// where there was none.
    #[must_use]
    pub fn finish_device(&self, place: usize, draft: DeviceDraft) -> Option<Device> {
        let device = self.counts.get(place).map(|count| draft.finish(count, self.topology));
        device.map(|device| self.name_device(device))
    }

    /// The addresses that stand for names.
    pub(super) const fn stand_ins(&self) -> &'a StandIns {
        self.topology.stand_ins()
    }

    /// The report on `devices`, which are finished: worst device first, and the same
    /// for the same input.
    #[must_use]
    pub fn finish(
        mut self,
        mut devices: Vec<Device>,
        header: Header,
        inventory_faults: &[Fault],
    ) -> Report {
        self.seen.extend(self.stand_ins().iter().map(|(address, _)| address));
        let addresses = self.addresses();
        let seen = self.seen.len().saturating_sub(MAX_ADDRESSES);
        let addresses_omitted = u64::try_from(seen).unwrap_or(u64::MAX);
        devices.sort_by_cached_key(|device| {
            let has_failed = device.error_answers > 0;
            (Reverse(device.verdict), Reverse(gravest(device)), !has_failed, device.device)
        });
        let mut verdicts = BTreeMap::new();
        for device in &devices {
            *verdicts.entry(device.verdict).or_insert(0) += 1;
        }
        if let Some(first) = self.captures.first_mut() {
            let faults = inventory_faults.iter().take(MAX_INVENTORY_FAULTS);
            first.warnings.extend(faults.map(|fault| format!("inventory: {fault}")));
            let omitted = inventory_faults.len().saturating_sub(MAX_INVENTORY_FAULTS);
            if omitted > 0 {
                first.warnings.push(format!("inventory: and {omitted} more faults of this kind"));
            }
        }
        let mut headline = report_headline(&devices, &verdicts, &self.captures, self.unread);
        let nameless: u64 = self.nameless.values().sum();
        if devices.is_empty() && nameless > 0 {
            let number = count(nameless, "exchange was", "exchanges were");
            headline = format!("{number} seen, and none has an address that could name a device");
        }
        for (place, exchanges) in std::mem::take(&mut self.nameless) {
            if let Some(capture) = self.captures.get_mut(place) {
                let number = count(exchanges, "exchange is", "exchanges are");
                capture.warnings.push(format!("{number} not told: no side has an address that could name a device, as when a DHCP client asks before it has one"));
            }
        }
        Report {
            id: header.id,
            title: header.title.unwrap_or_else(|| title_of(&self.captures)),
            created_at: header.created_at,
            verdict: devices.first().map_or(Verdict::Inconclusive, |device| device.verdict),
            headline,
            summary: Summary {
                devices: u64::try_from(devices.len()).unwrap_or(u64::MAX),
                verdicts,
            },
            captures: self.captures,
            addresses,
            addresses_omitted,
            devices_omitted: 0,
            devices,
        }
    }

    /// Where the device stands; its first exchange is of this kind.
    fn place(
        &mut self,
        device: IpAddr,
        device_rule: DeviceRule,
        verdict: Verdict,
        protocol: Protocol,
    ) -> usize {
        let (place, is_new) = self.places.find_or_add(device, self.topology);
        if is_new {
            self.counts.push(DeviceCount::new(device, device_rule, verdict, protocol));
            self.drafts.push(DeviceDraft::default());
        }
        place
    }

    fn note_addresses(&mut self, exchange: &Exchange) {
        if self.seen.len() >= MAX_SEEN_ADDRESSES {
            return;
        }
        self.seen.insert(exchange.device);
        self.seen.extend(Some(exchange.client.address).filter(|_| !exchange.client.is_unknown()));
        for view in &exchange.views {
            self.seen.extend(view.asked.map(|asked| asked.address));
            self.seen.extend(view.replies.iter().map(|replies| replies.source.address));
            for follow_ups in &view.follow_ups {
                self.seen.extend([follow_ups.destination.address, follow_ups.source.address]);
            }
            self.seen.extend(view.icmp_errors.iter().map(|error| error.from));
        }
    }

    /// The addresses that packets used, then some that only the inventory names.
    /// Where there are too many, the cluster's own say more than its devices'.
    fn addresses(&self) -> Vec<Address> {
        let unseen = self.topology.beliefs().map(|(address, _)| address);
        let unseen = unseen.filter(|address| !self.seen.contains(address));
        let mut seen: Vec<IpAddr> = self.seen.iter().copied().collect();
        if seen.len() > MAX_ADDRESSES {
            let is_far = |address: &IpAddr| {
                let role = self.topology.role_of(*address);
                !matches!(role, Role::Vip | Role::Node | Role::Pod | Role::Service)
            };
            // Without its name nobody can make sense of a stand-in.
            seen.sort_by_cached_key(|address| {
                (self.stand_ins().find(*address).is_none(), is_far(address), *address)
            });
            seen.truncate(MAX_ADDRESSES.max(self.stand_ins().len()));
            seen.sort_unstable();
        }
        let listed = seen.into_iter().chain(unseen.take(MAX_UNSEEN_ADDRESSES));
        listed.map(|address| self.name_address(self.address(address))).collect()
    }

    fn address(&self, address: IpAddr) -> Address {
        if let Some(belief) = self.topology.find(address) {
            return Address {
                address,
                role: belief.role,
                node: belief.node.clone(),
                pod: belief.pod.clone(),
                source: belief.source,
                reason: belief.reason.clone(),
                name: None,
            };
        }
        let (role, source, reason) = match self.topology.role_of(address) {
            role @ (Role::Multicast | Role::Broadcast) => {
                (role, FactSource::Address, "by its form")
            }
            role => {
                let place = self.places.find_alone(address);
                let unknown = "no inventory names it, and the packets do not tell";
                place.map_or((role, FactSource::Packets, unknown), |place| {
                    (Role::Device, FactSource::Packets, self.counts[place].device_rule.as_text())
                })
            }
        };
        let reason = reason.to_owned();
        Address { address, role, node: None, pod: None, source, reason, name: None }
    }
}

/// The unspecified address and groups are nobody's.
fn names_nobody(device: IpAddr) -> bool {
    device.is_unspecified() || is_group(device)
}

fn gravest(device: &Device) -> Option<Severity> {
    device.findings.iter().map(|finding| finding.severity).max()
}

fn title_of(captures: &[Capture]) -> String {
    match captures {
        [] => "Nothing captured".to_owned(),
        [only] => only.name.clone(),
        [first, second] => format!("{} and {}", first.name, second.name),
        [first, rest @ ..] => format!("{} and {} more captures", first.name, rest.len()),
    }
}
