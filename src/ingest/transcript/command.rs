//! What a typed command will print, and on which host.

use super::filter::find_condition;
use super::known_commands::{base_name, is_assignment};
use super::options::{add_filter, read_ip, read_kubectl, read_tcpdump};
use super::selection::find_selection;
use super::shape::Shape;
use super::words::{Simple, split_commands};
use crate::ingest::tcpdump_text::Origin;
use crate::model::capture::PointKind;
use crate::model::command_network::CommandNetwork;

/// A command at a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub kind: CommandKind,
    pub host: Host,
    /// The side of the translation, where it ran in the network of a pod.
    pub point: Option<PointKind>,
}

/// What follows a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CommandKind {
    /// Packets; what the command tells of them.
    Tcpdump(Origin),
    /// Facts about addresses.
    Inventory(Shape),
    /// What `dig` says of answers.
    Dig,
    /// Nothing that we read.
    Other,
}

/// Where a command ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// On the host that the prompt names.
    OfPrompt,
    /// On another one: `ssh node3 ip addr`.
    Named(String),
    /// In a container, whose node the command does not tell.
    Unknown,
}

/// Reads a command as typed.
pub(super) fn read_command(text: &str) -> Command {
    let other = Command { kind: CommandKind::Other, host: Host::OfPrompt, point: None };
    let commands = split_commands(text);
    find_first(&commands, |words| place(read_words(words, Host::OfPrompt, 0), words))
        .unwrap_or(other)
}

/// The first of several commands that prints what we read, with what searches that read
/// its output leave of that.
fn find_first(commands: &[Simple], read: impl Fn(&[String]) -> Command) -> Option<Command> {
    let mut rest = commands.iter();
    let mut command = rest
        .by_ref()
        .map(|simple| read(&simple.words))
        .find(|found| found.kind != CommandKind::Other)?;
    if let CommandKind::Tcpdump(origin) = &mut command.kind {
        // Another list searches something else: `tcpdump …; grep named /var/log/syslog`.
        for simple in rest.take_while(|simple| simple.reads_pipe) {
            if let Some((text, condition)) = find_selection(&simple.words) {
                add_filter(origin, &text, condition);
            }
        }
    }
    Some(command)
}

/// Adds to a command whose network it saw.
fn place(command: Command, words: &[String]) -> Command {
    let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    match CommandNetwork::of(&words) {
        CommandNetwork::Prompt => command,
        CommandNetwork::Pod(_) => Command { point: Some(PointKind::Pod), ..command },
        CommandNetwork::Node(None) | CommandNetwork::Container => {
            Command { host: Host::Unknown, ..command }
        }
        CommandNetwork::Node(Some(name)) => Command { host: Host::Named(name), ..command },
    }
}

/// Commands may wrap others: `sudo timeout 5 ip netns exec a tcpdump`.
fn read_words(words: &[String], host: Host, depth: u32) -> Command {
    let other = Command { kind: CommandKind::Other, host: host.clone(), point: None };
    let skipped = words.iter().take_while(|word| is_assignment(word)).count();
    let Some((first, rest)) = words.get(skipped..).and_then(<[String]>::split_first) else {
        return other;
    };
    if depth > 8 {
        return other;
    }
    match base_name(first) {
        "tcpdump" | "tcpdump.exe" | "windump" => {
            Command { kind: CommandKind::Tcpdump(read_tcpdump(rest)), host, point: None }
        }
        // FortiGate: `diagnose sniffer packet any 'udp port 69' 6`.
        "diagnose" | "diag"
            if matches!(rest, [sniffer, packet, ..]
                if sniffer.starts_with("sniff") && packet.starts_with("pack")) =>
        {
            let interface = rest.get(2).cloned();
            let mut origin = Origin { interface, ..Origin::default() };
            // A second sniffer's `none` is no filter.
            if let Some(text) = rest.get(3)
                && let Some(condition) = find_condition(text).filter(|_| text != "none")
            {
                add_filter(&mut origin, text, condition);
            }
            Command { kind: CommandKind::Tcpdump(origin), host, point: None }
        }
        // Junos: `monitor traffic interface ge-0/0/0.0 matching "udp port 69" no-resolve`.
        "monitor" if rest.first().is_some_and(|word| word == "traffic") => {
            let find = |name| rest.iter().skip_while(|word| *word != name).nth(1);
            let interface = find("interface").cloned();
            let mut origin = Origin { interface, ..Origin::default() };
            if let Some(text) = find("matching")
                && let Some(condition) = find_condition(text)
            {
                add_filter(&mut origin, text, condition);
            }
            Command { kind: CommandKind::Tcpdump(origin), host, point: None }
        }
        "ifconfig" => Command { kind: CommandKind::Inventory(Shape::IpAddr), host, point: None },
        "sysctl" => Command { kind: CommandKind::Inventory(Shape::Sysctl), host, point: None },
        "lsmod" => Command { kind: CommandKind::Inventory(Shape::Modules), host, point: None },
        "cat" if rest.iter().any(|word| word == "/proc/modules") => {
            Command { kind: CommandKind::Inventory(Shape::Modules), host, point: None }
        }
        "cat" if rest.iter().any(|word| word == "/etc/hosts") => {
            Command { kind: CommandKind::Inventory(Shape::Hosts), host, point: None }
        }
        "getent"
            if rest.first().is_some_and(|word| matches!(word.as_str(), "hosts" | "ahosts")) =>
        {
            Command { kind: CommandKind::Inventory(Shape::Hosts), host, point: None }
        }
        "dig" | "nslookup" | "host" => Command { kind: CommandKind::Dig, host, point: None },
        "ip" if rest.first().is_some_and(|word| word == "netns") => {
            read_wrapped(rest, host, depth).unwrap_or(other)
        }
        "ip" => Command {
            kind: read_ip(rest).map_or(CommandKind::Other, CommandKind::Inventory),
            host,
            point: None,
        },
        "kubectl" | "kubectl.exe" | "oc" | "k" | "microk8s.kubectl" => {
            if matches!(find_kubectl_verb(rest), Some("exec" | "debug" | "run")) {
                return read_wrapped(rest, Host::Unknown, depth).unwrap_or(other);
            }
            let kind = read_kubectl(rest).map_or(CommandKind::Other, CommandKind::Inventory);
            Command { kind, host, point: None }
        }
        "conntrack" => {
            Command { kind: CommandKind::Inventory(Shape::Conntrack), host, point: None }
        }
        "cat" | "grep" | "egrep" | "zcat" | "head" | "tail" if reads_table(rest) => {
            Command { kind: CommandKind::Inventory(Shape::Conntrack), host, point: None }
        }
        "ssh" => {
            let named = find_ssh_host(rest).map_or(Host::Unknown, Host::Named);
            read_wrapped(rest, named, depth).unwrap_or(other)
        }
        "sudo" | "timeout" | "nohup" | "time" | "watch" | "stdbuf" | "env" | "nsenter"
        | "docker" | "podman" | "nerdctl" | "crictl" | "chroot" | "unshare" | "lxc-attach"
        | "k3s" | "microk8s" | "minikube" | "do" | "then" | "sh" | "bash" | "doas" | "exec"
        | "toolbox" => read_wrapped(rest, host, depth).unwrap_or(other),
        _ => other,
    }
}

/// The command inside a wrapper: the first word that names one we read.
fn read_wrapped(words: &[String], host: Host, depth: u32) -> Option<Command> {
    for (at, word) in words.iter().enumerate() {
        if word.contains(' ') {
            // `sh -c "ip addr"`, `ssh node3 'ip addr'`.
            let inner = find_first(&split_commands(word), |words| {
                read_words(words, host.clone(), depth + 1)
            });
            if inner.is_some() {
                return inner;
            }
        }
        let starts = [
            "tcpdump",
            "tcpdump.exe",
            "windump",
            "ip",
            "ifconfig",
            "kubectl",
            "oc",
            "k",
            "ssh",
            "dig",
            "nslookup",
            "sysctl",
            "lsmod",
            "conntrack",
        ];
        let rest = words.get(at + 1..).unwrap_or_default();
        let reads =
            matches!(base_name(word), "cat" | "grep" | "head" | "tail") && reads_table(rest);
        if reads || starts.contains(&base_name(word)) {
            return Some(read_words(words.get(at..)?, host, depth + 1));
        }
    }
    None
}

/// `exec` of `kubectl -n kube-system exec …`.
fn find_kubectl_verb(words: &[String]) -> Option<&str> {
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            // These take a value.
            "-n" | "--namespace" | "--context" | "--cluster" | "--kubeconfig" => {
                words.next();
            }
            word if word.starts_with('-') => {}
            word => return Some(word),
        }
    }
    None
}

/// Whether a program is given the kernel's own table to print.
fn reads_table(words: &[String]) -> bool {
    words.iter().any(|word| matches!(base_name(word), "nf_conntrack" | "ip_conntrack"))
}

fn find_ssh_host(words: &[String]) -> Option<String> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            // These take a value.
            Some("p" | "i" | "o" | "l" | "F" | "J" | "b" | "c") => {
                words.next();
            }
            Some(_) => {}
            None => {
                let host = word.rsplit('@').next().unwrap_or(word);
                return (!host.is_empty()).then(|| host.to_owned());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_run_elsewhere_say_so() {
        let cases = [
            ("ip addr", Host::OfPrompt),
            ("docker exec a ip addr", Host::OfPrompt),
            ("ssh -p 22 root@node3 ip addr", Host::Named("node3".into())),
            ("ssh node3 'sudo ip addr'", Host::Named("node3".into())),
            ("kubectl exec -it a -n ss -- ip addr", Host::Unknown),
            ("kubectl exec a -- tcpdump -n", Host::Unknown),
            ("docker exec kind-worker ip addr", Host::Named("kind-worker".into())),
            ("kubectl debug node/node7 -it -- ip addr", Host::Named("node7".into())),
            ("sudo conntrack -L -p udp", Host::OfPrompt),
            ("cat /proc/net/nf_conntrack", Host::OfPrompt),
            ("sudo grep dport=69 /proc/net/nf_conntrack", Host::OfPrompt),
            ("ssh root@node3 conntrack -L -f ipv6", Host::Named("node3".into())),
            ("ssh node3 'conntrack -L | grep udp'", Host::Named("node3".into())),
            ("kubectl -n kube-system exec kube-proxy-a -- conntrack -L", Host::Unknown),
        ];
        for (text, host) in cases {
            let command = read_command(text);
            assert_eq!(command.host, host, "{text}");
            assert_ne!(command.kind, CommandKind::Other, "{text}");
        }
    }

    #[test]
    fn captures_inside_a_pod_are_the_pods() {
        let pod = Some(PointKind::Pod);
        let cases = [
            ("tcpdump -ni eth0", None),
            ("nsenter -t 4711 -n tcpdump -ni eth0", pod),
            ("docker exec 3f2a tcpdump -ni eth0", pod),
            ("ip netns exec cni-0b6c tcpdump -ni eth0", pod),
            ("kubectl exec tftp-0 -- tcpdump -ni eth0", pod),
            ("ssh node3 'sudo nsenter -t 4711 -n tcpdump -ni eth0'", pod),
            ("nsenter -t 1 -n tcpdump -ni eth0", None),
            ("docker exec kind-worker tcpdump -ni eth0", None),
            ("kubectl debug node/node7 -it -- tcpdump -ni eth0", None),
        ];
        for (text, point) in cases {
            assert_eq!(read_command(text).point, point, "{text}");
        }
    }
}
