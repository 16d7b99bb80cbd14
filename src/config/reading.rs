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

/// How a message calls the option `long`, such as `--listen`: with the variable that its
/// value is from, where it is.
#[must_use]
pub fn name_option(long: &str) -> String {
    let arguments: Vec<OsString> = env::args_os().collect();
    match find_variable(long, &arguments) {
        Some(variable) => format!("{long} (the environment variable {variable})"),
        None => long.to_owned(),
    }
}

/// Adds the variable that holds the value with which `error` finds fault, or that would
/// hold the one that is missing. Secrets are blanked.
fn with_origin(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let tips: Vec<String> = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) => {
            let long = long_of(option).to_owned();
            conceal(&mut error, &long);
            let variable = find_variable(&long, arguments);
            let tip = |name| format!("the value is from the environment variable {name}");
            variable.map(tip).into_iter().collect()
        }
        Some(ContextValue::Strings(options)) => {
            let missing = options.iter().filter_map(|option| name_variable(long_of(option)));
            missing.map(|name| format!("the environment variable {name} sets it as well")).collect()
        }
        _ => Vec::new(),
    };
    if !tips.is_empty() {
        let tips = tips.into_iter().map(StyledStr::from).collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// The name in such as `--listen <ADDRESS:PORT>`.
fn long_of(option: &str) -> &str {
    option.split([' ', '=', '[']).next().unwrap_or_default()
}

fn name_variable(long: &str) -> Option<String> {
    let name = long.strip_prefix("--")?;
    Some(format!("REPLYSCOPE_{}", name.to_uppercase().replace('-', "_")))
}

/// The variable that the value of an option is from: it is set, and the option is not typed.
fn find_variable(long: &str, arguments: &[OsString]) -> Option<String> {
    let variable = name_variable(long)?;
    let is_typed = arguments.iter().filter_map(|one| one.to_str()).any(|argument| {
        argument.strip_prefix(long).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let is_set = env::var_os(&variable).is_some_and(|value| !is_blank(&value));
    (!is_typed && is_set).then_some(variable)
}

/// Takes secrets out of the value that `error` repeats: it may end up in a log. What the
/// help does not show of the environment is one as a whole, credentials in a URL are one
/// everywhere.
fn conceal(error: &mut clap::Error, long: &str) {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return };
    let program = Config::command();
    let mut options = program.get_subcommands().flat_map(Command::get_arguments);
    let is_hidden = options.any(|option| {
        option.is_hide_env_values_set()
            && Some(option.get_long().unwrap_or_default()) == long.strip_prefix("--")
    });
    let shown = if is_hidden { "…".to_owned() } else { without_credentials(value) };
    error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
}

/// Credentials stand between `//` and the last `@` (RFC 3986, section 3.2.1); a password
/// that nobody has escaped may hold any sign.
fn without_credentials(value: &str) -> String {
    let parts = value.split_once("//").and_then(|(before, rest)| {
        let (_, host) = rest.rsplit_once('@')?;
        Some(format!("{before}//…@{host}"))
    });
    parts.unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_repeated() {
        let cases: [(&[&str], &str); 5] = [
            (&["--database-url", "postgres://u:secret@h/x"], "PostgreSQL is not supported yet"),
            (&["--database-url=mysql://h/x?password=secret"], "expected sqlite://FILE"),
            (&["--node", "n1=https://u:secret@[2001:db8::1]:9"], "https://…@[2001:db8::1]:9"),
            (&["--node", "n1=ftp://u:se//cr@secret@192.0.2.1"], "ftp://…@192.0.2.1"),
            (&["--public-url", "https://u:secret@h.example"], "https://…@h.example"),
        ];
        for (given, expected) in cases {
            let arguments = ["replyscope", "serve"].iter().chain(given).map(Into::into);
            let error = read(&arguments.collect::<Vec<_>>()).unwrap_err().to_string();
            assert!(error.contains(expected), "{given:?}: {error}");
            assert!(!error.contains("secret"), "{given:?}: {error}");
        }
        let arguments = ["replyscope", "serve", "--node", "n1=ftp://192.0.2.1"].map(Into::into);
        let error = read(&arguments).unwrap_err().to_string();
        assert!(error.contains("'n1=ftp://192.0.2.1'"), "{error}");
    }

    #[test]
    fn what_is_missing_can_come_from_the_environment() {
        let arguments = ["replyscope", "serve", "--agent-certificate", "a.pem"].map(Into::into);
        let error = read(&arguments).unwrap_err().to_string();
        for part in ["--agent-key", "variable REPLYSCOPE_AGENT_KEY sets it as well"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
