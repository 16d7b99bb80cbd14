//! What README shows is what the program prints, and what it tells to run works.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/process.rs"]
mod process;

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::folder::Folder;
    use super::process::Service;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn readme() -> String {
        std::fs::read_to_string(root().join("README.md")).unwrap()
    }

    #[test]
    fn the_output_in_the_readme_is_a_real_one() {
        let readme = readme();
        let (_, after) = readme.split_once("tests/readme.rs -->").expect("README marks its output");
        let block = after.split("```").nth(1).expect("a block follows the mark");
        let shown: Vec<&str> =
            block.lines().skip(1).filter(|line| !line.is_empty() && *line != "…").collect();
        assert!(shown.len() > 20, "README shows too little to be compared");

        let run = Command::new(env!("CARGO_BIN_EXE_replyscope"))
            .args(["analyze", "examples/founding-incident.txt"])
            .current_dir(root())
            .output()
            .unwrap();
        let printed = String::from_utf8(run.stdout).unwrap();
        let mut rest = printed.lines();
        for line in shown {
            assert!(rest.any(|found| found == line), "not printed, or not in this order: {line}");
        }
    }

    /// README's shell blocks that hold `word`.
    fn blocks(readme: &str, word: &str) -> Vec<String> {
        let blocks = readme.split("```sh\n").skip(1);
        let blocks = blocks.filter_map(|rest| rest.split("```").next());
        blocks.filter(|block| block.contains(word)).map(str::to_owned).collect()
    }

    /// Runs a block in a folder that holds the files which README names, and
    /// returns what it printed.
    fn run_block(test: &str, block: &str) -> String {
        let folder = Folder::new(test);
        for name in ["host.pcap", "pod.pcap", "ip-addr.txt", "pods.txt"] {
            let fixture = root().join("tests/fixtures/lab/founding").join(name);
            std::fs::copy(fixture, folder.path().join(name)).unwrap();
        }
        std::fs::create_dir(folder.path().join("examples")).unwrap();
        let example = "examples/founding-incident.txt";
        std::fs::copy(root().join(example), folder.path().join(example)).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_replyscope"));
        let paths = std::env::var("PATH").unwrap();
        let script =
            format!("curl() {{ command curl -sS -f --max-time 20 \"$@\"; echo; }}\n{block}");
        let run = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .env("PATH", format!("{}:{paths}", program.parent().unwrap().display()))
            .current_dir(folder.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{block}\n{errors}");
        String::from_utf8(run.stdout).unwrap()
    }

    #[test]
    fn the_programs_commands_in_the_readme_work() {
        let blocks = blocks(&readme(), "\nkubectl exec …");
        let [block] = &blocks[..] else { panic!("{} blocks use a pipe", blocks.len()) };
        // There is no cluster here: the capture comes from a file.
        let (_, pipe) = block.split_once("kubectl exec").unwrap();
        let (source, _) = pipe.split_once(" | ").unwrap();
        let block = block.replace(&format!("kubectl exec{source}"), "cat host.pcap");
        let printed = run_block("readme-program", &block);
        let (text, json) = printed.split_at(printed.find("\n{").unwrap());
        assert!(text.starts_with("BROKEN"), "{text}");
        // Named by --point and listed as well, each is one capture.
        for (line, count) in [("  host.pcap (host, node3", 1), ("  pod.pcap (pod, node3", 1)] {
            assert_eq!(text.matches(line).count(), count, "{text}");
        }
        assert!(!text.contains("host.pcap (2)"), "{text}");
        let report: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(report["verdict"], "broken");
    }

    #[test]
    fn the_requests_in_the_readme_work() {
        let folder = Folder::new("readme-service");
        let service = Service::start(folder.path(), &[]);
        let readme = readme();
        assert!(!blocks(&readme, "-- serve --listen 127.0.0.1:8080").is_empty());
        let blocks = blocks(&readme, "curl ");
        assert!(!blocks.is_empty());
        for block in blocks {
            let printed =
                run_block("readme-requests", &block.replace("127.0.0.1:8080", &service.address));
            let answers: Vec<serde_json::Value> =
                printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            assert_eq!(answers.len(), block.matches("\ncurl ").count(), "{block}\n{printed}");
            for answer in answers {
                assert!(answer.to_string().contains("broken"), "{answer}");
            }
        }
        assert_eq!(service.stop(), Some(0));
    }
}
