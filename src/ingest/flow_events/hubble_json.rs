//! `hubble observe -o jsonpb`, the exporter's log, and `-o json` of old
//! versions: one flow on a line. Also `cilium monitor --json`.

use std::net::IpAddr;

use serde_json::Value;

use super::event::{Carries, Fate, FlowEvent, Party, Side, Who, find_icmp_error};
use super::hubble_line::carries;
use crate::ingest::tcpdump_text::find_stamp;
use crate::model::capture::CaptureFormat;

/// What one line of JSON says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonLine {
    Flow {
        event: FlowEvent,
        /// Addresses of pods by `namespace/name`.
        pods: Vec<(IpAddr, String)>,
    },
    /// This many events were lost.
    Lost(u64),
    /// A node's state, or a flow without addresses.
    Other,
}

/// Whether a line can be one of these; cheap, and sure enough to read it.
pub(super) fn looks_like_json(text: &str) -> bool {
    // An array may begin in the same line.
    let text = text.trim_start().trim_start_matches(['[', ' ']);
    if !text.starts_with("{\"") {
        return false;
    }
    let has = |key: &str| text.contains(key);
    (has("\"verdict\":") && has("\"IP\":"))
        || (has("\"observationPoint\":") && has("\"summary\":"))
        || (text.starts_with("{\"cpu\":") && has("\"reason\":") && has("\"summary\":"))
        || text.starts_with("{\"flow\":{")
        || text.starts_with("{\"lost_events\":{")
        || text.starts_with("{\"node_status\":{")
}

/// Which program printed a line that looks like JSON.
pub(super) fn program_of(text: &str) -> CaptureFormat {
    let is_monitor = text.contains("{\"cpu\":") || text.contains("observationPoint");
    if is_monitor { CaptureFormat::CiliumMonitor } else { CaptureFormat::Hubble }
}

/// Which program's event an object is, of which the first lines are there; `None` where
/// they do not tell yet.
pub(super) fn find_spread_event(text: &str) -> Option<CaptureFormat> {
    let last = text.trim_end().lines().next_back()?.trim();
    if looks_like_json(last) {
        // An array with an event in each line.
        return Some(program_of(last));
    }
    let key = last.strip_prefix('"')?.split('"').next()?;
    let has = |key: &str| text.contains(key);
    match key {
        "flow" | "lost_events" | "node_status" => {
            // Nothing but brackets stands before it.
            let before = text.trim_end().strip_suffix(last)?;
            let is_first = before.chars().all(|c| c.is_whitespace() || matches!(c, '[' | '{'));
            (is_first && last.ends_with('{')).then_some(CaptureFormat::Hubble)
        }
        "IP" | "verdict" if has("\"verdict\"") && has("\"IP\"") => Some(CaptureFormat::Hubble),
        "summary" if has("\"cpu\"") && (has("\"observationPoint\"") || has("\"reason\"")) => {
            Some(CaptureFormat::CiliumMonitor)
        }
        _ => None,
    }
}

/// Reads a line.
///
/// # Errors
///
/// Where it is no JSON, or an address or port in it cannot be read.
pub(super) fn parse_json(text: &str) -> Result<JsonLine, String> {
    let value: Value = serde_json::from_str(text.trim())
        .map_err(|error| format!("expected one JSON object on the line: {error}"))?;
    if let Some(lost) = value.pointer("/lost_events/num_events_lost") {
        let count = lost.as_u64().or_else(|| lost.as_str()?.parse().ok());
        return Ok(count.map_or(JsonLine::Other, JsonLine::Lost));
    }
    if value.get("summary").is_some_and(Value::is_object) {
        return Ok(read_monitor(&value));
    }
    let flow = value.get("flow").unwrap_or(&value);
    if flow.get("IP").is_none() {
        return Ok(JsonLine::Other);
    }
    read_flow(flow, &value)
}

fn read_flow(flow: &Value, line: &Value) -> Result<JsonLine, String> {
    let address = |member: &str| {
        let text = text_at(flow, &format!("/IP/{member}")).unwrap_or_default();
        text.parse::<IpAddr>()
            .map(|address| address.to_canonical())
            .map_err(|_| format!("expected an address as IP.{member}, found '{text}'"))
    };
    let (source, destination) = (address("source")?, address("destination")?);
    let carries = read_protocol(flow);
    let port = |member: &str| -> Option<u16> {
        // Protobuf leaves a member out that is zero.
        flow.pointer(&format!("/l4/UDP/{member}"))?.as_u64()?.try_into().ok()
    };
    let (point, side, fate) = read_fate(flow);
    let stamp = text_at(flow, "/time").or_else(|| text_at(line, "/time"));
    let event = FlowEvent {
        stamp: stamp.and_then(find_stamp).map(|(stamp, _)| stamp),
        source: Party { who: Who::Address(source), port: port("source_port") },
        destination: Party { who: Who::Address(destination), port: port("destination_port") },
        carries,
        point,
        side,
        fate,
        is_reply: flow.get("is_reply").and_then(Value::as_bool),
    };
    let pods = [(source, "source"), (destination, "destination")]
        .into_iter()
        .filter_map(|(address, member)| Some((address, find_pod(flow.get(member)?)?)))
        .collect();
    Ok(JsonLine::Flow { event, pods })
}

fn read_protocol(flow: &Value) -> Carries {
    if flow.get("l7").is_some_and(Value::is_object) {
        return Carries::Other;
    }
    if flow.pointer("/l4/UDP").is_some() {
        return Carries::Udp;
    }
    let summary = text_at(flow, "/Summary").unwrap_or_default();
    if flow.pointer("/l4/ICMPv4").is_some() || flow.pointer("/l4/ICMPv6").is_some() {
        return carries(summary);
    }
    Carries::Other
}

/// The observation point or the reason, and what became of the packet.
fn read_fate(flow: &Value) -> (String, Side, Fate) {
    let verdict = text_at(flow, "/verdict").unwrap_or_default();
    if matches!(verdict, "DROPPED" | "ERROR") {
        let reason = text_at(flow, "/drop_reason_desc")
            .map_or_else(|| "a reason that is not told".to_owned(), readable);
        let side = if reason.starts_with("Policy") { Side::Endpoint } else { Side::Network };
        return (reason, side, Fate::Dropped);
    }
    if matches!(verdict, "TRACED" | "TRANSLATED") || text_at(flow, "/Type") == Some("SOCK") {
        return (String::new(), Side::Network, Fate::NoPacket);
    }
    let point = text_at(flow, "/trace_observation_point").map_or_else(
        || "policy-verdict".to_owned(),
        |token| token.to_lowercase().replace('_', "-"),
    );
    let side = Side::of_point(&point);
    (point, side, Fate::Forwarded)
}

/// `NO_MAPPING_FOR_NAT_MASQUERADE` as the text output writes it.
fn readable(token: &str) -> String {
    const CAPITALS: [&str; 4] = ["NAT", "IP", "DSR", "SNAT"];
    let words = token.split('_').enumerate().map(|(at, word)| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        match at {
            _ if CAPITALS.contains(&word) => word.to_owned(),
            0 => format!("{first}{}", rest.to_lowercase()),
            _ => word.to_lowercase(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn find_pod(endpoint: &Value) -> Option<String> {
    let pod = text_at(endpoint, "/pod_name")?;
    Some(match text_at(endpoint, "/namespace") {
        Some(namespace) => format!("{namespace}/{pod}"),
        None => pod.to_owned(),
    })
}

/// `cilium monitor --json`.
fn read_monitor(value: &Value) -> JsonLine {
    let party = |end: &str| {
        let address = text_at(value, &format!("/summary/l3/{end}"))?.parse::<IpAddr>().ok()?;
        let port = text_at(value, &format!("/summary/l4/{end}")).and_then(|port| port.parse().ok());
        Some(Party { who: Who::Address(address.to_canonical()), port })
    };
    let (Some(source), Some(destination)) = (party("src"), party("dst")) else {
        return JsonLine::Other;
    };
    let is_drop = text_at(value, "/type") == Some("drop");
    let point = text_at(value, if is_drop { "/reason" } else { "/observationPoint" });
    let point = point.unwrap_or_default().to_owned();
    let icmp = ["/summary/icmpv4", "/summary/icmpv6"]
        .into_iter()
        .find_map(|pointer| find_type_code(text_at(value, pointer)?));
    let carries = if value.pointer("/summary/udp").is_some() {
        Carries::Udp
    } else {
        icmp.and_then(find_icmp_error).map_or(Carries::Other, Carries::IcmpError)
    };
    let side = match (is_drop, point.starts_with("Policy")) {
        (true, true) => Side::Endpoint,
        _ => Side::of_point(&point),
    };
    let is_reply = (text_at(value, "/state") == Some("reply")).then_some(true);
    let fate = if is_drop { Fate::Dropped } else { Fate::Forwarded };
    let event =
        FlowEvent { stamp: None, source, destination, carries, point, side, fate, is_reply };
    JsonLine::Flow { event, pods: Vec::new() }
}

/// `ICMPv4 {… TypeCode=DestinationUnreachable(Port) …}`.
fn find_type_code(layer: &str) -> Option<&str> {
    let (_, rest) = layer.split_once("TypeCode=")?;
    rest.split_whitespace().next()
}

fn text_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_in_json_are_read() {
        for (client, pod) in [("192.0.2.9", "198.51.100.7"), ("2001:db8::9", "2001:db8:1::7")] {
            let flow = |more: &str| {
                format!(
                    r#"{{"flow":{{"time":"2024-11-18T07:19:25.894123456Z","IP":{{"source":"{client}","destination":"{pod}","ipVersion":"IPv4"}},"l4":{{"UDP":{{"source_port":5000,"destination_port":69}}}},"source":{{"identity":2,"labels":["reserved:world"]}},"destination":{{"ID":394,"identity":18623,"namespace":"default","pod_name":"tftp-0"}},"Type":"L3_L4","node_name":"node1",{more}}},"node_name":"node1","time":"2024-11-18T07:19:25.894123456Z"}}"#
                )
            };
            let cases = [
                (
                    r#""verdict":"FORWARDED","is_reply":false,"trace_observation_point":"TO_ENDPOINT""#,
                    ("to-endpoint", Side::Endpoint, Fate::Forwarded, Some(false)),
                ),
                (
                    r#""verdict":"FORWARDED","trace_observation_point":"TO_NETWORK""#,
                    ("to-network", Side::Network, Fate::Forwarded, None),
                ),
                (
                    r#""verdict":"DROPPED","drop_reason":133,"drop_reason_desc":"POLICY_DENIED""#,
                    ("Policy denied", Side::Endpoint, Fate::Dropped, None),
                ),
                (
                    r#""verdict":"DROPPED","drop_reason_desc":"NO_MAPPING_FOR_NAT_MASQUERADE""#,
                    ("No mapping for NAT masquerade", Side::Network, Fate::Dropped, None),
                ),
                (r#""verdict":"TRACED""#, ("", Side::Network, Fate::NoPacket, None)),
            ];
            for (more, expected) in cases {
                let text = flow(more);
                assert!(looks_like_json(&text));
                let JsonLine::Flow { event, pods } = parse_json(&text).unwrap() else {
                    panic!("{text}");
                };
                let actual = (event.point.as_str(), event.side, event.fate, event.is_reply);
                assert_eq!(actual, expected, "{more}");
                assert_eq!(event.source.port, Some(5000));
                assert_eq!(event.carries, Carries::Udp);
                assert_eq!(pods, [(pod.parse().unwrap(), "default/tftp-0".to_owned())]);
            }
            let monitor = format!(
                r#"{{"cpu":"CPU 01:","type":"drop","mark":"0x1","reason":"Policy denied","source":1,"bytes":60,"summary":{{"udp":"UDP {{}}","l3":{{"src":"{client}","dst":"{pod}"}},"l4":{{"src":"5000","dst":"69"}}}}}}"#
            );
            assert!(looks_like_json(&monitor));
            let JsonLine::Flow { event, .. } = parse_json(&monitor).unwrap() else {
                panic!("{monitor}");
            };
            assert_eq!((event.fate, event.destination.port), (Fate::Dropped, Some(69)));
        }
    }

    #[test]
    fn other_json_is_told_apart() {
        let cases = [
            (
                r#"{"lost_events":{"source":"HUBBLE_RING_BUFFER","num_events_lost":"12"}}"#,
                "Ok(Lost(12))",
            ),
            (r#"{"node_status":{"state_change":"NODE_CONNECTED"}}"#, "Ok(Other)"),
            (r#"{"flow":{"verdict":"FORWARDED","IP":{"source":"x","destination":"y"}}}"#, "Err("),
            (r#"{"flow":{"verdict":"FORWARDED","IP":{"sour"#, "Err("),
            (r#"{"flow":{}}"#, "Ok(Other)"),
        ];
        for (text, expected) in cases {
            let actual = format!("{:?}", parse_json(text));
            assert!(actual.starts_with(expected), "{text}: {actual}");
        }
        for text in ["{\"kind\":\"Pod\"}", "[{\"ifindex\":1}]", "{", "", "\"verdict\": \"IP\""] {
            assert!(!looks_like_json(text), "{text}");
        }
    }
}
