//! Runs the program as its users do.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

/// What the program printed, and its exit code.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `replyscope` with `arguments`; `input` is what it reads from standard input.
pub fn replyscope<A: AsRef<OsStr>>(arguments: &[A], input: &[u8]) -> Run {
    replyscope_with(&[], arguments, input)
}

/// As [`replyscope`], with these variables in its environment.
pub fn replyscope_with<A: AsRef<OsStr>>(
    variables: &[(&str, &str)],
    arguments: &[A],
    input: &[u8],
) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replyscope"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Settings of the machine that runs the tests are no part of them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("REPLYSCOPE_") {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that has seen enough closes its end: that is no failure.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
