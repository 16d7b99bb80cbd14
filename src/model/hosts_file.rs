//! Lines of hosts files: `/etc/hosts` (hosts(5)), and what `getent hosts` prints.

use std::net::IpAddr;

/// `192.0.2.1  node3.example.com node3  # a comment`. One such line may be any text
/// that begins with an address.
#[derive(Debug, Clone, Copy)]
pub struct HostsLine<'a> {
    pub address: IpAddr,
    /// What stands behind the address.
    rest: &'a str,
}

impl<'a> HostsLine<'a> {
    /// Reads a line; `None` where no address leads it.
    #[must_use]
    pub fn find(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let address = word.split('%').next()?.parse().ok()?;
        Some(Self { address, rest })
    }

    /// The words between address and comment: of an entry the names, the canonical one first.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.rest.split('#').next().unwrap_or_default().split_whitespace()
    }

    /// Whether it is an entry by its form: names stand there, and nothing that is none.
    #[must_use]
    pub fn is_entry(&self) -> bool {
        let is_name = |word: &str| {
            word.contains(|c: char| c.is_ascii_alphabetic())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        let mut names = self.names().peekable();
        names.peek().is_some() && names.all(is_name)
    }

    /// Whether it names the host itself, which all such files do: `127.0.0.1 localhost`,
    /// `::1 ip6-localhost`.
    #[must_use]
    pub fn names_itself(&self) -> bool {
        self.address.is_loopback() && self.names().any(is_localhost)
    }

    /// Whether it names the host itself before all else. Of other text that begins with a
    /// loopback address hardly any goes on so.
    #[must_use]
    pub fn begins_file(&self) -> bool {
        self.address.is_loopback() && self.names().next().is_some_and(is_localhost)
    }
}

fn is_localhost(name: &str) -> bool {
    name.contains("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_from_other_lines() {
        let cases = [
            // line, names, entry, names the host itself, begins a file
            ("127.0.0.1 localhost", 1, true, true, true),
            ("::1\tip6-localhost ip6-loopback # v6", 2, true, true, true),
            ("127.0.0.1 node3 localhost", 2, true, true, false),
            ("::1 node3 localhost", 2, true, true, false),
            ("192.0.2.1 ns1.example.com ns1", 2, true, false, false),
            ("fe80::1%eth0 ns1", 1, true, false, false),
            ("192.0.2.1", 0, false, false, false),
            ("2001:db8::1 # ns1", 0, false, false, false),
            ("192.0.2.1 is the VIP, and the node", 6, false, false, false),
            ("2001:db8::1 1/1", 1, false, false, false),
        ];
        for (line, names, is_entry, names_itself, begins_file) in cases {
            let found = HostsLine::find(line).unwrap();
            let seen = (found.names().count(), found.is_entry());
            assert_eq!(seen, (names, is_entry), "{line}");
            let seen = (found.names_itself(), found.begins_file());
            assert_eq!(seen, (names_itself, begins_file), "{line}");
        }
        for line in ["", "# 192.0.2.1 old", "node3 192.0.2.1", "192.0.2.1#53 localhost"] {
            assert!(HostsLine::find(line).is_none(), "{line}");
        }
    }
}
