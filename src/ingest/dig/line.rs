//! Lines that `dig`, `nslookup` and `host` print.

use super::find_endpoint;
use crate::model::endpoint::Endpoint;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigLine {
    /// None of these programs prints it.
    Foreign,
    /// `; <<>> DiG 9.18.28 <<>> @192.0.2.1 example.com`: a run begins.
    Banner,
    /// It says nothing about addresses.
    Own,
    /// No answer came that it could take.
    GivenUp,
    /// An answer was thrown away.
    Complaint { source: Endpoint, asked: Endpoint },
    /// An answer was taken. `is_told_always`: the program says so of each, as only
    /// dig does.
    Answered { server: Endpoint, is_told_always: bool },
    /// A complaint whose addresses cannot be read.
    Unreadable,
}

const COMPLAINT: &str = "reply from unexpected source: ";

/// Whether a run begins here, where no command says so.
#[must_use]
pub fn begins_run(text: &str) -> bool {
    matches!(read_line(text), DigLine::Banner | DigLine::Complaint { .. } | DigLine::Unreadable)
}

/// Reads one line.
pub(super) fn read_line(text: &str) -> DigLine {
    let text = text.trim();
    if let Some((lead, rest)) = text.split_once(COMPLAINT) {
        let sides = rest.split_once(", expected ").and_then(|(source, asked)| {
            let asked = asked.split_whitespace().next()?;
            let asked = asked.trim_end_matches(['.', ',', ';', '"', '\'', '`', ')', '”', '’']);
            Some((find_endpoint(source)?, find_endpoint(asked)?))
        });
        match sides {
            // The programs ask and listen with sockets of one family. Both of them are
            // proof enough within a sentence.
            Some((source, asked)) if source.address.is_ipv4() == asked.address.is_ipv4() => {
                return DigLine::Complaint { source, asked };
            }
            _ if matches!(lead.trim(), "" | ";;" | ";; Warning:") => return DigLine::Unreadable,
            _ => {}
        }
    }
    if text.starts_with("; <<>> DiG") {
        return DigLine::Banner;
    }
    if text.starts_with(";; ") && text.ends_with("no servers could be reached") {
        return DigLine::GivenUp;
    }
    if let Some(server) = text.strip_prefix(";; SERVER: ") {
        let server = server.split('(').next().unwrap_or(server);
        let is_tcp = text.ends_with("(TCP)");
        return find_endpoint(server)
            .filter(|_| !is_tcp)
            .map_or(DigLine::Own, |server| DigLine::Answered { server, is_told_always: true });
    }
    // `Address: 192.0.2.1#53`: the server whose answer nslookup and host show next.
    // They ask for further records without saying again who answered.
    if let Some(server) = text.strip_prefix("Address:").and_then(find_endpoint) {
        return DigLine::Answered { server, is_told_always: false };
    }
    if is_own(text) { DigLine::Own } else { DigLine::Foreign }
}

fn is_own(text: &str) -> bool {
    const LEADS: [&str; 7] =
        ["Server:", "Name:", "Address:", "Aliases:", "Using domain server:", "Non-authorit", "** "];
    text.is_empty()
        || text.starts_with(';')
        || LEADS.iter().any(|lead| text.starts_with(lead))
        || is_record(text)
}

/// `example.com.  300  IN  A  192.0.2.9`.
fn is_record(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next().is_some_and(|name| name.ends_with('.'))
        && words.next().is_some_and(|ttl| ttl.bytes().all(|byte| byte.is_ascii_digit()))
        && words.next() == Some("IN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let complaint = |source, asked| DigLine::Complaint {
            source: find_endpoint(source).unwrap(),
            asked: find_endpoint(asked).unwrap(),
        };
        let answered = |server, is_told_always| DigLine::Answered {
            server: find_endpoint(server).unwrap(),
            is_told_always,
        };
        let cases = [
            (
                ";; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53",
                complaint("192.0.2.2#53", "192.0.2.1#53"),
            ),
            (
                ";; reply from unexpected source: 2001:db8::2#53, expected 2001:db8::1#53",
                complaint("2001:db8::2#53", "2001:db8::1#53"),
            ),
            (
                "reply from unexpected source: fe80::2%2#53, expected fe80::1%eth0#53",
                complaint("fe80::2#53", "fe80::1#53"),
            ),
            (
                ";; reply from unexpected source: ::ffff:192.0.2.2#53, expected 192.0.2.1#5353",
                complaint("192.0.2.2#53", "192.0.2.1#5353"),
            ),
            (
                ";; reply from unexpected source: 192.0.2.2#53, expected 2001:db8::1#53",
                DigLine::Unreadable,
            ),
            (";; reply from unexpected source: x#53, expected 192.0.2.1#53", DigLine::Unreadable),
            (";; reply from unexpected source: 192.0.2.2#53", DigLine::Unreadable),
            (";; reply from unexpected source: 192.0.2.2#99999, expected", DigLine::Unreadable),
            ("We saw a reply from unexpected source: a, expected b", DigLine::Foreign),
            (
                "It says \";; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53\" thrice.",
                complaint("192.0.2.2#53", "192.0.2.1#53"),
            ),
            (
                ";; Warning: reply from unexpected source: 2001:db8::2#53, expected 2001:db8::1#53",
                complaint("2001:db8::2#53", "2001:db8::1#53"),
            ),
            ("; <<>> DiG 9.18.28 <<>> @192.0.2.1 example.com", DigLine::Banner),
            (";; connection timed out; no servers could be reached", DigLine::GivenUp),
            (";; SERVER: 192.0.2.1#53(192.0.2.1) (UDP)", answered("192.0.2.1#53", true)),
            (";; SERVER: 2001:db8::1#53(2001:db8::1)", answered("2001:db8::1#53", true)),
            (";; SERVER: 192.0.2.1#53(192.0.2.1) (TCP)", DigLine::Own),
            ("Address:\t192.0.2.1#53", answered("192.0.2.1#53", false)),
            ("Address: 192.0.2.9", DigLine::Own),
            ("example.com.\t\t300\tIN\tA\t192.0.2.9", DigLine::Own),
            ("", DigLine::Own),
            ("The answer came from the node.", DigLine::Foreign),
        ];
        for (text, expected) in cases {
            assert_eq!(read_line(text), expected, "{text}");
        }
    }
}
