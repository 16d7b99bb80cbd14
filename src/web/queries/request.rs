//! What is asked of a node, and what is refused before an agent hears of it.

use std::collections::HashSet;
use std::net::IpAddr;

use super::agent_failed;
use super::plan::MOST_INTERFACES;
use crate::node::client::AgentClient;
use crate::web::error::Error;

/// Addresses of one device, and ports, as agents take them.
pub(super) const MOST_ADDRESSES: usize = 32;
const MOST_PORTS: usize = 64;

/// Names of interfaces in Linux are shorter than this (`IFNAMSIZ`).
const INTERFACE_NAME_BYTES: usize = 16;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRequest {
    pub node: String,
    /// Needed where several clusters have a node of this name.
    pub cluster: Option<String>,
    pub device: IpAddr,
    /// More addresses of the device; those of its newest report count as well.
    pub addresses: Vec<IpAddr>,
    pub duration_s: u32,
    /// None: those that matter to the device.
    pub interfaces: Vec<String>,
    /// None: all.
    pub ports: Vec<u16>,
}

/// Whether the agent is asked before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preflight {
    /// What it would refuse is refused at once.
    AskFirst,
    /// The answer is due at once; the query's state tells the rest.
    Trust,
}

impl QueryRequest {
    /// Refuses what no agent takes, or more than the settings allow: seconds at the most.
    pub(super) fn checked(mut self, longest_s: u32) -> Result<Self, Error> {
        let bad = |text: String| Err(Error::BadBody(text));
        if !(1..=longest_s).contains(&self.duration_s) {
            return bad(format!("duration_s is {}; expected 1 to {longest_s}", self.duration_s));
        }
        self.device = self.device.to_canonical();
        for address in &mut self.addresses {
            *address = address.to_canonical();
        }
        for address in self.addresses.iter().chain([&self.device]) {
            if address.is_unspecified() || address.is_multicast() {
                return bad(format!("{address} is not the address of one device"));
            }
        }
        for (name, found, most) in [
            ("addresses", self.addresses.len() + 1, MOST_ADDRESSES),
            ("interfaces", self.interfaces.len(), MOST_INTERFACES),
            ("ports", self.ports.len(), MOST_PORTS),
        ] {
            if found > most {
                return bad(format!("{found} {name} are asked for; expected at most {most}"));
            }
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() < INTERFACE_NAME_BYTES
                && name.chars().all(|sign| sign.is_ascii_graphic() && sign != '/')
        };
        if let Some(name) = self.interfaces.iter().find(|name| !is_name(name)) {
            let name: String = name.chars().take(40).collect();
            return bad(format!("'{name}' is not the name of an interface"));
        }
        if self.ports.contains(&0) {
            return bad("0 is not a port of any packet; expected 1 to 65535".to_owned());
        }
        let mut seen = HashSet::new();
        self.interfaces.retain(|name| seen.insert(name.clone()));
        Ok(self)
    }
}

/// Asks the agent what it would say to the capture.
pub(super) async fn ask_first(
    agents: &AgentClient,
    agent: &str,
    node: &str,
    request: &QueryRequest,
) -> Result<(), Error> {
    let status = agents.status(agent).await.map_err(|error| agent_failed(node, error))?;
    for name in &request.interfaces {
        let found = status.interfaces.iter().find(|one| one.name == *name);
        let reason = match found {
            None => format!("it has no interface {name}"),
            Some(one) if !one.may_capture => {
                format!("its settings allow no capture at {name}")
            }
            Some(_) => continue,
        };
        return Err(Error::AgentRefused { node: node.to_owned(), reason });
    }
    Ok(())
}
