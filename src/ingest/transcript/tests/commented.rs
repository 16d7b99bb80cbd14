//! Comments between the packets of one run.

use super::outline;

/// The founding fault in both families, a line per packet.
pub(super) const PACKETS: [[&str; 4]; 2] = [
    [
        "07:29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.69:  64 WRQ \"a.cfg\" octet tsize 7304",
        "07:29:48.659120 IP 192.0.2.13.32991 > 192.0.2.9.41226: UDP, length 19",
        "07:29:48.661031 IP 192.0.2.9.41226 > 192.0.2.21.32991: UDP, length 516",
        "07:29:48.661090 IP 192.0.2.21 > 192.0.2.9: ICMP 192.0.2.21 udp port 32991 unreachable, length 36",
    ],
    [
        "07:29:48.654684 IP6 2001:db8::9.41226 > 2001:db8::21.69:  64 WRQ \"a.cfg\" octet tsize 7304",
        "07:29:48.659120 IP6 2001:db8::13.32991 > 2001:db8::9.41226: UDP, length 19",
        "07:29:48.661031 IP6 2001:db8::9.41226 > 2001:db8::21.32991: UDP, length 516",
        "07:29:48.661090 IP6 2001:db8::21 > 2001:db8::9: ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 32991, length 36",
    ],
];

#[test]
fn comments_between_packets_split_no_run() {
    let comments = [
        "Server answers from the node address (!!):",
        "# reply from node ip",
        "// icmp",
        "(more packets)",
        "^^^^^^^^ wrong source",
        "{noformat}",
        "\nClient replies to VIP:\n",
    ];
    for packets in PACKETS {
        for comment in comments {
            let text = packets.join(&format!("\n{comment}\n"));
            assert_eq!(outline(&text), ["capture -/- 4"], "{text}");
            let typed = format!("root@node3:~# tcpdump -ni eth0\n{text}\n");
            assert_eq!(outline(&typed), ["capture node3/eth0 4"], "{typed}");
        }
    }
}

#[test]
fn another_capture_begins_behind_words_about_its_place() {
    let apart = ["capture -/- 2", "capture -/- 2"];
    for [first, second, third, fourth] in PACKETS {
        for words in [
            "In the pod (eth0):",
            "then on node3",
            "**Host:**",
            "Pod side",
            "Auf dem Host:",
            "在主机网卡上抓包",
        ] {
            let text = format!("{first}\n{second}\n{words}\n{third}\n{fourth}\n");
            assert_eq!(outline(&text), apart, "{words}");
        }
        // A second capture of the exchange goes back in time.
        let text = format!("{first}\n{third}\nOnce more:\n{second}\n{fourth}\n");
        assert_eq!(outline(&text), apart);
        // Nobody knows whether the first was still running.
        let late = |packet: &str| packet.replace("07:29:48", "07:30:48");
        let text = format!("{first}\n{second}\nLater:\n{}\n{}\n", late(third), late(fourth));
        assert_eq!(outline(&text), apart);
        for end in ["^C", "2 packets captured"] {
            let text = format!("{first}\n{second}\n{end}\nAgain:\n{third}\n{fourth}\n");
            assert_eq!(outline(&text), apart, "{end}");
        }
    }
}

#[test]
fn packets_without_times_that_words_part_are_told() {
    for packets in PACKETS {
        let untimed = packets.map(|packet| packet.split_once(' ').unwrap().1);
        let text = format!("{}\nand then\n{}\n", untimed[0], untimed[1]);
        let told = outline(&text);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("fault line 2: stands between two packets"), "{told:?}");
        // As code in Markdown, with four spaces or a tab.
        for indentation in ["    ", "\t"] {
            let lines = untimed.map(|packet| format!("{indentation}{packet}"));
            assert_eq!(outline(&lines.join("\n")), ["capture -/- 4"], "{lines:?}");
        }
        // With the numbers of `-#`.
        let numbered: Vec<String> =
            (1..).zip(untimed).map(|(number, packet)| format!("{number:5}  {packet}")).collect();
        assert_eq!(outline(&numbered.join("\n")), ["capture -/- 4"]);
    }
}

#[test]
fn an_empty_run_is_content() {
    for end in ["^C\n0 packets captured", "0 packets captured\n0 packets received by filter"] {
        let text = format!(
            "[root@node3 ~]# tcpdump -ni eth0 udp port 69\nlistening on eth0, link-type EN10MB (Ethernet)\n{end}\n"
        );
        assert_eq!(outline(&text), ["capture node3/eth0 0"]);
    }
}
