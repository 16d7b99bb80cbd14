//! Lines that `dig`, `nslookup` and `host` print.

use super::end::End;
use super::line::{ComplaintLine, LACKS_ENDS, complaint};

const COMPLAINT: &str = "reply from unexpected source: ";

/// Reads one line.
pub(super) fn read_dig(text: &str) -> ComplaintLine {
    let text = text.trim();
    if let Some((lead, rest)) = text.split_once(COMPLAINT) {
        let sides = rest
            .split_once(", expected ")
            .and_then(|(source, asked)| Some((find_end(source)?, find_first_end(asked)?)));
        let is_printed = matches!(lead.trim(), "" | ";;" | ";; Warning:");
        match sides.map(|(source, asked)| complaint(source, asked)) {
            // Both ends are proof enough within a sentence.
            Some(complaint @ ComplaintLine::Complaint { .. }) => return complaint,
            Some(unreadable) if is_printed => return unreadable,
            None if is_printed => return ComplaintLine::Unreadable(LACKS_ENDS),
            _ => {}
        }
    }
    if text.starts_with("; <<>> DiG") {
        return ComplaintLine::Banner;
    }
    if text.starts_with(";; ") && text.ends_with("no servers could be reached") {
        return ComplaintLine::GivenUp;
    }
    if let Some(server) = text.strip_prefix(";; SERVER: ") {
        let server = server.split('(').next().unwrap_or(server);
        let is_tcp = text.ends_with("(TCP)");
        return find_end(server).filter(|_| !is_tcp).map_or(ComplaintLine::Own, |server| {
            ComplaintLine::Answered { server, is_told_always: true }
        });
    }
    // `Address: 192.0.2.1#53`: the server whose answer nslookup and host show next.
    // They ask for further records without saying again who answered.
    if let Some(server) = text.strip_prefix("Address:").and_then(find_end) {
        return ComplaintLine::Answered { server, is_told_always: false };
    }
    if is_own(text) { ComplaintLine::Own } else { ComplaintLine::Foreign }
}

/// An end as BIND prints it: `192.0.2.1#53`, `fe80::1%eth0#53`.
fn find_end(text: &str) -> Option<End> {
    let (host, port) = text.trim().rsplit_once('#')?;
    End::find(host, port)
}

/// The end with which a text begins; a sentence may go on behind it.
fn find_first_end(text: &str) -> Option<End> {
    let (host, behind) = text.split_once('#')?;
    let digits = behind.split(|c: char| !c.is_ascii_digit()).next()?;
    let rest = behind.get(digits.len()..)?;
    let is_end = rest.chars().next().is_none_or(|c| c.is_whitespace() || ".,;\"'`)”’".contains(c));
    is_end.then(|| End::find(host, digits))?
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
        let complaint = |source, asked| ComplaintLine::Complaint {
            source: find_end(source).unwrap(),
            asked: find_end(asked).unwrap(),
        };
        let answered = |server, is_told_always| ComplaintLine::Answered {
            server: find_end(server).unwrap(),
            is_told_always,
        };
        let unreadable = ComplaintLine::Unreadable(LACKS_ENDS);
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
                ";; reply from unexpected source: 192.0.2.2#53, expected <IP>#53",
                complaint("192.0.2.2#53", "<IP>#53"),
            ),
            (
                ";; reply from unexpected source: [the node]#58073, expected 2001:db8::1#53",
                complaint("[the node]#58073", "2001:db8::1#53"),
            ),
            (
                ";; reply from unexpected source: 192.0.2.2#53, expected 2001:db8::1#53",
                unreadable.clone(),
            ),
            (";; reply from unexpected source: 192.0.2.2#53, expected 192.0.2", unreadable.clone()),
            (
                ";; reply from unexpected source: 2001:db8::2#53, expected 2001:db8",
                unreadable.clone(),
            ),
            (";; reply from unexpected source: 192.0.2.2#53", unreadable.clone()),
            (";; reply from unexpected source: 192.0.2.2#99999, expected", unreadable.clone()),
            ("We saw a reply from unexpected source: a, expected b", ComplaintLine::Foreign),
            (
                "It says \";; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53\" thrice.",
                complaint("192.0.2.2#53", "192.0.2.1#53"),
            ),
            (
                ";; Warning: reply from unexpected source: 2001:db8::2#53, expected 2001:db8::1#53",
                complaint("2001:db8::2#53", "2001:db8::1#53"),
            ),
            ("; <<>> DiG 9.18.28 <<>> @192.0.2.1 example.com", ComplaintLine::Banner),
            (";; connection timed out; no servers could be reached", ComplaintLine::GivenUp),
            (";; SERVER: 192.0.2.1#53(192.0.2.1) (UDP)", answered("192.0.2.1#53", true)),
            (";; SERVER: 2001:db8::1#53(2001:db8::1)", answered("2001:db8::1#53", true)),
            (";; SERVER: <IP>#53(<IP>) (UDP)", answered("<IP>#53", true)),
            (";; SERVER: 192.0.2.1#53(192.0.2.1) (TCP)", ComplaintLine::Own),
            ("Address:\t192.0.2.1#53", answered("192.0.2.1#53", false)),
            ("Address: 192.0.2.9", ComplaintLine::Own),
            ("example.com.\t\t300\tIN\tA\t192.0.2.9", ComplaintLine::Own),
            ("", ComplaintLine::Own),
            ("The answer came from the node.", ComplaintLine::Foreign),
        ];
        for (text, expected) in cases {
            assert_eq!(read_dig(text), expected, "{text}");
        }
        let same = read_dig(";; reply from unexpected source: <IP>#53, expected <IP>#53");
        assert!(matches!(same, ComplaintLine::Unreadable(message) if message != LACKS_ENDS));
    }
}
