//! How a node is set: `sysctl`, `lsmod` and `/proc/modules`.

use std::collections::BTreeSet;

use super::command::{Command, Host};
use super::text::Reading;
use crate::model::topology::NodeSettings;

/// Connection helpers and their NAT parts: `nf_conntrack_tftp`, `nf_nat_sip`.
const HELPER_PREFIXES: [&str; 2] = ["nf_conntrack_", "nf_nat_"];
/// Modules of these names that help no protocol.
const NO_HELPERS: [&str; 10] = [
    "nf_conntrack_netlink",
    "nf_conntrack_broadcast",
    "nf_conntrack_bridge",
    "nf_conntrack_ipv4",
    "nf_conntrack_ipv6",
    "nf_nat_ipv4",
    "nf_nat_ipv6",
    "nf_nat_masquerade_ipv4",
    "nf_nat_masquerade_ipv6",
    "nf_nat_redirect",
];

/// Interfaces whose settings are kept; a node has one for each pod.
const LIMIT_INTERFACES: usize = 10_000;

/// Helpers that are kept; Linux has some twenty.
const LIMIT_MODULES: usize = 500;

/// Collects the settings that one text tells.
#[derive(Debug, Default)]
pub struct SettingsReader {
    settings: NodeSettings,
    /// The helpers among them.
    helpers: BTreeSet<String>,
    has_any: bool,
    in_modules: bool,
}

impl SettingsReader {
    /// Reads a line of one of these forms.
    pub fn read(&mut self, line: &str) -> Reading {
        let text = line.trim();
        if let Some(reading) = self.read_setting(text) {
            return reading;
        }
        if is_module_header(text) {
            self.in_modules = true;
            self.modules();
            return Reading::Read;
        }
        let Some(module) = find_module(text, self.in_modules) else {
            self.in_modules &= text.is_empty();
            return Reading::Foreign;
        };
        self.add_module(module);
        // `3 nf_nat_tftp,nf_nat`: what uses a module is loaded too.
        let users = text.split_whitespace().nth(3).unwrap_or_default();
        for user in users.split(',').filter(|user| *user != "-") {
            self.add_module(user);
        }
        Reading::Read
    }

    fn add_module(&mut self, module: &str) {
        let is_helper = HELPER_PREFIXES.iter().any(|prefix| module.starts_with(prefix))
            && !NO_HELPERS.contains(&module);
        let is_new = is_helper && !self.helpers.contains(module);
        self.modules();
        if is_new && self.helpers.len() < LIMIT_MODULES {
            self.helpers.insert(module.to_owned());
            self.modules().push(module.to_owned());
        }
    }

    /// What was told. `command` says of which node, and whether lines were left
    /// out: then a module that is not listed may still be loaded.
    pub fn finish(mut self, command: &Command) -> Option<NodeSettings> {
        if !self.has_any || matches!(command.host, Host::Pod(_)) {
            return None;
        }
        if command.filtered {
            // Only what is there is known then; for TFTP that may be all there is to know.
            let has = |modules: &[String], name: &str| modules.iter().any(|known| known == name);
            self.settings.helper_modules =
                self.settings.helper_modules.take().filter(|modules| {
                    has(modules, "nf_conntrack_tftp") && has(modules, "nf_nat_tftp")
                });
        }
        self.settings.node = command.host.node();
        Some(self.settings)
    }

    fn modules(&mut self) -> &mut Vec<String> {
        self.has_any = true;
        self.settings.helper_modules.get_or_insert_default()
    }

    /// `net.ipv4.conf.eth0.rp_filter = 1`.
    fn read_setting(&mut self, text: &str) -> Option<Reading> {
        let (key, value) = text.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let rest = key.strip_prefix("net.")?;
        if key.contains(char::is_whitespace) {
            return None;
        }
        if rest == "netfilter.nf_conntrack_helper" {
            self.settings.assigns_helpers = match value {
                "0" => Some(false),
                "1" => Some(true),
                _ => return Some(unexpected(key, "0 or 1", value)),
            };
            self.has_any = true;
            return Some(Reading::Read);
        }
        let Some((interface, name)) = rest
            .strip_prefix("ipv4.conf.")
            .or_else(|| rest.strip_prefix("ipv6.conf."))
            .and_then(|rest| rest.rsplit_once('.'))
        else {
            return Some(Reading::Read);
        };
        let interface = interface.replace('/', ".");
        match (rest.starts_with("ipv4."), name) {
            (true, "rp_filter") => match value.parse() {
                Ok(filter) if self.settings.reverse_path_filters.len() < LIMIT_INTERFACES => {
                    self.settings.reverse_path_filters.insert(interface, filter);
                }
                Ok(_) => {}
                Err(_) => return Some(unexpected(key, "a number up to 2", value)),
            },
            (false, "use_tempaddr") => match value.parse() {
                Ok(usage) if self.settings.temporary_addresses.len() < LIMIT_INTERFACES => {
                    self.settings.temporary_addresses.insert(interface, usage);
                }
                Ok(_) => {}
                Err(_) => return Some(unexpected(key, "a number", value)),
            },
            _ => return Some(Reading::Read),
        }
        self.has_any = true;
        Some(Reading::Read)
    }
}

fn unexpected(key: &str, expected: &str, value: &str) -> Reading {
    Reading::Fault(format!(
        "expected {expected} as {key}, found '{}'",
        super::address::excerpt(value)
    ))
}

/// `Module                  Size  Used by`.
fn is_module_header(text: &str) -> bool {
    text.split_whitespace().eq(["Module", "Size", "Used", "by"])
}

/// `nf_conntrack_tftp  16384  2 nf_nat_tftp` of `lsmod`, below its header or of
/// a name that tells; `nf_nat 61440 1 nf_nat_tftp, Live 0x0` of `/proc/modules`.
fn find_module(text: &str, in_modules: bool) -> Option<&str> {
    let mut words = text.split_whitespace();
    let (name, size, uses) = (words.next()?, words.next()?, words.next()?);
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !is_name || !is_number(size) || !is_number(uses) {
        return None;
    }
    let is_proc = words.any(|word| matches!(word, "Live" | "Loading" | "Unloading"));
    let tells = HELPER_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    (in_modules || is_proc || tells).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::parse;

    fn settings(command: &str, text: &str) -> Option<NodeSettings> {
        parse(command, Some("node3"), text, 1).settings.pop()
    }

    #[test]
    fn settings_of_both_families_are_read() {
        let text = "kernel.hostname = node3
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.eth0/7.rp_filter = 2
net.ipv4.ip_forward = 1
net.ipv6.conf.eth0.use_tempaddr = -1
net.ipv6.conf.all.rp_filter = 7
net.netfilter.nf_conntrack_helper = 0
";
        let settings = settings("sysctl -a", text).unwrap();
        assert_eq!(settings.node.as_deref(), Some("node3"));
        assert_eq!(settings.assigns_helpers, Some(false));
        assert_eq!(settings.helper_modules, None);
        let filters: Vec<_> = settings.reverse_path_filters.into_iter().collect();
        assert_eq!(filters, [("all".to_owned(), 1), ("eth0.7".to_owned(), 2)]);
        assert_eq!(settings.temporary_addresses.get("eth0"), Some(&-1));
    }

    #[test]
    fn modules_are_known_only_where_all_were_listed() {
        let all = "Module                  Size  Used by
nf_conntrack_tftp      16384  1 nf_nat_tftp
nf_nat_tftp            16384  0
nf_conntrack_netlink   57344  0
xfs                  2000000  1
";
        let none = "Module                  Size  Used by\nxfs   2000000  1\n";
        let proc =
            "nf_conntrack_sip 16384 2 nf_nat_sip, Live 0x0000000000000000\nxfs 1 1 - Live 0x0\n";
        let tftp: &[&str] = &["nf_conntrack_tftp", "nf_nat_tftp"];
        let older = "Module Size Used by\nnf_nat_ipv4 16384 1\nnf_nat_ipv6 16384 1\nnf_nat_masquerade_ipv6 1 1\n";
        let user = "nf_conntrack_tftp 20480 1 nf_nat_tftp\n";
        let cases: [(&str, &str, Option<&[&str]>); 10] = [
            ("lsmod", all, Some(tftp)),
            ("", all, Some(tftp)),
            ("lsmod", none, Some(&[])),
            ("lsmod | grep nat_tftp", "nf_nat_tftp 16384 0\n", None),
            ("lsmod | grep nf_conntrack", user, Some(tftp)),
            ("lsmod | grep sip", "nf_nat_sip 16384 0\nnf_conntrack_sip 1 1 nf_nat_sip\n", None),
            ("lsmod", older, Some(&[])),
            ("lsmod | grep -v xfs", "Module Size Used by\n", None),
            ("cat /proc/modules", proc, Some(&["nf_conntrack_sip", "nf_nat_sip"])),
            ("", "xfs 2000000 1\n", None),
        ];
        for (command, text, expected) in cases {
            let modules = settings(command, text).and_then(|settings| settings.helper_modules);
            let modules: Option<Vec<&str>> =
                modules.as_ref().map(|list| list.iter().map(String::as_str).collect());
            assert_eq!(modules.as_deref(), expected, "{command}: {text}");
        }
        // Inside a pod these are the pod's own, which decide nothing.
        let inside =
            parse("kubectl exec a -- sysctl -a", None, "net.ipv4.conf.all.rp_filter = 1", 1);
        assert!(inside.settings.is_empty());
    }

    #[test]
    fn a_list_of_modules_without_end_is_cut() {
        let lines = (0..20_000).map(|number| format!("nf_conntrack_x{number} 1 1\n"));
        let text = "Module Size Used by\n".to_owned() + &lines.collect::<String>();
        let modules = settings("lsmod", &text).unwrap().helper_modules.unwrap();
        assert_eq!(modules.len(), LIMIT_MODULES);
        assert_eq!(modules.first().map(String::as_str), Some("nf_conntrack_x0"));
    }

    #[test]
    fn values_that_cannot_be_are_faults() {
        for text in [
            "net.netfilter.nf_conntrack_helper = yes",
            "net.ipv4.conf.all.rp_filter = 999",
            "net.ipv6.conf.all.use_tempaddr = x",
        ] {
            let facts = parse("", None, text, 1);
            assert_eq!(facts.faults.len(), 1, "{text}");
            assert!(facts.settings.is_empty(), "{text}");
        }
    }
}
