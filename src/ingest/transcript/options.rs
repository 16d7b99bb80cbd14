//! Options of the commands whose output we read.

use super::filter::find_condition;
use super::shape::Shape;
use crate::ingest::tcpdump_text::{Origin, StampStyle};
use crate::model::capture::{CaptureFilter, Condition};

/// tcpdump's options, also in one word: `-nnvi any`, `-iany`, `-tttt`.
pub(super) fn read_tcpdump(words: &[String]) -> Origin {
    const WITH_VALUE: &str = "BcCEFGijmMQrsTVwWyzZ";
    /// Those that getopt_long(3) takes the next word for, where no `=` brings the value.
    const LONG_WITH_VALUE: [&str; 8] = [
        "buffer-size",
        "direction",
        "interface",
        "linktype",
        "relinquish-privileges",
        "snapshot-length",
        "time-stamp-precision",
        "time-stamp-type",
    ];
    let mut origin = Origin::default();
    let mut stamps = 0;
    let mut filter: Vec<&str> = Vec::new();
    let mut is_over = false;
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None if LONG_WITH_VALUE.contains(&long) => (long, words.next().cloned()),
                None => (long, None),
            };
            match name {
                "interface" => origin.interface = value,
                "direction" => note_direction(&mut origin, value.as_deref().unwrap_or_default()),
                _ => {}
            }
            continue;
        }
        let Some(options) = word.strip_prefix('-') else {
            // Behind a redirection or a comment there is none of it.
            let is_relation = word.contains([' ', '[']) || matches!(word.as_str(), "<=" | ">=");
            let is_redirection = word.contains(['>', '<']) && !is_relation;
            is_over |= word.starts_with('#') || is_redirection;
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
            (
                "monitor traffic matching \"udp port 69\" interface ge-0/0/0.0",
                Some("ge-0/0/0.0"),
                StampStyle::Default,
                false,
            ),
        ];
        for (text, interface, style, is_verbose) in cases {
            let origin = origin(text);
            let actual = (origin.interface.as_deref(), origin.style, origin.is_verbose);
            assert_eq!(actual, (interface, style, is_verbose), "{text}");
        }
    }

    #[test]
    fn what_chooses_packets_is_read() {
        // command, what a sentence shows of it
        let cases = [
            ("tcpdump -ni eth0 -Z root dst port 53", Some("dst port 53")),
            ("tcpdump --direction in port 53", Some("-Q in port 53")),
            ("tcpdump --direction=out", Some("-Q out")),
            ("tcpdump --snapshot-length 200 -n port 53", Some("port 53")),
            ("tcpdump --time-stamp-precision nano port 53 2>&1", Some("port 53")),
            ("tcpdump --buffer-size 4096 --linktype EN10MB --number", None),
            ("tcpdump -n 'udp[10]<9'", Some("udp[10]<9")),
            ("tcpdump -n len '<=' 100 and dst port 53", Some("len <= 100 and dst port 53")),
            ("tcpdump -n port 53 | grep 'A?'", Some("port 53 grep A?")),
            ("tcpdump -n port 53 2>&1 | tee f | grep 'A?'", Some("port 53 grep A?")),
            ("tcpdump -n port 53; grep named /var/log/syslog", Some("port 53")),
            ("tcpdump -n port 53 && grep nameserver /etc/resolv.conf", Some("port 53")),
            ("tcpdump -n port 53 & kubectl get pod | grep tftp", Some("port 53")),
            ("tcpdump -n port 53; echo done | grep done", Some("port 53")),
            ("diagnose sniffer packet any 'src host 192.0.2.7' 4", Some("src host 192.0.2.7")),
            (
                "monitor traffic interface em0 matching \"src host 192.0.2.7\"",
                Some("src host 192.0.2.7"),
            ),
            ("monitor traffic interface em0 no-resolve", None),
        ];
        for (text, expected) in cases {
            let filter = origin(text).filter;
            assert_eq!(filter.map(|filter| filter.text).as_deref(), expected, "{text}");
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
