//! Names of hosts: `/etc/hosts`, `getent hosts`.

use std::net::IpAddr;

use crate::model::topology::HostFact;

/// Names that are kept of one listing.
pub const LIMIT_NAMES: usize = 100_000;

/// `192.0.2.1  node3.example.com node3  # a comment`. One such line may be any text
/// that begins with an address.
pub fn read(line: &str) -> Vec<HostFact> {
    let line = line.split('#').next().unwrap_or(line);
    let mut words = line.split_whitespace();
    let address = words.next().and_then(|word| word.split('%').next()?.parse::<IpAddr>().ok());
    let Some(address) = address.filter(|address| !address.is_loopback()) else {
        return Vec::new();
    };
    words
        .filter(|name| name.len() <= 253)
        .map(|name| HostFact { name: name.to_owned(), address: address.to_canonical() })
        .collect()
}

/// The names of a text that nothing but its lines shows to be `/etc/hosts`: one names
/// the host itself, or all are an address and names. `None` for other text.
pub fn find_file(text: &str) -> Option<Vec<HostFact>> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let entries = || lines().filter(|line| !line.starts_with('#'));
    let names_itself = entries().any(is_localhost);
    if entries().next().is_none() || !(names_itself || entries().all(is_entry)) {
        return None;
    }
    Some(entries().filter(|line| is_entry(line)).flat_map(read).take(LIMIT_NAMES).collect())
}

/// `127.0.0.1 localhost`, `::1 localhost ip6-localhost`.
fn is_localhost(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_loopback = words
        .next()
        .and_then(|word| word.parse::<IpAddr>().ok())
        .is_some_and(|address| address.is_loopback());
    is_loopback && words.any(|name| name.contains("localhost"))
}

/// An address and names of hosts, before a comment.
fn is_entry(line: &str) -> bool {
    let is_name = |word: &str| {
        word.contains(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    let line = line.split('#').next().unwrap_or(line);
    let mut words = line.split_whitespace();
    let is_address = words
        .next()
        .and_then(|word| word.split('%').next())
        .is_some_and(|word| word.parse::<IpAddr>().is_ok());
    let mut names = words.peekable();
    is_address && names.peek().is_some() && names.all(is_name)
}

#[cfg(test)]
mod tests {
    use crate::topology::parse;

    #[test]
    fn a_file_is_known_by_its_lines() {
        let count = |text: &str| parse("", None, text, 1).hosts.len();
        let cases = [
            ("127.0.0.1 localhost\n192.0.2.1 ns1 # ours\nsome words\n", 1),
            ("::1 localhost ip6-localhost\n2001:db8::1 ns1\n", 1),
            ("192.0.2.1 ns1.example.com ns1\n\n# old\n2001:db8::1 ns1\n", 3),
            ("2001:db8::1\tns1\n", 1),
            ("192.0.2.1 is the VIP, and the node\n", 0),
            ("192.0.2.1 ns1\nThe VIP is 192.0.2.2\n", 0),
            ("192.0.2.1\n", 0),
            ("", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_read_below_their_command_or_in_a_file() {
        let text = "127.0.0.1 localhost
192.0.2.1 ns1.example.com ns1 # ours
2001:db8::1\tns1.example.com
# 192.0.2.2 old
";
        let names = |command| -> Vec<String> {
            let facts = parse(command, None, text, 1);
            facts.hosts.iter().map(|host| format!("{} {}", host.name, host.address)).collect()
        };
        let expected =
            ["ns1.example.com 192.0.2.1", "ns1 192.0.2.1", "ns1.example.com 2001:db8::1"];
        assert_eq!(names("cat /etc/hosts"), expected);
        assert_eq!(names("getent hosts ns1"), expected);
        assert_eq!(names(""), expected);
        let notes = parse("", None, "See below.\n192.0.2.1 ns1\n", 1);
        assert!(notes.hosts.is_empty());
    }
}
