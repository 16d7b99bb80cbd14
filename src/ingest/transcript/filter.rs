//! The filter of a capture command: pcap-filter(7), as far as directions matter.

mod settle;
mod tokens;

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use self::tokens::{find_relation, split_tokens};
use crate::ingest::tcpdump_text::find_port;
use crate::model::capture::{Carried, Condition, End, Side};

/// What people type is shorter.
const MAX_WORDS: usize = 256;
const MAX_DEPTH: u32 = 32;

/// Reads a filter; `None` where it is empty, or no filter by its syntax.
pub(super) fn find_condition(text: &str) -> Option<Condition> {
    let tokens = split_tokens(text);
    if tokens.is_empty() || tokens.len() > MAX_WORDS {
        return None;
    }
    let mut parser = Parser { words: &tokens, at: 0, latest: Kind::PLAIN };
    let mut condition = parser.expression(0)?;
    if parser.at < tokens.len() {
        return None;
    }
    let names = condition.names();
    condition.settle(&names);
    Some(condition)
}

/// What the words before an identifier make of it.
#[derive(Debug, Clone, Copy)]
struct Kind {
    side: Side,
    sort: Sort,
    is_of_link: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// No word says it: a host, or a network in CIDR notation.
    Untold,
    Host,
    Net,
    Port,
    PortRange,
    Protocol,
}

impl Kind {
    const PLAIN: Self = Self { side: Side::Either, sort: Sort::Untold, is_of_link: false };
}

struct Parser<'a> {
    words: &'a [String],
    at: usize,
    /// An identifier without a keyword is of the latest kind.
    latest: Kind,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn takes(&mut self, expected: &str) -> bool {
        let is_there = self.peek().is_some_and(|word| word.eq_ignore_ascii_case(expected));
        self.at += usize::from(is_there);
        is_there
    }

    /// `and` and `or` have one precedence, and go from left to right.
    fn expression(&mut self, depth: u32) -> Option<Condition> {
        let mut left = self.term(depth)?;
        loop {
            if self.takes("and") {
                left = Condition::All(vec![left, self.term(depth)?]);
            } else if self.takes("or") {
                left = Condition::Any(vec![left, self.term(depth)?]);
            } else {
                return Some(left);
            }
        }
    }

    fn term(&mut self, depth: u32) -> Option<Condition> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.takes("not") || self.takes("!") {
            return Some(self.term(depth + 1)?.negated());
        }
        // Bytes of a packet, or its length: what they say of an answer nobody knows. The bit
        // of `udp[10] & 0x80` tells a query of DNS from its answer.
        if let Some(length) = find_relation(self.words.get(self.at..)?) {
            self.at += length;
            return Some(Condition::Unknown);
        }
        if self.takes("(") {
            let inner = self.expression(depth + 1)?;
            return self.takes(")").then_some(inner);
        }
        self.primitive()
    }

    fn primitive(&mut self) -> Option<Condition> {
        let mut parts = Vec::new();
        let mut kind = Kind::PLAIN;
        let mut is_told = false;
        while let Some(word) = self.peek().map(str::to_ascii_lowercase) {
            let sort = match word.as_str() {
                "host" => Some(Sort::Host),
                "net" => Some(Sort::Net),
                "port" => Some(Sort::Port),
                "portrange" => Some(Sort::PortRange),
                "proto" => Some(Sort::Protocol),
                _ => None,
            };
            if let Some(sort) = sort {
                kind.sort = sort;
                is_told = true;
            } else if let Some(side) = find_side(&word) {
                kind.side = self.side(side);
                is_told = true;
            } else if matches!(word.as_str(), "ether" | "link") {
                kind.is_of_link = true;
            } else if let Some(part) = (!is_told).then(|| self.find_whole(&word)).flatten() {
                parts.push(part);
            } else if matches!(word.as_str(), "and" | "or" | "not" | "(" | ")" | "!") {
                break;
            } else {
                self.at += 1;
                if is_told || kind.is_of_link {
                    self.latest = kind;
                } else if parts.is_empty() && self.is_of_latest(&word) {
                    kind = self.latest;
                }
                parts.push(self.identifier(kind, &word)?);
                return Some(join(parts));
            }
            self.at += 1;
        }
        // `src` and `port` have to be followed by something.
        (!parts.is_empty() && !is_told).then(|| join(parts))
    }

    /// `src or dst` and `src and dst` are one word, as it were.
    fn side(&mut self, side: Side) -> Side {
        if side != Side::Source {
            return side;
        }
        let next = |offset: usize| self.words.get(self.at + offset).map(|w| w.to_ascii_lowercase());
        let both = match (next(1).as_deref(), next(2).as_deref()) {
            (Some("or"), Some("dst")) => Side::Either,
            (Some("and"), Some("dst")) => Side::Both,
            _ => return side,
        };
        self.at += 2;
        both
    }

    /// What needs no identifier.
    fn find_whole(&mut self, word: &str) -> Option<Condition> {
        Some(match word {
            "ip" => Condition::Carries(Carried::Ipv4),
            "ip6" => Condition::Carries(Carried::Ipv6),
            "udp" => Condition::Carries(Carried::Udp),
            "icmp" | "icmp6" => Condition::Carries(Carried::Icmp),
            "tcp" | "arp" | "rarp" | "sctp" | "igmp" | "esp" | "ah" | "pim" | "vrrp" | "stp"
            | "lldp" => Condition::Carries(Carried::Other),
            "broadcast" | "multicast" => Condition::ToGroup,
            "inbound" | "outbound" => Condition::OneDirection,
            "vlan" | "mpls" | "pppoes" | "geneve" | "less" | "greater" | "ifname" | "on"
            | "gateway" => {
                let has_value = self.words.get(self.at + 1).is_some_and(|next| {
                    matches!(word, "ifname" | "on" | "gateway")
                        || next.bytes().all(|b| b.is_ascii_digit())
                });
                self.at += usize::from(has_value);
                match word {
                    // An answer has a length of its own.
                    "less" | "greater" => Condition::Unknown,
                    _ => Condition::Alike,
                }
            }
            _ => return None,
        })
    }

    /// Whether a word without a keyword is what the latest one was.
    fn is_of_latest(&self, word: &str) -> bool {
        word.parse::<IpAddr>().is_ok() == matches!(self.latest.sort, Sort::Host | Sort::Untold)
    }

    fn identifier(&mut self, kind: Kind, word: &str) -> Option<Condition> {
        let side = kind.side;
        if kind.is_of_link {
            return Some(Condition::End(side, End::Named(format!("link {word}"))));
        }
        let named = || End::Named(word.to_owned());
        let end = match kind.sort {
            Sort::Untold => match word.parse() {
                Ok(network) => End::Network(network),
                Err(_) => find_host(word).unwrap_or_else(named),
            },
            Sort::Host => find_host(word).unwrap_or_else(named),
            Sort::Net => self.find_network(word).map_or_else(named, End::Network),
            Sort::Port => find_port(word).map_or_else(named, |port| End::Ports(port..=port)),
            Sort::PortRange => {
                let (from, to) = word.split_once('-')?;
                End::Ports(find_port(from)?..=find_port(to)?)
            }
            Sort::Protocol => {
                return Some(Condition::Carries(match word.trim_start_matches('\\') {
                    "udp" | "17" => Carried::Udp,
                    "icmp" | "1" | "icmp6" | "58" => Carried::Icmp,
                    _ => Carried::Other,
                }));
            }
        };
        Some(Condition::End(side, end))
    }

    /// `192.0.2.0/24`, `192.0.2`, `192.0.2.0 mask 255.255.255.0`, `2001:db8::/32`.
    fn find_network(&mut self, word: &str) -> Option<IpNet> {
        if let Ok(network) = word.parse() {
            return Some(network);
        }
        if let Ok(IpAddr::V6(address)) = word.parse() {
            return IpNet::new(address.into(), 128).ok();
        }
        let mut octets = [0; 4];
        let mut count = 0;
        for (octet, part) in octets.iter_mut().zip(word.split('.')) {
            *octet = part.parse().ok()?;
            count += 8;
        }
        let address = IpAddr::V4(Ipv4Addr::from(octets));
        if self.takes("mask") {
            let mask = self.peek()?.parse().ok()?;
            self.at += 1;
            return IpNet::with_netmask(address, mask).ok();
        }
        IpNet::new(address, count).ok()
    }
}

fn find_side(word: &str) -> Option<Side> {
    match word {
        "src" => Some(Side::Source),
        "dst" => Some(Side::Destination),
        _ => None,
    }
}

fn find_host(word: &str) -> Option<End> {
    word.parse::<IpAddr>().ok().map(|address| End::Network(address.into()))
}

fn join(mut parts: Vec<Condition>) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        _ => Condition::All(parts),
    }
}

#[cfg(test)]
mod tests;
