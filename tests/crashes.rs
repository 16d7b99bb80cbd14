//! Inputs that a fuzz target failed on once: `tests/fixtures/crashes/TARGET/NAME`.

#[cfg(test)]
#[path = "../fuzz/src/lib.rs"]
mod targets;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::targets;

    #[test]
    fn inputs_that_failed_once_pass() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/crashes");
        let mut inputs = 0;
        for target in fs::read_dir(folder).unwrap() {
            let target = target.unwrap();
            let name = target.file_name();
            let run: fn(&[u8]) = match name.to_str().unwrap() {
                "container" => targets::container,
                "decode" => targets::decode,
                "tcpdump_text" => targets::tcpdump_text,
                "transcript" => targets::transcript,
                "topology" => targets::topology,
                "analysis" => targets::analysis,
                other => panic!("no fuzz target is called {other}"),
            };
            for input in fs::read_dir(target.path()).unwrap() {
                let input = input.unwrap();
                println!("{}", input.path().display());
                run(&fs::read(input.path()).unwrap());
                inputs += 1;
            }
        }
        assert!(inputs > 0, "no input found");
    }
}
