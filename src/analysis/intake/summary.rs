//! A capture as the report lists it, and where its points are.

use std::collections::BTreeMap;

use super::faults::MAX_FAULTS;
use super::points::{FIRST_KERNEL_INTERFACE, MAX_POINTS};
use super::{CaptureIntake, Missing};
use crate::correlate::{Correlated, Place};
use crate::model::capture::{CaptureFormat, CapturePoint, Clock, LinkType, PointKind};
use crate::model::exchange::PointId;
use crate::model::report::Capture;
use crate::model::topology::Topology;

impl CaptureIntake {
    /// What is known of each point of the whole that ends with it, and is named `name`;
    /// `missing` says by interface what is of the whole.
    pub fn places(
        &self,
        topology: &Topology,
        name: &str,
        missing: &BTreeMap<u32, Missing>,
    ) -> Vec<(PointId, Place)> {
        let node = self
            .stated
            .as_ref()
            .and_then(|point| point.node.clone())
            .or_else(|| self.header.node.clone());
        let kernel = (FIRST_KERNEL_INTERFACE..).zip(self.kernel_interfaces.iter()).map(
            |(id, (_, index))| {
                let named = self.decoder.find_interface_name(index);
                let name = named.or_else(|| topology.interface_name(node.as_deref(), index));
                (id, Some(name.map_or_else(|| format!("interface {index}"), str::to_owned)))
            },
        );
        let interface_of = |id: u32| {
            let kernel = id.checked_sub(FIRST_KERNEL_INTERFACE);
            let kernel = kernel.and_then(|number| self.kernel_interfaces.get(number));
            kernel.map_or(id, |(interface, _)| interface)
        };
        let is_log = |interface: u32| {
            let header = self.whole_interfaces().get(&interface);
            header.and_then(|header| header.link_type).is_some_and(LinkType::is_log)
        };
        let own = self.whole_interfaces().range(..MAX_POINTS);
        let own = own.map(|(id, header)| (*id, header.name.clone()));
        let shared = [MAX_POINTS, FIRST_KERNEL_INTERFACE + MAX_POINTS].map(|id| (id, None));
        let shared = shared.into_iter().filter(|_| self.shares_point);
        let mut interfaces: Vec<(u32, Option<String>)> = own.chain(kernel).chain(shared).collect();
        if interfaces.is_empty() {
            interfaces.push((0, None));
        }
        let is_single = interfaces.len() == 1;
        let mut places: Vec<(PointId, Place)> = interfaces
            .into_iter()
            .map(|(id, own_name)| {
                let stated = self.stated.as_ref();
                // A capture of several interfaces is not taken at one point, whatever was stated.
                let typed = self.header.point.unwrap_or(PointKind::Unknown);
                let kind = stated.filter(|_| is_single).map_or(typed, |point| point.kind);
                let named = stated.filter(|_| is_single).and_then(|point| point.interface.clone());
                let from_header =
                    self.header.interface.clone().filter(|name| is_single && name != "any");
                let interface = named.or(own_name).or(from_header);
                let point = CapturePoint { kind, node: node.clone(), interface };
                let at = interface_of(id);
                let Missing { lost_packets, unread } =
                    missing.get(&at).cloned().unwrap_or_default();
                let is_log = is_log(at);
                let id = PointId { capture: self.first_part(), interface: id };
                let capture_name = name.to_owned();
                let filter = self.header.filter.clone();
                (id, Place { point, capture_name, lost_packets, unread, is_log, filter })
            })
            .collect();
        for (own, interface) in self.networks.points() {
            let mut known = places.iter();
            if let Some((id, place)) = known.find(|(id, _)| id.interface == interface).cloned() {
                places.push((PointId { interface: own, ..id }, place));
            }
        }
        places
    }

    /// The capture as the report lists it.
    /// `continues` is the name of the capture that it goes on with.
    pub fn summary(self, correlated: &Correlated, continues: Option<String>) -> Capture {
        let points: Vec<_> = correlated
            .points
            .iter()
            .filter(|point| point.id.capture == self.first_part())
            .collect();
        let mut kinds: Vec<PointKind> = points.iter().map(|point| point.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut interfaces: Vec<&str> =
            points.iter().filter_map(|point| point.interface.as_deref()).collect();
        interfaces.sort_unstable();
        interfaces.dedup();
        let stated_interface = self.stated.as_ref().and_then(|point| point.interface.clone());
        let interface = stated_interface
            .or_else(|| (!interfaces.is_empty()).then(|| interfaces.join(", ")))
            .or_else(|| self.header.interface.clone());
        let node = points.iter().find_map(|point| point.node.clone()).or_else(|| {
            self.stated.as_ref().and_then(|point| point.node.clone()).or(self.header.node.clone())
        });
        let unfollowed: u64 = correlated
            .unfollowed_packets
            .iter()
            .filter(|(point, _)| point.capture == self.id)
            .map(|(_, packets)| packets)
            .sum();
        let offset = correlated.clock_offsets.get(&self.first_part());
        Capture {
            format: self.header.format,
            point: if let [kind] = kinds[..] { kind } else { PointKind::Unknown },
            node,
            interface,
            link_types: self.link_types.iter().map(ToString::to_string).collect(),
            clock: self.header.clock,
            packets: self.counts.packets,
            datagrams: self.counts.datagrams,
            icmp_errors: self.counts.icmp_errors,
            bytes: self.counts.bytes,
            first_packet_at: self.counts.span.map(|span| span.earliest),
            last_packet_at: self.counts.span.map(|span| span.latest),
            clock_offset_us: offset.map(|offset| offset.offset_us),
            clock_offset_error_us: offset.and_then(|offset| offset.error_us),
            warnings: self.warnings(unfollowed),
            tunnels: self.counts.tunnels.list(),
            tracked_entries: 0,
            continues,
            name: self.name,
        }
    }

    fn warnings(&self, unfollowed_packets: u64) -> Vec<String> {
        let mut warnings = self.dropped_warnings();
        warnings.extend(self.faults.warnings());
        if unfollowed_packets > 0 {
            warnings.push(format!(
                "{unfollowed_packets} packets of further clients were counted, but not followed: there were too many exchanges at once"
            ));
        }
        if self.shares_point {
            warnings.push(format!(
                "it was taken at more than {MAX_POINTS} interfaces: what was seen at the others is followed as at one, so that addresses that change between them are not told"
            ));
        }
        if self.networks.points().next().is_some() {
            warnings.push(
                "it shows networks that use the same addresses, in several VLANs for example: each is followed by itself".to_owned(),
            );
        }
        warnings.extend(self.counts.tunnels.warning());
        // What these programs say needs no times.
        let what = match self.header.format {
            CaptureFormat::Pcapng => "the capture's first packets have",
            _ => "the text has",
        };
        let tells_all =
            matches!(self.header.format, CaptureFormat::Dig | CaptureFormat::OpenvpnLog);
        let needs_times = !tells_all && self.counts.packets > 0;
        if self.header.clock == Clock::None && needs_times {
            warnings.push(format!("{what} no times, so silence and repetition cannot be judged"));
        }
        warnings.extend_from_slice(&self.notes);
        warnings
    }

    fn dropped_warnings(&self) -> Vec<String> {
        let lost = self.missing.iter().filter(|(_, missing)| missing.lost_packets > 0);
        let listed = lost.take(MAX_FAULTS).map(|(interface, missing)| {
            let header = self.whole_interfaces().get(interface);
            let name = header.and_then(|header| header.name.as_deref());
            let place = name.map(|name| format!(" at {name}")).unwrap_or_default();
            let packets = match missing.lost_packets {
                1 => "a packet".to_owned(),
                more => format!("{more} packets"),
            };
            format!("the capture itself lost {packets}{place}: silence in it proves little")
        });
        listed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{CaptureHeader, InterfaceHeader};
    use crate::model::capture::CaptureId;

    #[test]
    fn lost_packets_and_notes_are_warnings() {
        let header = CaptureHeader::of(CaptureFormat::Pcap, Clock::Absolute);
        let mut capture = CaptureIntake::new(CaptureId(0), "input", None, header);
        let name = Some("eth0".to_owned());
        capture.interface(InterfaceHeader { index: 0, name, link_type: None });
        capture.dropped(0, 5);
        capture.dropped(0, 7);
        capture.dropped(3, 1);
        capture.note("comment on frame 1: look here".to_owned());
        assert_eq!(
            capture.warnings(0),
            [
                "the capture itself lost 12 packets at eth0: silence in it proves little",
                "the capture itself lost a packet: silence in it proves little",
                "comment on frame 1: look here",
            ]
        );
    }
}
