//! Texts that begin within a packet, and packets that stand behind other marks.

use replyscope::model::capture::Clock;
use replyscope::model::finding::{Cause, Verdict};

use crate::family::{FAMILIES, Family, causes, read};

/// The founding fault, which the node's answer and the refusal prove together.
fn founding(family: &Family) -> Vec<String> {
    let text = family.text(&[
        "0.1 DEVICE.41226 > VIP.69: TFTP, length 20, WRQ \"startup.cfg\" octet",
        "0.108 NODE.32991 > DEVICE.41226: UDP, length 23",
        "0.112 DEVICE.41226 > VIP.32991: UDP, length 516",
        "3.108 NODE.32991 > DEVICE.41226: UDP, length 23",
    ]);
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_first_packet_without_its_time_takes_none_from_the_others() {
    for family in &FAMILIES {
        let lines = founding(family);
        let (_, sides) = lines[0].split_once(&format!("{} ", family.ip)).unwrap();
        let cases = [
            ("cut behind the time", format!("{} {sides}", family.ip)),
            ("cut behind `IP`", sides.to_owned()),
            ("the second line of -v", format!("    {sides}")),
            ("behind what stopped tcpdump", format!("^C{}", lines[0])),
        ];
        for (name, first) in cases {
            let report = read(&[&[first], &lines[1..]].concat().join("\n"));
            let capture = &report.captures[0];
            assert_eq!((report.captures.len(), capture.packets), (1, 4), "{name} {}", family.ip);
            assert_eq!(capture.clock, Clock::TimeOfDay, "{name} {}", family.ip);
            assert_eq!(capture.warnings, Vec::<String>::new(), "{name} {}", family.ip);
            assert_eq!(report.verdict, Verdict::Broken, "{name} {}", report.headline);
            assert!(causes(&report).contains(&Cause::FollowUpToRequestAddress), "{name}");
        }
    }
}

#[test]
fn openbsds_dates_are_no_times_since_the_packet_before() {
    for family in &FAMILIES {
        let lines = founding(family);
        let dated = lines.iter().map(|line| format!("Nov 26 {line}"));
        let text = dated.collect::<Vec<_>>().join("\n");
        for command in ["", "# tcpdump -n -ttt -i em0 udp\n"] {
            let report = read(&format!("{command}{text}"));
            assert_eq!(report.verdict, Verdict::Broken, "{command} {}", report.headline);
        }
    }
    // Days between two packets are days.
    for [client, server] in [["192.0.2.7", "198.51.100.10"], ["2001:db8::7", "2001:db8:100::10"]] {
        let text = |day: u32| {
            format!(
                "Nov 20 09:00:00.100000 {client}.5001 > {server}.53: 7+ A? a.example. (20)
Nov {day} 09:00:01.100000 {server}.53 > {client}.5001: 7 1/0/0 A 192.0.2.80 (36)\n"
            )
        };
        for (day, expected_s) in [(20, 1), (22, 2 * 86_400 + 1)] {
            let report = read(&text(day));
            let exchange = &report.devices[0].exchanges[0];
            let lasted = exchange.last_packet_at.since(exchange.first_packet_at);
            assert_eq!(lasted.as_secs(), expected_s, "{client} {day}");
        }
    }
}

#[test]
fn an_error_that_v_prints_belongs_to_the_port_it_names() {
    let header = "(hlim 64, next-header UDP (17) payload length: 28)";
    let text = format!(
        "12:00:00.000000 IP6 {header} 2001:db8::7.41226 > 2001:db8::21.69: [udp sum ok] TFTP, length 20, WRQ \"startup.cfg\" octet
12:00:00.000500 IP6 {header} 2001:db8::7.5001 > 2001:db8::21.53: [udp sum ok] 7+ A? a.example. (20)
12:00:00.000900 IP6 (hlim 64, next-header ICMPv6 (58) payload length: 76) 2001:db8::21 > 2001:db8::7: [icmp6 sum ok] ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 69
12:00:09.000000 IP6 {header} 2001:db8::9.5002 > 2001:db8::21.123: [udp sum ok] NTPv4, Client, length 48
");
    let report = read(&text);
    let device = report.devices.iter().find(|device| device.device.to_string() == "2001:db8::7");
    let exchanges = &device.unwrap().exchanges;
    let verdict_at = |port| {
        let asked = |exchange: &&replyscope::model::report::DeviceExchange| {
            exchange.request.as_ref().is_some_and(|request| request.destination.port == port)
        };
        exchanges.iter().find(asked).unwrap().verdict
    };
    assert_eq!(verdict_at(69), Verdict::Rejected);
    assert_eq!(verdict_at(53), Verdict::Unanswered);
}

#[test]
fn several_lines_without_a_time_take_none_from_the_others() {
    for family in &FAMILIES {
        let lines = founding(family);
        let untimed = |at: usize| lines[at].split_once(' ').unwrap().1;
        let of_other = family.spell(&format!(
            "    ROUTER > OTHER: ICMP host VIP unreachable, length 36\n\t{} (tos 0x0, ttl 63, id 7, offset 0, flags [DF], proto UDP (17), length 48)\n    OTHER.41226 > VIP.69: UDP, length 20",
            family.ip
        ));
        let mut cases = vec![("two lines", format!("{}\n{}", untimed(0), untimed(1)), 2, 6)];
        if family.ip == "IP" {
            cases.push(("an error with its quote", of_other, 0, 5));
        }
        for (name, first, datagrams, packets) in cases {
            let report = read(&format!("{first}\n{}\n", lines.join("\n")));
            let capture = &report.captures[0];
            assert_eq!(report.captures.len(), 1, "{name} {}", family.ip);
            assert_eq!((capture.packets, capture.datagrams), (packets, datagrams + 4), "{name}");
            assert_eq!(capture.clock, Clock::TimeOfDay, "{name} {}", family.ip);
            assert!(causes(&report).contains(&Cause::FollowUpToRequestAddress), "{name}");
        }
        // A text that has no times at all.
        let all: Vec<&str> = (0..4).map(untimed).collect();
        let report = read(&all.repeat(4).join("\n"));
        assert_eq!((report.captures[0].packets, report.captures[0].clock), (16, Clock::None));
    }
}

#[test]
fn times_since_the_packet_before_go_on_behind_a_comment() {
    for family in &FAMILIES {
        let text = family.text(&[
            "0.0 DEVICE.41226 > VIP.69: TFTP, length 20, WRQ \"startup.cfg\" octet",
            "5.0 DEVICE.41226 > VIP.69: TFTP, length 20, WRQ \"startup.cfg\" octet",
            "1.0 DEVICE.41226 > VIP.69: TFTP, length 20, WRQ \"startup.cfg\" octet",
        ]);
        let text = text.replace("12:00:", "00:00:");
        let (first, rest) = text.split_at(text.find('\n').unwrap() + 1);
        let report = read(&format!("# tcpdump -ni eth0 -ttt\n{first}Here it waits.\n{rest}"));
        let capture = &report.captures[0];
        assert_eq!((report.captures.len(), capture.packets), (1, 3), "{}", family.ip);
        assert_eq!(capture.clock, Clock::Relative, "{}", family.ip);
        let lasted = capture.last_packet_at.unwrap().since(capture.first_packet_at.unwrap());
        assert_eq!(lasted.as_secs(), 6, "{}", family.ip);
    }
}
