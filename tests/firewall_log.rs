//! What a firewall logged (`tcpdump -i pflog0`): a packet that a rule blocked is told
//! with the rule, and silence proves nothing.

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use etherparse::PacketBuilder;
    use replyscope::analysis::{Analysis, Limits, ReportHeader};
    use replyscope::model::finding::{Cause, Confidence, Verdict};
    use replyscope::model::report::Report;
    use replyscope::model::time::Timestamp;
    use uuid::Uuid;

    const PASSED: u8 = 0;
    const BLOCKED: u8 = 1;

    /// A packet behind the header of `pflog(4)`, which rule 7 logged on its way in.
    fn logged(action: u8, interface: &str, packet: &[u8]) -> Vec<u8> {
        let mut header = [0; 64];
        (header[0], header[2], header[39], header[60]) = (61, action, 7, 1);
        header[1] = if packet[0] >> 4 == 6 { 24 } else { 2 };
        header[4..4 + interface.len()].copy_from_slice(interface.as_bytes());
        [&header[..], packet].concat()
    }

    fn query(client: IpAddr, server: IpAddr, id: u8) -> Vec<u8> {
        let name = b"\x07example\x03com\0\0\x01\0\x01";
        let payload = [&[0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &name[..]].concat();
        let mut bytes = Vec::new();
        match (client, server) {
            (IpAddr::V4(client), IpAddr::V4(server)) => {
                PacketBuilder::ipv4(client.octets(), server.octets(), 64)
                    .udp(40_000, 53)
                    .write(&mut bytes, &payload)
            }
            (IpAddr::V6(client), IpAddr::V6(server)) => {
                PacketBuilder::ipv6(client.octets(), server.octets(), 64)
                    .udp(40_000, 53)
                    .write(&mut bytes, &payload)
            }
            _ => panic!("{client} and {server} are of two families"),
        }
        .unwrap();
        bytes
    }

    fn analyse(frames: &[Vec<u8>]) -> Report {
        let mut file = 0xa1b2_c3d4_u32.to_be_bytes().to_vec();
        file.extend([0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 117]);
        for (seconds, frame) in (1_732_000_000_u32..).step_by(5).zip(frames) {
            let length = u32::try_from(frame.len()).unwrap();
            file.extend([seconds, 0, length, length].map(u32::to_be_bytes).concat());
            file.extend(frame);
        }
        report_on("pflog.pcap", &file)
    }

    fn report_on(name: &str, file: &[u8]) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture(name, None, &mut { file }).unwrap();
        let header =
            ReportHeader { id: Uuid::nil(), title: None, created_at: Timestamp::from_seconds(0) };
        analysis.finish(header).unwrap()
    }

    #[test]
    fn what_a_rule_blocked_is_told_and_silence_proves_nothing() {
        for [client, server] in [["192.0.2.9", "198.51.100.53"], ["2001:db8::9", "2001:db8:1::53"]]
        {
            let (client, server): (IpAddr, IpAddr) =
                (client.parse().unwrap(), server.parse().unwrap());
            let frames =
                |action| [1, 1, 1].map(|id| logged(action, "igb1", &query(client, server, id)));

            let blocked = analyse(&frames(BLOCKED));
            assert_eq!(blocked.captures[0].link_types, ["PFLOG"]);
            assert_eq!((blocked.captures[0].datagrams, blocked.verdict), (3, Verdict::Unanswered));
            let finding = &blocked.devices[0].findings[0];
            assert_eq!(finding.cause, Cause::RequestUnanswered);
            assert_eq!(finding.confidence, Confidence::Certain);
            let told = "The firewall (pf) dropped 3 requests";
            assert!(finding.explanation.contains(told), "{}", finding.explanation);
            assert!(finding.explanation.contains("rule 7 blocks it on igb1"));
            assert!(finding.remedies[0].title.contains("pass the firewall"));

            let passed = analyse(&frames(PASSED));
            assert_eq!(passed.verdict, Verdict::Inconclusive);
            for finding in &passed.devices[0].findings {
                assert_ne!(finding.confidence, Confidence::Certain, "{finding:?}");
            }
        }
    }

    #[test]
    fn the_log_as_text_says_what_its_packets_say() {
        const ANNOUNCED: &str = "tcpdump: listening on pflog0, link-type PFLOG (OpenBSD pflog file), capture size 262144 bytes\n";
        for [client, server] in [["192.0.2.9", "198.51.100.53"], ["2001:db8::9", "2001:db8:1::53"]]
        {
            for announced in ["", ANNOUNCED] {
                let text = |rule: &str| {
                    let lines = [10, 15, 20].map(|second| {
                        format!(
                            "22:13:{second}.000000 rule {rule} in on igb1: {client}.40000 > {server}.53: 1+ A? example.com. (29)\n"
                        )
                    });
                    let text = [announced, &lines.concat()].concat();
                    report_on("pflog.txt", text.as_bytes())
                };
                for (rule, told) in [
                    ("7/0(match): block", "rule 7 blocks it on igb1"),
                    (
                        "7.users.2/0(match): block",
                        "rule 2 of anchor users (rule 7) blocks it on igb1",
                    ),
                    ("4294967295/0(match): block", "the default rule blocks it on igb1"),
                ] {
                    let blocked = text(rule);
                    assert_eq!(blocked.captures[0].datagrams, 3, "{rule}");
                    assert_eq!(blocked.verdict, Verdict::Unanswered, "{rule}");
                    let finding = &blocked.devices[0].findings[0];
                    assert_eq!(finding.confidence, Confidence::Certain);
                    assert!(finding.explanation.contains(told), "{}", finding.explanation);
                    assert!(finding.remedies[0].title.contains("pass the firewall"));
                }
                let passed = text("7/0(match): pass");
                assert_eq!(passed.verdict, Verdict::Inconclusive, "{announced}");
                for finding in &passed.devices[0].findings {
                    assert_ne!(finding.confidence, Confidence::Certain, "{finding:?}");
                }
            }
        }
    }
}
