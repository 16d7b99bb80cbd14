//! Lines of `cilium monitor`, as `DumpInfo` of its `pkg/monitor` prints them:
//!
//! - `-> endpoint 3978 flow 0x5d , identity 2->1616 state new ifindex lxc1 orig-ip …: 192.0.2.9:5 -> 198.51.100.7:69 udp`
//! - `xx drop (Policy denied) flow 0x0 to endpoint 0, …: 192.0.2.9:5 -> 198.51.100.7:69 udp`
//! - `Policy verdict log: flow 0x0 local EP ID 4, …, action deny, …, 192.0.2.9:5 -> 198.51.100.7:69 udp`

use super::event::{Carries, Fate, FlowEvent, Party, Side, find_icmp_error};

/// What a trace line begins with, the observation point, and its side.
const TRACES: [(&str, &str); 14] = [
    ("-> endpoint ", "to-endpoint"),
    ("-> proxy ", "to-proxy"),
    ("-> host ", "to-host"),
    ("-> stack ", "to-stack"),
    ("-> overlay ", "to-overlay"),
    ("-> network ", "to-network"),
    ("-> crypto ", "to-crypto"),
    ("<- endpoint ", "from-endpoint"),
    ("<- proxy ", "from-proxy"),
    ("<- host ", "from-host"),
    ("<- stack ", "from-stack"),
    ("<- overlay ", "from-overlay"),
    ("<- network ", "from-network"),
    ("<- crypto ", "from-crypto"),
];

/// Reads a line.
pub(super) fn find_monitor(text: &str) -> Option<FlowEvent> {
    let text = skip_node(text.trim());
    if !text.contains("flow 0x") {
        return None;
    }
    let (point, fate) = find_point(text)?;
    let (before, behind) = text.rsplit_once(" -> ")?;
    let source = before.split_whitespace().last()?;
    let (destination, summary) = behind.split_once(' ').unwrap_or((behind, ""));
    let state = text.split_once(" state ").and_then(|(_, rest)| rest.split_whitespace().next());
    let side = match fate {
        Fate::Dropped if point.starts_with("Policy") => Side::Endpoint,
        _ => Side::of_point(&point),
    };
    Some(FlowEvent {
        stamp: None,
        source: Party::find(source)?,
        destination: Party::find(destination)?,
        carries: carries(summary),
        side,
        point,
        fate,
        is_reply: state.and_then(is_reply_state),
    })
}

/// Whether connection tracking calls a packet an answer.
pub(super) fn is_reply_state(state: &str) -> Option<bool> {
    match state {
        "reply" => Some(true),
        "established" => Some(false),
        // `<- endpoint` says new of every packet: nothing was looked up yet.
        _ => None,
    }
}

/// `[cilium-x7k2p] ` of programs that follow the monitors of all nodes.
fn skip_node(text: &str) -> &str {
    let behind = text.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    behind.map_or(text, |(_, rest)| rest.trim_start())
}

/// Whether the program prints such a line beside its events.
pub(super) fn is_notice(text: &str) -> bool {
    const LEADS: [&str; 6] =
        ["Listening for events", "Press Ctrl-C", "level=", "time=", "CPU ", ">> "];
    let text = text.trim();
    LEADS.iter().any(|lead| text.starts_with(lead))
}

fn find_point(text: &str) -> Option<(String, Fate)> {
    if let Some(rest) = text.strip_prefix("xx drop (") {
        // Reasons have brackets, too: `Policy denied (L3)`.
        let (reason, _) = rest.split_once(") flow 0x")?;
        return Some((reason.to_owned(), Fate::Dropped));
    }
    if let Some(rest) = text.strip_prefix("Policy verdict log: ") {
        let is_denied = rest.contains("action deny");
        let fate = if is_denied { Fate::Dropped } else { Fate::Forwarded };
        let point = if is_denied { "Policy denied" } else { "policy-verdict" };
        return Some((point.to_owned(), fate));
    }
    TRACES
        .iter()
        .find(|(lead, _)| text.starts_with(lead))
        .map(|(_, point)| ((*point).to_owned(), Fate::Forwarded))
}

fn carries(summary: &str) -> Carries {
    let summary = summary.trim();
    if summary == "udp" || summary.starts_with("udp ") {
        return Carries::Udp;
    }
    find_icmp_error(summary).map_or(Carries::Other, Carries::IcmpError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_the_monitor_are_read() {
        let udp = |source, destination, point: &str, fate| {
            Some((
                Party::find(source).unwrap(),
                Party::find(destination).unwrap(),
                Carries::Udp,
                point.to_owned(),
                fate,
            ))
        };
        let cases = [
            (
                "-> endpoint 419 flow 0x8e1ede6c , identity 1->31253 state new ifindex lxc456 orig-ip 192.0.2.9: 192.0.2.9:45072 -> 198.51.100.7:69 udp",
                udp("192.0.2.9:45072", "198.51.100.7:69", "to-endpoint", Fate::Forwarded),
            ),
            (
                "<- endpoint 419 flow 0xbb87db6e identity 31253->0 state new ifindex 0: [2001:db8::7]:33445 -> [2001:db8::9]:45072 udp",
                udp("[2001:db8::7]:33445", "[2001:db8::9]:45072", "from-endpoint", Fate::Forwarded),
            ),
            (
                "-> host from flow 0xbb identity 31253->1 state reply ifindex cilium_net: 198.51.100.7:33445 -> 192.0.2.9:45072 udp",
                udp("198.51.100.7:33445", "192.0.2.9:45072", "to-host", Fate::Forwarded),
            ),
            (
                "xx drop (Policy denied (L3)) flow 0xdd1bea99 to endpoint 0, identity 5->7479: 192.0.2.9:38631 -> 198.51.100.7:69 udp",
                udp("192.0.2.9:38631", "198.51.100.7:69", "Policy denied (L3)", Fate::Dropped),
            ),
            (
                "xx drop (No mapping for NAT masquerade) flow 0x0 to endpoint 0, ifindex 2, file nodeport.h:1362, , identity unknown->unknown: [2001:db8::7]:69 -> [2001:db8::9]:5 udp",
                udp(
                    "[2001:db8::7]:69",
                    "[2001:db8::9]:5",
                    "No mapping for NAT masquerade",
                    Fate::Dropped,
                ),
            ),
            (
                "Policy verdict log: flow 0x0 local EP ID 4, remote ID 5, proto 17, ingress, action deny, match none, 192.0.2.9:5 -> 198.51.100.7:69 udp",
                udp("192.0.2.9:5", "198.51.100.7:69", "Policy denied", Fate::Dropped),
            ),
            ("-> endpoint 5 it goes", None),
            ("xx drop (a) flow 0x0", None),
            ("the flow 0x1 192.0.2.1:5 -> 192.0.2.2:69 udp", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let actual = find_monitor(text).map(|event| {
                (event.source, event.destination, event.carries, event.point, event.fate)
            });
            assert_eq!(actual, expected, "{text}");
        }
        let icmp = "-> endpoint 1 flow 0x0 , identity 1->2 state related ifindex lxc1: 2001:db8::1 -> 2001:db8::7 DestinationUnreachable(PortUnreachable)";
        let event = find_monitor(icmp).unwrap();
        assert!(matches!(event.carries, Carries::IcmpError(_)));
        assert_eq!(event.source.port, None);
    }
}
