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
    // kube-proxy binds all service addresses to this link in IPVS mode, and only then.
    links.iter().any(|link| link.name == "kube-ipvs0").then(|| "ipvs".to_owned())
}

/// Reads the settings under `/proc` and `/sys`: some files for each interface.
pub fn read(kube_proxy_mode: Option<String>) -> Settings {
    Settings {
        nf_conntrack_helper: read_conntrack_helper(Path::new("/proc/sys/net/netfilter")),
        helper_modules: read_helper_modules(Path::new("/proc/modules"), Path::new("/sys/module")),
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

/// Modules of connection helpers: loaded ones from `/proc/modules`, ones built
/// into the kernel from `/sys/module`, where they are because they have parameters.
fn read_helper_modules(loaded: &Path, present: &Path) -> Option<Vec<String>> {
    let mut is_known = false;
    let mut modules = Vec::new();
    if let Ok(text) = fs::read_to_string(loaded) {
        is_known = true;
        modules.extend(text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned));
    }
    if let Ok(entries) = fs::read_dir(present) {
        is_known = true;
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
        modules.extend(names.filter_map(|name| name.into_string().ok()));
    }
    modules.retain(|name| is_helper(name));
    modules.sort_unstable();
    modules.dedup();
    is_known.then_some(modules)
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
