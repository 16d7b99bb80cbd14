//! What logs and `grep` write before each line of several hosts.

use super::commented::PACKETS;
use super::outline;
use super::repaired::packets;

#[test]
fn files_without_a_dot_in_their_names_are_told_apart() {
    let verbose = [
        [
            "07:29:48.654684 IP (tos 0x0, ttl 63, id 5, offset 0, flags [DF], proto UDP (17), length 47)",
            "    192.0.2.13.32991 > 192.0.2.9.41226: [udp sum ok] UDP, length 19",
        ],
        [
            "07:29:48.654684 IP6 (flowlabel 0x8db1f, hlim 63, next-header UDP (17) payload length: 27)",
            "    2001:db8::13.32991 > 2001:db8::9.41226: [udp sum ok] UDP, length 19",
        ],
    ];
    let mixed = |lines: &[&str], before: [&str; 2]| -> String {
        let of = |line: &&str| format!("{}{line}\n{}{line}\n", before[0], before[1]);
        lines.iter().map(of).collect()
    };
    for (lines, verbose) in PACKETS.iter().zip(&verbose) {
        let untimed: Vec<&str> = lines.iter().map(|line| line.split_once(' ').unwrap().1).collect();
        // A name that comes once is no place.
        let verbose = verbose.repeat(2);
        for before in
            [["node3:", "node4:"], ["tcpdump.1.x8f@node3    | ", "tcpdump.1.x9g@node4    | "]]
        {
            let captures = |lines: &[&str]| outline(&mixed(lines, before)).len();
            assert_eq!(captures(lines), 2, "{before:?}");
            assert_eq!(captures(&verbose), 2, "{before:?}");
            assert_eq!(captures(&untimed), 2, "{before:?}");
            assert_eq!(packets(&mixed(&verbose, before)).len(), 4, "{before:?}");
        }
        let grep: Vec<String> = lines.iter().map(|line| format!("--\n{line}\n")).collect();
        assert_eq!(outline(&grep.concat()), ["capture -/- 4"]);
    }
}

#[test]
fn heads_of_logs_hide_no_packet_in_any_place() {
    let heads = [
        "Fri 2024-11-08 07:29:48 CET HOST tcpdump[1]: ",
        "Fri 2024-11-08 07:29:48 +03 HOST tcpdump[1]: ",
        "Okt 08 07:29:48 HOST tcpdump[1]: ",
        "[12345.678901] HOST tcpdump[1]: ",
        "<13>1 2024-11-08T07:29:48.000Z HOST tcpdump 1234 - - ",
    ];
    let verbose = [
        "07:29:48.654684 IP (tos 0x0, ttl 63, id 5, offset 0, flags [DF], proto UDP (17), length 47)",
        "    192.0.2.13.32991 > 192.0.2.9.41226: [udp sum ok] UDP, length 19",
        "07:29:48.754684 IP6 (flowlabel 0x8db1f, hlim 63, next-header UDP (17) payload length: 27)",
        "    2001:db8::13.32991 > 2001:db8::9.41226: [udp sum ok] UDP, length 19",
    ];
    for head in heads {
        let of = |line: &&str| {
            ["node3", "node4"]
                .map(|host| format!("{}{line}\n", head.replace("HOST", host)))
                .concat()
        };
        let text: String = verbose.iter().map(of).collect();
        assert_eq!(outline(&text), ["capture node3/- 2", "capture node4/- 2"], "{head}");
        assert_eq!(packets(&text).len(), 4, "{head}");
    }
}
