//! Settings that cannot be used: the message names the option and, where the value is
//! from the environment, the variable. What may be a secret is not repeated.

#[cfg(test)]
#[path = "support/cli.rs"]
mod cli;
#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;

#[cfg(test)]
mod tests {
    use super::cli::{replyscope, replyscope_with};
    use super::folder::Folder;

    #[test]
    fn a_fault_of_a_setting_names_where_it_is_from() {
        let folder = Folder::new("bad-settings");
        let data = folder.path().join("data");
        let (data, nowhere) = (data.to_str().unwrap(), "/nowhere/at/all");
        let database = format!("sqlite://{nowhere}");
        let cluster = format!("site-a={nowhere}");
        let cases = [
            // option, value, words of the message
            ("--agent-token", nowhere, "cannot read '/nowhere/at/all'"),
            ("--alert-token", nowhere, "cannot read '/nowhere/at/all'"),
            ("--agent-authority", nowhere, "cannot read '/nowhere/at/all'"),
            ("--node", "n=http://192.0.2.1,n=http://[2001:db8::1]", "names 'n' twice"),
            ("--node", "c/n=http://[2001:db8::1]", "names the cluster 'c'"),
            ("--notify-url", "slack=https://h.example/secret", "needs --public-url"),
            ("--database-url", &database, "the database '/nowhere/at/all' cannot be opened"),
            ("--database-url", "postgres://u:secret@h.example/x", "not supported yet"),
            ("--node", "n=https://u:secret@192.0.2.1", "holds credentials"),
            ("--cluster", &cluster, "the kubeconfig '/nowhere/at/all' cannot be read"),
        ];
        for (option, value, words) in cases {
            let variable = format!("REPLYSCOPE_{}", option[2..].to_uppercase().replace('-', "_"));
            let serve = ["serve", "--listen", "127.0.0.1:0", "--data", data];
            let set = replyscope_with(&[(&variable, value)], &serve, b"");
            let typed = replyscope(&[&serve[..], &[option, value]].concat(), b"");
            for run in [&set, &typed] {
                // Lines of the log may come before it.
                let (_, said) = run.stderr.split_once("error: ").unwrap_or_default();
                assert_eq!(
                    (run.code, run.stdout.as_str()),
                    (Some(2), ""),
                    "{option}: {}",
                    run.stderr
                );
                assert!(said.contains(words) && said.contains(option), "{option}: {said}");
                assert!(said.matches(nowhere).count() <= 1, "{option}: {said}");
                assert!(!run.stderr.contains("secret"), "{option}: {}", run.stderr);
            }
            assert!(set.stderr.contains(&variable), "{option}: {}", set.stderr);
            assert!(!typed.stderr.contains(&variable), "{option}: {}", typed.stderr);
        }
    }

    /// Files that options of other commands name: what cannot be read, and what is read and
    /// cannot be used.
    #[test]
    fn a_fault_of_a_file_names_the_option_that_names_it() {
        let folder = Folder::new("bad-files");
        let odd = folder.path().join("odd.txt");
        std::fs::write(&odd, "neither a list nor packets\n").unwrap();
        let (odd, nowhere) = (odd.to_str().unwrap(), "/nowhere/at/all");
        let (point_nowhere, point_odd) = (format!("pod={nowhere}"), format!("pod={odd}"));
        let text = "12:00:00.000000 IP 192.0.2.7.40000 > 192.0.2.53.53: 1+ A? example.com. (29)\n\
                    12:00:00.001000 IP6 2001:db8::7.4 > 2001:db8::53.53: 1+ A? example.com. (29)\n";
        let analyze: &[&str] = &["analyze", "-"];
        let agent: &[&str] =
            &["agent", "--node-name", "n", "--listen", "127.0.0.1:0", "--tokens", odd];
        let cases = [
            // command, option, value, words of the message
            (analyze, "--inventory", nowhere, "cannot analyse '/nowhere/at/all'"),
            (analyze, "--inventory", odd, "it is not an inventory"),
            (analyze, "--point", &point_nowhere, "cannot analyse '/nowhere/at/all'"),
            (analyze, "--point", &point_odd, "holds no tcpdump line"),
            (agent, "--watch-file", nowhere, "cannot read '/nowhere/at/all'"),
            (agent, "--watch-file", odd, "cannot be watched"),
            (agent, "--watch", "192.0.2.7,ff02::1", "cannot be watched"),
        ];
        for (command, option, value, words) in cases {
            let variable = format!("REPLYSCOPE_{}", option[2..].to_uppercase().replace('-', "_"));
            let set = replyscope_with(&[(&variable, value)], command, text.as_bytes());
            let typed = replyscope(&[command, &[option, value]].concat(), text.as_bytes());
            for run in [&set, &typed] {
                let (_, said) = run.stderr.split_once("error: ").unwrap_or_default();
                let is_told = said.starts_with(option) && said.contains(words);
                assert!(is_told && run.code == Some(2), "{option}={value}: {}", run.stderr);
            }
            assert!(set.stderr.contains(&variable), "{option}: {}", set.stderr);
            assert!(!typed.stderr.contains(&variable), "{option}: {}", typed.stderr);
        }
    }
}
