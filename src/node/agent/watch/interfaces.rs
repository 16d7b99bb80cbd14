//! Where watched devices are captured, and which of them are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use super::super::capture::{self, Policy, StandingFilters};
use super::super::netlink;
use super::devices::Devices;
use crate::node::wire::{Link, Route};

/// Addresses and interfaces that a fault names; the rest is counted.
const MOST_NAMED: usize = 5;

/// Where devices are captured.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The interfaces that are captured, by their index.
    pub links: Vec<Link>,
    /// Those of them through which the node reaches a device, by index.
    leading: BTreeSet<u32>,
    /// All interfaces that there are, by index.
    present: BTreeSet<u32>,
    /// Interfaces for which there is no room.
    left_out: Vec<String>,
    /// Addresses that no captured interface leads to, and why.
    pub uncaptured: BTreeMap<IpAddr, Obstacle>,
    /// The gateway of each device that is behind one.
    gateways: BTreeMap<IpAddr, IpAddr>,
}

/// Why packets of an address are not captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    NoRoute,
    /// The settings forbid the interface that leads there.
    Forbidden(String),
    /// There is no ring left for it.
    NoRoom(String),
}

/// What is different between two looks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Interfaces that are not captured any more, by index.
    pub gone: Vec<u32>,
    /// Those that are captured from now on, by index.
    pub new: Vec<u32>,
    /// Whether packets of devices may have passed by: an interface was there before it
    /// was captured, or is there and is captured no more.
    pub has_gap: bool,
}

/// The interfaces whose names `patterns` give, or without those the ones
/// through which the node reaches the devices. Forbidden ones are left out.
///
/// # Errors
///
/// Where the kernel does not list its links.
pub async fn find(
    patterns: &[String],
    devices: &Devices,
    policy: &Policy,
) -> Result<Places, capture::Error> {
    let mut tables = netlink::Tables::open()?;
    let links = tables.links().await?;
    let mut routes = BTreeMap::new();
    for address in devices.addresses() {
        routes.insert(address, tables.find_route_to(address).await);
    }
    let room = StandingFilters::room_of(routes.len());
    Ok(choose(links, &routes, patterns, policy, room))
}

/// Chooses among `links`; there is room for so many.
fn choose(
    links: Vec<Link>,
    routes: &BTreeMap<IpAddr, Option<Route>>,
    patterns: &[String],
    policy: &Policy,
    room: usize,
) -> Places {
    let way_of = |route: &Option<Route>| route.as_ref()?.interface.clone();
    let ways: BTreeSet<String> = routes.values().filter_map(way_of).collect();
    let mut places =
        Places { present: links.iter().map(|link| link.index).collect(), ..Places::default() };
    let is_wanted = |link: &Link| {
        let is_way = patterns.is_empty() && ways.contains(&link.name);
        is_way || patterns.iter().any(|pattern| matches(pattern, &link.name))
    };
    places.links =
        links.into_iter().filter(|link| is_wanted(link) && policy.allows(&link.name)).collect();
    // Those that lead to devices first: pods come and go, and there may be many.
    places.links.sort_by_key(|link| (!ways.contains(&link.name), link.index));
    let left_out = places.links.split_off(room.min(places.links.len()));
    places.left_out = left_out.into_iter().map(|link| link.name).collect();
    let leads = |link: &&Link| ways.contains(&link.name);
    places.leading = places.links.iter().filter(leads).map(|link| link.index).collect();
    places.links.sort_by_key(|link| link.index);
    for (address, route) in routes {
        if let Some(gateway) = route.as_ref().and_then(|route| route.gateway) {
            places.gateways.insert(*address, gateway);
        }
        // Who names interfaces may watch at a mirror port, to which no route leads.
        if patterns.is_empty()
            && let Some(obstacle) = find_obstacle(way_of(route), &places, policy)
        {
            places.uncaptured.insert(*address, obstacle);
        }
    }
    places
}

fn find_obstacle(way: Option<String>, places: &Places, policy: &Policy) -> Option<Obstacle> {
    let Some(way) = way else { return Some(Obstacle::NoRoute) };
    if places.links.iter().any(|link| link.name == way) {
        return None;
    }
    if !policy.allows(&way) {
        return Some(Obstacle::Forbidden(way));
    }
    Some(if places.left_out.contains(&way) { Obstacle::NoRoom(way) } else { Obstacle::NoRoute })
}

impl Places {
    /// What the kernel shall let through: packets of the devices, and ARP and NDP about
    /// the gateways behind which they are.
    pub fn filters(&self, devices: &Devices) -> StandingFilters {
        let gateway_of = |address: IpAddr| self.gateways.get(&address).copied();
        StandingFilters::new(devices.addresses().map(|address| (address, gateway_of(address))))
    }

    /// What is different at a later look.
    pub fn difference(&self, later: &Self) -> Difference {
        let indices = |places: &Self| -> BTreeSet<(u32, String)> {
            places.links.iter().map(|link| (link.index, link.name.clone())).collect()
        };
        let (before, now) = (indices(self), indices(later));
        let only = |one: &BTreeSet<(u32, String)>, other: &BTreeSet<(u32, String)>| -> Vec<u32> {
            one.difference(other).map(|(index, _)| *index).collect()
        };
        let (gone, new) = (only(&before, &now), only(&now, &before));
        // A pod's cable that is new had no packets before; a way to devices may be one
        // that was moved there.
        let was_there = |index: &u32| self.present.contains(index) || later.leading.contains(index);
        let has_gap =
            new.iter().any(was_there) || gone.iter().any(|index| later.present.contains(index));
        Difference { gone, new, has_gap }
    }

    /// Whether a later look says something else of what is captured and what is not.
    pub fn has_other_news(&self, later: &Self) -> bool {
        let names = |places: &Self| -> Vec<String> {
            places.links.iter().map(|link| link.name.clone()).collect()
        };
        names(self) != names(later)
            || (&self.uncaptured, &self.left_out) != (&later.uncaptured, &later.left_out)
    }

    /// What is not captured, as a sentence.
    pub fn render_fault(&self) -> Option<String> {
        let mut text = String::new();
        let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (address, obstacle) in &self.uncaptured {
            let reason = match obstacle {
                Obstacle::NoRoute => "the node has no route to them".to_owned(),
                Obstacle::Forbidden(way) => {
                    format!("{way}, which leads to them, may not be captured (--interface)")
                }
                Obstacle::NoRoom(way) => format!("there is no room for {way}, which leads to them"),
            };
            by_reason.entry(reason).or_default().push(address.to_string());
        }
        for (reason, addresses) in by_reason {
            // Writing to a string does not fail.
            let _ = write!(text, "; not captured: {}: {reason}", render_list(&addresses));
        }
        if !self.left_out.is_empty() {
            let _ = write!(
                text,
                "; there is no room for the interfaces {}: name fewer devices or interfaces",
                render_list(&self.left_out)
            );
        }
        text.strip_prefix("; ").map(str::to_owned)
    }
}

/// The first names, and how many more there are.
fn render_list(names: &[String]) -> String {
    let mut text = names.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = names.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Whether a name is the pattern, or begins like it where it ends in `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::wire::CaptureLimits;

    fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.to_owned(),
            link_type: "ether".to_owned(),
            state: "UP".to_owned(),
            mtu_bytes: None,
            kind: None,
            peer_index: None,
            peer_namespace: None,
            controller: None,
            addresses: Vec::new(),
        }
    }

    fn route(interface: &str, gateway: Option<&str>) -> Route {
        let gateway = gateway.map(|text| text.parse().unwrap());
        Route {
            kind: "unicast".to_owned(),
            destination: "default".to_owned(),
            gateway,
            interface: Some(interface.to_owned()),
            protocol: "static".to_owned(),
            scope: "global".to_owned(),
            source: None,
            metric: None,
        }
    }

    fn policy(interfaces: &[&str]) -> Policy {
        Policy {
            interfaces: interfaces.iter().map(|name| (*name).to_owned()).collect(),
            allow_everything: false,
            captures: 1,
            limits: CaptureLimits::default(),
        }
    }

    fn names(places: &Places) -> Vec<&str> {
        places.links.iter().map(|link| link.name.as_str()).collect()
    }

    #[test]
    fn devices_that_no_captured_interface_leads_to_are_told() {
        for [near, far, lost, gateway] in [
            ["192.0.2.9", "198.51.100.9", "203.0.113.5", "192.0.2.1"],
            ["2001:db8::9", "2001:db8:1::9", "2001:db8:2::5", "fe80::1"],
        ] {
            let address = |text: &str| -> IpAddr { text.parse().unwrap() };
            let routes = BTreeMap::from([
                (address(near), Some(route("eth0", None))),
                (address(far), Some(route("eth1", Some(gateway)))),
                (address(lost), None),
            ]);
            let links = || vec![link(2, "eth0"), link(3, "eth1"), link(4, "cali1")];
            let places = choose(links(), &routes, &[], &policy(&["eth0"]), 64);
            assert_eq!(names(&places), ["eth0"]);
            let expected = BTreeMap::from([
                (address(far), Obstacle::Forbidden("eth1".to_owned())),
                (address(lost), Obstacle::NoRoute),
            ]);
            assert_eq!(places.uncaptured, expected);
            let fault = places.render_fault().unwrap();
            let forbidden =
                format!("not captured: {far}: eth1, which leads to them, may not be captured");
            assert!(fault.contains(&forbidden), "{fault}");
            assert!(fault.contains(&format!("{lost}: the node has no route to them")), "{fault}");
            // All of them may be: nothing to tell but the one without a route.
            let places = choose(links(), &routes, &[], &policy(&[]), 64);
            assert_eq!(names(&places), ["eth0", "eth1"]);
            assert_eq!(places.uncaptured.keys().collect::<Vec<_>>(), [&address(lost)]);
            assert_eq!(places.gateways, BTreeMap::from([(address(far), address(gateway))]));
            // A mirror port leads nowhere.
            let patterns = ["cali*".to_owned()];
            let places = choose(links(), &routes, &patterns, &policy(&[]), 64);
            assert_eq!((names(&places), places.render_fault()), (vec!["cali1"], None));
        }
    }

    #[test]
    fn where_there_is_no_room_for_all_the_ways_to_devices_are_kept() {
        for device in ["192.0.2.9", "2001:db8::9"] {
            let mut links: Vec<Link> =
                (10..110).map(|index| link(index, &format!("cali{index}"))).collect();
            links.push(link(300, "eth0"));
            let routes = BTreeMap::from([(device.parse().unwrap(), Some(route("eth0", None)))]);
            let patterns = ["eth0".to_owned(), "cali*".to_owned()];
            let places = choose(links, &routes, &patterns, &policy(&[]), 64);
            assert_eq!(places.links.len(), 64);
            assert_eq!(*names(&places).last().unwrap(), "eth0");
            let fault = places.render_fault().unwrap();
            let expected =
                "no room for the interfaces cali73, cali74, cali75, cali76, cali77 and 32 more";
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn only_what_was_there_uncaptured_is_a_gap() {
        let device: IpAddr = "2001:db8::9".parse().unwrap();
        let look = |names: &[(u32, &str)], way: &str, captured: &[&str]| {
            let links = names.iter().map(|(index, name)| link(*index, name)).collect();
            let routes = BTreeMap::from([(device, Some(route(way, None)))]);
            let patterns: Vec<String> = captured.iter().map(|name| (*name).to_owned()).collect();
            choose(links, &routes, &patterns, &policy(&[]), 64)
        };
        let all = ["eth*", "cali*"];
        let before = [(2, "eth0"), (5, "cali1")];
        let first = look(&before, "eth0", &all);
        let cases = [
            // a later look, gone, new, whether packets may have been missed
            (look(&before, "eth0", &all), vec![], vec![], false),
            (
                look(&[(2, "eth0"), (5, "cali1"), (9, "cali2")], "eth0", &all),
                vec![],
                vec![9],
                false,
            ),
            (look(&[(2, "eth0")], "eth0", &all), vec![5], vec![], false),
            // The same name again is another interface.
            (look(&[(2, "eth0"), (9, "cali1")], "eth0", &all), vec![5], vec![9], false),
            // The way to the device moved.
            (look(&[(2, "eth0"), (5, "cali1"), (9, "eth1")], "eth1", &all), vec![], vec![9], true),
            (look(&before, "cali1", &["cali*"]), vec![2], vec![], true),
        ];
        for (number, (later, gone, new, has_gap)) in cases.into_iter().enumerate() {
            let expected = Difference { gone, new, has_gap };
            assert_eq!(first.difference(&later), expected, "case {number}");
        }
        let only_uplink = look(&before, "eth0", &["eth*"]);
        let expected = Difference { gone: vec![], new: vec![5], has_gap: true };
        assert_eq!(only_uplink.difference(&first), expected);
    }
}
