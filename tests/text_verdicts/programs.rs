//! Packets that other programs than tcpdump tell of.

use replyscope::analysis::{Analysis, Limits};
use replyscope::model::capture::CaptureFormat;
use replyscope::model::finding::{Cause, Confidence, Verdict};
use replyscope::model::report::Report;
use replyscope::model::topology::Role;

use crate::header::header;

/// Who takes part: the device, the address that it asks, a node, and a pod.
const ENDS: [[&str; 4]; 2] = [
    ["192.0.2.9", "192.0.2.21", "192.0.2.13", "198.51.100.7"],
    ["2001:db8::9", "2001:db8::21", "2001:db8::13", "2001:db8:1::7"],
];

fn analyse(text: &str) -> Result<Report, String> {
    let mut analysis = Analysis::new(Limits::default());
    analysis
        .read_capture("text.txt", None, &mut text.as_bytes())
        .map_err(|error| error.to_string())?;
    analysis.finish(header()).map_err(|error| error.to_string())
}

fn report(text: &str) -> Report {
    analyse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn causes(report: &Report) -> Vec<(Cause, Confidence)> {
    let findings = report.devices.iter().flat_map(|device| &device.findings);
    findings.map(|finding| (finding.cause, finding.confidence)).collect()
}

fn is_v6(address: &str) -> bool {
    address.contains(':')
}

/// A line of netfilter's log; its second is the kernel's.
fn logged(second: u32, hook: &str, (from, to): (&str, &str), ports: (u16, u16), id: u32) -> String {
    let header = if is_v6(from) {
        "LEN=60 TC=0 HOPLIMIT=63 FLOWLBL=0".to_owned()
    } else {
        format!("LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID={id}")
    };
    format!(
        "Nov  8 07:29:48 gw1 kernel: [{second}.100000] DROP {hook} MAC=02:00:00:00:00:01 SRC={from} DST={to} {header} PROTO=UDP SPT={} DPT={} LEN=40 \n",
        ports.0, ports.1
    )
}

#[test]
fn openvpn_says_of_whom_it_took_no_answer() {
    for [_, asked, answers, _] in ENDS {
        let family = if is_v6(asked) { "[AF_INET6]" } else { "[AF_INET]" };
        let line = |asked: &str| {
            format!(
                "2024-11-08 07:29:48 TCP/UDP: Incoming packet rejected from {family}{answers}:1194[2], expected peer address: {family}{asked}:1194 (allow this incoming source address/port by removing --remote or adding --float)\n"
            )
        };
        let works = format!(
            "2024-11-08 07:29:49 [gw] Peer Connection Initiated with {family}{asked}:1194\n"
        );
        for (text, verdict, confidence) in [
            (line(asked), Verdict::Broken, Confidence::Certain),
            (line("x.x.x.x"), Verdict::Broken, Confidence::Likely),
            (line(asked) + &works, Verdict::Tolerated, Confidence::Certain),
        ] {
            let report = report(&text);
            assert_eq!(report.captures[0].format, CaptureFormat::OpenvpnLog);
            assert_eq!(report.verdict, verdict, "{text}{}", report.headline);
            assert!(causes(&report).contains(&(Cause::ReplyIgnored, confidence)), "{text}");
        }
        // What stands below the log and begins with a time is none of it.
        let ip = if is_v6(asked) { "IP6" } else { "IP" };
        let below = format!(
            "2024-11-08 07:30:00.100000 {ip} {answers}.53000 > {asked}.53: 6+ A? a.example. (29)\n"
        );
        let formats =
            |text: &str| report(text).captures.iter().map(|c| c.format).collect::<Vec<_>>();
        assert_eq!(
            formats(&(line(asked) + &below)),
            [CaptureFormat::OpenvpnLog, CaptureFormat::TcpdumpText]
        );
        // A log of a tunnel that works tells of no packet.
        assert!(analyse(&works).is_err());
    }
}

#[test]
fn an_end_that_was_masked_in_digs_complaint_is_an_end() {
    for [_, _, answers, _] in ENDS {
        let complaint =
            format!(";; reply from unexpected source: {answers}#53, expected <the VIP>#53\n");
        let report = report(&complaint);
        assert_eq!(report.verdict, Verdict::Broken, "{}", report.headline);
        assert!(report.headline.starts_with("<the VIP>: "), "{}", report.headline);
        assert!(causes(&report).contains(&(Cause::ReplyIgnored, Confidence::Likely)));
        let filter = &report.devices[0].exchanges[0].display_filter;
        assert!(filter.contains("<address of [the VIP]>"), "{filter}");
        let answered = complaint + ";; SERVER: <the VIP>#53(<the VIP>) (UDP)\n";
        assert_eq!(self::report(&answered).verdict, Verdict::Tolerated);
        let cut = format!(";; reply from unexpected source: {answers}#53, expected 192.0\n");
        let error = analyse(&cut).unwrap_err();
        assert!(error.contains("line 1: tells of an answer"), "{error}");
    }
}

#[test]
fn silence_in_netfilters_log_proves_nothing() {
    for [client, asked, _, pod] in ENDS {
        let asks = |second, id| logged(second, "IN=eth0 OUT=", (client, asked), (40_000, 53), id);
        let repeated = report(&[asks(10, 1), asks(15, 2), asks(20, 3)].concat());
        assert_eq!(repeated.captures[0].format, CaptureFormat::NetfilterLog);
        assert_eq!(repeated.captures[0].node.as_deref(), Some("gw1"));
        assert_eq!(repeated.verdict, Verdict::Inconclusive, "{}", repeated.headline);
        assert!(repeated.headline.contains("no answer logged"), "{}", repeated.headline);
        // The rule sees the answer before it is translated back.
        let translated = [
            asks(10, 1),
            logged(10, "IN=eth0 OUT=cali1", (client, pod), (40_000, 53), 1),
            logged(10, "IN=cali1 OUT=eth0", (pod, client), (53, 40_000), 9),
            asks(15, 2),
        ];
        let translated = report(&translated.concat());
        assert_eq!(translated.verdict, Verdict::Inconclusive, "{}", translated.headline);
        assert!(
            causes(&translated).iter().all(|(cause, _)| *cause == Cause::RequestUnanswered),
            "{:?}",
            causes(&translated)
        );
        assert!(translated.captures[0].warnings[0].contains("was not asked"));
    }
}

#[test]
fn what_netfilter_logged_is_judged() {
    for [client, asked, ..] in ENDS {
        let asks = logged(10, "IN=eth0 OUT=eth1", (client, asked), (40_000, 53), 1);
        let answers = logged(11, "IN=eth1 OUT=eth0", (asked, client), (53, 40_000), 2);
        let answered = report(&(asks.clone() + &answers));
        assert_eq!(answered.verdict, Verdict::Symmetric, "{}", answered.headline);
        let (name, kind) =
            if is_v6(client) { ("ICMPv6", "TYPE=1 CODE=4") } else { ("ICMP", "TYPE=3 CODE=3") };
        let refused = format!(
            "Nov  8 07:29:49 gw1 kernel: [11.100000] IN=eth1 OUT=eth0 SRC={asked} DST={client} LEN=88 PROTO={name} {kind} [SRC={client} DST={asked} LEN=60 PROTO=UDP SPT=40000 DPT=53 LEN=40 ] \n"
        );
        let rejected = report(&(asks + &refused));
        assert_eq!(rejected.verdict, Verdict::Rejected, "{}", rejected.headline);
        assert_eq!(causes(&rejected)[0].0, Cause::PortUnreachable);
    }
}

#[test]
fn blocks_of_ciliums_monitor_are_packets() {
    const LINE: &str =
        "------------------------------------------------------------------------------\n";
    for [client, _, _, pod] in ENDS {
        let block = |from: &str, to: &str, ports: (u16, u16), event: &str| {
            let (name, next) =
                if is_v6(from) { ("IPv6", "NextHeader") } else { ("IPv4", "Protocol") };
            format!(
                "{LINE}Ethernet\t{{Contents=[..14..] EthernetType={name} Length=0}}\n{name}\t{{Contents=[..20..] {next}=UDP SrcIP={from} DstIP={to} Options=[]}}\nUDP\t{{Contents=[..8..] SrcPort={} DstPort={} Length=28 Checksum=1}}\nCPU 01: MARK 0x1 FROM 9 {event}\n",
                ports.0, ports.1
            )
        };
        let asks = block(client, pod, (5_000, 53), "to-endpoint: 62 bytes, state new");
        let answers = block(pod, client, (53, 5_000), "to-stack: 62 bytes, state reply");
        let answered = report(&format!("$ cilium monitor -v\n{asks}{answers}"));
        assert_eq!(answered.captures[0].format, CaptureFormat::CiliumMonitor);
        assert_eq!(answered.verdict, Verdict::Symmetric, "{}", answered.headline);
        let dropped = block(client, pod, (5_000, 53), "DROP: 62 bytes, reason Policy denied");
        let dropped = report(&dropped);
        assert_eq!(dropped.verdict, Verdict::Unanswered, "{}", dropped.headline);
        assert_eq!(causes(&dropped), [(Cause::RequestUnanswered, Confidence::Certain)]);
    }
}

#[test]
fn flows_behind_a_comments_mark_are_read() {
    for [client, asked, ..] in ENDS {
        let side = |address: &str, port: u16| {
            if is_v6(address) { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
        };
        let (client, asked) = (side(client, 5_000), side(asked, 53));
        for mark in ["# ", "// ", "  3\t", "[pod/a-0/hubble] "] {
            let text = format!(
                "{mark}Nov  8 07:29:48.100: {client} (ID:1) -> {asked} (ID:2) to-stack FORWARDED (UDP)\n{mark}Nov  8 07:29:48.300: {client} (ID:1) <- {asked} (ID:2) to-endpoint FORWARDED (UDP)\n"
            );
            let report = report(&text);
            assert_eq!(report.captures[0].format, CaptureFormat::Hubble);
            assert_eq!(report.verdict, Verdict::Symmetric, "{text}{}", report.headline);
        }
    }
}

#[test]
fn a_numbered_session_is_one() {
    for [client, asked, answers, _] in ENDS {
        let (ip, inet, lengths) =
            if is_v6(client) { ("IP6", "inet6", [64, 128]) } else { ("IP", "inet", [24, 32]) };
        let lines = [
            "root@node3:~# tcpdump -ni eth0 udp port 53".to_owned(),
            format!("07:29:48.100000 {ip} {client}.40000 > {asked}.53: 7+ A? a.example. (27)"),
            format!(
                "07:29:48.200000 {ip} {answers}.53 > {client}.40000: 7 1/0/0 A 203.0.113.1 (43)"
            ),
            "^C".to_owned(),
            "root@node3:~# ip addr show dev eth0".to_owned(),
            "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq state UP".to_owned(),
            format!("    {inet} {answers}/{} scope global eth0", lengths[0]),
            format!("    {inet} {asked}/{} scope global eth0", lengths[1]),
        ];
        let plain = lines.join("\n");
        let numbered = |mark: &str| {
            let lines = (1..).zip(&lines);
            lines
                .map(|(number, line)| format!("{number:>6}{mark}{line}\n"))
                .collect::<Vec<_>>()
                .concat()
        };
        for text in [plain, numbered("\t"), numbered("  ")] {
            let report = report(&text);
            assert_eq!(report.captures[0].node.as_deref(), Some("node3"), "{text}");
            assert_eq!(report.captures[0].interface.as_deref(), Some("eth0"), "{text}");
            let role = |address: &str| {
                let address: std::net::IpAddr = address.parse().unwrap();
                report.addresses.iter().find(|entry| entry.address == address).map(|e| e.role)
            };
            assert_eq!((role(asked), role(answers)), (Some(Role::Vip), Some(Role::Node)), "{text}");
        }
    }
}

#[test]
fn masks_with_blanks_are_ends() {
    for [client, ..] in ENDS {
        let (ip, header) = if is_v6(client) {
            ("IP6", "(hlim 63, next-header UDP (17) payload length: 37)")
        } else {
            ("IP", "(tos 0x0, ttl 63, id 1, offset 0, flags [DF], proto UDP (17), length 57)")
        };
        let text = format!(
            "07:29:48.100000 {ip} {header}\n    <client ip>.53000 > <server ip>.53: 6+ A? a.example. (29)\n07:29:48.200000 {ip} {header}\n    <server ip>.53 > <client ip>.53000: 6 1/0/0 A 203.0.113.1 (45)\n"
        );
        let report = report(&text);
        assert_eq!(report.captures[0].datagrams, 2);
        assert_eq!(report.verdict, Verdict::Symmetric, "{}", report.headline);
    }
}

#[test]
fn warnings_say_why_only_where_they_do() {
    for [client, asked, ..] in ENDS {
        let ip = if is_v6(client) { "IP6" } else { "IP" };
        // That it has no times is no reason.
        let tcp = report(&format!("{ip} {client}.5 > {asked}.80: Flags [.], ack 1, length 0\n"));
        assert!(!tcp.captures[0].warnings.is_empty());
        assert_eq!(tcp.headline, "No UDP exchange was found in 1 packet");
        let masked = report(&format!(
            "07:29:48.100000 {ip} {client}.5 > x.x.x.x.53: 6+ A? a.example. (29)\n"
        ));
        assert!(masked.headline.ends_with("the warnings of the captures say why"));
    }
}
