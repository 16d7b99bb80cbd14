//! Hosts that translate a request and refuse its answer.

use replyscope::model::finding::{Cause, Verdict};

use crate::family::{FAMILIES, read};

/// A DNS request that passes a host under two addresses, and its answer.
fn text(ip: &str, answer_to: &str, refuses: &str) -> String {
    let refusal = if ip == "IP" {
        format!("IP {refuses} > VIP: ICMP {refuses} udp port 52211 unreachable, length 106")
    } else {
        format!(
            "IP6 {refuses} > VIP: ICMP6, destination unreachable, unreachable port, {refuses} udp port 52211, length 106"
        )
    };
    format!(
        "12:00:00.000000 wt0   In  {ip} POD.52211 > VIP.53: 30370+ [1au] A? a.example. (54)\n\
         12:00:00.000018 eth0  Out {ip} NODE.52211 > VIP.53: 30370+ [1au] A? a.example. (54)\n\
         12:00:00.002000 eth0  In  {ip} VIP.53 > {answer_to}.52211: 30370 1/0/1 A 192.0.2.80 (70)\n\
         12:00:00.002050 eth0  Out {refusal}\n"
    )
}

#[test]
fn who_translated_the_request_has_no_socket_for_its_answer() {
    for family in &FAMILIES {
        let report = read(&family.spell(&text(family.ip, "NODE", "NODE")));
        assert_eq!(report.verdict, Verdict::Rejected, "{}", report.headline);
        let findings = report.devices.iter().flat_map(|device| &device.findings);
        let finding = findings.into_iter().find(|one| one.cause == Cause::PortUnreachable).unwrap();
        let told = &finding.explanation;
        assert!(told.contains("had put its own address into the request"), "{told}");
        assert!(told.contains(&family.spell("POD")), "{told}");
        let commands = &finding.remedies[0].commands;
        assert!(commands.iter().any(|command| command.starts_with("conntrack -L")), "{told}");
    }
}

#[test]
fn a_clients_own_socket_may_be_closed() {
    for family in &FAMILIES {
        let ip = family.ip;
        let refusal = if ip == "IP" {
            "IP POD > VIP: ICMP POD udp port 52211 unreachable, length 106"
        } else {
            "IP6 POD > VIP: ICMP6, destination unreachable, unreachable port, POD udp port 52211, length 106"
        };
        let text = format!(
            "12:00:00.000000 {ip} POD.52211 > VIP.53: 30370+ [1au] A? a.example. (54)\n\
             12:00:00.002000 {ip} VIP.53 > POD.52211: 30370 1/0/1 A 192.0.2.80 (70)\n\
             12:00:00.002050 {refusal}\n"
        );
        let report = read(&family.spell(&text));
        let told = &report.devices[0].findings[0].explanation;
        assert!(told.contains("The client's socket did not take the reply"), "{told}");
    }
}
