//! `listening on eth0, link-type EN10MB (Ethernet), …` and its like.

use crate::model::capture::LinkType;

/// What tcpdump says when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement<'a> {
    /// `None` where a file is read.
    pub interface: Option<&'a str>,
    pub link_type: Option<LinkType>,
}

/// Finds tcpdump's first words in a line.
pub(super) fn find_announcement(line: &str) -> Option<Announcement<'_>> {
    let text = line.trim();
    // FortiGate's sniffer.
    if let Some(interface) =
        text.strip_prefix("interfaces=[").and_then(|rest| rest.strip_suffix(']'))
        && !interface.is_empty()
    {
        return Some(Announcement { interface: Some(interface), link_type: None });
    }
    let text = text.strip_prefix("tcpdump: ").unwrap_or(text).trim_start();
    // Junos writes it with a capital.
    let listening =
        text.strip_prefix("listening on ").or_else(|| text.strip_prefix("Listening on "));
    let (interface, rest) = if let Some(rest) = listening {
        let (interface, rest) = rest.split_once(',').unwrap_or((rest, ""));
        // Prose can begin like that too.
        let interface = interface.trim();
        if interface.is_empty() || interface.contains(' ') {
            return None;
        }
        (Some(interface), rest)
    } else {
        (None, text.strip_prefix("reading from ")?)
    };
    let link_type = rest.split_once("link-type ").and_then(|(_, rest)| {
        let name = rest.split([' ', ',']).next()?;
        find_link_type(name)
    });
    (interface.is_some() || rest.contains("link-type "))
        .then_some(Announcement { interface, link_type })
}

/// The names that tcpdump prints (pcap-linktype(7)).
fn find_link_type(name: &str) -> Option<LinkType> {
    Some(match name {
        "EN10MB" => LinkType::Ethernet,
        "RAW" => LinkType::RawIp,
        "IPV4" => LinkType::Ipv4,
        "IPV6" => LinkType::Ipv6,
        "NULL" => LinkType::Null,
        "LOOP" => LinkType::Loop,
        "LINUX_SLL" => LinkType::LinuxSll,
        "LINUX_SLL2" => LinkType::LinuxSll2,
        "PFLOG" => LinkType::Pflog,
        "NFLOG" => LinkType::Nflog,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_name_interface_and_link_type() {
        let cases = [
            (
                "listening on eth0, link-type EN10MB (Ethernet), capture size 262144 bytes",
                Some((Some("eth0"), Some(LinkType::Ethernet))),
            ),
            (
                "tcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144 bytes",
                Some((Some("any"), Some(LinkType::LinuxSll2))),
            ),
            (
                "reading from file a.pcap, link-type LINUX_SLL (Linux cooked v1)",
                Some((None, Some(LinkType::LinuxSll))),
            ),
            (
                "reading from file a.pcap, link-type RAW (Raw IP)",
                Some((None, Some(LinkType::RawIp))),
            ),
            (
                "tcpdump: listening on pflog0, link-type PFLOG (OpenBSD pflog file), capture size 262144 bytes",
                Some((Some("pflog0"), Some(LinkType::Pflog))),
            ),
            (
                "listening on nflog:5, link-type NFLOG (Linux netfilter log messages), snapshot length 262144 bytes",
                Some((Some("nflog:5"), Some(LinkType::Nflog))),
            ),
            ("Listening on ge-0/0/0.0, capture size 96 bytes", Some((Some("ge-0/0/0.0"), None))),
            ("interfaces=[port1]", Some((Some("port1"), None))),
            ("interfaces=[]", None),
            ("listening on the host we see nothing", None),
            ("reading from the log", None),
            ("tcpdump: verbose output suppressed", None),
        ];
        for (line, expected) in cases {
            let actual = find_announcement(line).map(|found| (found.interface, found.link_type));
            assert_eq!(actual, expected, "{line}");
        }
    }
}
