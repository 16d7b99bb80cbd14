//! Bad input gets a clear answer from the command line: exit code 2, what is
//! wrong and what to do on standard error, nothing on standard output. Input
//! that is bad in part is analysed as far as it goes, and the report says so.

#[cfg(test)]
#[path = "support/cli.rs"]
mod cli;

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use etherparse::PacketBuilder;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use replyscope::model::report::Report;

    use super::cli::{Run, replyscope};

    /// Ethernet, as registered at tcpdump.org/linktypes.html.
    const ETHERNET: u32 = 1;

    #[test]
    fn unusable_input_ends_with_code_2() {
        let folder = Folder::new("unusable");
        let cases = [
            // name, bytes, options, words that the message must have
            ("empty.pcap", Vec::new(), &[][..], &["empty"][..]),
            ("photo.jpg", jpeg(), &[], &["neither a capture nor text", "JPEG"]),
            ("photo.pcap", jpeg(), &[], &["neither a capture nor text", "JPEG"]),
            (
                "prose.txt",
                b"The backup failed.\nNobody knows why.\n".to_vec(),
                &[],
                &["2 lines", "tcpdump"],
            ),
            ("header.pcap", pcap(ETHERNET, 0)[..10].to_vec(), &[], &["damaged", "byte"]),
            (
                "bomb.gz",
                gzip(&prose(8 << 20)),
                &["--expanded-limit-bytes", "65536"],
                &["expands to more than 65536 bytes"],
            ),
            ("cut.gz", gzip(&pcap(ETHERNET, 5))[..12].to_vec(), &[], &[]),
        ];
        for (name, bytes, options, words) in cases {
            let path = folder.write(name, &bytes);
            let mut arguments: Vec<OsString> = vec!["analyze".into(), path.into()];
            arguments.extend(options.iter().map(OsString::from));
            let run = replyscope(&arguments, b"");
            assert_refused(name, &run);
            assert!(run.stderr.contains(name), "{name} is not named:\n{}", run.stderr);
            for word in words {
                assert!(run.stderr.contains(word), "{name}: no '{word}' in:\n{}", run.stderr);
            }
        }
    }

    #[test]
    fn standard_input_is_refused_in_the_same_way() {
        for input in [&b""[..], &jpeg(), b"nothing here"] {
            assert_refused("-", &replyscope(&["analyze", "-"], input));
        }
    }

    #[test]
    fn facts_alone_are_no_capture() {
        let facts = "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP\n    inet 192.0.2.10/24 scope global eth0\n    inet 192.0.2.20/32 scope global eth0\n";
        let run = replyscope(&["analyze", "-"], facts.as_bytes());
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains("holds no packets"), "{}", run.stderr);
        assert!(run.stderr.contains("Add a capture"), "{}", run.stderr);
    }

    #[test]
    fn a_missing_file_and_a_directory_are_refused() {
        let folder = Folder::new("missing");
        for path in [folder.path.join("not-there.pcap"), folder.path.clone()] {
            let run = replyscope(&["analyze".as_ref(), path.as_os_str()], b"");
            assert_refused(&path.display().to_string(), &run);
        }
    }

    #[test]
    fn one_bad_file_among_good_ones_is_named_and_ends_with_code_2() {
        let folder = Folder::new("among");
        let good = folder.write("good.pcap", &pcap(ETHERNET, 3));
        let bad = folder.write("bad.jpg", &jpeg());
        let run = replyscope(&["analyze".as_ref(), good.as_os_str(), bad.as_os_str()], b"");
        assert_refused("bad.jpg", &run);
        assert!(run.stderr.contains("bad.jpg"), "{}", run.stderr);
        assert!(!run.stderr.contains("good.pcap"), "{}", run.stderr);
    }

    #[test]
    fn bytes_behind_gzip_data_are_told_and_cost_nothing() {
        let folder = Folder::new("behind");
        for (behind, told) in [("\r\n", "2 bytes"), ("garbage\n", "8 bytes")] {
            let bytes = [gzip(&pcap(ETHERNET, 3)), behind.as_bytes().to_vec()].concat();
            let path = folder.write("behind.pcap.gz", &bytes);
            let run =
                replyscope(&["analyze".as_ref(), path.as_os_str(), "--format=json".as_ref()], b"");
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            let capture = &report["captures"][0];
            assert_eq!(capture["packets"], 3);
            let warnings =
                serde_json::json!([format!("{told} behind the gzip data are passed over")]);
            assert_eq!(capture["warnings"], warnings);
        }
    }

    #[test]
    fn a_file_by_two_paths_is_one_capture() {
        let folder = Folder::new("twice");
        let path = folder.write("once.pcap", &pcap(ETHERNET, 3));
        let other = folder.path.join(".").join("once.pcap");
        let other_path = other.clone();
        let point = format!("--point=host@node3/eth0={}", other.display());
        for arguments in [
            vec!["analyze".into(), path.clone(), point.into()],
            vec!["analyze".into(), path, other],
        ] {
            let arguments: Vec<PathBuf> =
                arguments.into_iter().chain(["--format=json".into()]).collect();
            let run = replyscope(&arguments, b"");
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(report["captures"].as_array().unwrap().len(), 1, "{arguments:?}");
        }
        let host = format!("--point=host={}", folder.path.join("once.pcap").display());
        let pod = format!("--point=pod={}", other_path.display());
        let same = replyscope(&["analyze", &host, &host, "--format=json"], b"");
        let report: serde_json::Value = serde_json::from_str(&same.stdout).unwrap();
        assert_eq!(report["captures"].as_array().unwrap().len(), 1, "{}", same.stderr);
        let run = replyscope(&["analyze", &host, &pod], b"");
        assert_refused("two places", &run);
        for word in ["--point", "once.pcap", "at host and at pod"] {
            assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
        }
        // Standard input is read once, however often it is named.
        let run = replyscope(&["analyze", "-", "-"], &pcap(ETHERNET, 3));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }

    #[test]
    fn arguments_that_make_no_sense_end_with_code_2() {
        let folder = Folder::new("arguments");
        let good = folder.write("good.pcap", &pcap(ETHERNET, 3));
        let good = good.to_str().unwrap();
        let cases: &[&[&str]] = &[
            &["analyze"],
            &["analyse-this", good],
            &["analyze", good, "--format", "yaml"],
            &["analyze", good, "--fail-on", "sometimes"],
            &["analyze", "--point", "orbit=x.pcap", good],
            &["analyze", "--expanded-limit-bytes", "many", good],
        ];
        for arguments in cases {
            let run = replyscope(arguments, b"");
            assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
            assert!(run.stdout.is_empty(), "{arguments:?}: {}", run.stdout);
            assert!(!run.stderr.is_empty(), "{arguments:?}");
        }
    }

    #[test]
    fn an_unknown_link_type_is_a_warned_report() {
        let folder = Folder::new("link-type");
        let path = folder.write("private.pcap", &pcap(147, 3));
        let report = analyse(&path);
        assert_eq!(report.captures[0].packets, 3);
        assert_eq!(report.captures[0].datagrams, 0);
        let warnings = report.captures[0].warnings.join("\n");
        assert!(warnings.contains("USER0 is not supported"), "{warnings}");
        assert!(report.devices.is_empty());
    }

    #[test]
    fn a_truncated_pcap_is_analysed_as_far_as_it_goes() {
        let folder = Folder::new("truncated");
        let whole = pcap(ETHERNET, 3);
        let path = folder.write("cut.pcap", &whole[..whole.len() - 7]);
        let report = analyse(&path);
        assert_eq!(report.captures[0].datagrams, 2);
        let warnings = report.captures[0].warnings.join("\n");
        // The third record's header: after the file header and two records of 16 + 60 bytes.
        let offset = 24 + 2 * (16 + frame(0).len());
        assert!(
            warnings.contains("frame 3") || warnings.contains(&format!("byte {offset}")),
            "where it ends is not said: {warnings}"
        );

        let path = folder.write("cut.pcap.gz", &gzip(&whole)[..60]);
        let run = replyscope(&["analyze".as_ref(), path.as_os_str()], b"");
        assert!(matches!(run.code, Some(0 | 2)), "{:?}: {}", run.code, run.stderr);
    }

    #[test]
    fn a_bomb_of_packets_is_bounded() {
        let folder = Folder::new("bomb");
        let path = folder.write("bomb.pcap.gz", &gzip(&pcap(ETHERNET, 20_000)));
        let arguments = [
            "analyze".as_ref(),
            path.as_os_str(),
            "--expanded-limit-bytes".as_ref(),
            "100000".as_ref(),
            "--format".as_ref(),
            "json".as_ref(),
        ];
        let run = replyscope(&arguments, b"");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let report: Report = serde_json::from_str(&run.stdout).unwrap();
        let capture = &report.captures[0];
        assert!((1..2_000).contains(&capture.packets), "{} packets read", capture.packets);
        assert!(capture.warnings.join("\n").contains("100000"), "{:?}", capture.warnings);
    }

    #[test]
    fn a_file_name_cannot_bring_markup_or_escapes_into_the_output() {
        let folder = Folder::new("markup");
        let name = "<img src=x onerror=alert(1)>\u{1b}[31m\u{202e}&\"'.pcap";
        let path = folder.write(name, &pcap(ETHERNET, 3));
        for format in ["html", "text"] {
            let run = replyscope(
                &["analyze".as_ref(), path.as_os_str(), "--format".as_ref(), format.as_ref()],
                b"",
            );
            assert_eq!(run.code, Some(0), "{format}: {}", run.stderr);
            assert!(!run.stdout.contains('\u{1b}'), "{format}: escape sequence");
            assert!(!run.stdout.contains('\u{202e}'), "{format}: bidirectional override");
            if format == "html" {
                assert!(!run.stdout.contains("<img"), "{}", run.stdout);
                assert!(run.stdout.contains("onerror=alert(1)"), "the name is shown, escaped");
            }
        }
        let missing = folder.path.join(format!("no-{name}"));
        let run = replyscope(&["analyze".as_ref(), missing.as_os_str()], b"");
        assert_refused("missing", &run);
        assert!(!run.stderr.contains('\u{1b}'), "escape sequence in the message");
    }

    fn assert_refused(name: &str, run: &Run) {
        assert_eq!(run.code, Some(2), "{name}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{name} prints on standard output:\n{}", run.stdout);
        assert!(!run.stderr.contains("panicked"), "{name}:\n{}", run.stderr);
        let lines = run.stderr.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines >= 2, "{name}: a message and a hint expected:\n{}", run.stderr);
    }

    fn analyse(path: &Path) -> Report {
        let arguments =
            ["analyze".as_ref(), path.as_os_str(), "--format".as_ref(), "json".as_ref()];
        let run = replyscope(&arguments, b"");
        assert_eq!(run.code, Some(0), "{}: {}", path.display(), run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// A scratch folder that goes away with the test.
    struct Folder {
        path: PathBuf,
    }

    impl Folder {
        fn new(test: &str) -> Self {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join(format!("bad-input-{test}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self { path }
        }

        fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.path.join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }

    fn jpeg() -> Vec<u8> {
        let mut bytes =
            b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".to_vec();
        bytes.extend((0..=255).cycle().take(4_096));
        bytes
    }

    /// Lines without a packet.
    fn prose(length_bytes: usize) -> Vec<u8> {
        b"nothing to see in this line\n".iter().copied().cycle().take(length_bytes).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A little-endian pcap file with microseconds: one DNS-like question a second.
    fn pcap(link_type: u32, packets: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(0xa1b2_c3d4_u32.to_le_bytes());
        bytes.extend([2, 0, 4, 0]);
        bytes.extend([0; 8]);
        bytes.extend(262_144_u32.to_le_bytes());
        bytes.extend(link_type.to_le_bytes());
        for number in 0..packets {
            let frame = frame(number);
            let length = u32::try_from(frame.len()).unwrap();
            let seconds = 1_700_000_000 + number;
            bytes.extend(seconds.to_le_bytes());
            bytes.extend(5_000_u32.to_le_bytes());
            bytes.extend(length.to_le_bytes());
            bytes.extend(length.to_le_bytes());
            bytes.extend(frame);
        }
        bytes
    }

    /// Ethernet, IPv4, UDP from 192.0.2.1:40000 to 198.51.100.1:9999, 18 bytes.
    fn frame(number: u32) -> Vec<u8> {
        let mut payload = [0x5a; 18];
        payload[..4].copy_from_slice(&number.to_be_bytes());
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([192, 0, 2, 1], [198, 51, 100, 1], 64)
            .udp(40_000, 9_999)
            .write(&mut bytes, &payload)
            .unwrap();
        bytes
    }
}
