//! Arguments and exit code.

use std::process::ExitCode;

use replyscope::{app, config};

fn main() -> ExitCode {
    app::run(config::read_config())
}
