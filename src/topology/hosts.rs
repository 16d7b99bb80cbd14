//! Names of hosts: `/etc/hosts`, `getent hosts`.

use std::net::IpAddr;

use crate::model::topology::HostFact;

/// Names that are kept of one listing.
pub const LIMIT_NAMES: usize = 100_000;

/// `192.0.2.1  node3.example.com node3  # a comment`. Nothing but the command
/// tells such lines from other text that begins with an address.
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

#[cfg(test)]
mod tests {
    use crate::topology::parse;

    #[test]
    fn names_are_read_below_their_command_only() {
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
        assert!(names("").is_empty());
        assert!(names("cat notes.txt").is_empty());
    }
}
