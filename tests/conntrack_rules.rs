//! What connection tracking tables alone prove, and what they do not.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;
#[cfg(test)]
#[path = "support/conntrack.rs"]
mod tables;

#[cfg(test)]
mod tests {
    use replyscope::model::finding::{Cause, Confidence, Verdict};

    use super::tables::{NETS, Net, REPLIED, UNREPLIED, analyse, device, entry, finding};

    /// What a table shows, its lines, and the verdict and causes of the device.
    struct Case(&'static str, String, Verdict, &'static [(Cause, Confidence)]);

    impl Case {
        fn check(&self, net: Net) {
            let Self(name, text, verdict, causes) = self;
            let of = |text: &str| {
                let report = analyse(text);
                assert_eq!(report.devices.len(), 1, "{name} {}", net.device);
                let device = device(&report, net.device);
                let mut found: Vec<(Cause, Confidence)> =
                    device.findings.iter().map(|found| (found.cause, found.confidence)).collect();
                found.sort_unstable();
                (device.verdict, found)
            };
            let mut expected = causes.to_vec();
            expected.sort_unstable();
            let expected = (*verdict, expected);
            assert_eq!(of(text), expected, "{name} {}", net.device);
            // In whatever order a hash table gives them.
            let reversed: Vec<&str> = text.lines().rev().collect();
            assert_eq!(of(&reversed.join("\n")), expected, "{name}, reversed");
        }
    }

    #[test]
    fn entries_of_one_transfer_are_joined() {
        for net in NETS {
            let request = |mark| net.request(41_226, 69, mark, net.pod);
            // what the table shows, its lines, verdict, causes
            let cases: Vec<Case> = vec![
                Case(
                    "the founding fault",
                    net.founding(),
                    Verdict::Broken,
                    &[
                        (Cause::FollowUpToRequestAddress, Confidence::Certain),
                        (Cause::ReplySourceTranslated, Confidence::Certain),
                    ],
                ),
                Case(
                    "a device that follows the node",
                    request(UNREPLIED) + &net.reply(41_226, REPLIED, net.node),
                    Verdict::Tolerated,
                    &[(Cause::ReplySourceTranslated, Confidence::Certain)],
                ),
                Case(
                    "the helper at work",
                    request(UNREPLIED) + &net.reply(41_226, REPLIED, net.vip),
                    Verdict::Symmetric,
                    &[],
                ),
                Case(
                    "a reply that the device leaves alone",
                    request(UNREPLIED) + &net.reply(41_226, UNREPLIED, net.node),
                    Verdict::Inconclusive,
                    &[
                        (Cause::ReplySourceTranslated, Confidence::Certain),
                        (Cause::FollowUpMissing, Confidence::Possible),
                    ],
                ),
                Case(
                    "the listing lacks the reply",
                    request(UNREPLIED) + &net.follow_up(41_226),
                    Verdict::Inconclusive,
                    &[(Cause::OneDirectionCaptured, Confidence::Likely)],
                ),
                Case(
                    "healthy",
                    net.request(41_226, 123, REPLIED, net.pod),
                    Verdict::Symmetric,
                    &[],
                ),
            ];
            for case in cases {
                case.check(net);
            }
        }
    }

    #[test]
    fn requests_alone_say_what_they_can() {
        for net in NETS {
            let request = |mark| net.request(41_226, 69, mark, net.pod);
            let masqueraded = |client: u16, port: u16, mark: &str| {
                entry(
                    20,
                    [(net.device, client), (net.vip, port)],
                    mark,
                    [(net.pod, port), (net.node, client)],
                )
            };
            let stranded = entry(
                25,
                [(net.pod, 40_001), (net.node, 41_226)],
                UNREPLIED,
                [(net.node, 41_226), (net.pod, 40_001)],
            );
            // what the table shows, its lines, verdict, causes
            let cases: Vec<Case> = vec![
                Case(
                    "a log, translated on the way in",
                    masqueraded(41_226, 514, UNREPLIED),
                    Verdict::OneWay,
                    &[(Cause::SenderTranslated, Confidence::Certain)],
                ),
                Case("a log", net.request(41_226, 514, UNREPLIED, net.pod), Verdict::OneWay, &[]),
                Case(
                    "a log that is not translated, though others are",
                    entry(
                        20,
                        [(net.device, 41_226), (net.vip, 514)],
                        UNREPLIED,
                        [(net.vip, 514), (net.device, 41_226)],
                    ) + &net.request(41_227, 514, UNREPLIED, net.pod),
                    Verdict::OneWay,
                    &[(Cause::RequestNotTranslated, Confidence::Certain)],
                ),
                Case(
                    "flow exports",
                    net.request(41_226, 2_055, UNREPLIED, net.pod),
                    Verdict::OneWay,
                    &[],
                ),
                Case(
                    "no answer",
                    request(UNREPLIED),
                    Verdict::Unanswered,
                    &[(Cause::RequestUnanswered, Confidence::Possible)],
                ),
                Case(
                    "an answer to the node",
                    masqueraded(41_226, 69, UNREPLIED) + &stranded,
                    Verdict::Broken,
                    &[(Cause::SenderTranslated, Confidence::Certain)],
                ),
                Case(
                    "not translated, though others are",
                    entry(
                        20,
                        [(net.device, 41_226), (net.vip, 123)],
                        UNREPLIED,
                        [(net.vip, 123), (net.device, 41_226)],
                    ) + &net.request(41_227, 123, REPLIED, net.pod),
                    Verdict::Unanswered,
                    &[
                        (Cause::RequestNotTranslated, Confidence::Certain),
                        (Cause::RequestUnanswered, Confidence::Possible),
                    ],
                ),
            ];
            for case in cases {
                case.check(net);
            }
        }
    }

    #[test]
    fn what_is_answered_at_a_collectors_port_is_a_conversation() {
        for net in NETS {
            // what the table shows, its lines, verdict
            let cases = [
                ("with the VIP", net.request(41_226, 514, REPLIED, net.pod), Verdict::Symmetric),
                (
                    "with the pod itself",
                    entry(
                        20,
                        [(net.device, 41_226), (net.pod, 2_055)],
                        REPLIED,
                        [(net.pod, 2_055), (net.device, 41_226)],
                    ),
                    Verdict::Symmetric,
                ),
                (
                    "each tells the other's collector something",
                    net.request(514, 514, REPLIED, net.pod),
                    Verdict::OneWay,
                ),
                ("traps, or informs", net.request(41_226, 162, REPLIED, net.pod), Verdict::OneWay),
                (
                    "nothing came back",
                    net.request(41_226, 514, UNREPLIED, net.pod),
                    Verdict::OneWay,
                ),
            ];
            for (name, text, verdict) in cases {
                Case(name, text, verdict, &[]).check(net);
            }
        }
    }

    #[test]
    fn counters_say_how_often() {
        for net in NETS {
            let counted = |mark: &str, packets: u32| {
                let bytes = packets * 60;
                net.request(41_226, 123, mark, net.pod).replace(
                    " [UNREPLIED]",
                    &format!(" packets={packets} bytes={bytes} [UNREPLIED]"),
                )
            };
            let cases =
                [(1, Confidence::Possible), (2, Confidence::Likely), (5, Confidence::Certain)];
            for (packets, confidence) in cases {
                let report = analyse(&counted(UNREPLIED, packets));
                let found = finding(device(&report, net.device), Cause::RequestUnanswered).unwrap();
                assert_eq!(found.confidence, confidence, "{packets} {}", net.device);
                let word = if packets == 1 {
                    "once"
                } else {
                    &format!("{packets} times").replace("2 times", "twice")
                };
                assert!(found.explanation.contains(word), "{}", found.explanation);
                assert!(!found.explanation.contains("at least"), "{}", found.explanation);
            }
            let uncounted = analyse(&net.request(41_226, 123, UNREPLIED, net.pod));
            let found = finding(device(&uncounted, net.device), Cause::RequestUnanswered).unwrap();
            assert!(found.explanation.contains("at least once"), "{}", found.explanation);
            // A request that was sent just now is not in vain yet.
            let fresh = net.request(41_226, 123, UNREPLIED, net.pod).replace("17 20 ", "17 30 ");
            assert_eq!(device(&analyse(&fresh), net.device).verdict, Verdict::Inconclusive);
        }
    }

    #[test]
    fn a_busy_nodes_other_flows_say_nothing() {
        for net in NETS {
            let many = |octet: u32| {
                if net.pod.contains(':') {
                    (format!("2001:db8:200::a:{octet:x}"), format!("2001:db8:f00::{octet:x}"))
                } else {
                    let (high, low) = (octet / 250, octet % 250 + 1);
                    (format!("203.0.{}.{low}", 113 + high), format!("100.64.{high}.{low}"))
                }
            };
            let mut text = net.founding();
            for index in 0..800_u32 {
                let (pod, outside) = many(index);
                let client = 20_000 + u16::try_from(index).unwrap();
                let mark = if index % 3 == 0 { UNREPLIED } else { REPLIED };
                let masqueraded = |port: u16| {
                    entry(
                        5,
                        [(&pod, client), (&outside, port)],
                        mark,
                        [(&outside, port), (net.node, client)],
                    )
                };
                // Pods to the outside: names, time, QUIC, TFTP, logs, and a port of nobody.
                for port in [53, 123, 443, 69, 514, 9_000] {
                    text.push_str(&masqueraded(port));
                }
                // Pods to a service of the cluster, and to each other.
                for port in [53, 123, 8_125] {
                    text.push_str(&entry(
                        5,
                        [(&pod, client), ("198.51.100.96", port)],
                        mark,
                        [(net.other_pod, port), (&pod, client)],
                    ));
                }
                text.push_str(&entry(
                    5,
                    [(&pod, client), (net.other_pod, 9_001)],
                    mark,
                    [(net.other_pod, 9_001), (&pod, client)],
                ));
                // The node itself, and a pod that asks its own service.
                text.push_str(&entry(
                    5,
                    [(net.node, client), (&outside, 123)],
                    mark,
                    [(&outside, 123), (net.node, client)],
                ));
                text.push_str(&entry(
                    5,
                    [(net.pod, client), (net.vip, 69)],
                    mark,
                    [(net.pod, 69), (net.node, client)],
                ));
                text.push_str(
                    &masqueraded(443).replace("udp      17 5", "tcp      6 9 ESTABLISHED"),
                );
            }
            let report = analyse(&text);
            let verdicts: Vec<_> = report
                .devices
                .iter()
                .map(|device| (device.device.to_string(), device.verdict))
                .collect();
            assert_eq!(verdicts, [(net.device.to_owned(), Verdict::Broken)]);
        }
    }

    #[test]
    fn a_poll_of_a_device_that_sends_traps_is_no_reply() {
        for net in NETS {
            // The device sends traps from the port at which it is polled.
            let trap = entry(
                20,
                [(net.device, 161), (net.vip, 162)],
                UNREPLIED,
                [(net.pod, 162), (net.device, 161)],
            );
            let poll = entry(
                20,
                [(net.pod, 50_000), (net.device, 161)],
                REPLIED,
                [(net.device, 161), (net.node, 50_000)],
            );
            let report = analyse(&(trap + &poll));
            let device = device(&report, net.device);
            assert!(device.findings.is_empty(), "{:#?}", device.findings);
            assert_eq!(device.exchanges.len(), 2);
            assert_eq!(report.devices.len(), 1);
        }
    }

    #[test]
    fn many_entries_of_one_socket_cost_no_more_than_others() {
        // Every entry is of one client, and a candidate for all the others.
        let net = NETS[0];
        let mut text = String::new();
        for port in 1..20_000 {
            text.push_str(&net.request(41_226, port, UNREPLIED, net.pod));
            text.push_str(
                &net.reply(41_226, UNREPLIED, net.node).replace("40001", &port.to_string()),
            );
        }
        let report = analyse(&text);
        assert_eq!(report.devices.len(), 1);
    }

    mod properties {
        use proptest::prelude::*;

        use replyscope::analysis::{Analysis, Limits};

        use super::super::header::header;
        use super::*;

        /// Entries among few addresses and ports, so that they meet.
        fn lines() -> impl Strategy<Value = String> {
            let net = prop::sample::select(NETS.to_vec());
            let place = 0..5_usize;
            let port = prop::sample::select(vec![69_u16, 123, 161, 514, 40_001, 41_226]);
            let ends = prop::collection::vec((place, port), 4);
            let mark = prop::sample::select(vec![REPLIED, UNREPLIED]);
            let line = (net, ends, mark, 0..40_u32).prop_map(|(net, ends, mark, expires_in_s)| {
                let addresses = [net.device, net.vip, net.node, net.pod, net.other_pod];
                let [a, b, c, d] = [0, 1, 2, 3].map(|at| (addresses[ends[at].0], ends[at].1));
                entry(expires_in_s, [a, b], mark, [c, d])
            });
            prop::collection::vec(line, 0..40).prop_map(|lines| lines.concat())
        }

        proptest! {
            #[test]
            fn random_entries_never_panic_and_keep_the_rules(text in lines()) {
                let mut analysis = Analysis::new(Limits::default());
                if analysis.read_capture("conntrack.txt", None, &mut text.as_bytes()).is_err() {
                    return Ok(());
                }
                let report = analysis.finish(header()).unwrap();
                let lines = text.lines().count() as u64;
                for device in &report.devices {
                    for finding in &device.findings {
                        prop_assert!(!finding.evidence.is_empty());
                        for frame in &finding.evidence {
                            prop_assert!((1..=lines).contains(&frame.frame));
                            prop_assert!(frame.summary.contains("src="), "{}", frame.summary);
                        }
                    }
                }
            }
        }
    }
}
