//! The founding case, from the terminal session under `examples/` and, where it
//! lies beside the project, from the article that told of it first.

#[cfg(test)]
#[path = "support/cli.rs"]
mod cli;
#[cfg(test)]
#[path = "support/header.rs"]
mod header;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::IpAddr;
    use std::path::{Path, PathBuf};

    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::{Cause, Confidence, Verdict};
    use replyscope::model::packet::IcmpKind;
    use replyscope::model::report::{Device, Quotes, Report};
    use replyscope::model::topology::Role;

    use super::cli::replyscope;
    use super::header::header;

    const DEVICE_V4: &str = "192.168.101.254";
    const DEVICE_V6: &str = "2000::65:119";
    const VIP_V4: &str = "192.168.65.21";
    const VIP_V6: &str = "2000::65:21";
    const NODE_V4: &str = "192.168.65.13";
    const NODE_V6: &str = "2000::65:13";
    const POD_V4: &str = "177.177.135.16";

    fn example() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/founding-incident.txt")
    }

    #[test]
    fn the_example_gives_the_diagnosis() {
        check(&analyse(&example()));
    }

    #[test]
    fn the_article_alone_gives_the_diagnosis() {
        let article =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/incident/founding-incident.txt");
        if !article.is_file() {
            println!(
                "skipped: the_article_alone_gives_the_diagnosis: ../shared/incident is not there"
            );
            return;
        }
        check(&analyse(&article));
        let run = replyscope(&["analyze".as_ref(), article.as_os_str()], b"");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.contains(DEVICE_V6), "{}", run.stdout);
    }

    #[test]
    fn the_session_is_told_apart_into_its_captures() {
        let report = analyse(&example());
        let captures: Vec<_> = report
            .captures
            .iter()
            .map(|capture| {
                (
                    capture.node.as_deref().unwrap_or(""),
                    capture.interface.as_deref().unwrap_or(""),
                    capture.packets,
                    capture.datagrams,
                    capture.icmp_errors,
                )
            })
            .collect();
        assert_eq!(
            captures,
            [
                ("node3", "cali928cc4cd898", 7, 7, 0),
                ("node3", "cali928cc4cd898", 10, 10, 0),
                ("node3", "eth0", 10, 7, 3),
                ("node3", "eth0", 9, 7, 0),
            ]
        );
        for capture in &report.captures {
            assert!(capture.warnings.is_empty(), "{:?}", capture.warnings);
        }
    }

    #[test]
    fn the_command_line_prints_the_report_as_json() {
        let run = replyscope(
            &["analyze".as_ref(), example().as_os_str(), "--format".as_ref(), "json".as_ref()],
            b"",
        );
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        check(&serde_json::from_str(&run.stdout).unwrap());
    }

    #[test]
    fn the_command_line_prints_the_report_as_text_and_html() {
        let facts = [DEVICE_V6, VIP_V6, NODE_V6, DEVICE_V4, "tftpserver-dm-vmgtf", "node3"];
        for format in ["text", "html"] {
            let run = replyscope(
                &["analyze".as_ref(), example().as_os_str(), "--format".as_ref(), format.as_ref()],
                b"",
            );
            assert_eq!(run.code, Some(0), "{format}: {}", run.stderr);
            for fact in facts {
                assert!(run.stdout.contains(fact), "{format} does not say {fact}:\n{}", run.stdout);
            }
            assert!(run.stdout.to_lowercase().contains("broken"), "{format}:\n{}", run.stdout);
            let is_page = run.stdout.to_lowercase().starts_with("<!doctype html");
            assert_eq!(is_page, format == "html");
        }
    }

    #[test]
    fn the_text_names_the_verdict_first_and_needs_no_colours() {
        let run = replyscope(&["analyze".as_ref(), example().as_os_str()], b"");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let first = run.stdout.lines().find(|line| !line.trim().is_empty()).unwrap();
        assert!(first.to_lowercase().contains("broken"), "{first}");
        assert!(!run.stdout.contains('\u{1b}'), "a pipe gets no escape sequences");
    }

    #[test]
    fn the_command_line_reads_standard_input() {
        let session = std::fs::read(example()).unwrap();
        let run = replyscope(&["analyze", "-", "--format", "json"], &session);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        check(&serde_json::from_str(&run.stdout).unwrap());
    }

    #[test]
    fn fail_on_decides_the_exit_code() {
        let cases = [
            // --fail-on, exit code
            ("broken", 1),
            ("rejected", 1),
            ("tolerated", 1),
            ("symmetric", 1),
        ];
        for (verdict, code) in cases {
            let run = replyscope(
                &[
                    "analyze".as_ref(),
                    example().as_os_str(),
                    "--fail-on".as_ref(),
                    verdict.as_ref(),
                ],
                b"",
            );
            assert_eq!(run.code, Some(code), "--fail-on {verdict}: {}", run.stderr);
            assert!(run.stdout.contains(DEVICE_V6), "the report is printed all the same");
        }
        let run = replyscope(
            &["analyze".as_ref(), example().as_os_str(), "--fail-on".as_ref(), "bad".as_ref()],
            b"",
        );
        assert_eq!(run.code, Some(2));
    }

    fn analyse(path: &Path) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        analysis
            .read_capture("founding-incident.txt", None, &mut File::open(path).unwrap())
            .unwrap();
        analysis.finish(header()).unwrap()
    }

    /// What every way in must give.
    fn check(report: &Report) {
        assert_eq!(report.verdict, Verdict::Broken);

        let device = find_device(report, DEVICE_V6);
        assert_eq!(device.verdict, Verdict::Broken);
        let cause = device
            .findings
            .iter()
            .find(|finding| finding.cause == Cause::FollowUpToRequestAddress)
            .unwrap();
        assert_eq!(cause.confidence, Confidence::Certain);
        assert!(!cause.evidence.is_empty());
        assert!(!cause.remedies.is_empty());
        assert_eq!(device.findings[0].cause, cause.cause, "it explains most, so it comes first");

        let exchange = &device.exchanges[0];
        assert_eq!(exchange.verdict, Verdict::Broken);
        let request = exchange.request.as_ref().unwrap();
        assert_eq!(request.destination.address, address(VIP_V6));
        assert_eq!(request.destination.port, 69);
        let answerers: Vec<IpAddr> =
            exchange.replies.iter().map(|reply| reply.source.address).collect();
        assert_eq!(answerers, [address(NODE_V6)]);
        let followed: Vec<_> = exchange
            .follow_ups
            .iter()
            .map(|follow_up| (follow_up.destination.address, follow_up.packets))
            .collect();
        assert_eq!(followed, [(address(VIP_V6), 3)]);
        let errors: Vec<_> = device
            .exchanges
            .iter()
            .flat_map(|exchange| &exchange.icmp_errors)
            .map(|errors| (errors.kind, errors.from, errors.quotes, errors.packets))
            .collect();
        assert_eq!(errors, [(IcmpKind::PortUnreachable, address(VIP_V6), Quotes::FollowUp, 3)]);

        let device = find_device(report, DEVICE_V4);
        assert_eq!(device.verdict, Verdict::Tolerated);
        assert!(
            device.findings.iter().any(|finding| finding.cause == Cause::ReplySourceTranslated)
        );
        assert!(device.exchanges.iter().any(|exchange| {
            exchange
                .request
                .as_ref()
                .is_some_and(|request| request.destination.address == address(VIP_V4))
                && exchange.replies.iter().all(|reply| reply.source.address == address(NODE_V4))
        }));

        let roles = [
            (VIP_V6, Role::Vip),
            (VIP_V4, Role::Vip),
            (NODE_V6, Role::Node),
            (NODE_V4, Role::Node),
            (POD_V4, Role::Pod),
        ];
        for (text, role) in roles {
            let known = report.addresses.iter().find(|known| known.address == address(text));
            assert_eq!(known.map(|known| known.role), Some(role), "{text}");
            let known = known.unwrap();
            assert_eq!(known.node.as_deref(), Some("node3"), "{text}");
            assert!(!known.reason.is_empty(), "{text}");
            if role == Role::Pod {
                assert_eq!(known.pod.as_deref(), Some("ss/tftpserver-dm-vmgtf"));
            }
        }

        for device in &report.devices {
            let is_known = [DEVICE_V4, DEVICE_V6].map(address).contains(&device.device);
            let is_alarm = matches!(device.verdict, Verdict::Broken | Verdict::Tolerated);
            assert!(is_known || !is_alarm, "{} raises an alarm", device.device);
        }
    }

    fn find_device<'a>(report: &'a Report, text: &str) -> &'a Device {
        report
            .devices
            .iter()
            .find(|device| device.device == address(text))
            .unwrap_or_else(|| panic!("{text} is not in the report"))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
