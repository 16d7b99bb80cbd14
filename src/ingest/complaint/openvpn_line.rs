//! Lines that OpenVPN logs (`link_socket_bad_incoming_addr` of its `socket.c`):
//! `TCP/UDP: Incoming packet rejected from [AF_INET]192.0.2.2:1194[2], expected peer address:
//! [AF_INET]192.0.2.1:1194 (allow this incoming source address/port by …)`.
//!
//! The number behind the sender is its family's. `multihome` puts ` (via ADDRESS%INTERFACE)`
//! before it, and versions before 2.3 print no family before the addresses.

use super::end::End;
use super::line::{ComplaintLine, LACKS_ENDS, complaint};
use crate::ingest::tcpdump_text::{find_stamp, is_month};

const COMPLAINT: &str = "Incoming packet rejected from ";
const EXPECTED: &str = ", expected peer address: ";
/// Both sides have shown each other their certificates, or the shared secret.
const ANSWERED: &str = "Peer Connection Initiated with ";
/// `UDP link remote: [AF_INET]192.0.2.1:1194`, of the next server of its list.
const ASKS: &str = " link remote: [AF_INET";
const GIVEN_UP: &str = "TLS key negotiation failed to occur within ";
const OF_OTHER: &str = "tells of a packet whose sender has another address and another port than the peer: nothing shows that it answers";

/// Reads one line.
pub(super) fn read_openvpn(text: &str) -> ComplaintLine {
    if let Some((_, rest)) = text.split_once(COMPLAINT) {
        let sides = rest
            .split_once(EXPECTED)
            .and_then(|(source, asked)| Some((find_sender(source)?, find_first_end(asked)?)));
        return match sides {
            // Whoever scans the network knocks at OpenVPN's port too.
            Some((source, asked)) if source.port != asked.port && source.host != asked.host => {
                ComplaintLine::Unreadable(OF_OTHER)
            }
            Some((source, asked)) => complaint(source, asked),
            None => ComplaintLine::Unreadable(LACKS_ENDS),
        };
    }
    if let Some(server) = text.split_once(ANSWERED).and_then(|(_, rest)| find_first_end(rest)) {
        return ComplaintLine::Answered { server, is_told_always: false };
    }
    if let Some(at) = text.find(ASKS)
        && let Some(server) =
            text.get(at + ASKS.len() - "[AF_INET".len()..).and_then(find_first_end)
    {
        return ComplaintLine::Asks { server };
    }
    if text.contains(GIVEN_UP) {
        return ComplaintLine::GivenUp;
    }
    if is_of_log(text) { ComplaintLine::Own } else { ComplaintLine::Foreign }
}

/// `[AF_INET]192.0.2.2:1194[2]`, `[AF_INET6]2001:db8::2:1194 (via 2001:db8::9%eth0)[10]`.
fn find_sender(text: &str) -> Option<End> {
    let (text, family) = text.trim().strip_suffix(']')?.rsplit_once('[')?;
    let is_family = !family.is_empty() && family.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.split(" (via ").next().filter(|_| is_family)?;
    find_end(text)
}

/// The end with which a text begins; a hint or a sentence may go on behind it.
fn find_first_end(text: &str) -> Option<End> {
    let text = skip_family(text);
    // A mask in brackets may have blanks.
    let begin = text.find('>').filter(|_| text.starts_with('<')).unwrap_or(0);
    let rest = text.get(begin..)?;
    let end = rest.find(char::is_whitespace).map_or(text.len(), |end| begin + end);
    find_end(text.get(..end)?.trim_end_matches([',', ';', '.', '"', '\'', '`', ')', '”', '’']))
}

/// `192.0.2.1:1194`, with or without its family.
fn find_end(text: &str) -> Option<End> {
    let (host, port) = skip_family(text.trim()).rsplit_once(':')?;
    End::find(host, port)
}

fn skip_family(text: &str) -> &str {
    ["[AF_INET]", "[AF_INET6]"].iter().find_map(|lead| text.strip_prefix(lead)).unwrap_or(text)
}

/// `2024-11-08 07:29:48 …`, `Fri Nov  8 07:29:48 2024 …`, `Nov  8 07:29:48 node3 openvpn[9]: …`.
fn is_of_log(text: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let text = text.trim();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    text.is_empty()
        || is_month(first)
        || (DAYS.contains(&first) && words.next().is_some_and(is_month))
        || (first.contains('-') && find_stamp(text).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let complaint = |source, asked| ComplaintLine::Complaint {
            source: find_end(source).unwrap(),
            asked: find_end(asked).unwrap(),
        };
        let answered = |server| ComplaintLine::Answered {
            server: find_end(server).unwrap(),
            is_told_always: false,
        };
        let unreadable = ComplaintLine::Unreadable(LACKS_ENDS);
        let stranger = ComplaintLine::Unreadable(OF_OTHER);
        let hint =
            "(allow this incoming source address/port by removing --remote or adding --float)";
        let cases = [
            (
                format!(
                    "2024-11-08 07:29:48 TCP/UDP: Incoming packet rejected from [AF_INET]192.0.2.2:1194[2], expected peer address: [AF_INET]192.0.2.1:1194 {hint}"
                ),
                complaint("192.0.2.2:1194", "192.0.2.1:1194"),
            ),
            (
                format!(
                    "Nov  8 07:29:48 node3 openvpn[9]: TCP/UDP: Incoming packet rejected from [AF_INET6]2001:db8::2:1194[10], expected peer address: [AF_INET6]2001:db8::1:1194 {hint}"
                ),
                complaint("2001:db8::2:1194", "2001:db8::1:1194"),
            ),
            (
                "Incoming packet rejected from [AF_INET6]::ffff:192.0.2.2:1194 (via ::ffff:192.0.2.9%eth0)[10], expected peer address: [AF_INET]192.0.2.1:1194".to_owned(),
                complaint("192.0.2.2:1194", "192.0.2.1:1194"),
            ),
            (
                "TCP/UDP: Incoming packet rejected from 192.0.2.2:1194[2], expected peer address: 192.0.2.1:1194 (allow this …)".to_owned(),
                complaint("192.0.2.2:1194", "192.0.2.1:1194"),
            ),
            (
                format!(
                    "It says `TCP/UDP: Incoming packet rejected from [AF_INET]192.0.2.2:1194[2], expected peer address: [AF_INET]X.X.X.X:1194 {hint}` where X.X.X.X is the VIP"
                ),
                complaint("192.0.2.2:1194", "X.X.X.X:1194"),
            ),
            (
                "Incoming packet rejected from [AF_INET6]2001:db8::2:1194[10], expected peer address: [AF_INET6]<the VIP>:1194.".to_owned(),
                complaint("2001:db8::2:1194", "<the VIP>:1194"),
            ),
            (
                "Incoming packet rejected from [AF_INET]192.0.2.2:1194[2], expected peer address: [AF_INET]192.0".to_owned(),
                unreadable.clone(),
            ),
            (
                "Incoming packet rejected from [AF_INET6]2001:db8::2:1194[10], expected peer".to_owned(),
                unreadable,
            ),
            (
                "Incoming packet rejected from [AF_INET]192.0.2.2:40001[2], expected peer address: [AF_INET]192.0.2.1:1194".to_owned(),
                stranger.clone(),
            ),
            (
                "Incoming packet rejected from [AF_INET6]2001:db8::2:40001[10], expected peer address: [AF_INET6]2001:db8::1:1194".to_owned(),
                stranger,
            ),
            (
                "2024-11-08 07:29:49 [gw] Peer Connection Initiated with [AF_INET]192.0.2.1:1194".to_owned(),
                answered("192.0.2.1:1194"),
            ),
            (
                "[gw] Peer Connection Initiated with [AF_INET6]2001:db8::1:1194 (via 2001:db8::9%eth0)".to_owned(),
                answered("2001:db8::1:1194"),
            ),
            (
                "2024-11-08 07:29:47 UDP link remote: [AF_INET]192.0.2.1:1194".to_owned(),
                ComplaintLine::Asks { server: find_end("192.0.2.1:1194").unwrap() },
            ),
            (
                "2024-11-08 07:29:47 UDPv6 link remote: [AF_INET6]2001:db8::1:1194".to_owned(),
                ComplaintLine::Asks { server: find_end("2001:db8::1:1194").unwrap() },
            ),
            ("2024-11-08 07:29:47 UDP link remote: [AF_UNSPEC]".to_owned(), ComplaintLine::Own),
            (
                "Fri Nov  8 07:29:48 2024 TLS Error: TLS key negotiation failed to occur within 60 seconds".to_owned(),
                ComplaintLine::GivenUp,
            ),
            ("2024-11-08 07:29:48 UDP link local: (not bound)".to_owned(), ComplaintLine::Own),
            ("Fri Nov  8 07:29:48 2024 UDPv4 link local".to_owned(), ComplaintLine::Own),
            (String::new(), ComplaintLine::Own),
            ("The tunnel stays down.".to_owned(), ComplaintLine::Foreign),
            ("192.0.2.1 is the VIP".to_owned(), ComplaintLine::Foreign),
        ];
        for (text, expected) in cases {
            assert_eq!(read_openvpn(&text), expected, "{text}");
        }
    }
}
