//! Entries that stand around a capture in a support bundle: Retina's, sosreport's
//! and their like copy `/proc` and the output of commands beside it.

/// What an entry of a bundle is, by the path that its tool gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surrounding {
    /// A file below `/proc/sys/net` that holds one value which decides something:
    /// its name as `sysctl -a` prints it.
    Setting(String),
    /// Another file below it: there are hundreds, and none says anything here.
    Foreign,
    /// Read like any entry, but nobody expects an analysis of it.
    Beside,
}

/// Finds out whether an entry stands around a capture.
pub fn find_surrounding(name: &[u8]) -> Option<Surrounding> {
    const BESIDE: [&str; 3] = ["iptables-rules.txt", "socket-stats.txt", "tcpdump.log"];
    let name = std::str::from_utf8(name).ok()?;
    // `cp -r /proc/sys/net proc-sys-net`, and the path itself.
    let settings = ["proc-sys-net/", "proc/sys/net/"].iter().find_map(|folder| {
        let at = name.find(folder)?;
        let is_folder = at == 0 || name.as_bytes().get(at - 1) == Some(&b'/');
        is_folder.then(|| name.get(at + folder.len()..))?
    });
    if let Some(path) = settings {
        return Some(find_setting(path).map_or(Surrounding::Foreign, Surrounding::Setting));
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    let is_proc = name.split('/').any(|part| matches!(part, "proc-net" | "proc" | "sys"));
    (is_proc || BESIDE.contains(&last)).then_some(Surrounding::Beside)
}

/// The setting at a path below `/proc/sys/net`. `sysctl` writes a dot in an
/// interface's name as a slash.
fn find_setting(path: &str) -> Option<String> {
    if path == "netfilter/nf_conntrack_helper" {
        return Some("net.netfilter.nf_conntrack_helper".to_owned());
    }
    let (family, rest) = path.split_once("/conf/")?;
    let (interface, key) = rest.split_once('/')?;
    let decides = matches!((family, key), ("ipv4", "rp_filter") | ("ipv6", "use_tempaddr"));
    let is_name = !interface.is_empty()
        && interface.len() <= 64
        && interface.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'=');
    (decides && is_name).then(|| format!("net.{family}.conf.{}.{key}", interface.replace('.', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_bundles_are_known() {
        let setting = |key: &str| Some(Surrounding::Setting(key.to_owned()));
        let cases = [
            ("proc-sys-net/ipv4/conf/eth0/rp_filter", setting("net.ipv4.conf.eth0.rp_filter")),
            (
                "./retina/proc-sys-net/ipv6/conf/eth0.7/use_tempaddr",
                setting("net.ipv6.conf.eth0/7.use_tempaddr"),
            ),
            (
                "sos/proc/sys/net/netfilter/nf_conntrack_helper",
                setting("net.netfilter.nf_conntrack_helper"),
            ),
            ("proc-sys-net/ipv4/tcp_rmem", Some(Surrounding::Foreign)),
            ("proc-sys-net/ipv6/conf/eth0/rp_filter", Some(Surrounding::Foreign)),
            ("proc-net/arp", Some(Surrounding::Beside)),
            ("a/iptables-rules.txt", Some(Surrounding::Beside)),
            ("my-proc-sys-net/ipv4/conf/eth0/rp_filter", None),
            ("host.pcap", None),
            ("ip-resources.txt", None),
            ("process/notes.txt", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(find_surrounding(name.as_bytes()), expected, "{name}");
        }
        assert_eq!(find_surrounding(b"proc-sys-net/\xff"), None);
    }
}
