//! Payloads that look like reports at ports that nobody registered.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;
#[cfg(test)]
#[path = "support/pcap.rs"]
mod pcap;
#[cfg(test)]
#[path = "support/udp.rs"]
mod udp;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::Verdict;
    use replyscope::model::protocol::Protocol;

    use super::header::header;
    use super::pcap::pcap;
    use super::udp::udp;

    /// Its name, the ports of both, what is answered each time, and what that is.
    type Case = (&'static str, [u16; 2], Option<&'static [u8]>, Protocol, Verdict);

    #[test]
    fn what_is_answered_is_no_report_though_it_looks_like_one() {
        let (conversation, statsd) = (Protocol::Udp, Protocol::Statsd);
        let cases: [Case; 5] = [
            ("answered", [40_000, 9999], Some(b"r:0|c"), conversation, Verdict::Symmetric),
            ("in other words", [40_000, 9999], Some(b"well"), conversation, Verdict::Symmetric),
            ("not answered", [40_000, 9999], None, statsd, Verdict::OneWay),
            ("at its own port", [40_000, 8125], Some(b"well"), statsd, Verdict::OneWay),
            ("each tells the other", [9999, 9999], Some(b"r:0|c"), statsd, Verdict::OneWay),
        ];
        for [sender, server] in [["192.0.2.7", "198.51.100.10"], ["2001:db8::7", "2001:db8:1::10"]]
        {
            for (name, [client_port, port], answer, protocol, verdict) in cases {
                let client = SocketAddr::new(sender.parse().unwrap(), client_port);
                let asked = SocketAddr::new(server.parse().unwrap(), port);
                let mut packets = Vec::new();
                for number in 0..4 {
                    packets.push(udp(client, asked, format!("q:{number}|c").as_bytes()));
                    packets.extend(answer.map(|answer| udp(asked, client, answer)));
                }
                let mut analysis = Analysis::new(Limits::default());
                let capture = pcap(&packets);
                analysis.read_capture("a.pcap", None, &mut capture.as_slice()).unwrap();
                let report = analysis.finish(header()).unwrap();
                let exchange = &report.devices[0].exchanges[0];
                assert_eq!(exchange.protocol, protocol, "{name} {sender}");
                assert_eq!(exchange.verdict, verdict, "{name} {sender}");
            }
        }
    }
}
