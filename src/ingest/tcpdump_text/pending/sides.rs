//! What the text of a packet's ends says beside the packet itself.

use std::net::IpAddr;

use super::super::address::{Host, find_unknown_service, parse_side};
use super::super::services::is_stand_in;
use super::{Pending, Stage};
use crate::model::endpoint::FlowKey;

impl Pending {
    /// What to say of a port that stands for a name.
    #[must_use]
    pub fn find_stand_in(&self, flow: &FlowKey) -> Option<String> {
        let Stage::Sides { source, destination, .. } = &self.stage else { return None };
        let sides = [(source, flow.source.port), (destination, flow.destination.port)];
        let (name, port) = sides
            .into_iter()
            .filter(|(_, port)| is_stand_in(*port))
            .find_map(|(text, port)| Some((find_unknown_service(text)?, port)))?;
        Some(format!(
            "names the port '{name}', which we do not know: {port} stands for it; run tcpdump with -n"
        ))
    }

    /// Whether no address that the line prints is another one.
    pub(super) fn may_have(&self, (source, destination): (IpAddr, IpAddr)) -> bool {
        if let Stage::Row { row, .. } = &self.stage {
            return row.ends().is_none_or(|ends| ends == (source, destination));
        }
        let Stage::Sides { source: from, destination: to, .. } = &self.stage else { return true };
        [(from, source), (to, destination)].into_iter().all(|(text, address)| {
            match parse_side(text).map(|side| side.host) {
                Ok(Host::Address(printed)) => printed == address,
                // A name, or what was masked.
                Ok(Host::Name(_)) | Err(_) => true,
            }
        })
    }
}
