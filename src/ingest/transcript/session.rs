//! Commands as they are typed: over several lines, and in a shell inside a container.

use super::command::{CommandKind, Host, read_command};
use super::inventory::Inventory;
use super::prompt::Prompt;
use super::section::Section;
use super::words::split_commands;
use crate::ingest::complaint::{ComplaintRun, Program};
use crate::ingest::tcpdump_text::{Origin, Run};

/// A command that is longer is no command.
const LIMIT_COMMAND_BYTES: usize = 8_192;

/// What earlier commands of the text mean for later ones.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// A command whose line ended with a backslash.
    continued: Option<Typed>,
    shell: Option<Shell>,
}

/// A command, and the prompt before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Typed {
    line: u64,
    node: Option<String>,
    command: String,
}

/// A shell in a container, until it is left.
#[derive(Debug)]
struct Shell {
    /// What started it, up to the shell's own name: `kubectl exec -it tftp-0 --`.
    command: String,
    /// The host at whose prompt that was typed.
    outside: Option<String>,
    /// The host that the shell's own prompt names.
    inside: Option<String>,
    /// No prompt came since.
    is_fresh: bool,
}

impl Session {
    /// Takes the line behind one that ended with a backslash: what follows the command
    /// then, prose while it goes on. `None` where there is no such line before.
    pub fn find_continued(&mut self, text: &str) -> Option<Section> {
        let mut typed = self.continued.take()?;
        if typed.command.len().saturating_add(text.len()) > LIMIT_COMMAND_BYTES {
            return Some(Section::Prose);
        }
        typed.command.push(' ');
        typed.command.push_str(text.trim());
        Some(self.open(typed))
    }

    /// What follows a prompt; prose where its command goes on with the next line.
    pub fn open_prompt(&mut self, line: u64, prompt: &Prompt<'_>) -> Section {
        let node = prompt.node.map(str::to_owned);
        self.open(Typed { line, node, command: prompt.command.to_owned() })
    }

    fn open(&mut self, mut typed: Typed) -> Section {
        if let Some(command) = typed.command.trim_end().strip_suffix('\\') {
            let command = command.trim_end().to_owned();
            self.continued = Some(Typed { command, ..typed });
            return Section::Prose;
        }
        self.enter_shell(&mut typed);
        let section = open_command(&typed);
        if let Some(started_by) = find_shell_command(&typed.command) {
            self.shell = Some(Shell {
                command: started_by,
                outside: typed.node,
                inside: None,
                is_fresh: true,
            });
        }
        section
    }

    /// Makes a command typed in a container's shell one that enters the container.
    fn enter_shell(&mut self, typed: &mut Typed) {
        let Some(shell) = &mut self.shell else { return };
        let is_first = std::mem::take(&mut shell.is_fresh);
        let is_inside = match (&typed.node, &shell.outside) {
            (None, _) => true,
            (Some(here), outside) if Some(here) == outside.as_ref() => false,
            (Some(here), _) => {
                if is_first {
                    shell.inside = Some(here.clone());
                }
                shell.inside.as_ref() == Some(here)
            }
        };
        if !is_inside || matches!(typed.command.trim(), "exit" | "logout") {
            self.shell = None;
        } else if !typed.command.trim().is_empty() {
            typed.command = format!("{} {}", shell.command, typed.command.trim());
            typed.node.clone_from(&shell.outside);
        }
    }
}

/// The command that runs a shell in a container or another network namespace, without
/// the shell: `kubectl exec -it tftp-0 -- sh`. With `-c` it runs a command and ends.
fn find_shell_command(command: &str) -> Option<String> {
    let trimmed = command.trim_end();
    let (before, shell) = trimmed.rsplit_once(char::is_whitespace)?;
    let name = shell.rsplit('/').next().unwrap_or(shell);
    let enters = split_commands(before).last()?.words.iter().any(|word| {
        matches!(word.rsplit('/').next().unwrap_or(word), "exec" | "debug" | "nsenter" | "attach")
    });
    (enters && matches!(name, "sh" | "bash" | "ash" | "zsh" | "dash" | "busybox"))
        .then(|| before.trim_end().to_owned())
}

fn open_command(typed: &Typed) -> Section {
    let command = read_command(&typed.command);
    let node = match command.host {
        Host::OfPrompt => typed.node.clone(),
        Host::Named(host) => Some(host),
        Host::Unknown => None,
    };
    match command.kind {
        CommandKind::Tcpdump(origin) => {
            let origin = Origin { node, line: typed.line, point: command.point, ..origin };
            Section::Run { run: Box::new(Run::new(origin)), state: Box::default() }
        }
        CommandKind::Inventory(shape) => {
            Section::Inventory(Box::new(Inventory::new(&typed.command, node, shape)))
        }
        CommandKind::Dig => {
            Section::Complaint(Box::new(ComplaintRun::new(Program::Dig, node, typed.line)))
        }
        CommandKind::Other => Section::Prose,
    }
}
