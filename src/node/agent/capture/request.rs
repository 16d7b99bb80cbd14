//! What a capture may ask for.

use std::collections::BTreeSet;

use super::program::{MAX_DEVICES, MAX_NEXT_HOPS, MAX_PORTS, Selection};
use crate::node::wire::{CaptureFilter, CaptureInterface, CaptureLimits, CaptureRequest};

/// Interfaces of one capture: each has a ring.
pub const MAX_INTERFACES: usize = 16;

/// Snap lengths that are allowed: less has no ports, more no packet has.
const SNAP_LENGTH_BYTES: std::ops::RangeInclusive<u32> = 64..=65_535;

/// What the agent's settings allow.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Interfaces that may be captured: names, or their beginnings with `*`. None: all.
    pub interfaces: Vec<String>,
    pub allow_everything: bool,
    /// Captures at the same time.
    pub captures: u32,
    /// What one capture may not exceed.
    pub limits: CaptureLimits,
}

/// Why a capture is refused for what it asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Malformed(String),
    #[error(
        "the capture of every packet at {0} is refused: a filter needs an address in 'devices' or a port in 'ports'"
    )]
    Unfiltered(String),
    #[error("the settings of this agent allow no capture of every packet")]
    EverythingForbidden,
    #[error("the settings of this agent allow no capture at {0}")]
    InterfaceForbidden(String),
}

impl Policy {
    /// Whether the settings allow captures at an interface.
    #[must_use]
    pub fn allows(&self, interface: &str) -> bool {
        self.interfaces.is_empty()
            || self.interfaces.iter().any(|allowed| match allowed.strip_suffix('*') {
                Some(beginning) => interface.starts_with(beginning),
                None => interface == allowed,
            })
    }

    /// The limits that hold for a request.
    #[must_use]
    pub fn limit(&self, asked: CaptureLimits) -> CaptureLimits {
        CaptureLimits {
            seconds: asked.seconds.min(self.limits.seconds),
            packets: asked.packets.min(self.limits.packets),
            bytes: asked.bytes.min(self.limits.bytes),
        }
    }

    /// Checks a request, and says what is captured at each of its interfaces.
    ///
    /// # Errors
    ///
    /// Where it is malformed, or the settings do not allow it.
    pub fn check<'a>(
        &self,
        request: &'a CaptureRequest,
    ) -> Result<Vec<(&'a str, Selection<'a>)>, Refusal> {
        let malformed = |text: String| Err(Refusal::Malformed(text));
        if request.interfaces.is_empty() || request.interfaces.len() > MAX_INTERFACES {
            return malformed(format!(
                "expected 1 to {MAX_INTERFACES} interfaces, found {}",
                request.interfaces.len()
            ));
        }
        if !SNAP_LENGTH_BYTES.contains(&request.snap_length_bytes) {
            return malformed(format!(
                "expected a snap_length_bytes from {} to {}, found {}",
                SNAP_LENGTH_BYTES.start(),
                SNAP_LENGTH_BYTES.end(),
                request.snap_length_bytes
            ));
        }
        let limits = request.limits;
        if limits.seconds == 0 || limits.packets == 0 || limits.bytes == 0 {
            return malformed("expected limits of at least 1, found 0".to_owned());
        }
        let mut names = BTreeSet::new();
        let mut selections = Vec::with_capacity(request.interfaces.len());
        for interface in &request.interfaces {
            let name = interface.name.as_str();
            if !names.insert(name) {
                return malformed(format!("the interface {name} is there twice"));
            }
            selections.push((name, self.select(request, interface)?));
        }
        Ok(selections)
    }

    fn select<'a>(
        &self,
        request: &'a CaptureRequest,
        interface: &'a CaptureInterface,
    ) -> Result<Selection<'a>, Refusal> {
        if !self.allows(&interface.name) {
            return Err(Refusal::InterfaceForbidden(interface.name.clone()));
        }
        let filter = interface.filter.as_ref().or(request.filter.as_ref());
        if let Some(filter) = filter {
            check_sizes(filter)?;
            if !filter.devices.is_empty() || !filter.ports.is_empty() {
                return Ok(Selection::Filter(filter));
            }
        }
        match (request.everything, self.allow_everything) {
            (false, _) => Err(Refusal::Unfiltered(interface.name.clone())),
            (true, false) => Err(Refusal::EverythingForbidden),
            (true, true) => Ok(Selection::Everything),
        }
    }
}

fn check_sizes(filter: &CaptureFilter) -> Result<(), Refusal> {
    for (name, found, limit) in [
        ("devices", filter.devices.len(), MAX_DEVICES),
        ("next_hops", filter.next_hops.len(), MAX_NEXT_HOPS),
        ("ports", filter.ports.len(), MAX_PORTS),
    ] {
        if found > limit {
            let text = format!("expected at most {limit} {name} in a filter, found {found}");
            return Err(Refusal::Malformed(text));
        }
    }
    // It would match what has no address yet: not what anybody means.
    if filter.devices.iter().any(std::net::IpAddr::is_unspecified) {
        return Err(Refusal::Malformed(
            "expected addresses in devices, found an unspecified one".to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        interfaces: Vec::new(),
        allow_everything: false,
        captures: 1,
        limits: CaptureLimits { seconds: 10, packets: 100, bytes: 1_000 },
    };

    fn request(json: &str) -> CaptureRequest {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn unbounded_and_forbidden_captures_are_refused() {
        let device = r#""filter": {"devices": ["2001:db8::9"]}"#;
        let cases = [
            (format!(r#"{{"interfaces": [{{"name": "eth0"}}], {device}}}"#), None),
            (r#"{"interfaces": [{"name": "eth0", "filter": {"ports": [69]}}]}"#.to_owned(), None),
            (
                r#"{"interfaces": [{"name": "eth0"}]}"#.to_owned(),
                Some("needs an address in 'devices' or a port in 'ports'"),
            ),
            (
                r#"{"interfaces": [{"name": "eth0"}], "filter": {}}"#.to_owned(),
                Some("the capture of every packet at eth0 is refused"),
            ),
            (
                r#"{"interfaces": [{"name": "eth0"}], "everything": true}"#.to_owned(),
                Some("allow no capture of every packet"),
            ),
            (
                format!(r#"{{"interfaces": [{{"name": "wlan0"}}], {device}}}"#),
                Some("allow no capture at wlan0"),
            ),
            (r#"{"interfaces": []}"#.to_owned(), Some("expected 1 to 16 interfaces, found 0")),
            (
                format!(r#"{{"interfaces": [{{"name": "eth0"}}, {{"name": "eth0"}}], {device}}}"#),
                Some("eth0 is there twice"),
            ),
            (
                format!(
                    r#"{{"interfaces": [{{"name": "eth0"}}], "snap_length_bytes": 9, {device}}}"#
                ),
                Some("found 9"),
            ),
            (
                format!(
                    r#"{{"interfaces": [{{"name": "eth0"}}], "limits": {{"packets": 0}}, {device}}}"#
                ),
                Some("found 0"),
            ),
            (
                r#"{"interfaces": [{"name": "eth0"}], "filter": {"devices": ["::"]}}"#.to_owned(),
                Some("unspecified"),
            ),
        ];
        let policy = Policy { interfaces: vec!["eth0".into(), "cali*".into()], ..POLICY };
        for (json, expected) in cases {
            let request = request(&json);
            let found = policy.check(&request).err().map(|error| error.to_string());
            match expected {
                None => assert_eq!(found, None, "{json}"),
                Some(part) => assert!(found.is_some_and(|text| text.contains(part)), "{json}"),
            }
        }
    }

    #[test]
    fn everything_needs_both_sides() {
        let request = request(r#"{"interfaces": [{"name": "eth0"}], "everything": true}"#);
        let policy = Policy { allow_everything: true, ..POLICY };
        assert!(matches!(policy.check(&request).unwrap()[..], [("eth0", Selection::Everything)]));
        assert_eq!(policy.limit(CaptureLimits::default()), POLICY.limits);
    }

    #[test]
    fn interfaces_are_allowed_by_name_or_beginning() {
        let policy = Policy { interfaces: vec!["eth0".into(), "cali*".into()], ..POLICY };
        for (name, expected) in [
            ("eth0", true),
            ("eth01", false),
            ("cali928cc4cd898", true),
            ("xcali", false),
            ("lo", false),
        ] {
            assert_eq!(policy.allows(name), expected, "{name}");
        }
        assert!(POLICY.allows("lo"));
    }
}
