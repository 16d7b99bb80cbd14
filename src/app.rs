//! The composition root: hands settings to the rooms, runs one command and ends it.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::{Command, Config, Openapi};
use crate::model::reason::render_chain;
use crate::web;

#[cfg(target_os = "linux")]
mod agent;
mod analyze;
mod files;
mod json;
mod listen;
mod log;
mod nodes;
mod notify;
mod progress;
mod queries;
mod retention;
mod serve;

/// Exit code on bad input or bad settings.
const BAD_INPUT: u8 = 2;

/// Runs the command and says how it ended: 0, 1 where `--fail-on` matched, or 2.
#[must_use]
pub fn run(config: Config) -> ExitCode {
    match config.command {
        Command::Serve(settings) => serve::run(settings),
        Command::Analyze(settings) => analyze::run(&settings),
        #[cfg(target_os = "linux")]
        Command::Agent(settings) => agent::run(*settings),
        #[cfg(not(target_os = "linux"))]
        Command::Agent(_) => {
            complain("the agent reads Linux kernels; it does not run on this system", None);
            ExitCode::from(BAD_INPUT)
        }
        Command::Openapi(which) => print_openapi(&which),
    }
}

fn print_openapi(which: &Openapi) -> ExitCode {
    #[cfg(target_os = "linux")]
    let rendered =
        if which.agent { crate::node::agent::render_openapi() } else { web::render_openapi() };
    #[cfg(not(target_os = "linux"))]
    let rendered = web::render_openapi();
    match rendered {
        Ok(document) => finish_output(write_output(document.as_bytes()), ExitCode::SUCCESS),
        Err(error) => fail(&error),
    }
}

/// Writes bytes to standard output as they are.
fn write_output(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}

/// A reader that closed the pipe has seen enough: that is no failure.
fn finish_output(written: io::Result<()>, code: ExitCode) -> ExitCode {
    match written {
        Ok(()) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(error) => fail(&error),
    }
}

/// Says on standard error why it ended, with the whole chain of sources.
fn fail(error: &dyn Error) -> ExitCode {
    complain(&render_chain(error), None);
    ExitCode::from(BAD_INPUT)
}

/// Writes a message, and what to do about it, to standard error. File names
/// come from outside: control characters in them are shown, not obeyed.
fn complain(message: &str, hint: Option<&str>) {
    let mut output = anstream::stderr().lock();
    // Where standard error is closed there is nobody left to tell.
    let _ = writeln!(output, "error: {}", render_harmless(message));
    if let Some(hint) = hint {
        let _ = writeln!(output, "  hint: {hint}");
    }
}

fn render_harmless(text: &str) -> String {
    text.chars()
        .flat_map(|sign| {
            let is_control = sign.is_control();
            let escaped = is_control.then(|| sign.escape_default()).into_iter().flatten();
            escaped.chain((!is_control).then_some(sign))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(render_harmless("a\u{1b}[2Jb\nü"), r"a\u{1b}[2Jb\nü");
    }

    #[test]
    fn the_whole_chain_is_told() {
        let error = crate::store::Error::Directory {
            path: "here".into(),
            source: io::Error::from(io::ErrorKind::PermissionDenied),
        };
        assert_eq!(
            render_chain(&error),
            "the data directory 'here' cannot be used: permission denied"
        );
    }
}
