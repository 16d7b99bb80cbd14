//! The real `tcpdump`, where it is installed.

use std::path::Path;
use std::process::Command;

/// Whether it is installed. `tests/run`, which installs it, sets `SKIP_NO_TESTS`: there it
/// must not be missing.
pub fn has_tcpdump() -> bool {
    let asked = Command::new("tcpdump").arg("--version").output();
    let is_there = asked.is_ok_and(|output| output.status.success());
    let may_skip = std::env::var_os("SKIP_NO_TESTS").is_none();
    assert!(is_there || may_skip, "tcpdump is not installed, and no test may be skipped");
    is_there
}

/// What `tcpdump` prints of a capture under these options.
pub fn print(capture: &Path, options: &[&str]) -> Vec<u8> {
    let output = Command::new("tcpdump")
        .args(options)
        .arg("-r")
        .arg(capture)
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
