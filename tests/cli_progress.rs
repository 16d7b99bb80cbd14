//! What `analyze` says while it runs goes to standard error, where it is
//! wanted, and changes nothing of what it prints.

#[cfg(test)]
#[path = "support/cli.rs"]
mod cli;

#[cfg(test)]
mod tests {
    use super::cli::replyscope;

    const HOST: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lab/founding/host.pcap");
    const ADDRESSES: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lab/founding/ip-addr.txt");

    #[test]
    fn without_a_terminal_nothing_is_said_unless_asked() {
        let plain = replyscope(&["analyze", HOST, "--inventory", ADDRESSES], b"");
        assert_eq!((plain.code, plain.stderr.as_str()), (Some(0), ""));
        let cases: [(&[&str], &[&str]); 4] = [
            (&["--quiet"], &[]),
            (&["--progress", "never"], &[]),
            (&["--progress", "always", "-q"], &[]),
            (&["--progress", "always"], &["ip-addr.txt: ", " of ", "packets: "]),
        ];
        for (options, words) in cases {
            let arguments = [&["analyze", HOST, "--inventory", ADDRESSES], options].concat();
            let run = replyscope(&arguments, b"");
            assert_eq!((run.code, &run.stdout), (Some(0), &plain.stdout), "{options:?}");
            assert_eq!(run.stderr.is_empty(), words.is_empty(), "{options:?}: {}", run.stderr);
            for word in words {
                assert!(run.stderr.contains(word), "{options:?}: {}", run.stderr);
            }
        }
    }

    #[test]
    fn standard_input_has_no_size() {
        let capture = std::fs::read(HOST).unwrap();
        let run = replyscope(&["analyze", "-", "--progress", "always"], &capture);
        assert_eq!(run.code, Some(0));
        assert!(run.stderr.starts_with("standard input: "), "{}", run.stderr);
        assert!(!run.stderr.contains(" of "), "{}", run.stderr);
    }

    #[test]
    fn errors_are_told_however_quiet() {
        let run = replyscope(&["analyze", "nowhere.pcap", "--quiet"], b"");
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
}
