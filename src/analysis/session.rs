//! The facts in a terminal session, whose prompts tell on which node each command ran.

use crate::ingest::{Event, transcript};
use crate::model::topology::Facts;

/// What a text states, read as a session.
#[derive(Debug, Default)]
pub struct Session {
    /// Whether it shows a command whose output states facts. If not, the text may be what
    /// one command printed.
    pub shows_command: bool,
    /// By the node that a prompt names.
    pub facts: Vec<(Option<String>, Facts)>,
}

impl Session {
    /// Reads `text`, whatever it is.
    pub fn read(mut text: &[u8]) -> Self {
        let mut session = Self::default();
        // Whether the text holds anything else, packets or nothing, is not asked here.
        let _ = transcript::read_text(&mut text, &mut |event| {
            if let Event::Inventory(text) = event {
                let facts = super::parse(&text);
                session.shows_command |= !text.command.is_empty() && !facts.is_empty();
                session.facts.push((text.node.map(str::to_owned), facts));
            }
        });
        session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_tell_the_nodes_of_facts() {
        for (address, mask) in [("198.51.100.13", 24), ("2001:db8:1::13", 64)] {
            let family = if address.contains(':') { "inet6" } else { "inet" };
            let printed = format!(
                "2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP\n    {family} {address}/{mask} scope global eth0\n"
            );
            let session = format!("root@node3:~# ip addr\n{printed}root@node3:~# \n");
            for (text, shows_command, node) in
                [(&session, true, Some("node3")), (&printed, false, None)]
            {
                let read = Session::read(text.as_bytes());
                assert_eq!(read.shows_command, shows_command, "{text}");
                let [(named, facts)] = read.facts.as_slice() else { unreachable!("{read:?}") };
                assert_eq!((named.as_deref(), facts.addresses.len()), (node, 1), "{text}");
            }
            assert!(!Session::read(b"name,address\nsw1,192.0.2.7\n").shows_command);
        }
    }
}
