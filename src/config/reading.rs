//! Reads the settings: arguments first, then the environment.

use std::env;
use std::ffi::{OsStr, OsString};

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};

use super::Config;

/// The settings of this process. Where they cannot be read, it says why and ends.
#[must_use]
pub fn read_config() -> Config {
    let arguments: Vec<OsString> = env::args_os().collect();
    read(&arguments).unwrap_or_else(|error| error.exit())
}

/// Reads `arguments`, the program's name first, and the environment.
///
/// # Errors
///
/// Where they cannot be read. It says which variable a value is from, where it is: who
/// reads the message has typed no option.
pub(super) fn read(arguments: &[OsString]) -> Result<Config, clap::Error> {
    let result = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Config::from_arg_matches(&matches));
    result.map_err(|error| with_origin(error, arguments))
}

/// The definition of the program, without variables that are set to nothing: files for
/// containers and units write "not set" so.
pub(super) fn command() -> Command {
    Config::command().mut_subcommands(|command| command.mut_args(without_empty_variable))
}

fn without_empty_variable(option: Arg) -> Arg {
    let value = option.get_env().and_then(env::var_os);
    if value.is_some_and(|value| is_blank(&value)) { option.env(None) } else { option }
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// Adds the variable that holds the value with which `error` finds fault.
fn with_origin(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    // Such as `--listen <ADDRESS:PORT>`.
    let long = option.split([' ', '=', '[']).next().unwrap_or_default();
    let Some(name) = long.strip_prefix("--") else { return error };
    let is_typed = arguments.iter().filter_map(|one| one.to_str()).any(|argument| {
        argument.strip_prefix(long).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let variable = format!("REPLYSCOPE_{}", name.to_uppercase().replace('-', "_"));
    let is_set = env::var_os(&variable).is_some_and(|value| !is_blank(&value));
    if !is_typed && is_set {
        let origin = format!("the value is from the environment variable {variable}");
        let origin = ContextValue::StyledStrs(vec![StyledStr::from(origin)]);
        error.insert(ContextKind::Suggested, origin);
    }
    error
}
