//! The kernel's counters for IP, UDP and ICMP, from `/proc/net/snmp` and `snmp6`.

use std::collections::BTreeMap;
use std::fs;

/// Counters of both families by the names of `nstat`: `UdpInErrors`, `Udp6NoPorts`.
/// A file that cannot be read is told in `faults`.
pub fn read(faults: &mut Vec<String>) -> BTreeMap<String, u64> {
    let mut counters = BTreeMap::new();
    // `self` is the process, not the thread: all threads are in one namespace.
    for (file, parse) in [
        ("/proc/self/net/snmp", parse_snmp as fn(&str, &mut BTreeMap<String, u64>)),
        ("/proc/self/net/snmp6", parse_snmp6),
    ] {
        match fs::read_to_string(file) {
            Ok(text) => parse(&text, &mut counters),
            Err(error) => faults.push(format!("{file} cannot be read: {error}")),
        }
    }
    counters
}

/// Pairs of lines, names and values: `Udp: InDatagrams …`, `Udp: 5 …`.
fn parse_snmp(text: &str, counters: &mut BTreeMap<String, u64>) {
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let Some((protocol, names)) = names.split_once(": ") else { continue };
        if !["Ip", "Icmp", "Udp"].contains(&protocol) {
            continue;
        }
        let values = values.split_whitespace().skip(1);
        for (name, value) in names.split_whitespace().zip(values) {
            // `Icmp: InCsumErrors` and the like are never negative; `Ip: Forwarding` is no counter.
            if let (Ok(value), false) =
                (value.parse(), ["Forwarding", "DefaultTTL"].contains(&name))
            {
                counters.insert(format!("{protocol}{name}"), value);
            }
        }
    }
}

/// One counter a line: `Udp6InDatagrams 5`.
fn parse_snmp6(text: &str, counters: &mut BTreeMap<String, u64>) {
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(Ok(value))) = (words.next(), words.next().map(str::parse))
            && ["Ip6", "Icmp6", "Udp6"].iter().any(|protocol| name.starts_with(protocol))
        {
            counters.insert(name.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_the_names_of_nstat() {
        let mut counters = BTreeMap::new();
        parse_snmp(
            "Ip: Forwarding DefaultTTL InReceives\nIp: 1 64 7\nTcp: InSegs\nTcp: 9\nUdp: InDatagrams NoPorts\nUdp: 5 2\n",
            &mut counters,
        );
        parse_snmp6("Ip6InReceives \t 3\nUdp6NoPorts 4\nUdpLite6InErrors 1\nodd\n", &mut counters);
        let expected = [
            ("Ip6InReceives", 3),
            ("IpInReceives", 7),
            ("Udp6NoPorts", 4),
            ("UdpInDatagrams", 5),
            ("UdpNoPorts", 2),
        ];
        let found: Vec<_> = counters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(found, expected);
    }
}
