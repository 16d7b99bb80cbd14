//! What README shows is what the program prints.

use std::path::Path;
use std::process::Command;

#[test]
fn the_output_in_the_readme_is_a_real_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, after) = readme.split_once("tests/readme.rs -->").expect("README marks its output");
    let block = after.split("```").nth(1).expect("a block follows the mark");
    let shown: Vec<&str> =
        block.lines().skip(1).filter(|line| !line.is_empty() && *line != "…").collect();
    assert!(shown.len() > 20, "README shows too little to be compared");

    let run = Command::new(env!("CARGO_BIN_EXE_replyscope"))
        .args(["analyze", "examples/founding-incident.txt"])
        .current_dir(root)
        .output()
        .unwrap();
    let printed = String::from_utf8(run.stdout).unwrap();
    let mut rest = printed.lines();
    for line in shown {
        assert!(rest.any(|found| found == line), "not printed, or not in this order: {line}");
    }
}
