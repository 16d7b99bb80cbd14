//! Shell prompts and the commands behind them.

use super::known_commands::is_known_command;

/// A prompt with what was typed at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt<'a> {
    /// The host that the prompt names.
    pub node: Option<&'a str>,
    pub command: &'a str,
    /// It has the form `user@host`, which little else has.
    pub names_user: bool,
}

impl Prompt<'_> {
    /// Whether the command is one that people type between captures.
    pub fn is_about_networks(&self) -> bool {
        const NAMES: [&str; 7] = ["conntrack", "exit", "ip", "kubectl", "ssh", "sudo", "tcpdump"];
        let name = self.command.split_whitespace().next().unwrap_or_default();
        NAMES.contains(&name.rsplit('/').next().unwrap_or(name))
    }
}

/// A longer start of a line is no prompt.
const LIMIT_PROMPT_BYTES: usize = 120;

/// Finds a prompt at the start of a line. Prompts that name a user and a host
/// are known by that; of all others a command must follow that we know.
pub(super) fn find_prompt(line: &str) -> Option<Prompt<'_>> {
    let line = line.trim().trim_matches('`').trim_start_matches("^C");
    let line = skip_environment(line);
    find_bracketed(line)
        .or_else(|| find_user_at_host(line))
        .or_else(|| find_windows(line))
        .or_else(|| find_marked(line))
        .or_else(|| find_unprompted(line))
}

/// `(venv) ` before the prompt.
fn skip_environment(line: &str) -> &str {
    line.strip_prefix('(')
        .and_then(|rest| rest.split_once(") "))
        .filter(|(name, _)| name.len() < 40 && !name.contains(' '))
        .map_or(line, |(_, rest)| rest.trim_start())
}

/// `[root@node3 ~]# `, `[node3 ~]$ `.
fn find_bracketed(line: &str) -> Option<Prompt<'_>> {
    let (inside, rest) = line.strip_prefix('[')?.split_once(']')?;
    if inside.len() > LIMIT_PROMPT_BYTES {
        return None;
    }
    let command = rest.trim_start().strip_prefix(['#', '$', '%', '>'])?.trim();
    if let Some((user, host)) = inside.split_once('@') {
        let host = host.split([' ', ':']).next().unwrap_or_default();
        return (is_name(user) && is_name(host)).then_some(Prompt {
            node: Some(host),
            command,
            names_user: true,
        });
    }
    let host = inside.split([' ', ':']).next().filter(|host| is_name(host));
    is_known_command(command).then_some(Prompt { node: host, command, names_user: false })
}

/// `root@openwrt:~# `, `user@host ~ % `, `user@host> `.
fn find_user_at_host(line: &str) -> Option<Prompt<'_>> {
    let (user, rest) = line.split_once('@')?;
    if !is_name(user) {
        return None;
    }
    let end = rest.find(|c: char| !is_name_character(c))?;
    let (host, rest) = rest.split_at(end);
    let at = rest.find(['#', '$', '%', '>', '❯'])?;
    let (place, behind) = rest.split_at(at);
    let mark = behind.chars().next()?;
    let command = behind.get(mark.len_utf8()..)?.trim();
    let is_path = place.is_empty()
        || place.starts_with(':')
        || (place.starts_with(' ') && place.split_whitespace().count() <= 2);
    (is_name(host) && is_path && place.len() <= LIMIT_PROMPT_BYTES).then_some(Prompt {
        node: Some(host),
        command,
        names_user: true,
    })
}

/// `PS C:\Users\a> `, `C:\>`.
fn find_windows(line: &str) -> Option<Prompt<'_>> {
    let path = line.strip_prefix("PS ").unwrap_or(line);
    let (drive, rest) = path.split_once(":\\")?;
    let is_drive = drive.len() == 1 && drive.bytes().all(|byte| byte.is_ascii_alphabetic());
    let (directory, command) = rest.split_once('>')?;
    (is_drive && directory.len() <= LIMIT_PROMPT_BYTES).then_some(Prompt {
        node: None,
        command: command.trim(),
        names_user: false,
    })
}

/// `$ `, `# `, `node3# `, `/ # `, `host:~ # `, `host :: dir » `.
fn find_marked(line: &str) -> Option<Prompt<'_>> {
    let (at, mark) = line
        .char_indices()
        .take_while(|(at, _)| *at <= LIMIT_PROMPT_BYTES)
        .find(|(_, c)| matches!(c, '#' | '$' | '%' | '»' | '❯' | '➜' | 'λ'))?;
    let place = line.get(..at)?.trim();
    let mut command = line.get(at + mark.len_utf8()..)?.trim();
    if mark == '➜' && !is_known_command(command) {
        // `➜  ~ ip a`: the directory stands behind the mark.
        command = command.split_once(' ')?.1.trim();
    }
    if place.split_whitespace().count() > 5 || !is_known_command(command) {
        return None;
    }
    Some(Prompt { node: find_host(place), command, names_user: false })
}

/// Shells that put their own name into the prompt: `bash-5.1# `.
const SHELLS: [&str; 6] = ["bash", "sh", "zsh", "ash", "dash", "fish"];

/// A tcpdump command that was pasted without its prompt.
fn find_unprompted(line: &str) -> Option<Prompt<'_>> {
    let is_command = ["tcpdump -", "sudo tcpdump -"].iter().any(|lead| line.starts_with(lead));
    is_command.then_some(Prompt { node: None, command: line, names_user: false })
}

/// The host in `node3`, `node3:~`, `node3 ~`, `node3 :: dir`.
fn find_host(place: &str) -> Option<&str> {
    let mut words = place.split_whitespace();
    let first = words.next()?;
    let second = words.next();
    let host = first.split(':').next().filter(|host| is_name(host))?;
    let is_shell = SHELLS.iter().any(|shell| {
        host.strip_prefix(shell).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    let is_place = second.is_none_or(|second| second.starts_with(['~', '/', ':', '(']));
    (is_place && !is_shell && !host.starts_with('-')).then_some(host)
}

fn is_name(text: &str) -> bool {
    // Characters that -A prints look like `E..H..@.`, too.
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !text.contains("..")
        && text.chars().all(is_name_character)
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_all_kinds_are_found() {
        let cases = [
            ("[root@node3 ~]# tcpdump -n -i eth0", Some((Some("node3"), "tcpdump -n -i eth0"))),
            ("[root@node3 ~]#", Some((Some("node3"), ""))),
            ("[root@node3 ~]# ./unknown.sh", Some((Some("node3"), "./unknown.sh"))),
            ("[node3 ~]# ip a", Some((Some("node3"), "ip a"))),
            ("root@openwrt:~# ip a", Some((Some("openwrt"), "ip a"))),
            ("root@openwrt:~#tcpdump -i br-lan", Some((Some("openwrt"), "tcpdump -i br-lan"))),
            ("user@host:~/a b$ ip a", Some((Some("host"), "ip a"))),
            ("user@host ~ % ip a", Some((Some("host"), "ip a"))),
            ("(venv) user@host:~$ ip a", Some((Some("host"), "ip a"))),
            ("^C[root@node3 ~]# ip a", Some((Some("node3"), "ip a"))),
            ("$ sudo tcpdump -n", Some((None, "sudo tcpdump -n"))),
            ("# tcpdump -n", Some((None, "tcpdump -n"))),
            ("node3# ip a", Some((Some("node3"), "ip a"))),
            ("node3:~ # ip a", Some((Some("node3"), "ip a"))),
            (
                "FGT60D (root) # diag sniffer packet any",
                Some((Some("FGT60D"), "diag sniffer packet any")),
            ),
            ("bash-5.1# ip a", Some((None, "ip a"))),
            ("/ # ip a", Some((None, "ip a"))),
            ("thinkbox :: work/dockers/bind » sudo ip a", Some((Some("thinkbox"), "sudo ip a"))),
            ("➜  ~ ip a", Some((None, "ip a"))),
            ("PS C:\\> kubectl get pod", Some((None, "kubectl get pod"))),
            ("C:\\Users\\a>tcpdump", Some((None, "tcpdump"))),
            ("sudo tcpdump -ni any", Some((None, "sudo tcpdump -ni any"))),
            ("tcpdump: listening on eth0", None),
            ("tcpdump shows the packets", None),
            ("# The capture on the host", None),
            ("It costs 5 $ a day", None),
            ("mail user@example.com", None),
            ("E..H..@.@.%.....", None),
            ("07:29:48.654684 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", None),
            ("[{\"ifindex\":1}]", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let actual = find_prompt(line).map(|prompt| (prompt.node, prompt.command));
            assert_eq!(actual, expected, "{line}");
        }
    }
}
