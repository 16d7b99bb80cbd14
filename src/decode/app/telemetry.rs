//! What is told and wants no answer, known by its shape at any port: collectors listen
//! where their operators please, and a report that is sent again and again is not asked
//! again.
//!
//! Each has to fit in every part that its format fixes.

use super::{Payload, tftp};
use crate::decode::field::{find_u8, find_u16, find_u32};
use crate::model::identity::hash_fields;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// A magic packet: six of 0xff, then the sleeper's address sixteen times.
const WAKE_BYTES: usize = 102;
const ART_NET: &[u8] = b"Art-Net\0";
/// `OpDmx`, in the order of bytes on the wire: levels for lamps.
const ART_NET_OUTPUT: [u8; 2] = [0x00, 0x50];

/// Reads a report between two ports of which none says what it is.
pub(super) fn find_report(payload: &Payload<'_>) -> Option<Application> {
    let bytes = payload.captured;
    match find_u8(bytes, 0)? {
        b'<' if has_priority(bytes) => Some(Application::Report(Protocol::Syslog)),
        0 if is_netflow(payload) => Some(Application::Report(Protocol::NetFlow)),
        0 if is_ipfix(payload) => Some(Application::Report(Protocol::Ipfix)),
        0 if is_collectd(bytes) => Some(told(payload, "collectd values")),
        0xff if is_wake_up(bytes) => Some(told(payload, "magic packet")),
        b'A' if is_art_net_output(bytes) => Some(told(payload, "Art-Net output")),
        b'{' if payload.is_whole() && is_gelf(bytes) => Some(told(payload, "GELF message")),
        _ if payload.is_whole() && is_statsd(bytes) => Some(Application::Report(Protocol::Statsd)),
        _ => None,
    }
}

/// What is said at a collector's port: its report, or something of which only the port
/// says what it is.
pub(super) fn read_at_collector(protocol: Protocol, payload: &Payload<'_>) -> Application {
    let bytes = payload.captured;
    let is_report = match protocol {
        Protocol::Syslog => has_priority(bytes),
        Protocol::NetFlow => matches!(find_u16(bytes, 0), Some(1 | 5 | 7 | 8 | 9)),
        // RFC 7011 section 3.1.
        Protocol::Ipfix => find_u16(bytes, 0) == Some(10),
        // Its version, and the family of the agent's address.
        Protocol::Sflow => {
            matches!(find_u32(bytes, 0), Some(2 | 4 | 5))
                && matches!(find_u32(bytes, 4), Some(1 | 2))
        }
        Protocol::Statsd => find_value(bytes).is_some(),
        _ => false,
    };
    if is_report { Application::Report(protocol) } else { Application::Plain(protocol) }
}

/// A message of a format that has no port of its own.
fn told(payload: &Payload<'_>, label: &'static str) -> Application {
    Application::Transaction(Transaction {
        protocol: Protocol::Udp,
        role: TransactionRole::Notification,
        identity: hash_fields(&[payload.captured]),
        question: None,
        label,
        reply_to: None,
    })
}

/// RFC 3164 section 4.1.1, RFC 5424 section 6.2.1: `<0>` to `<191>`.
fn has_priority(bytes: &[u8]) -> bool {
    const MAX_PRIORITY: u16 = 191;
    /// Three digits and the closing bracket.
    const MAX_BYTES: usize = 4;
    let Some(digits) = bytes.strip_prefix(b"<") else { return false };
    let digits = &digits[..digits.len().min(MAX_BYTES)];
    let Some(end) = digits.iter().position(|byte| *byte == b'>') else { return false };
    let priority = digits[..end].iter().try_fold(0_u16, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u16::from(byte - b'0'))
    });
    end > 0 && priority.is_some_and(|priority| priority <= MAX_PRIORITY)
}

/// NetFlow 5 with its count of records, or 9 with its chain of sets (RFC 3954 section 5).
fn is_netflow(payload: &Payload<'_>) -> bool {
    const HEADER_BYTES: u32 = 24;
    const RECORD_BYTES: u32 = 48;
    const HEADER_BYTES_9: usize = 20;
    match (find_u16(payload.captured, 0), find_u16(payload.captured, 2)) {
        // A TFTP error of that very length says so in words.
        (Some(5), Some(records @ 1..=30)) => {
            payload.length == HEADER_BYTES + RECORD_BYTES * u32::from(records)
                && tftp::find_strict_shape(payload).is_none()
        }
        (Some(9), Some(1..)) => {
            payload.is_whole() && are_sets(payload.captured, HEADER_BYTES_9, |set| set <= 1)
        }
        _ => false,
    }
}

/// RFC 7011 section 3: a length that is the payload's, filled by sets.
fn is_ipfix(payload: &Payload<'_>) -> bool {
    const HEADER_BYTES: usize = 16;
    find_u16(payload.captured, 0) == Some(10)
        && find_u16(payload.captured, 2).map(u32::from) == Some(payload.length)
        && payload.is_whole()
        && are_sets(payload.captured, HEADER_BYTES, |set| matches!(set, 2 | 3))
}

/// Whether sets of records fill `bytes` behind the header: those with templates, and
/// those whose number is a template's (256 or more).
fn are_sets(bytes: &[u8], header_bytes: usize, is_template: impl Fn(u16) -> bool) -> bool {
    const SET_HEADER_BYTES: usize = 4;
    const FIRST_TEMPLATE: u16 = 256;
    let mut rest = bytes.get(header_bytes..).filter(|rest| !rest.is_empty());
    while let Some(set) = rest.filter(|rest| !rest.is_empty()) {
        let (Some(kind), Some(length)) = (find_u16(set, 0), find_u16(set, 2)) else { return false };
        let length = usize::from(length);
        let fits = length >= SET_HEADER_BYTES && (kind >= FIRST_TEMPLATE || is_template(kind));
        rest = if fits { set.get(length..) } else { None };
    }
    rest.is_some()
}

/// The host's name as the first part, ended by a zero, and a time behind it: collectd's
/// binary protocol.
fn is_collectd(bytes: &[u8]) -> bool {
    const HOST: u16 = 0;
    const TIMES: [u16; 2] = [1, 8];
    const TIME_BYTES: u16 = 12;
    let (Some(HOST), Some(length)) = (find_u16(bytes, 0), find_u16(bytes, 2)) else {
        return false;
    };
    let length = usize::from(length);
    let Some(host) = bytes.get(4..length) else { return false };
    let Some((0, name)) = host.split_last() else { return false };
    !name.is_empty()
        && name.iter().all(u8::is_ascii_graphic)
        && find_u16(bytes, length).is_some_and(|kind| TIMES.contains(&kind))
        && find_u16(bytes, length + 2) == Some(TIME_BYTES)
}

fn is_wake_up(bytes: &[u8]) -> bool {
    let Some((sync, addresses)) = bytes.get(..WAKE_BYTES).and_then(|all| all.split_at_checked(6))
    else {
        return false;
    };
    let mut addresses = addresses.chunks(6);
    let first = addresses.next();
    sync.iter().all(|byte| *byte == 0xff) && addresses.all(|address| Some(address) == first)
}

fn is_art_net_output(bytes: &[u8]) -> bool {
    bytes.strip_prefix(ART_NET).is_some_and(|rest| rest.starts_with(&ART_NET_OUTPUT))
}

/// Graylog's format: an object that has to name its host and a short message.
fn is_gelf(bytes: &[u8]) -> bool {
    let has = |key: &[u8]| memchr::memmem::find(bytes, key).is_some();
    bytes.ends_with(b"}") && has(b"\"short_message\"") && has(b"\"host\"")
}

/// Lines of `name:value|type`.
pub(super) fn is_statsd(bytes: &[u8]) -> bool {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    // Of nearly all payloads the first bytes tell; the end of a line is looked for only then.
    find_value(text).is_some() && text.split(|byte| *byte == b'\n').all(is_metric)
}

/// What stands behind the name of a metric.
fn find_value(line: &[u8]) -> Option<&[u8]> {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
    let name_bytes = line.iter().take_while(|byte| is_of_name(byte)).count();
    let rest = line.get(name_bytes..)?.strip_prefix(b":")?;
    (name_bytes > 0).then_some(rest)
}

fn is_metric(line: &[u8]) -> bool {
    const TYPES: [&[u8]; 6] = [b"c", b"g", b"ms", b"h", b"s", b"d"];
    let Some(rest) = find_value(line) else { return false };
    let mut parts = rest.split(|byte| *byte == b'|');
    let value = parts.next().unwrap_or_default();
    let kind = parts.next().unwrap_or_default();
    !value.is_empty() && value.iter().all(u8::is_ascii_graphic) && TYPES.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::super::{read_application, whole};
    use super::*;

    fn netflow_5(records: u8) -> Vec<u8> {
        let mut bytes = vec![0, 5, 0, records];
        bytes.resize(24 + 48 * usize::from(records), 1);
        bytes
    }

    /// With two sets.
    fn with_sets(version: u8, header_bytes: usize, template: u8) -> Vec<u8> {
        let length = u8::try_from(header_bytes + 24).unwrap();
        let mut bytes = vec![0, version, 0, if version == 10 { length } else { 2 }];
        bytes.resize(header_bytes, 7);
        bytes.extend([0, template, 0, 12, 1, 0, 0, 1, 0, 8, 0, 4]);
        bytes.extend([1, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 2]);
        bytes
    }

    fn wake_up() -> Vec<u8> {
        [&[0xff; 6][..], &[2, 4, 5, 6, 7, 8].repeat(16)].concat()
    }

    const GELF: &[u8] = br#"{"version":"1.1","host":"a","short_message":"tick"}"#;
    const COLLECTD: &[u8] = b"\0\0\0\x0anode3\0\0\x08\0\x0c\x14\x2c\0\0\0\0\0\0";
    const LAMPS: &[u8] = b"Art-Net\0\0\x50\0\x0e\0\0\0\0\x02\0\x10\x10";

    #[test]
    fn reports_are_known_at_any_port() {
        let cases: [(&str, Vec<u8>, Protocol); 12] = [
            ("syslog", b"<134>Jan 1 00:00:00 fw tick".to_vec(), Protocol::Syslog),
            ("syslog", b"<0>".to_vec(), Protocol::Syslog),
            ("NetFlow 5", netflow_5(2), Protocol::NetFlow),
            ("NetFlow 9", with_sets(9, 20, 0), Protocol::NetFlow),
            ("IPFIX", with_sets(10, 16, 2), Protocol::Ipfix),
            ("StatsD", b"app.alive:1|c".to_vec(), Protocol::Statsd),
            ("StatsD", b"a:1|c|@0.1|#b:c\nd:-3|g\n".to_vec(), Protocol::Statsd),
            ("Wake-on-LAN", wake_up(), Protocol::Udp),
            ("with a password", [wake_up(), vec![1; 6]].concat(), Protocol::Udp),
            ("Art-Net", LAMPS.to_vec(), Protocol::Udp),
            ("GELF", GELF.to_vec(), Protocol::Udp),
            ("collectd", COLLECTD.to_vec(), Protocol::Udp),
        ];
        for (name, bytes, expected) in cases {
            let protocol = match read_application(&whole(40_000, 9_100, &bytes)) {
                Application::Report(protocol) => Some(protocol),
                Application::Transaction(told) => {
                    (told.role == TransactionRole::Notification).then_some(told.protocol)
                }
                Application::Tftp(_) | Application::Plain(_) | Application::Unknown { .. } => None,
            };
            assert_eq!(protocol, Some(expected), "{name}");
            for captured in 0..bytes.len() {
                find_report(&super::super::cut(40_000, 9_100, &bytes[..captured], bytes.len()));
            }
        }
    }

    #[test]
    fn what_only_looks_like_one_may_want_an_answer() {
        let change = |mut bytes: Vec<u8>, offset: usize, to: u8| {
            bytes[offset] = to;
            bytes
        };
        let cases: [(&str, Vec<u8>); 16] = [
            ("a priority that there is not", b"<192>x".to_vec()),
            ("no priority", b"<>x".to_vec()),
            ("markup", b"<1a>x</1a>".to_vec()),
            ("a bracket alone", b"<".to_vec()),
            ("a record less than it says", netflow_5(2)[..72].to_vec()),
            ("a set beyond the end", change(with_sets(9, 20, 0), 23, 90)),
            ("a set of no bytes", change(with_sets(9, 20, 0), 23, 0)),
            ("a set that there is not", with_sets(10, 16, 7)),
            ("another length", change(with_sets(10, 16, 2), 3, 9)),
            ("no type", b"app.alive:1".to_vec()),
            ("an address and port", b"192.0.2.1:80|x".to_vec()),
            ("not all one address", change(wake_up(), 50, 9)),
            ("Art-Net's question", change(LAMPS.to_vec(), 9, 0x20)),
            ("another object", br#"{"host":"a","get":"state"}"#.to_vec()),
            ("no name", b"\0\0\0\x05\0\0\x08\0\x0c".to_vec()),
            ("nothing", Vec::new()),
        ];
        for (name, bytes) in cases {
            assert_eq!(find_report(&whole(40_000, 9_100, &bytes)), None, "{name}");
        }
    }
}
