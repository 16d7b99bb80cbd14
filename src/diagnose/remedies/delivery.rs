//! Packets that were dropped between two capture points.

use std::net::IpAddr;

use super::commands::{conntrack_family, ip, iptables};
use crate::diagnose::reading::{LostFollowUp, LostReply, LostRequest, Reading};
use crate::diagnose::wording::{place, plain_name};
use crate::model::capture::PointKind;
use crate::model::exchange::PointId;
use crate::model::finding::Remedy;

/// Where a request is dropped on its way to the server.
#[must_use]
pub fn lost_request(reading: &Reading<'_>, lost: &LostRequest<'_>) -> Remedy {
    let seen = reading.place_of(lost.seen);
    let missed = place(lost.missed);
    let mut commands = drop_rules(reading);
    let client = reading.exchange.client.address;
    if let Some(asked) = lost.seen.asked {
        commands.extend(route(reading, client, asked.address, lost.seen.point));
        commands.push(list_entries(client, asked.address));
    }
    Remedy {
        title: format!("Find what drops the request between {seen} and {missed}"),
        steps: vec![
            format!("{}: see which rule counts the request, while it is repeated. A network policy that does not list this sender is the most common one.", host(reading, lost.seen.point)),
            "See to which pod connection tracking sends it: an entry that names another pod, or one that is gone, takes it away from this one.".to_owned(),
            "The counter of the reverse path filter grows where the kernel does not expect this sender on this interface. Not tried here.".to_owned(),
        ],
        commands,
    }
}

/// Where follow-ups are dropped on their way to the server.
#[must_use]
pub fn lost_follow_up(reading: &Reading<'_>, lost: &LostFollowUp<'_>) -> Remedy {
    let seen = reading.place_of(lost.seen);
    let missed = reading.place_of(lost.missed);
    let to = lost.follow_ups.destination;
    let client = lost.follow_ups.source.address;
    let mut commands = vec![list_entries(client, to.address)];
    commands.extend(drop_rules(reading));
    commands.extend(route(reading, client, to.address, lost.seen.point));
    Remedy {
        title: format!("Find what drops the follow-ups between {seen} and {missed}"),
        steps: vec![
            format!(
                "{}: see whether connection tracking has an entry that leads from {to} to the pod. Without one the follow-ups end on the node.",
                host(reading, lost.seen.point)
            ),
            format!(
                "A rule or network policy that opens only the port first asked drops what goes to port {}: allow the server's new ports, or related packets.",
                to.port
            ),
            "Not tried here.".to_owned(),
        ],
        commands,
    }
}

/// Where replies are dropped on their way to the client.
#[must_use]
pub fn lost_reply(reading: &Reading<'_>, lost: &LostReply<'_>) -> Remedy {
    let seen = reading.place_of(lost.seen);
    let missed = reading.place_of(lost.missed);
    let source = lost.reply.source.address;
    let client = reading.exchange.client.address;
    let mut commands = drop_rules(reading);
    commands.extend(route(reading, source, client, lost.seen.point));
    commands
        .push(format!("conntrack -L -f {} -p udp --orig-dst {client}", conntrack_family(client)));
    Remedy {
        title: format!("Find what drops the answer between {seen} and {missed}"),
        steps: vec![
            format!(
                "{}: see which rule counts the answer, while the request is repeated. An answer from a new port is a new flow to the firewall: a policy that lets only known flows out drops it.",
                host(reading, lost.missed.point)
            ),
            format!(
                "See by which interface the answer leaves: if it is another than that of {missed}, capture there too."
            ),
            "Not tried here.".to_owned(),
        ],
        commands,
    }
}

/// The entries of connection tracking for what `client` asks of `asked`.
fn list_entries(client: IpAddr, asked: IpAddr) -> String {
    let family = conntrack_family(client);
    format!("conntrack -L -f {family} -p udp --orig-src {client} --orig-dst {asked}")
}

/// What drops packets without a word: rules, policies, and the reverse path filter.
fn drop_rules(reading: &Reading<'_>) -> Vec<String> {
    let client = reading.exchange.client.address;
    let mut commands = vec![
        "nft list ruleset | grep -nE 'drop|reject'".to_owned(),
        format!("{}-save -c | grep -nE -- '-j (DROP|REJECT)'", iptables(client)),
        "kubectl get networkpolicies -A".to_owned(),
    ];
    // Linux filters by reverse path in IPv4 only; for IPv6 it is a rule like others.
    if client.is_ipv4() {
        commands.push("nstat -az TcpExtIPReversePathFilter".to_owned());
    }
    commands
}

/// What the kernel would do with a packet that comes in at a point.
fn route(reading: &Reading<'_>, from: IpAddr, to: IpAddr, at: PointId) -> Option<String> {
    let point = reading.points.iter().find(|point| point.id == at)?;
    let interface = point.interface.as_deref().and_then(plain_name);
    if !matches!(point.kind, PointKind::Host | PointKind::Pod) {
        return None;
    }
    let interface = interface.map_or_else(String::new, |name| format!(" iif {name}"));
    Some(format!("{} route get {to} from {from}{interface}", ip(to)))
}

fn host(reading: &Reading<'_>, at: PointId) -> String {
    let point = reading.points.iter().find(|point| point.id == at);
    let node = point.and_then(|point| point.node.as_deref()).and_then(plain_name);
    match (point.map(|point| point.kind), node) {
        (Some(PointKind::Device), _) => "On the network between the device and the node".to_owned(),
        (_, Some(node)) => format!("On {node}"),
        (_, None) => "On the node".to_owned(),
    }
}
