//! A capture that says when it ended: silence until then was observed. One that was
//! cut, or of which a part was taken, says nothing of the time after its last packet.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;
#[cfg(test)]
#[path = "support/udp.rs"]
mod udp;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::{Cause, Verdict};
    use replyscope::model::report::Report;
    use replyscope::model::time::Timestamp;

    use super::header::header;
    use super::udp::udp;

    const BEGIN_NS: u64 = 1_732_000_000_000_000_000;

    /// SNMPv2c, a request for sysUpTime.
    const REQUEST: &[u8] = b"0)\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04L3\xa7V\x02\x01\0\x02\x01\x000\x0e0\x0c\x06\x08+\x06\x01\x02\x01\x01\x03\0\x05\0";

    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
        [&kind.to_le_bytes(), &length, body, &length].concat()
    }

    fn option(code: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap();
        let mut bytes = [code.to_le_bytes(), length.to_le_bytes()].concat();
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// Nanoseconds since the epoch, `after_s` into the capture; the upper half first.
    fn time(after_s: u64) -> Vec<u8> {
        let ns = BEGIN_NS + after_s * 1_000_000_000;
        let (high, low) = (u32::try_from(ns >> 32).unwrap(), u32::try_from(ns & 0xffff_ffff));
        [high.to_le_bytes(), low.unwrap().to_le_bytes()].concat()
    }

    /// One request at one interface, and what the statistics say of it.
    fn capture(device: &str, asked: &str, statistics: &[Vec<u8>]) -> Vec<u8> {
        let end = |address: &str, port| SocketAddr::new(address.parse().unwrap(), port);
        let mut packet = udp(end(device, 40_000), end(asked, 161), REQUEST);
        let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
        packet.resize(packet.len().next_multiple_of(4), 0);
        let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
        let raw_ip = [101, 0, 0, 0, 0, 0, 1, 0];
        let interface = [&raw_ip[..], &option(2, b"eth0"), &option(9, &[9]), &[0; 4]].concat();
        let packet = [&[0; 4][..], &time(2), &length, &length, &packet].concat();
        let statistics = statistics.concat();
        [
            block(0x0a0d_0d0a, &section),
            block(1, &interface),
            block(6, &packet),
            block(5, &[&[0; 4][..], &time(30), &statistics, &[0; 4]].concat()),
        ]
        .concat()
    }

    fn analyse(mut bytes: &[u8]) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture("agent.pcapng", None, &mut bytes).unwrap();
        analysis.finish(header()).unwrap()
    }

    #[test]
    fn silence_up_to_the_end_that_a_capture_tells_is_no_answer() {
        let count = |code, packets: u64| option(code, &packets.to_le_bytes());
        let (begin, end) = (option(2, &time(0)), option(3, &time(30)));
        let cases = [
            // name, what the statistics tell, bytes cut off, verdict
            ("its end", vec![begin.clone(), end.clone(), count(8, 1)], 0, Verdict::Unanswered),
            ("its end alone", vec![end.clone()], 0, Verdict::Unanswered),
            ("no end", vec![begin.clone(), count(8, 1)], 0, Verdict::Inconclusive),
            ("an end soon after", vec![option(3, &time(3))], 0, Verdict::Inconclusive),
            ("a part", vec![begin.clone(), end.clone(), count(8, 9)], 0, Verdict::Inconclusive),
            ("lost packets", vec![end.clone(), count(7, 1)], 0, Verdict::Inconclusive),
            ("cut", vec![begin, end], 2, Verdict::Inconclusive),
        ];
        for [device, asked] in [["192.0.2.7", "198.51.100.9"], ["2001:db8::7", "2001:db8:1::9"]] {
            for (name, statistics, cut, expected) in &cases {
                let bytes = capture(device, asked, statistics);
                let report = analyse(&bytes[..bytes.len() - cut]);
                assert_eq!(report.verdict, *expected, "{asked}, {name}");
                let mut findings = report.devices.iter().flat_map(|device| &device.findings);
                let is_found = findings.any(|finding| finding.cause == Cause::RequestUnanswered);
                assert_eq!(is_found, *expected == Verdict::Unanswered, "{asked}, {name}");
                // The packets' own times stay.
                let last = report.captures[0].last_packet_at.unwrap();
                assert_eq!(last.since(Timestamp::from_seconds(1_732_000_000)).as_secs(), 2);
            }
        }
    }
}
