//! What lines about addresses look like, tool by tool.

use std::net::IpAddr;

use super::tracked::{begins_table, belongs_to_table};
use crate::ingest::tcpdump_text::looks_like_packet;
use crate::model::hosts_file::HostsLine;

/// The form of an inventory's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    IpAddr,
    IpRoute,
    /// What `kubectl get` prints.
    Table,
    /// `sysctl -a`: `net.ipv4.ip_forward = 1`.
    Sysctl,
    /// `lsmod` and `/proc/modules`.
    Modules,
    /// `ip -j`, `kubectl -o json`.
    Json,
    /// `kubectl -o yaml`.
    Yaml,
    /// `cat /etc/hosts`.
    Hosts,
    /// `conntrack -L`, `conntrack -E`, `/proc/net/nf_conntrack`.
    Conntrack,
}

impl Shape {
    /// The shape that begins with this line, where no command says it.
    pub fn find_bare(line: &str) -> Option<Self> {
        let trimmed = line.trim();
        if is_link(trimmed) || is_address_line(trimmed) {
            return Some(Self::IpAddr);
        }
        if is_route(trimmed) {
            return Some(Self::IpRoute);
        }
        if is_header(trimmed) {
            return Some(Self::Table);
        }
        if is_sysctl(trimmed) && trimmed.starts_with("net.") {
            return Some(Self::Sysctl);
        }
        if is_module_header(trimmed) {
            return Some(Self::Modules);
        }
        if line.starts_with("apiVersion: ") {
            return Some(Self::Yaml);
        }
        if HostsLine::find(trimmed).is_some_and(|line| line.begins_file()) {
            return Some(Self::Hosts);
        }
        if begins_table(trimmed) {
            return Some(Self::Conntrack);
        }
        begins_json(trimmed).then_some(Self::Json)
    }

    /// Whether a line is indented as what belongs to a link: `ip -d` prints more of it
    /// than can be listed, and an alias may be any text.
    pub fn accepts_indented(self, line: &str) -> bool {
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        self == Self::IpAddr && is_indented && !looks_like_packet(line)
    }

    /// Whether the tool prints such a line. `is_after_gap`: a blank line
    /// stands before it.
    pub fn accepts(self, line: &str, is_after_gap: bool) -> bool {
        let trimmed = line.trim();
        match self {
            Self::IpAddr => is_link(trimmed) || is_address_line(trimmed) || is_detail(trimmed),
            Self::IpRoute => is_route(trimmed),
            Self::Table if is_after_gap => is_header(trimmed),
            Self::Table => is_header(trimmed) || is_row(trimmed),
            Self::Sysctl => is_sysctl(trimmed) || trimmed.starts_with("sysctl: "),
            Self::Modules => is_module_header(trimmed) || is_module(trimmed),
            Self::Hosts => trimmed.starts_with('#') || HostsLine::find(trimmed).is_some(),
            Self::Conntrack => belongs_to_table(trimmed),
            // Counted by its brackets instead.
            Self::Json => true,
            // A text within an object may hold blank lines, and is indented.
            Self::Yaml if is_after_gap => line.starts_with(' '),
            Self::Yaml => {
                line.starts_with([' ', '-', '#'])
                    || trimmed.split_once(':').is_some_and(|(name, value)| {
                        !name.is_empty()
                            && name.bytes().all(|b| b.is_ascii_alphanumeric())
                            && (value.is_empty() || value.starts_with(' '))
                    })
            }
        }
    }
}

/// `2: eth0: <BROADCAST,MULTICAST,UP>`, `2: eth0    inet 192.0.2.1/24`, and
/// `eth0  UP  192.0.2.1/24` of `ip -br`.
fn is_link(line: &str) -> bool {
    if is_ifconfig_link(line) {
        return true;
    }
    let numbered = line.split_once(": ").is_some_and(|(index, rest)| {
        let is_index = (1..=7).contains(&index.len()) && index.bytes().all(|b| b.is_ascii_digit());
        let mut words = rest.split_whitespace();
        let name = words.next().unwrap_or_default();
        let next = words.next().unwrap_or_default();
        is_index
            && ((name.ends_with(':') && next.starts_with('<'))
                || (matches!(next, "inet" | "inet6") && words.next().is_some_and(is_prefix)))
    });
    let mut words = line.split_whitespace();
    let brief = words.next().is_some_and(|name| name.len() <= 40 && name.is_ascii())
        && words.next().is_some_and(|state| matches!(state, "UP" | "DOWN" | "UNKNOWN"))
        && words.next().is_none_or(|word| is_prefix(word) || word.len() == 17);
    numbered || brief
}

/// `eth0: flags=4163<UP>  mtu 1500` of `ifconfig`, and `eth0      Link encap:Ethernet`
/// of its old versions and busybox.
fn is_ifconfig_link(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    match words.next() {
        Some(word) if name.ends_with(':') => word.starts_with("flags="),
        Some("Link") => words.next().is_some_and(|word| word.starts_with("encap:")),
        _ => false,
    }
}

/// `inet 192.0.2.1/24 brd …`, `inet6 2001:db8::1/64 scope …`, and the words of
/// `ifconfig`: `inet 192.0.2.1 netmask …`, `inet addr:192.0.2.1`, `inet6 addr: …`.
fn is_address_line(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_family = matches!(words.next(), Some("inet" | "inet6"));
    let Some(address) = words.next().filter(|_| is_family) else { return false };
    let bare = address.split('%').next().unwrap_or(address);
    is_prefix(address)
        || address.starts_with("addr:")
        || (bare.parse::<IpAddr>().is_ok()
            && words.any(|word| matches!(word, "netmask" | "prefixlen")))
}

/// The other lines of `ip addr`, with and without `-d` and `-s`.
fn is_detail(line: &str) -> bool {
    const LEADS: &[&str] = &[
        "link/",
        "valid_lft ",
        "altname ",
        "RX:",
        "TX:",
        "RX ",
        "TX ",
        "vlan ",
        "bridge ",
        "bridge_slave",
        "veth ",
        "veth",
        "bond ",
        "bond_slave",
        "vxlan ",
        "tun ",
        "ipip ",
        "ipvlan",
        "macvlan ",
        "promiscuity ",
        "openvswitch",
        "dummy ",
        "geneve ",
        "gre ",
        "sit ",
        "vti",
        "wireguard",
    ];
    let numbers = !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit() || b == b' ');
    numbers || LEADS.iter().any(|lead| line.starts_with(lead))
}

/// Words that follow the target of a route.
const FIELDS: [&str; 9] =
    ["via", "dev", "proto", "scope", "nhid", "metric", "src", "table", "onlink"];

/// `default via 192.0.2.254 dev eth0`, `192.0.2.0/24 dev eth0 …`.
fn is_route(line: &str) -> bool {
    const KINDS: &[&str] = &[
        "unreachable",
        "blackhole",
        "prohibit",
        "throw",
        "local",
        "broadcast",
        "multicast",
        "anycast",
        "unicast",
        "nat",
    ];
    let mut words = line.split_whitespace().peekable();
    if words.peek() == Some(&"nexthop") {
        return line.contains(" dev ") || line.contains(" via ");
    }
    let typed = words.next_if(|word| KINDS.contains(word)).is_some();
    let Some(target) = words.next() else {
        return false;
    };
    let is_target = target == "default" || is_prefix(target) || target.parse::<IpAddr>().is_ok();
    // `default` alone has its next hops on the lines below.
    let field_follows = words.next().is_none_or(|word| FIELDS.contains(&word));
    is_target && field_follows && (typed || target == "default" || line.contains(" dev "))
}

fn is_prefix(word: &str) -> bool {
    word.split_once('/').is_some_and(|(address, length)| {
        let digits: String = length.chars().take_while(char::is_ascii_digit).collect();
        !digits.is_empty() && address.split('%').next().is_some_and(|a| a.parse::<IpAddr>().is_ok())
    })
}

/// `NAMESPACE  NAME  READY  STATUS …`.
fn is_header(line: &str) -> bool {
    const KNOWN: [&str; 8] =
        ["READY", "STATUS", "TYPE", "CLUSTER-IP", "INTERNAL-IP", "ROLES", "AGE", "RESTARTS"];
    let words = || line.split_whitespace();
    words().count() >= 3
        && words().any(|word| word == "NAME")
        && words().any(|word| KNOWN.contains(&word))
        && words().all(|word| {
            word.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'(' | b')' | b'/'))
        })
}

/// A row of a table: columns, and among them something that prose has not.
fn is_row(line: &str) -> bool {
    let words = || line.split_whitespace();
    let is_cell = |word: &str| {
        word == "<none>"
            || word == "<pending>"
            || word.parse::<IpAddr>().is_ok()
            || is_ready(word)
            || is_age(word)
    };
    line.is_ascii() && words().count() >= 3 && words().skip(1).any(is_cell)
}

/// `1/1`.
fn is_ready(word: &str) -> bool {
    word.split_once('/').is_some_and(|(ready, all)| {
        [ready, all].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// `13d`, `4h5m`.
fn is_age(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd', 'y'])
        && word.bytes().all(|b| b.is_ascii_digit() || b"smhdy".contains(&b))
}

/// `net.ipv4.conf.eth0.rp_filter = 1`.
fn is_sysctl(line: &str) -> bool {
    line.split_once(" =").is_some_and(|(key, _)| {
        key.contains('.')
            && key.starts_with(|c: char| c.is_ascii_lowercase())
            && key.bytes().all(|b| b.is_ascii_graphic() && b != b'=')
    })
}

/// `Module                  Size  Used by`.
fn is_module_header(line: &str) -> bool {
    line.split_whitespace().eq(["Module", "Size", "Used", "by"])
}

/// `nf_nat_tftp  16384  0`.
fn is_module(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_number =
        |word: Option<&str>| word.is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit()));
    words.next().is_some_and(|name| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    }) && is_number(words.next())
        && is_number(words.next())
}

/// The first line of JSON, printed in one line or in many.
fn begins_json(line: &str) -> bool {
    let compact: String = line.chars().filter(|c| !c.is_whitespace()).take(3).collect();
    matches!(compact.as_str(), "[" | "[{" | "{" | "[{\"" | "{\"")
        || compact.starts_with("{\"")
        || compact.starts_with("[{\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_inventories_are_known_by_their_shape() {
        let cases = [
            ("2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq", Some(Shape::IpAddr)),
            ("7: eth0@if8: <BROADCAST> mtu 1500", Some(Shape::IpAddr)),
            ("2: eth0    inet 192.0.2.1/24 scope global eth0", Some(Shape::IpAddr)),
            ("    inet 192.0.2.1/24 brd 192.0.2.255 scope global eth0", Some(Shape::IpAddr)),
            ("inet6 2001:db8::1/64 scope global", Some(Shape::IpAddr)),
            ("eth0             UP             192.0.2.1/24 2001:db8::1/64", Some(Shape::IpAddr)),
            ("default via 192.0.2.254 dev eth0", Some(Shape::IpRoute)),
            ("default via fe80::1 dev eth0 proto ra", Some(Shape::IpRoute)),
            ("192.0.2.7 dev cali1 scope link", Some(Shape::IpRoute)),
            ("2001:db8::/64 dev eth0 proto kernel metric 256", Some(Shape::IpRoute)),
            ("unreachable 192.0.2.0/24 dev lo", Some(Shape::IpRoute)),
            ("NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE   IP   NODE", Some(Shape::Table)),
            ("[{\"ifindex\":1,\"ifname\":\"lo\"}]", Some(Shape::Json)),
            ("[ {", Some(Shape::Json)),
            ("{", Some(Shape::Json)),
            ("127.0.0.1 localhost", Some(Shape::Hosts)),
            ("::1\tlocalhost ip6-localhost", Some(Shape::Hosts)),
            ("127.0.0.1 is the loopback", None),
            ("eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500", Some(Shape::IpAddr)),
            ("eth0      Link encap:Ethernet  HWaddr 02:00:00:00:00:01", Some(Shape::IpAddr)),
            ("1. First the device (192.0.2.1) asks", None),
            ("192.0.2.1 is the VIP", None),
            ("192.0.2.1:the VIP", None),
            ("[snip]", None),
            ("NAME is the file", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(Shape::find_bare(line), expected, "{line}");
        }
    }

    #[test]
    fn prose_ends_an_inventory() {
        let cases = [
            (Shape::IpAddr, "       valid_lft forever preferred_lft 0sec", true),
            (Shape::IpAddr, "The roles are as follows:", false),
            (Shape::IpRoute, "nexthop via 192.0.2.1 dev eth0 weight 1", true),
            (Shape::IpRoute, "so the cable is cali1", false),
            (Shape::Table, "ss tftp-1 1/1 Running 2 13d 192.0.2.1 node1 <none> <none>", true),
            (Shape::Table, "kubernetes ClusterIP 192.0.2.1 <none> 443/TCP 41d", true),
            (Shape::Table, "找到Pod的网卡:", false),
            (Shape::Table, "These are the pods", false),
        ];
        for (shape, line, expected) in cases {
            assert_eq!(shape.accepts(line, false), expected, "{line}");
        }
    }
}
