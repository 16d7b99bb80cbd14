//! Options of the commands whose output we read.

use super::filter::find_condition;
use super::shape::Shape;
use crate::ingest::tcpdump_text::{Origin, StampStyle};
use crate::model::capture::{CaptureFilter, Condition};

/// tcpdump's options, also in one word: `-nnvi any`, `-iany`, `-tttt`.
pub(super) fn read_tcpdump(words: &[String]) -> Origin {
    const WITH_VALUE: &str = "BcCEFGijmMQrsTVwWyz";
    let mut origin = Origin::default();
    let mut stamps = 0;
    let mut filter: Vec<&str> = Vec::new();
    let mut is_over = false;
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            if let Some(interface) = long.strip_prefix("interface=") {
                origin.interface = Some(interface.to_owned());
            } else if long == "interface" {
                origin.interface = words.next().cloned();
            } else if let Some(direction) = long.strip_prefix("direction=") {
                note_direction(&mut origin, direction);
            }
            continue;
        }
        let Some(options) = word.strip_prefix('-') else {
            // Behind a redirection or a comment there is none of it.
            is_over |= word.starts_with('#') || word.contains(['>', '<']) && !word.contains(' ');
            if !is_over {
                filter.push(word);
            }
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
                match option {
                    'i' => origin.interface = value,
                    'Q' => note_direction(&mut origin, value.as_deref().unwrap_or_default()),
                    _ => {}
                }
                break;
            }
            // As old versions call it; elsewhere it takes no value.
            let is_direction = |next: &&String| matches!(next.as_str(), "in" | "out" | "inout");
            if option == 'P'
                && let Some(direction) = words.next_if(|next| is_direction(next))
            {
                note_direction(&mut origin, direction);
            }
        }
    }
    origin.style = StampStyle::of_count(stamps);
    let text = filter.join(" ");
    if let Some(condition) = find_condition(&text) {
        add_filter(&mut origin, &text, condition);
    }
    origin
}

/// Packets of one direction at the interface: tcpdump(1), `-Q`.
fn note_direction(origin: &mut Origin, direction: &str) {
    if matches!(direction, "in" | "out") {
        add_filter(origin, &format!("-Q {direction}"), Condition::OneDirection);
    }
}

/// Adds to what a command chooses to show.
pub(super) fn add_filter(origin: &mut Origin, text: &str, condition: Condition) {
    /// As much of it as a sentence shows.
    const MAX_CHARS: usize = 80;
    let (before, mut conditions) = match origin.filter.take() {
        Some(CaptureFilter { text, condition }) => (format!("{text} "), vec![condition]),
        None => (String::new(), Vec::new()),
    };
    let all: String = format!("{before}{text}");
    let mut text: String = all.chars().take(MAX_CHARS).collect();
    if text.len() < all.len() {
        text.push('…');
    }
    conditions.push(condition);
    origin.filter = Some(CaptureFilter { text, condition: Condition::All(conditions) });
}

/// `ip addr`, `ip -6 route`, `ip -j a`; not what changes anything, nor
/// `ip route get`, which answers a question about one address.
pub(super) fn read_ip(words: &[String]) -> Option<Shape> {
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
pub(super) fn read_kubectl(words: &[String]) -> Option<Shape> {
    const KINDS: [&str; 14] = [
        "pod",
        "pods",
        "po",
        "node",
        "nodes",
        "no",
        "svc",
        "service",
        "services",
        "all",
        "endpointslice",
        "endpointslices",
        "endpoints",
        "ep",
    ];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::transcript::command::{CommandKind, read_command};

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
            ("ifconfig -a", Some(Shape::IpAddr)),
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
}
