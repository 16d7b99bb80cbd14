//! The marks that mail puts before quoted lines.

use crate::ingest::tcpdump_text::is_address_side;

/// Takes the marks off, line by line.
#[derive(Debug, Default)]
pub(super) struct Quoting {
    /// The last line ends in a packet's source: the `>` before its destination may follow.
    lacks_destination: bool,
}

impl Quoting {
    /// The line without them. tcpdump's own ` > ` stays where a line was broken before it: a
    /// destination stands behind it, and the line before ends in a source.
    pub fn remove<'a>(&mut self, line: &'a str) -> &'a str {
        let (quoted, marks) = skip_marks(line, usize::MAX);
        let goes_on = self.lacks_destination && marks > 0 && begins_with_side(quoted);
        let text = if goes_on { skip_marks(line, marks - 1).0 } else { quoted };
        self.lacks_destination = ends_with_source(text);
        text
    }
}

/// What stands behind up to `limit` marks, and how many they are. `> ` stands before a quoted
/// line; a bare `>` is an empty quoted line.
fn skip_marks(line: &str, limit: usize) -> (&str, usize) {
    let (mut rest, mut marks) = (line, 0);
    while marks < limit {
        let Some(behind) = rest.trim_start_matches(' ').strip_prefix('>') else { break };
        marks += 1;
        match behind.strip_prefix(' ') {
            Some(behind) => rest = behind,
            None if behind.is_empty() || behind.starts_with('>') => rest = behind,
            // Mail programs write `>text`; `>>> NBT` is tcpdump's own.
            None => return (behind, marks),
        }
    }
    (rest, marks)
}

/// `192.0.2.21.69: UDP, …`, `02:00:00:00:00:02, ethertype …`.
fn begins_with_side(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    is_side(word.trim_end_matches([':', ',']))
}

/// `07:29:48.654684 IP 192.0.2.9.41226`, and no ` > ` before it.
fn ends_with_source(text: &str) -> bool {
    let text = text.trim_end();
    // Most lines end in a length.
    let Some((before, last)) = text.rsplit_once(' ') else { return false };
    last.contains(['.', ':']) && !before.ends_with(" >") && is_side(last)
}

/// Whether a word may be a packet's source or destination: an address, or one of Ethernet.
fn is_side(word: &str) -> bool {
    let is_byte =
        |byte: &str| (1..=2).contains(&byte.len()) && byte.bytes().all(|b| b.is_ascii_hexdigit());
    is_address_side(word) || (word.split(':').count() == 6 && word.split(':').all(is_byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_mail_are_taken_off() {
        let cases = [
            ("> a", "a"),
            ("> > a", "a"),
            (">> a", "a"),
            (">", ""),
            (">a", "a"),
            ("    a", "    a"),
            (">     a", "    a"),
            ("> 192.0.2.21.69: UDP, length 4", "192.0.2.21.69: UDP, length 4"),
        ];
        for (line, expected) in cases {
            assert_eq!(Quoting::default().remove(line), expected, "{line}");
        }
    }

    #[test]
    fn the_mark_between_two_addresses_stays() {
        let ends = [
            ("IP 192.0.2.9.41226", "192.0.2.21.69: UDP, length 4"),
            ("IP6 2001:db8::9.41226", "2001:db8::21.69: UDP, length 4"),
            ("IP 192.0.2.21", "192.0.2.9: ICMP 192.0.2.21 udp port 5 unreachable"),
            ("02:00:00:00:00:01", "02:00:00:00:00:02, ethertype IPv4 (0x0800), length 46: "),
        ];
        for (source, destination) in ends {
            let source = format!("07:29:48.654684 {source}");
            let rest = format!("> {destination}");
            let cases = [
                // The line before, the line, what comes out of it.
                (source.clone(), rest.clone(), rest.clone()),
                (format!("{source} "), rest.clone(), rest.clone()),
                (source.clone(), format!(" {rest}"), format!(" {rest}")),
                (format!("> {source}"), format!("> {rest}"), rest.clone()),
                (format!(">> {source}"), format!(">> {rest}"), rest.clone()),
                (format!("> {source}"), rest.clone(), rest.clone()),
                ("the device asks".to_owned(), rest.clone(), destination.to_owned()),
                (source.clone(), "> the device asks".to_owned(), "the device asks".to_owned()),
                (format!("{source} {rest}"), rest.clone(), destination.to_owned()),
            ];
            for (before, line, expected) in cases {
                let mut quoting = Quoting::default();
                quoting.remove(&before);
                assert_eq!(quoting.remove(&line), expected, "{before}\n{line}");
            }
        }
    }
}
