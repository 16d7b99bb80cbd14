//! Overlays whose outer datagrams are refused.

use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::{FAMILIES, read};

/// A request inside VXLAN, twice, and what the far end says to that.
fn text(ip: &str, error: &str, times: usize) -> String {
    let packet = |number: usize| {
        let seconds = number * 5;
        format!(
            "12:00:{seconds:02}.000000 {ip} DEVICE.35195 > VIP.4789: VXLAN, flags [I] (0x08), vni 100\n\
             {ip} POD.40000 > NODE.53: 7+ A? a.example. (29)\n\
             12:00:{seconds:02}.000050 {ip} VIP > DEVICE: {error}, length 115\n"
        )
    };
    let packets: String = (0..times).map(packet).collect();
    format!(
        "{packets}12:00:40.000000 {ip} OTHER.40000 > ROUTER.514: SYSLOG local0.info, length: 50\n"
    )
}

#[test]
fn what_a_refused_tunnel_carries_is_rejected() {
    for family in &FAMILIES {
        let is_v4 = family.ip == "IP";
        let cases = [
            (
                if is_v4 {
                    "ICMP VIP udp port 4789 unreachable"
                } else {
                    "ICMP6, destination unreachable, unreachable port, VIP udp port 4789"
                },
                Cause::PortUnreachable,
            ),
            (
                if is_v4 {
                    "ICMP host VIP unreachable - admin prohibited filter"
                } else {
                    "ICMP6, destination unreachable, unreachable prohibited VIP"
                },
                Cause::AdminProhibited,
            ),
        ];
        for (error, cause) in cases {
            let report = read(&family.spell(&text(family.ip, error, 2)));
            let devices = || report.devices.iter();
            let dns = devices()
                .flat_map(|device| &device.exchanges)
                .find(|exchange| exchange.protocol == Protocol::Dns)
                .unwrap();
            assert_eq!(dns.verdict, Verdict::Rejected, "{error}: {}", report.headline);
            assert_eq!(dns.icmp_errors[0].packets, 2, "{error}");
            let findings = devices().flat_map(|device| &device.findings);
            let finding = findings.into_iter().find(|finding| finding.cause == cause).unwrap();
            assert!(finding.explanation.contains("VXLAN tunnel"), "{}", finding.explanation);
            let remedy = &finding.remedies[0].title;
            assert!(remedy.starts_with("Open the VXLAN tunnel to"), "{remedy}");
        }
    }
}

#[test]
fn errors_of_others_do_not_refuse_what_a_tunnel_carries() {
    for family in &FAMILIES {
        let is_v4 = family.ip == "IP";
        let errors = if is_v4 {
            ["ICMP VIP udp port 161 unreachable", "ICMP host OTHER unreachable"]
        } else {
            [
                "ICMP6, destination unreachable, unreachable port, VIP udp port 161",
                "ICMP6, destination unreachable, unreachable address OTHER",
            ]
        };
        for error in errors {
            let report = read(&family.spell(&text(family.ip, error, 3)));
            let exchanges = report.devices.iter().flat_map(|device| &device.exchanges);
            let dns = exchanges.into_iter().find(|one| one.protocol == Protocol::Dns).unwrap();
            assert_eq!(dns.verdict, Verdict::Unanswered, "{error} {}", family.ip);
        }
    }
}
