//! What a typed command will print, and on which host.

use super::shape::Shape;
use super::words::split_commands;
use crate::ingest::tcpdump_text::{Origin, StampStyle};

/// A command at a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub kind: CommandKind,
    pub host: Host,
}

/// What follows a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CommandKind {
    /// Packets; what the command tells of them.
    Tcpdump(Origin),
    /// Facts about addresses.
    Inventory(Shape),
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
    /// In a pod, whose node the command does not tell.
    Unknown,
}

/// Commands that end the output of the one before.
const KNOWN: &[&str] = &[
    "apt",
    "apt-get",
    "arp",
    "arping",
    "awk",
    "bash",
    "brctl",
    "bridge",
    "calicoctl",
    "cat",
    "cd",
    "chronyc",
    "cilium",
    "clear",
    "conntrack",
    "cp",
    "crictl",
    "ctr",
    "curl",
    "date",
    "dig",
    "dnf",
    "docker",
    "dumpcap",
    "echo",
    "env",
    "ethtool",
    "exit",
    "export",
    "find",
    "firewall-cmd",
    "for",
    "grep",
    "head",
    "helm",
    "history",
    "host",
    "hostname",
    "hping3",
    "htop",
    "id",
    "ifconfig",
    "ip",
    "ip6tables",
    "iperf",
    "iperf3",
    "ipset",
    "iptables",
    "iptables-save",
    "ipvsadm",
    "journalctl",
    "k",
    "k3s",
    "kill",
    "kubectl",
    "less",
    "logger",
    "ls",
    "lsmod",
    "lsof",
    "man",
    "microk8s",
    "minikube",
    "modprobe",
    "mtr",
    "nc",
    "ncat",
    "nerdctl",
    "netstat",
    "nft",
    "nmap",
    "nohup",
    "nsenter",
    "nslookup",
    "ntpdate",
    "ntpq",
    "oc",
    "openssl",
    "ping",
    "ping6",
    "pkill",
    "podman",
    "ps",
    "pwd",
    "python",
    "python3",
    "route",
    "scp",
    "sed",
    "service",
    "sh",
    "sleep",
    "snmpbulkwalk",
    "snmpget",
    "snmpset",
    "snmptrap",
    "snmpwalk",
    "socat",
    "ss",
    "ssh",
    "strace",
    "stress",
    "su",
    "sudo",
    "sysctl",
    "systemctl",
    "tail",
    "tcpdump",
    "tcptraceroute",
    "tftp",
    "time",
    "timeout",
    "top",
    "touch",
    "tracepath",
    "traceroute",
    "tshark",
    "uname",
    "uptime",
    "vi",
    "vim",
    "watch",
    "wget",
    "while",
    "whoami",
    "wireshark",
    "xargs",
    "yum",
    "zcat",
];

/// Whether a line's text begins with a command that we know.
pub(super) fn is_known_command(text: &str) -> bool {
    let word = text
        .split([' ', '\t', ';', '|'])
        .find(|word| !is_assignment(word))
        .map(base_name)
        .unwrap_or_default();
    KNOWN.contains(&word)
}

/// Reads a command as typed.
pub(super) fn read_command(text: &str) -> Command {
    split_commands(text)
        .iter()
        .map(|words| read_words(words, Host::OfPrompt, 0))
        .find(|command| command.kind != CommandKind::Other)
        .unwrap_or(Command { kind: CommandKind::Other, host: Host::OfPrompt })
}

/// Commands may wrap others: `sudo timeout 5 ip netns exec a tcpdump`.
fn read_words(words: &[String], host: Host, depth: u32) -> Command {
    let other = Command { kind: CommandKind::Other, host: host.clone() };
    let skipped = words.iter().take_while(|word| is_assignment(word)).count();
    let Some((first, rest)) = words.get(skipped..).and_then(<[String]>::split_first) else {
        return other;
    };
    if depth > 8 {
        return other;
    }
    match base_name(first) {
        "tcpdump" | "tcpdump.exe" | "windump" => {
            Command { kind: CommandKind::Tcpdump(read_tcpdump(rest)), host }
        }
        "ip" if rest.first().is_some_and(|word| word == "netns") => {
            read_wrapped(rest, host, depth).unwrap_or(other)
        }
        "ip" => {
            Command { kind: read_ip(rest).map_or(CommandKind::Other, CommandKind::Inventory), host }
        }
        "kubectl" | "kubectl.exe" | "oc" | "k" | "microk8s.kubectl" => {
            let verb = rest.iter().find(|word| !word.starts_with('-')).map(String::as_str);
            if matches!(verb, Some("exec" | "debug" | "run")) {
                return read_wrapped(rest, Host::Unknown, depth).unwrap_or(other);
            }
            let kind = read_kubectl(rest).map_or(CommandKind::Other, CommandKind::Inventory);
            Command { kind, host }
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
            let inner = split_commands(word)
                .iter()
                .map(|words| read_words(words, host.clone(), depth + 1))
                .find(|command| command.kind != CommandKind::Other);
            if inner.is_some() {
                return inner;
            }
        }
        let starts = ["tcpdump", "tcpdump.exe", "windump", "ip", "kubectl", "oc", "k", "ssh"];
        if starts.contains(&base_name(word)) {
            return Some(read_words(words.get(at..)?, host, depth + 1));
        }
    }
    None
}

fn find_ssh_host(words: &[String]) -> Option<String> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            // These take a value.
            Some(option) if matches!(option, "p" | "i" | "o" | "l" | "F" | "J" | "b" | "c") => {
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

/// tcpdump's options, also in one word: `-nnvi any`, `-iany`, `-tttt`.
fn read_tcpdump(words: &[String]) -> Origin {
    const WITH_VALUE: &str = "BcCEFGijmMQrsTVwWyz";
    let mut origin = Origin::default();
    let mut stamps = 0;
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            if let Some(interface) = long.strip_prefix("interface=") {
                origin.interface = Some(interface.to_owned());
            } else if long == "interface" {
                origin.interface = words.next().cloned();
            }
            continue;
        }
        let Some(options) = word.strip_prefix('-') else {
            continue;
        };
        for (at, option) in options.char_indices() {
            match option {
                't' => stamps += 1,
                'v' => origin.is_verbose = true,
                'A' => origin.has_characters = true,
                _ => {}
            }
            if WITH_VALUE.contains(option) {
                let attached = options.get(at + 1..).filter(|value| !value.is_empty());
                let value = attached.map(str::to_owned).or_else(|| words.next().cloned());
                if option == 'i' {
                    origin.interface = value;
                }
                break;
            }
        }
    }
    origin.style = StampStyle::of_count(stamps);
    origin
}

/// `ip addr`, `ip -6 route`, `ip -j a`; not what changes anything, nor
/// `ip route get`, which answers a question about one address.
fn read_ip(words: &[String]) -> Option<Shape> {
    let mut words = words.iter();
    let mut is_json = false;
    let object = loop {
        let word = words.next()?;
        match word.strip_prefix('-') {
            Some("f" | "family" | "n" | "netns") => {
                words.next();
            }
            Some(option) => is_json |= matches!(option.trim_start_matches('-'), "j" | "json"),
            None => break word.as_str(),
        }
    };
    let shape = if "address".starts_with(object) {
        Shape::IpAddr
    } else if "route".starts_with(object) {
        Shape::IpRoute
    } else {
        return None;
    };
    match words.next().map(String::as_str) {
        Some(
            "add" | "del" | "delete" | "change" | "replace" | "flush" | "append" | "get" | "save",
        ) => None,
        _ => Some(if is_json { Shape::Json } else { shape }),
    }
}

/// `kubectl get pod -A -owide`, `kubectl -n a get po,svc`.
fn read_kubectl(words: &[String]) -> Option<Shape> {
    const KINDS: [&str; 10] =
        ["pod", "pods", "po", "node", "nodes", "no", "svc", "service", "services", "all"];
    let at = words.iter().position(|word| word == "get")?;
    let rest = words.get(at + 1..)?;
    let named = rest.iter().any(|word| {
        !word.starts_with('-')
            && word.split(',').any(|kind| KINDS.contains(&kind.split('/').next().unwrap_or(kind)))
    });
    if !named {
        return None;
    }
    let format = rest.iter().enumerate().find_map(|(at, word)| {
        if matches!(word.as_str(), "-o" | "--output") {
            return rest.get(at + 1).map(String::as_str);
        }
        word.strip_prefix("--output=")
            .or_else(|| word.strip_prefix("-o="))
            .or_else(|| word.strip_prefix("-o"))
    });
    match format {
        None | Some("wide") => Some(Shape::Table),
        Some("json") => Some(Shape::Json),
        Some("yaml") => Some(Shape::Yaml),
        Some(_) => None,
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        match read_command(text).kind {
            CommandKind::Tcpdump(origin) => origin,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn tcpdump_options_are_read() {
        let cases = [
            (
                "tcpdump -n -i cali928cc4cd898 -p udp",
                Some("cali928cc4cd898"),
                StampStyle::Default,
                false,
            ),
            ("sudo tcpdump -iany -nnvtttt udp", Some("any"), StampStyle::Dated, true),
            ("tcpdump -nni any -ttttt", Some("any"), StampStyle::SinceFirst, false),
            ("tcpdump --interface=eth0 -tt", Some("eth0"), StampStyle::Epoch, false),
            ("tcpdump --interface eth0 -t -t -t", Some("eth0"), StampStyle::Delta, false),
            (
                "timeout 10 ip netns exec a /usr/sbin/tcpdump -t -i eth0",
                Some("eth0"),
                StampStyle::Absent,
                false,
            ),
            ("cd /tmp && tcpdump -r a.pcap | head", None, StampStyle::Default, false),
            ("tcpdump -c 5 'port 69'", None, StampStyle::Default, false),
        ];
        for (text, interface, style, is_verbose) in cases {
            let origin = origin(text);
            let actual = (origin.interface.as_deref(), origin.style, origin.is_verbose);
            assert_eq!(actual, (interface, style, is_verbose), "{text}");
        }
    }

    #[test]
    fn inventories_are_told_from_other_commands() {
        let cases = [
            ("ip addr show eth0", Some(Shape::IpAddr)),
            ("ip a", Some(Shape::IpAddr)),
            ("ip -6 a s", Some(Shape::IpAddr)),
            ("ip -j addr", Some(Shape::Json)),
            ("ip route |grep 192.0.2.1", Some(Shape::IpRoute)),
            ("sudo ip -6 route", Some(Shape::IpRoute)),
            ("ip -f inet6 r", Some(Shape::IpRoute)),
            ("kubectl get pod -A -owide|grep tftp", Some(Shape::Table)),
            ("kubectl -n ss get po,svc -o wide", Some(Shape::Table)),
            ("kubectl get nodes -o json", Some(Shape::Json)),
            ("oc get svc -oyaml", Some(Shape::Yaml)),
            ("kubectl get pod/a", Some(Shape::Table)),
            ("kubectl get pod -o jsonpath={.items}", None),
            ("kubectl get deployments", None),
            ("kubectl describe pod a", None),
            ("ip link", None),
            ("ip rule", None),
            ("ip addr add 192.0.2.1/32 dev lo", None),
            ("ip route get 2001:db8::1", None),
            ("echo ip addr", None),
            ("", None),
        ];
        for (text, shape) in cases {
            let expected = shape.map_or(CommandKind::Other, CommandKind::Inventory);
            assert_eq!(read_command(text).kind, expected, "{text}");
        }
    }

    #[test]
    fn commands_that_run_elsewhere_say_so() {
        let cases = [
            ("ip addr", Host::OfPrompt),
            ("docker exec a ip addr", Host::OfPrompt),
            ("ssh -p 22 root@node3 ip addr", Host::Named("node3".into())),
            ("ssh node3 'sudo ip addr'", Host::Named("node3".into())),
            ("kubectl exec -it a -n ss -- ip addr", Host::Unknown),
            ("kubectl exec a -- tcpdump -n", Host::Unknown),
        ];
        for (text, host) in cases {
            let command = read_command(text);
            assert_eq!(command.host, host, "{text}");
            assert_ne!(command.kind, CommandKind::Other, "{text}");
        }
    }
}
