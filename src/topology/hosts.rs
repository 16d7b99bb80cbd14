//! Names of hosts: `/etc/hosts`, `getent hosts`.

use std::net::IpAddr;

use crate::model::topology::HostFact;

/// Names that are kept of one listing.
pub const LIMIT_NAMES: usize = 100_000;

/// Whether `text` is such a file as it stands: every line that says anything is an
/// address with names, and one of them, as everywhere, is the host's own loopback.
pub fn is_file(text: &str) -> bool {
    let mut has_loopback = false;
    for line in text.lines() {
        let said = line.split('#').next().unwrap_or(line);
        let mut words = said.split_whitespace();
        let Some(first) = words.next() else { continue };
        let address = first.split('%').next().and_then(|word| word.parse::<IpAddr>().ok());
        let mut names = words.peekable();
        let Some(address) = address.filter(|_| names.peek().is_some()) else { return false };
        for name in names {
            if !is_name(name) {
                return false;
            }
            has_loopback |= address.is_loopback() && name.starts_with("localhost");
        }
    }
    has_loopback
}

/// A host's name (RFC 1123 section 2.1), or with an underscore, as some are.
fn is_name(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// `192.0.2.1  node3.example.com node3  # a comment`. Nothing but the command, or the
/// whole file, tells such lines from other text that begins with an address.
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
    fn names_are_read_below_their_command_or_from_the_file() {
        let listed = "192.0.2.1 ns1.example.com ns1 # ours
2001:db8::1\tns1.example.com
# 192.0.2.2 old
";
        let names_in = |command, text: &str| -> Vec<String> {
            let facts = parse(command, None, text, 1);
            facts.hosts.iter().map(|host| format!("{} {}", host.name, host.address)).collect()
        };
        let names = |command| names_in(command, listed);
        let expected =
            ["ns1.example.com 192.0.2.1", "ns1 192.0.2.1", "ns1.example.com 2001:db8::1"];
        assert_eq!(names("cat /etc/hosts"), expected);
        assert_eq!(names("getent hosts ns1"), expected);
        assert!(names("").is_empty());
        assert!(names("cat notes.txt").is_empty());
        for loopback in ["127.0.0.1\tlocalhost", "::1 localhost ip6-localhost # this host"] {
            let file = |more: &str| names_in("", &format!("# hosts\n{loopback}\n{listed}{more}"));
            assert_eq!(file(""), expected, "{loopback}");
            // A session, a table of neighbours, routes: something else.
            for more in [
                "root@node3:~# ip addr\n",
                "192.0.2.9 dev eth0 lladdr 02:00:00:00:00:01 STALE\n",
                "192.0.2.0/24 dev eth0\n",
                "192.0.2.9\n",
            ] {
                assert!(file(more).is_empty(), "{more}");
            }
        }
    }
}
