//! How the node is set, as far as it decides which remedy fits.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::node::wire::{Link, Settings};

/// Interfaces whose settings are listed; a node with more pods than this has them from `all`.
const MAX_INTERFACES: usize = 4_096;

/// How long kube-proxy may take for the few bytes of its mode.
const PROXY_TIME: Duration = Duration::from_millis(500);

/// kube-proxy answers one word; a longer answer is somebody else's.
const MAX_PROXY_ANSWER_BYTES: u64 = 4_096;

/// Asks kube-proxy for its mode; where it does not answer, the links may tell.
pub async fn find_kube_proxy_mode(links: &[Link], address: Option<SocketAddr>) -> Option<String> {
    if let Some(address) = address
        && let Some(mode) = ask_kube_proxy(address).await
    {
        return Some(mode);
    }
    find_ipvs(links)
}

/// In IPVS mode kube-proxy binds all service addresses to a link of its own. After a change
/// of mode the link stays, until `kube-proxy --cleanup`; its addresses may not: so one without
/// them says nothing.
fn find_ipvs(links: &[Link]) -> Option<String> {
    let is_used = |link: &Link| {
        let mut addresses = link.addresses.iter();
        link.name == "kube-ipvs0" && addresses.any(|one| one.scope == "global")
    };
    links.iter().any(is_used).then(|| "ipvs".to_owned())
}

/// Reads the settings under `/proc` and `/sys`: some files for each interface.
pub fn read(kube_proxy_mode: Option<String>) -> Settings {
    let (helper_modules, helper_modules_unknown) =
        read_helper_modules(Path::new("/proc/modules"), Path::new("/sys/module"));
    Settings {
        nf_conntrack_helper: read_conntrack_helper(Path::new("/proc/sys/net/netfilter")),
        helper_modules,
        helper_modules_unknown,
        rp_filter: read_by_interface(Path::new("/proc/sys/net/ipv4/conf"), "rp_filter"),
        use_tempaddr: read_by_interface(Path::new("/proc/sys/net/ipv6/conf"), "use_tempaddr"),
        kube_proxy_mode,
    }
}

/// Whether helpers are assigned by port. Linux 6.0 removed the setting: where
/// its neighbours are there and it is not, they never are.
fn read_conntrack_helper(folder: &Path) -> Option<bool> {
    match fs::read_to_string(folder.join("nf_conntrack_helper")) {
        Ok(text) => text.trim().parse::<u8>().ok().map(|value| value != 0),
        Err(_) => folder.join("nf_conntrack_max").exists().then_some(false),
    }
}

/// Helpers and their NAT parts.
const NAT_PARTS: [(&str, &str); 3] = [
    ("nf_conntrack_tftp", "nf_nat_tftp"),
    ("nf_conntrack_sip", "nf_nat_sip"),
    ("nf_conntrack_snmp", "nf_nat_snmp_basic"),
];

/// Modules of connection helpers that are there, and those of which that is not known.
///
/// Loaded ones are in `/proc/modules`. Ones built into the kernel are in `/sys/module` if
/// they have parameters, as all helpers have and no NAT part has: where a helper is built in,
/// nothing tells whether its NAT part is.
fn read_helper_modules(loaded: &Path, present: &Path) -> (Option<Vec<String>>, Vec<String>) {
    let loaded = fs::read_to_string(loaded).ok().map(|text| {
        let names = text.lines().filter_map(|line| line.split(' ').next());
        names.map(str::to_owned).collect::<Vec<String>>()
    });
    let present = fs::read_dir(present).ok().map(|entries| {
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
        names.filter_map(|name| name.into_string().ok()).collect::<Vec<String>>()
    });
    if loaded.is_none() && present.is_none() {
        return (None, Vec::new());
    }
    let (loaded, present) = (loaded.unwrap_or_default(), present.unwrap_or_default());
    let is_built_in = |name: &str| {
        let is_it = |known: &String| known == name;
        present.iter().any(is_it) && !loaded.iter().any(is_it)
    };
    let is_there = |name: &str| loaded.iter().chain(&present).any(|known| known == name);
    let unknown = NAT_PARTS
        .iter()
        .filter(|(helper, nat_part)| is_built_in(helper) && !is_there(nat_part))
        .map(|(_, nat_part)| (*nat_part).to_owned())
        .collect();
    let mut modules = [loaded, present].concat();
    modules.retain(|name| is_helper(name));
    modules.sort_unstable();
    modules.dedup();
    (Some(modules), unknown)
}

/// `nf_conntrack_tftp`, `nf_nat_sip`, `nf_nat_snmp_basic` and the like.
fn is_helper(module: &str) -> bool {
    let helper = module.strip_prefix("nf_conntrack_").or_else(|| module.strip_prefix("nf_nat_"));
    helper.is_some_and(|helper| {
        ["tftp", "sip", "snmp"].iter().any(|protocol| helper.starts_with(protocol))
    })
}

/// One setting of every interface below `folder`.
fn read_by_interface<T: std::str::FromStr>(folder: &Path, setting: &str) -> BTreeMap<String, T> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    // These two hold for all others, and must not fall behind the limit.
    let names = ["all", "default"].map(str::to_owned).into_iter().chain(names.take(MAX_INTERFACES));
    names
        .filter_map(|name| {
            let text = fs::read_to_string(folder.join(&name).join(setting)).ok()?;
            Some((name, text.trim().parse().ok()?))
        })
        .collect()
}

/// kube-proxy's mode, from its metrics port: `GET /proxyMode` answers one word.
async fn ask_kube_proxy(address: SocketAddr) -> Option<String> {
    let ask = async {
        let mut connection = TcpStream::connect(address).await?;
        let request =
            format!("GET /proxyMode HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        connection.take(MAX_PROXY_ANSWER_BYTES).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = timeout(PROXY_TIME, ask).await.ok()?.ok()?;
    find_mode(&String::from_utf8(answer).ok()?)
}

/// The word in an HTTP answer, if it is a mode that kube-proxy has.
fn find_mode(answer: &str) -> Option<String> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    let mode = body.trim();
    let is_mode = ["iptables", "ipvs", "nftables", "userspace", "kernelspace"].contains(&mode);
    (status == "200" && is_mode).then(|| mode.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helper_modules_are_told_from_others() {
        let cases = [
            ("nf_conntrack_tftp", true),
            ("nf_nat_tftp", true),
            ("nf_conntrack_sip", true),
            ("nf_nat_snmp_basic", true),
            ("nf_conntrack_snmp", true),
            ("nf_conntrack", false),
            ("nf_nat", false),
            ("nf_conntrack_netlink", false),
            ("nf_conntrack_ftp", false),
            ("tftp", false),
        ];
        for (module, expected) in cases {
            assert_eq!(is_helper(module), expected, "{module}");
        }
    }

    #[test]
    fn a_nat_part_of_a_helper_that_is_built_in_is_not_called_missing() {
        let folder =
            std::env::temp_dir().join(format!("replyscope-modules-{}", std::process::id()));
        let cases = [
            // name, /proc/modules, /sys/module, there, not known
            (
                "loaded",
                Some("nf_nat_tftp 16384 0\nnf_conntrack_tftp 20480 3\n"),
                &["nf_nat_tftp", "nf_conntrack_tftp"][..],
                "nf_conntrack_tftp nf_nat_tftp",
                "",
            ),
            (
                "no NAT part",
                Some("nf_conntrack_tftp 20480 3\n"),
                &["nf_conntrack_tftp"],
                "nf_conntrack_tftp",
                "",
            ),
            (
                "built in",
                Some("nf_nat_sip 1 0\n"),
                &["nf_conntrack_tftp", "nf_conntrack_sip", "nf_nat_sip"],
                "nf_conntrack_sip nf_conntrack_tftp nf_nat_sip",
                "nf_nat_tftp",
            ),
            (
                "no modules at all",
                None,
                &["nf_conntrack_tftp", "nf_conntrack_snmp"],
                "nf_conntrack_snmp nf_conntrack_tftp",
                "nf_nat_tftp nf_nat_snmp_basic",
            ),
            ("none", Some(""), &["nf_conntrack"], "", ""),
            ("unreadable", None, &[], "?", ""),
        ];
        for (name, loaded, present, there, unknown) in cases {
            let _ = fs::remove_dir_all(&folder);
            let modules = folder.join("modules");
            fs::create_dir_all(&folder).unwrap();
            if let Some(text) = loaded {
                fs::write(&modules, text).unwrap();
            }
            for module in present {
                fs::create_dir_all(folder.join("module").join(module)).unwrap();
            }
            let (found, not_known) = read_helper_modules(&modules, &folder.join("module"));
            assert_eq!(found.map_or("?".to_owned(), |found| found.join(" ")), there, "{name}");
            assert_eq!(not_known.join(" "), unknown, "{name}");
        }
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn a_link_that_kube_proxy_left_behind_is_no_mode() {
        let link = |name: &str, addresses: &[(&str, &str)]| -> Link {
            let address = |(text, scope): &(&str, &str)| {
                serde_json::json!({"family": "inet", "local": text, "prefixlen": 32, "scope": scope,
                    "deprecated": false, "temporary": false, "secondary": false, "tentative": false,
                    "dadfailed": false, "dynamic": false, "noprefixroute": false,
                    "valid_life_time": u32::MAX, "preferred_life_time": u32::MAX})
            };
            let addresses: Vec<_> = addresses.iter().map(address).collect();
            serde_json::from_value(serde_json::json!({"ifindex": 9, "ifname": name,
                "link_type": "ether", "operstate": "DOWN", "mtu": 1500, "addr_info": addresses}))
            .unwrap()
        };
        let cases = [
            (link("kube-ipvs0", &[("10.96.0.1", "global")]), Some("ipvs")),
            (link("kube-ipvs0", &[("fd00:96::1", "global")]), Some("ipvs")),
            (link("kube-ipvs0", &[]), None),
            (link("kube-ipvs0", &[("fe80::1", "link")]), None),
            (link("eth0", &[("192.0.2.13", "global"), ("2001:db8::13", "global")]), None),
        ];
        for (link, expected) in cases {
            assert_eq!(find_ipvs(std::slice::from_ref(&link)).as_deref(), expected, "{link:?}");
        }
    }

    #[test]
    fn only_kube_proxys_own_words_are_modes() {
        let cases = [
            ("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\niptables", Some("iptables")),
            ("HTTP/1.1 200 OK\r\n\r\nnftables\n", Some("nftables")),
            ("HTTP/1.1 404 Not Found\r\n\r\nipvs", None),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", None),
            ("iptables", None),
            ("", None),
        ];
        for (answer, expected) in cases {
            assert_eq!(find_mode(answer).as_deref(), expected, "{answer:?}");
        }
    }
}
