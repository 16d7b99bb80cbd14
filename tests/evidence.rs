//! Evidence that is no capture: what programs, kernels and network plugins
//! print of packets. Each text goes the whole way to its report.

#[cfg(test)]
mod tests {
    use replyscope::analysis::{Analysis, Limits, ReportHeader};
    use replyscope::model::finding::{Cause, Verdict};
    use replyscope::model::protocol::Protocol;
    use replyscope::model::report::{Device, Report};
    use replyscope::model::time::Timestamp;

    fn header() -> ReportHeader {
        ReportHeader {
            id: uuid::Uuid::nil(),
            title: None,
            created_at: Timestamp::from_seconds(1_700_000_000),
        }
    }

    fn analyse_all(inputs: &[(&str, &[u8])], inventories: &[(&str, &str)]) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        for (name, text) in inventories {
            analysis.read_inventory(name, &mut text.as_bytes()).unwrap();
        }
        for (name, bytes) in inputs {
            let mut bytes: &[u8] = bytes;
            analysis.read_capture(name, None, &mut bytes).unwrap();
        }
        analysis.finish(header()).unwrap()
    }

    fn analyse(text: &str) -> Report {
        analyse_all(&[("session.txt", text.as_bytes())], &[])
    }

    fn causes(device: &Device) -> Vec<Cause> {
        device.findings.iter().map(|finding| finding.cause).collect()
    }

    #[test]
    fn one_line_of_dig_is_a_whole_diagnosis() {
        for (asked, other, node) in [
            ("192.0.2.1", "192.0.2.2", "    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0"),
            ("2001:db8::1", "2001:db8::2", "    inet6 2001:db8::2/64 scope global"),
        ] {
            let complaint =
                format!(";; reply from unexpected source: {other}#53, expected {asked}#53");
            let session = format!(
                "user@client1:~$ dig @{asked} example.com\n{complaint}\n{complaint}\n\n; <<>> DiG 9.18.28 <<>> @{asked} example.com\n; (1 server found)\n;; global options: +cmd\n;; connection timed out; no servers could be reached\n"
            );
            for text in [complaint.clone(), session.clone()] {
                let report = analyse(&text);
                assert_eq!(report.verdict, Verdict::Broken, "{text}");
                let device = &report.devices[0];
                assert_eq!(device.device.to_string(), asked);
                assert_eq!(
                    causes(device),
                    [Cause::ReplyIgnored, Cause::ReplySourceNotRequested],
                    "{text}"
                );
                let exchange = &device.exchanges[0];
                assert_eq!(exchange.protocol, Protocol::Dns);
                assert!(exchange.client_unknown);
                assert_eq!(exchange.community_id, None);
                // Nothing invents the client's address.
                assert!(report.addresses.iter().all(|entry| !entry.address.is_unspecified()));
                assert!(!exchange.display_filter.contains("0.0.0.0"));
            }
            let known = format!(
                "root@node3:~# ip addr\n2: eth0: <BROADCAST,UP> mtu 1500 state UP\n{node}\n{session}"
            );
            let report = analyse(&known);
            assert_eq!(
                causes(&report.devices[0]),
                [Cause::ReplyIgnored, Cause::ReplySourceTranslated]
            );
            let recovered = format!("{complaint}\n;; SERVER: {asked}#53({asked}) (UDP)\n");
            assert_eq!(analyse(&recovered).verdict, Verdict::Tolerated);
        }
    }

    #[test]
    fn two_runs_of_dig_are_judged_apart() {
        let text = "$ dig @192.0.2.1 example.com\n;; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53\n$ dig @192.0.2.1 example.com\n;; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53\n;; SERVER: 192.0.2.1#53(192.0.2.1)\n";
        let report = analyse(text);
        let verdicts: Vec<_> =
            report.devices[0].exchanges.iter().map(|exchange| exchange.verdict).collect();
        assert_eq!(verdicts, [Verdict::Broken, Verdict::Tolerated]);
    }
}
