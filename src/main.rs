//! Arguments and exit code.

use std::process::ExitCode;

use clap::Parser;
use replyscope::{app, config::Config};

fn main() -> ExitCode {
    app::run(Config::parse())
}
