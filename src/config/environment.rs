//! Every option can be set by an environment variable: `REPLYSCOPE_` and its name.
//!
//! The environment of a test is that of the whole process, so each command is read
//! by another one that is started for it.

use std::process::Command;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, CommandFactory as _};

use super::{Config, reading};

/// Which command the other process reads, and what its switches are set to.
const COMMAND: &str = "REPLYSCOPE_TEST_COMMAND";
const SWITCHES: &str = "REPLYSCOPE_TEST_SWITCHES";
/// Arguments of another process, with spaces between.
const ARGUMENTS: &str = "REPLYSCOPE_TEST_ARGUMENTS";

fn options(command: &clap::Command) -> impl Iterator<Item = &Arg> {
    let options = command.get_arguments().filter(|one| !one.is_positional());
    options.filter(|one| one.get_long().is_some_and(|long| long != "help"))
}

fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

fn is_list(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Append)
}

/// A value that the option takes.
fn sample(option: &Arg) -> String {
    if let Some(choice) = option.get_possible_values().last() {
        return choice.get_name().to_owned();
    }
    let names = option.get_value_names().unwrap_or_default();
    let value = match (option.get_id().as_str(), names[0].as_str()) {
        ("database_url", _) => "sqlite://reports.sqlite",
        (_, "ADDRESS:PORT") => "127.0.0.1:7",
        (_, "URL") => "https://replyscope.example.org",
        (_, "BYTES" | "COUNT" | "SECONDS" | "DAYS") => "5",
        (_, "COUNT|all") => "all",
        (_, "NAME=KUBECONFIG[#CONTEXT]") => "site-a=a.yaml",
        (_, "[CLUSTER/]NAME=URL") => "node1=http://192.0.2.1:7",
        (_, "POINT[@NODE[/IFACE]]=FILE") => "pod=a.pcap",
        (_, "VERDICT") => "one-way",
        (_, "DEVICE") => "2001:db8::7",
        _ => "some-name",
    };
    value.to_owned()
}

#[test]
fn every_option_can_come_from_the_environment() {
    let config = Config::command();
    for command in config.get_subcommands().filter(|one| one.get_name() != "help") {
        for switches in ["1", "off", "", " "] {
            let mut reader = Command::new(std::env::current_exe().unwrap());
            reader.env_clear().env(COMMAND, command.get_name()).env(SWITCHES, switches);
            reader.args(["--exact", "--ignored", "config::environment::read_it"]);
            for option in options(command) {
                let long = option.get_long().unwrap();
                let expected = format!("REPLYSCOPE_{}", long.to_uppercase().replace('-', "_"));
                let variable = option.get_env().unwrap().to_str().unwrap();
                assert_eq!(variable, expected, "{long}");
                let value = match (is_switch(option), is_list(option)) {
                    _ if switches.trim().is_empty() => switches.to_owned(),
                    (true, _) => switches.to_owned(),
                    (_, true) => format!("{0},{0}", sample(option)),
                    _ => sample(option),
                };
                reader.env(variable, value);
            }
            let output = reader.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}: {said}", command.get_name());
            assert!(said.contains("1 passed"), "{}: {said}", command.get_name());
        }
    }
}

/// Variables that are set to nothing are not set: no option has its value from there.
fn read_empty(name: &str, command: &clap::Command) {
    let needed: &[&str] = match name {
        "analyze" => &["a.pcap"],
        "agent" => &["--tokens", "tokens"],
        _ => &[],
    };
    let arguments = [&["replyscope", name], needed].concat();
    let matches = reading::command().try_get_matches_from(arguments).unwrap();
    let (_, matches) = matches.subcommand().unwrap();
    for option in options(command) {
        let id = option.get_id().as_str();
        assert_ne!(matches.value_source(id), Some(ValueSource::EnvVariable), "{id}");
    }
}

#[test]
fn a_fault_names_the_variable_that_it_is_from() {
    let cases: [(&str, &str, &[&str], bool); 5] = [
        ("REPLYSCOPE_LISTEN", "here", &["serve"], true),
        ("REPLYSCOPE_LISTEN", "here", &["serve", "--listen", "there"], false),
        ("REPLYSCOPE_LISTEN", "here", &["serve", "--listen=there"], false),
        ("REPLYSCOPE_FORMAT", "odd", &["analyze", "a.pcap"], true),
        ("REPLYSCOPE_LISTEN", "", &["serve", "--upload-limit-bytes", "0"], false),
    ];
    for (variable, value, arguments, is_named) in cases {
        let mut reader = Command::new(std::env::current_exe().unwrap());
        reader.env_clear().env(variable, value).env(ARGUMENTS, arguments.join(" "));
        reader.args(["--exact", "--ignored", "config::environment::find_fault", "--nocapture"]);
        let output = reader.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("error: "), "{arguments:?}: {said}");
        let origin = format!("from the environment variable {variable}");
        assert_eq!(said.contains(&origin), is_named, "{arguments:?}: {said}");
    }
}

/// No test: what the one above starts.
#[test]
#[ignore = "a helper that another test starts"]
fn find_fault() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let arguments = std::iter::once("replyscope").chain(arguments.split(' '));
    let arguments: Vec<_> = arguments.map(Into::into).collect();
    println!("{}", reading::read(&arguments).unwrap_err());
}

/// No test: what the first one starts.
#[test]
#[ignore = "a helper that another test starts"]
fn read_it() {
    let Ok(name) = std::env::var(COMMAND) else { return };
    let switches = std::env::var(SWITCHES).unwrap();
    let config = Config::command();
    let command = config.find_subcommand(&name).unwrap();
    if switches.trim().is_empty() {
        return read_empty(&name, command);
    }
    let matches = reading::command().try_get_matches_from(["replyscope", &name]).unwrap();
    let (_, matches) = matches.subcommand().unwrap();
    for option in options(command) {
        let id = option.get_id().as_str();
        assert_eq!(matches.value_source(id), Some(ValueSource::EnvVariable), "{id}");
        if is_switch(option) {
            assert_eq!(matches.get_flag(id), switches == "1", "{id}");
        }
        if is_list(option) {
            // The list is one value.
            assert_eq!(matches.get_raw(id).unwrap().count(), 1, "{id}");
        }
    }
}
