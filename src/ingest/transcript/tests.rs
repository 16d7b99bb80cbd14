//! Whole pastes: text in, captures and inventories out.

use super::*;

/// What a text holds, in order: `capture node/interface packets`,
/// `inventory node 'command' lines`, `fault …`.
fn outline(text: &str) -> Vec<String> {
    let (mut outline, mut capture, mut packets) = (Vec::new(), String::new(), 0);
    let mut input = text.as_bytes();
    let result = read_text(&mut input, &mut |event| match event {
        Event::CaptureBegins(header) => {
            let (node, interface) = (header.node.as_deref(), header.interface.as_deref());
            capture = format!("capture {}/{}", node.unwrap_or("-"), interface.unwrap_or("-"));
            packets = 0;
        }
        Event::Packet(_) | Event::NamedPacket(_) | Event::Frame(_) | Event::OtherPacket { .. } => {
            packets += 1;
        }
        Event::CaptureEnds => outline.push(format!("{capture} {packets}")),
        Event::Inventory(text) => outline.push(format!(
            "inventory {} '{}' {}",
            text.node.unwrap_or("-"),
            text.command,
            text.text.lines().count()
        )),
        Event::Fault(fault) => outline.push(format!("fault {fault}")),
        Event::Interface(_)
        | Event::Dropped { .. }
        | Event::Unread { .. }
        | Event::Listened { .. }
        | Event::Note(_)
        | Event::Fact(_)
        | Event::ServerLog(_) => {}
    });
    if let Err(error) = result {
        outline.push(format!("error {error}"));
    }
    outline
}

const PACKET: &str = "07:29:48.654684 IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4";
const PACKET6: &str = "07:29:48.654684 IP6 2001:db8::1.5000 > 2001:db8::2.69: UDP, length 4";

mod collected;
mod commented;
mod heads;
mod interrupted;
mod repaired;
mod shells;
mod survived;

#[test]
fn tables_of_connection_tracking_are_inventories() {
    let entry = "udp      17 29 src=192.0.2.7 dst=198.51.100.10 sport=7 dport=69 [UNREPLIED] src=203.0.113.16 dst=192.0.2.7 sport=69 dport=7 mark=0 use=1";
    let entry6 = "ipv6     10 udp      17 29 src=2001:db8::7 dst=2001:db8:100::10 sport=7 dport=69 [UNREPLIED] src=2001:db8:200::16 dst=2001:db8::7 sport=69 dport=7";
    let event = "[1700000000.524942]\t    [NEW] udp      17 30 src=192.0.2.7 dst=198.51.100.10 sport=7 dport=69 [UNREPLIED] src=203.0.113.16 dst=192.0.2.7 sport=69 dport=7";
    let end = "conntrack v1.4.6 (conntrack-tools): 2 flow entries have been shown.";
    let xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n<flow><meta direction=\"original\">\n</flow>\n</conntrack>";
    let cases = [
        (format!("{entry}\n{entry6}\n{end}\n"), vec!["inventory - '' 3"]),
        (
            format!(
                "[root@node3 ~]# conntrack -L -p udp | grep 69\n{end}\n{entry}\n{entry6}\n[root@node3 ~]# exit\n"
            ),
            vec!["inventory node3 'conntrack -L -p udp | grep 69' 3"],
        ),
        (
            format!(
                "root@node3:~# conntrack -E -o timestamp\n{event}\n^C\nSo nobody answers.\n{PACKET}\n"
            ),
            vec!["inventory node3 'conntrack -E -o timestamp' 1", "capture -/- 1"],
        ),
        (
            format!("$ kubectl -n kube-system exec kube-proxy-x -- conntrack -L\n{entry}\n"),
            vec!["inventory - 'kubectl -n kube-system exec kube-proxy-x -- conntrack -L' 1"],
        ),
        (
            format!("[root@node1 ~]# ssh node3 cat /proc/net/nf_conntrack\n{entry6}\n"),
            vec!["inventory node3 'ssh node3 cat /proc/net/nf_conntrack' 1"],
        ),
        (format!("{xml}\n{end}\n"), vec!["inventory - '' 5"]),
        (format!("{event}\n{event}\n"), vec!["inventory - '' 2"]),
    ];
    for (text, expected) in cases {
        assert_eq!(outline(&text), expected, "{text}");
    }
}

#[test]
fn a_long_table_is_handed_out_in_parts() {
    let entry = "udp      17 29 src=192.0.2.7 dst=198.51.100.10 sport=7 dport=69 [UNREPLIED] src=203.0.113.16 dst=192.0.2.7 sport=69 dport=7 mark=0 use=1\n";
    let text = entry.repeat(20_000);
    let (mut parts, mut lines) = (0, 0);
    read_text(&mut text.as_bytes(), &mut |event| {
        let Event::Inventory(part) = event else { panic!("{event:?}") };
        assert_eq!(part.line, lines + 1);
        parts += 1;
        lines += part.text.lines().count() as u64;
    })
    .unwrap();
    assert!(parts > 2, "{parts} parts");
    assert_eq!(lines, 20_000);
}

#[test]
fn a_session_is_split_at_its_prompts() {
    let text = format!(
        "Look at the node first:

1
2
3
[root@node3 ~]# ip addr show eth0
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
inet 192.0.2.13/24 brd 192.0.2.255 scope global eth0
valid_lft forever preferred_lft forever
inet6 2001:db8::21/128 scope global deprecated
valid_lft forever preferred_lft 0sec

These are the roles:
192.0.2.13:the node
[root@node1 ~]# kubectl get pod -A -owide|grep tftp
ss tftp-1 1/1 Running 2 13d 198.51.100.7 node3 <none> <none>
[root@node3 ~]# ip route |grep 198.51.100.7
198.51.100.7 dev cali928 scope link

[root@node3 ~]# tcpdump -n -i cali928 -p udp
tcpdump: verbose output suppressed, use -v or -vv for full protocol decode
listening on cali928, link-type EN10MB (Ethernet), capture size 262144 bytes
{PACKET}
{PACKET6}
...

On the host:

1
2
{PACKET}
...
^C
1 packet captured
{PACKET6}
"
    );
    assert_eq!(
        outline(&text),
        [
            "inventory node3 'ip addr show eth0' 5",
            "inventory node1 'kubectl get pod -A -owide|grep tftp' 1",
            "inventory node3 'ip route |grep 198.51.100.7' 1",
            "capture node3/cali928 2",
            "capture -/- 2",
        ]
    );
}

#[test]
fn captures_are_told_apart() {
    let cases = [
        (
            "two commands",
            format!("a@n1:~# tcpdump -i eth0\n{PACKET}\na@n2:~# tcpdump -iany\n{PACKET6}"),
            vec!["capture n1/eth0 1", "capture n2/any 1"],
        ),
        (
            "prose between",
            format!("{PACKET}\nthen in the pod\n{PACKET6}"),
            vec!["capture -/- 1", "capture -/- 1"],
        ),
        (
            "Chinese prose between",
            format!("{PACKET}\n在主机网卡上抓包:\n{PACKET6}"),
            vec!["capture -/- 1", "capture -/- 1"],
        ),
        ("blank lines between", format!("{PACKET}\n\n\n{PACKET6}"), vec!["capture -/- 2"]),
        (
            "announced twice",
            format!(
                "listening on eth0, link-type EN10MB (Ethernet)\n{PACKET}\nlistening on eth1, link-type EN10MB (Ethernet)\n{PACKET6}"
            ),
            vec!["capture -/eth0 1", "capture -/eth1 1"],
        ),
        (
            "read from a file",
            format!("reading from file a.pcap, link-type RAW (Raw IP)\n{PACKET}"),
            vec!["capture -/- 1"],
        ),
        (
            "another command",
            format!("{PACKET}\nroot@n1:~# ls\na.pcap\n{PACKET6}"),
            vec!["capture -/- 1", "capture -/- 1"],
        ),
        (
            "in a pod",
            format!("root@n1:~# kubectl exec a -- tcpdump -i eth0\n{PACKET}"),
            vec!["capture -/eth0 1"],
        ),
        (
            "over ssh",
            format!("root@n1:~# ssh n2 tcpdump -i eth0\n{PACKET6}"),
            vec!["capture n2/eth0 1"],
        ),
        (
            "marked up",
            format!("> ```\n> **{}**\n> ```", PACKET.replace('>', "&gt;")),
            vec!["capture -/- 1"],
        ),
        ("numbered", format!("  1  {PACKET}\r\n  2  {PACKET6}\r\n"), vec!["capture -/- 2"]),
        ("odd spaces", PACKET6.replace(' ', "\u{a0}"), vec!["capture -/- 1"]),
        (
            "nothing captured",
            format!("$ tcpdump -ni eth1\n0 packets captured\n$ tcpdump -ni eth0\n{PACKET}"),
            vec!["capture -/eth1 0", "capture -/eth0 1"],
        ),
        (
            "written to a file",
            format!("# tcpdump -w a.pcap -i any udp\n# tcpdump -nn -r a.pcap\n{PACKET}"),
            vec!["capture -/- 1"],
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(outline(&text), expected, "{name}: {text}");
    }
}

#[test]
fn inventories_are_found_without_a_prompt() {
    let cases = [
        (
            "2: eth0: <UP> mtu 1500\n    inet 192.0.2.1/24 scope global eth0\nThe end",
            vec!["inventory - '' 2"],
        ),
        ("    inet6 2001:db8::1/64 scope global", vec!["inventory - '' 1"]),
        (
            "default via 192.0.2.254 dev eth0\n192.0.2.0/24 dev eth0 proto kernel",
            vec!["inventory - '' 2"],
        ),
        ("default via fe80::1 dev eth0", vec!["inventory - '' 1"]),
        (
            "NAME   READY   STATUS   RESTARTS   AGE\na   1/1   Running   0   5d\n\nb is gone",
            vec!["inventory - '' 2"],
        ),
        ("[{\"ifname\":\"eth0\",\"addr_info\":[]}]", vec!["inventory - '' 1"]),
        (
            "{\n  \"apiVersion\": \"v1\",\n\n  \"items\": [\n1\n]\n}\nThe end",
            vec!["inventory - '' 7"],
        ),
        (
            "$ kubectl get svc,po\nNAME TYPE CLUSTER-IP AGE\na ClusterIP 192.0.2.7 5d\n\nNAME READY STATUS AGE\nb 1/1 Running 5d\n$ ls",
            vec!["inventory - 'kubectl get svc,po' 5"],
        ),
        ("$ ip -j addr\n[{\"ifname\":\"eth0\"}]\n$ ls", vec!["inventory - 'ip -j addr' 1"]),
    ];
    for (text, expected) in cases {
        assert_eq!(outline(text), expected, "{text}");
    }
}

#[test]
fn text_without_packets_is_an_error() {
    let cases = [
        ("", 0),
        ("One sentence.\nAnother one.\n", 2),
        ("[root@node3 ~]# tcpdump -n\nlistening on eth0, link-type EN10MB (Ethernet)\n", 2),
        ("{\"a\": 1}\n", 1),
        ("[\n", 1),
    ];
    for (text, lines) in cases {
        let result = read_text(&mut text.as_bytes(), &mut |_| {});
        assert!(
            matches!(result, Err(InputErrorKind::NoPackets { lines: found }) if found == lines),
            "{text}: {result:?}"
        );
    }
}

#[test]
fn lines_that_were_broken_are_told() {
    let packet =
        |at: u32| format!("10:00:00.00{at}000 IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4\n");
    let v4 = (
        "10:00:00.001000 IP 192.0.2.1 > 198.51.100.200: ICMP 192.0.2.1 udp port 5 un",
        "reachable, length 30",
    );
    let v6 = (
        "10:00:00.001000 IP6 2001:db8::1 > 2001:db8::200: ICMP6, destination unreachable, unrea",
        "chable port, 2001:db8::1 udp port 5, length 30",
    );
    for (open, rest) in [v4, v6] {
        let told = outline(&format!("{open}\n{rest}\n{}", packet(2)));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("fault line 1: is broken off"), "{told:?}");
        assert_eq!(told[1], "capture -/- 2");
    }
    let whole = format!("{}then the node answers\n{}", packet(1), packet(2));
    assert_eq!(outline(&whole), ["capture -/- 2"]);
}

#[test]
fn a_text_holds_only_so_many_runs() {
    let v4 = "10:00:00.001000 IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4\nprose\n";
    let v6 = "10:00:00.001000 IP6 2001:db8::1.5000 > 2001:db8::2.69: UDP, length 4\nprose\n";
    for run in [v4, v6] {
        let outline = outline(&run.repeat(3 * super::LIMIT_RUNS));
        let captures = outline.iter().filter(|line| line.starts_with("capture")).count();
        assert_eq!(captures, super::LIMIT_RUNS);
        let faults: Vec<_> = outline.iter().filter(|line| line.starts_with("fault")).collect();
        assert!(matches!(faults[..], [only] if only.contains("from here on")), "{faults:?}");
    }
}

#[test]
fn long_lines_are_cut_and_told() {
    let text = format!("{PACKET}\n{}\n{PACKET6}", "x".repeat(100_000));
    let outline = outline(&text);
    assert!(outline[0].starts_with("fault line 2: is longer than"), "{outline:?}");
    assert_eq!(outline[1..], ["capture -/- 1", "capture -/- 1"]);
}
