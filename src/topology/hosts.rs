//! Names of hosts: `/etc/hosts`, `getent hosts`.

use crate::model::hosts_file::HostsLine;
use crate::model::topology::HostFact;

/// Names that are kept of one listing.
pub const LIMIT_NAMES: usize = 100_000;

/// The names that one line gives an address.
pub fn read(line: &str) -> Vec<HostFact> {
    let Some(line) = HostsLine::find(line).filter(|line| !line.address.is_loopback()) else {
        return Vec::new();
    };
    let address = line.address.to_canonical();
    line.names()
        .filter(|name| name.len() <= 253)
        .map(|name| HostFact { name: name.to_owned(), address })
        .collect()
}

/// The names of a text that nothing but its lines shows to be `/etc/hosts`: one names
/// the host itself, or all are an address and names. `None` for other text.
pub fn find_file(text: &str) -> Option<Vec<HostFact>> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let entries = || lines().filter(|line| !line.starts_with('#'));
    let is_entry = |line: &str| HostsLine::find(line).is_some_and(|line| line.is_entry());
    let mut found = entries().filter_map(HostsLine::find);
    let names_itself = found.any(|line| line.names_itself());
    if entries().next().is_none() || !(names_itself || entries().all(is_entry)) {
        return None;
    }
    Some(entries().filter(|line| is_entry(line)).flat_map(read).take(LIMIT_NAMES).collect())
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
