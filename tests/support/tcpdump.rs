//! The real `tcpdump`, where it is installed.

use std::path::Path;
use std::process::Command;

pub fn has_tcpdump() -> bool {
    Command::new("tcpdump").arg("--version").output().is_ok_and(|output| output.status.success())
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
