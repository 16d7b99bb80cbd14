//! What the words of a text stand for, in each family.

use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::Cause;
use replyscope::model::report::Report;

use crate::header::header;

/// One address family, and what the words of a text stand for in it.
pub struct Family {
    pub ip: &'static str,
    addresses: [(&'static str, &'static str); 6],
}

pub const FAMILIES: [Family; 2] = [
    Family {
        ip: "IP",
        addresses: [
            ("DEVICE", "192.0.2.7"),
            ("OTHER", "192.0.2.8"),
            ("ROUTER", "192.0.2.1"),
            ("VIP", "198.51.100.10"),
            ("NODE", "198.51.100.4"),
            ("POD", "203.0.113.16"),
        ],
    },
    Family {
        ip: "IP6",
        addresses: [
            ("DEVICE", "2001:db8::7"),
            ("OTHER", "2001:db8::8"),
            ("ROUTER", "2001:db8::1"),
            ("VIP", "2001:db8:100::10"),
            ("NODE", "2001:db8:100::4"),
            ("POD", "2001:db8:200::16"),
        ],
    },
];

impl Family {
    /// Lines of `SECONDS what`: `a.1 > b.2: …`, `ask A B` (A asks for B), `is A`
    /// (A is there), `unreachable A B C` (A says to B that C is), `refuse A B C 443`
    /// (A says to B that nothing listens at TCP port 443 of C), `closed A B C 53` (the same
    /// of UDP), `prohibited A B C` (A says to B that nobody may speak to C).
    pub fn text(&self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            let (at, what) = line.split_once(' ').unwrap();
            let at: f64 = at.parse().unwrap();
            let stamp = format!("12:{:02}:{:09.6}", (at / 60.0).floor(), at % 60.0);
            let words: Vec<&str> = what.split(' ').collect();
            let is_v4 = self.ip == "IP";
            let packet = match words[..] {
                ["ask", asker, wanted] if is_v4 => {
                    format!("ARP, Request who-has {wanted} tell {asker}, length 28")
                }
                ["ask", asker, wanted] => format!(
                    "IP6 {asker} > ff02::1:ff00:7: ICMP6, neighbor solicitation, who has {wanted}, length 32"
                ),
                ["is", who] if is_v4 => {
                    format!("ARP, Reply {who} is-at 02:00:00:00:00:07, length 28")
                }
                ["is", who] => {
                    format!(
                        "IP6 {who} > NODE: ICMP6, neighbor advertisement, tgt is {who}, length 32"
                    )
                }
                ["unreachable", from, to, whom] if is_v4 => {
                    format!("IP {from} > {to}: ICMP host {whom} unreachable, length 77")
                }
                ["unreachable", from, to, whom] => format!(
                    "IP6 {from} > {to}: ICMP6, destination unreachable, unreachable address {whom}, length 97"
                ),
                ["refuse", from, to, whom, port] if is_v4 => {
                    format!("IP {from} > {to}: ICMP {whom} tcp port {port} unreachable, length 68")
                }
                ["refuse", from, to, whom, port] => format!(
                    "IP6 {from} > {to}: ICMP6, destination unreachable, unreachable port, {whom} tcp port {port}, length 88"
                ),
                ["closed", from, to, whom, port] if is_v4 => {
                    format!("IP {from} > {to}: ICMP {whom} udp port {port} unreachable, length 68")
                }
                ["closed", from, to, whom, port] => format!(
                    "IP6 {from} > {to}: ICMP6, destination unreachable, unreachable port, {whom} udp port {port}, length 88"
                ),
                ["prohibited", from, to, whom] if is_v4 => format!(
                    "IP {from} > {to}: ICMP host {whom} unreachable - admin prohibited filter, length 68"
                ),
                ["prohibited", from, to, whom] => format!(
                    "IP6 {from} > {to}: ICMP6, destination unreachable, unreachable prohibited {whom}, length 88"
                ),
                _ => format!("{} {what}", self.ip),
            };
            text.extend([stamp.as_str(), " ", packet.as_str(), "\n"]);
        }
        self.spell(&text)
    }

    pub fn report(&self, lines: &[&str]) -> Report {
        read(&self.text(lines))
    }

    /// The same beside an inventory.
    pub fn report_with(&self, lines: &[&str], inventory: &str) -> Report {
        let mut analysis = reading(&self.text(lines));
        analysis.read_inventory("inventory", &mut self.spell(inventory).as_bytes()).unwrap();
        analysis.finish(header()).unwrap()
    }

    /// Puts addresses in the place of words.
    pub fn spell(&self, text: &str) -> String {
        let replaced = |text: String, (word, address): &(&str, &str)| text.replace(word, address);
        self.addresses.iter().fold(text.to_owned(), replaced)
    }

    /// The report on what `command` printed.
    pub fn report_of(&self, command: &str, lines: &[&str]) -> Report {
        let command = self.spell(command);
        read(&format!(
            "user@host:~$ {command}\nlistening on eth0, link-type EN10MB (Ethernet), capture size 262144 bytes\n{}",
            self.text(lines)
        ))
    }
}

/// The report on a text.
pub fn read(text: &str) -> Report {
    reading(text).finish(header()).unwrap()
}

fn reading(text: &str) -> Analysis {
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("text", None, &mut text.as_bytes()).unwrap();
    analysis
}

pub fn causes(report: &Report) -> Vec<Cause> {
    let findings = report.devices.iter().flat_map(|device| &device.findings);
    findings.map(|finding| finding.cause).collect()
}
