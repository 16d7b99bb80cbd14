//! Runs of tcpdump with lines between their packets that are none.

use super::{PACKET, PACKET6, outline};

macro_rules! printed {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/printed/characters-", $name, ".txt"))
    };
}

const CHARACTERS: [(&str, &str); 8] = [
    ("v4 -A", printed!("v4-A")),
    ("v4 -vA", printed!("v4-vA")),
    ("v4 -AA", printed!("v4-AA")),
    ("v4 -evA", printed!("v4-evA")),
    ("v6 -A", printed!("v6-A")),
    ("v6 -vA", printed!("v6-vA")),
    ("v6 -AA", printed!("v6-AA")),
    ("v6 -evA", printed!("v6-evA")),
];

#[test]
fn bytes_printed_as_characters_split_no_run() {
    for (name, text) in CHARACTERS {
        assert_eq!(outline(text), ["capture -/- 4"], "{name}");
        let typed = format!("root@node3:~# tcpdump -ni eth0 -A\n{text}");
        assert_eq!(outline(&typed), ["capture node3/eth0 4"], "{name}");
        let announced = format!("listening on eth0, link-type EN10MB (Ethernet)\n{text}");
        assert_eq!(outline(&announced), ["capture -/eth0 4"], "{name}");
        // More runs than a text may have, if each blank line ended one.
        assert_eq!(outline(&text.repeat(600)), ["capture -/- 2400"], "{name}");
    }
}

#[test]
fn what_follows_characters_is_found() {
    let inventory = "2: eth0    inet 192.0.2.13/24 scope global eth0\n";
    for (name, text) in CHARACTERS {
        let after = |between: &str| outline(&format!("{text}{between}{inventory}"));
        let expected = ["capture -/- 4", "inventory node3 'ip -o addr' 1"];
        assert_eq!(after("[root@node3 ~]# ip -o addr\n"), expected, "{name}");
        assert_eq!(after("^C\n4 packets captured\nnode3# ip -o addr\n"), expected, "{name}");
        assert_eq!(after("node3# ip -o addr\n"), expected, "{name}");
        let bare = after("4 packets captured\n");
        assert_eq!(bare, ["capture -/- 4", "inventory - '' 1"], "{name}");
        let again = outline(&format!("{text}4 packets captured\nOn the host:\n{text}"));
        assert_eq!(again, ["capture -/- 4", "capture -/- 4"], "{name}");
    }
}

#[test]
fn lines_of_logs_split_no_run() {
    let logs = [
        "Nov  8 07:29:48 node3 in.tftpd[77]: WRQ from 192.0.2.1 filename a.cfg",
        "Nov  8 07:29:48 node3 in.tftpd[77]: tftpd: read: Connection refused",
        "2024/11/08 07:29:48 [info] 2001:db8::1 asked",
        "time=\"2024-11-08T07:29:48Z\" level=info msg=x",
    ];
    for packet in [PACKET, PACKET6] {
        for log in logs {
            let text = format!("root@node3:~# tcpdump -ni eth0\n{packet}\n{log}\n{packet}\n");
            assert_eq!(outline(&text), ["capture node3/eth0 2"], "{log}");
            let many = format!("{packet}\n{log}\n").repeat(600);
            assert_eq!(outline(&many), ["capture -/- 600"], "{log}");
        }
        // The second begins before the first ended: two captures of one exchange.
        let earlier = packet.replace("07:29:48", "07:29:40");
        let text = format!("{earlier}\n{packet}\n{}\n{earlier}\n{packet}", logs[0]);
        assert_eq!(outline(&text), ["capture -/- 2", "capture -/- 2"]);
        let prose = format!("{packet}\nthen in the pod\n{packet}");
        assert_eq!(outline(&prose), ["capture -/- 1", "capture -/- 1"]);
    }
}

#[test]
fn lines_between_a_command_and_its_output_leave_it_its_node() {
    let before = [
        "Warning: Permanently added 'node3' (ED25519) to the list of known hosts.",
        "Welcome to Ubuntu 24.04 LTS\n\n * Documentation:  https://help.ubuntu.com",
        "Defaulted container \"tftp\" out of: tftp, istio-proxy",
        "Unable to use a TTY - input is not a terminal or the right kind of file",
    ];
    for (address, packet) in [("192.0.2.13/24", PACKET), ("2001:db8::13/64", PACKET6)] {
        let family = if address.contains(':') { "inet6" } else { "inet" };
        for line in before {
            let text = format!(
                "$ ssh node3 tcpdump -ni eth0\n{line}\n{packet}\n$ ssh node3 ip addr\n{line}\n2: eth0: <UP> mtu 1500\n    {family} {address} scope global eth0\n"
            );
            assert_eq!(
                outline(&text),
                ["capture node3/eth0 1", "inventory node3 'ssh node3 ip addr' 2"],
                "{line}"
            );
        }
        let continued = format!(
            "root@node3:~# tcpdump -ni eth0 \\\n> udp port 69 \\\n> or icmp\nlistening on eth0, link-type EN10MB (Ethernet)\n{packet}\n"
        );
        assert_eq!(outline(&continued), ["capture node3/eth0 1"]);
        let alias = format!(
            "root@node3:~# ip addr\n2: eth0: <UP> mtu 1500\n    alias uplink to spine 1\n    macvtap mode vepa\n    {family} {address} scope global eth0\n"
        );
        assert_eq!(outline(&alias), ["inventory node3 'ip addr' 4"]);
    }
}

#[test]
fn a_lone_bracket_swallows_nothing() {
    let entry = "udp      17 29 src=192.0.2.7 dst=198.51.100.10 sport=7 dport=69 [UNREPLIED] src=203.0.113.16 dst=192.0.2.7 sport=69 dport=7";
    let entry6 = "udp      17 29 src=2001:db8::7 dst=2001:db8:100::10 sport=7 dport=69 [UNREPLIED] src=2001:db8:200::16 dst=2001:db8::7 sport=69 dport=7";
    for entry in [entry, entry6] {
        for bracket in ["{", "[", "[{"] {
            let text = format!("{bracket}\n{entry}\n{entry}\n");
            assert_eq!(outline(&text), ["inventory - '' 2"], "{bracket}");
        }
    }
    let sound = "[\n  {\n    \"ifname\": \"eth0\",\n    \"addr_info\": [\n    ]\n  }\n]\n";
    assert_eq!(outline(sound), ["inventory - '' 7"]);
}
