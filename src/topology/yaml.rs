//! What `kubectl get … -o yaml` prints, and device lists in YAML: read as the
//! same values in JSON.

use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options};

use super::command::Command;
use super::json;
use super::text::{line_of, without_line};
use crate::model::input::{Fault, Place};
use crate::model::topology::Facts;

/// Nodes that aliases may add: lists have none, or a few.
const LIMIT_REPLAYED: usize = 100_000;
/// Parser events of one text: a large cluster's pods have some 300,000.
const LIMIT_EVENTS: usize = 4_000_000;
/// Kubernetes nests some 20 deep.
const LIMIT_DEPTH: usize = 128;

/// The bytes of the Kubernetes objects with which `text` begins; `None` where
/// it begins with something else. Other output may follow.
pub fn find_objects(text: &str) -> Option<usize> {
    let mut lines = text.split_inclusive('\n');
    let mut first = lines.next()?;
    let mut length_bytes = first.len();
    if first.trim_end() == "---" {
        first = lines.next()?;
        length_bytes += first.len();
    }
    if !is_object(first) {
        return None;
    }
    // A blank line belongs to a text within an object only if that goes on.
    let mut gap_bytes = 0;
    for line in lines {
        if line.trim().is_empty() {
            gap_bytes += line.len();
            continue;
        }
        let goes_on = if gap_bytes > 0 {
            line.starts_with(' ') || line.trim_end() == "---" || is_object(line)
        } else {
            line.starts_with([' ', '-', '#']) || has_key(line)
        };
        if !goes_on {
            break;
        }
        length_bytes += gap_bytes + line.len();
        gap_bytes = 0;
    }
    Some(length_bytes)
}

/// Reads all documents of `text`.
pub fn read(text: &str, command: &Command, line: u64) -> Facts {
    match parse(text) {
        Ok(documents) => {
            let mut facts = Facts::default();
            for document in documents {
                facts.extend(json::facts_of(&document, command));
            }
            for fault in &mut facts.faults {
                fault.place = Place::Line(line);
            }
            facts
        }
        Err((message, at)) => {
            let place = Place::Line(line.saturating_add(at));
            Facts { faults: vec![Fault { place, message }], ..Facts::default() }
        }
    }
}

/// Reads a text that nothing else could read, if it is a device list; `None`
/// where it is not.
pub fn find_list(text: &str, command: &Command, line: u64) -> Option<Facts> {
    let content = |line: &&str| !matches!(line.trim(), "" | "---") && !line.starts_with('#');
    let first = text.lines().find(content)?;
    if !first.starts_with('-') && !has_key(first) {
        return None;
    }
    let documents = parse(text).ok()?;
    let has_members = |value: &Value| value.is_object() || value.is_array();
    if !documents.iter().all(has_members) {
        return None;
    }
    let facts = read(text, command, line);
    (!facts.is_empty()).then_some(facts)
}

/// All documents as JSON values, or what is wrong and in which line, counted from 0.
fn parse(text: &str) -> Result<Vec<Value>, (String, u64)> {
    let mut options = Options::default();
    if let Some(budget) = &mut options.budget {
        budget.max_events = LIMIT_EVENTS;
        budget.max_nodes = LIMIT_EVENTS;
        budget.max_depth = LIMIT_DEPTH;
        budget.max_documents = LIMIT_EVENTS;
    }
    options.alias_limits.max_total_replayed_events = LIMIT_REPLAYED;
    options.duplicate_keys = DuplicateKeyPolicy::LastWins;
    options.with_snippet = false;
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let line = line_of(text, offset_of_line(text, line));
        (format!("YAML that cannot be read: {}", without_line(&error.to_string())), line)
    })
}

/// Where the parser's own line begins, counted from 1: for it a line also ends at a
/// lone carriage return (YAML 1.2.2, section 5.4).
fn offset_of_line(text: &str, line: u64) -> usize {
    let Some(before) = line.checked_sub(2) else { return 0 };
    let bytes = text.as_bytes();
    let is_end = |at: usize| match bytes.get(at) {
        Some(b'\n') => true,
        Some(b'\r') => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    let nth = usize::try_from(before).unwrap_or(usize::MAX);
    (0..bytes.len()).filter(|at| is_end(*at)).nth(nth).map_or(bytes.len(), |end| end + 1)
}

/// `apiVersion: v1`, also as the first member of a list's element.
fn is_object(line: &str) -> bool {
    line.strip_prefix("- ").unwrap_or(line).starts_with("apiVersion: ")
}

/// `items:`, `kind: List`.
fn has_key(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, rest)| {
        !key.is_empty()
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            && (rest.trim_end().is_empty() || rest.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::model::topology::Role;
    use crate::topology::parse as read_all;

    const PODS: &str = "apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      note: |
        first

        second
    name: tftp-0
    namespace: default
  spec:
    nodeName: node3
  status:
    hostIP: 192.0.2.13
    hostIPs:
    - ip: 192.0.2.13
    - ip: 2001:db8::13
    phase: Running
    podIP: 198.51.100.7
    podIPs:
    - ip: 198.51.100.7
    - ip: 2001:db8:1::7
- apiVersion: v1
  kind: Service
  metadata:
    name: tftp
    namespace: default
  spec:
    clusterIPs:
    - 203.0.113.5
    - 2001:db8:2::5
  status:
    loadBalancer:
      ingress:
      - ip: 192.0.2.21
      - ip: 2001:db8::21
kind: List
metadata:
  resourceVersion: \"\"
";

    fn roles(text: &str) -> Vec<(String, Role)> {
        let facts = read_all("", None, text, 1);
        assert_eq!(facts.faults, []);
        let mut roles: Vec<_> =
            facts.addresses.iter().map(|fact| (fact.address.to_string(), fact.role)).collect();
        roles.sort();
        roles.dedup();
        roles
    }

    #[test]
    fn objects_are_read_as_in_json() {
        let expected = [
            ("192.0.2.13", Role::Node),
            ("192.0.2.21", Role::Vip),
            ("198.51.100.7", Role::Pod),
            ("2001:db8:1::7", Role::Pod),
            ("2001:db8:2::5", Role::Service),
            ("2001:db8::13", Role::Node),
            ("2001:db8::21", Role::Vip),
            ("203.0.113.5", Role::Service),
        ]
        .map(|(address, role)| (address.to_owned(), role));
        assert_eq!(roles(PODS), expected);
        assert_eq!(roles(&format!("---\n{PODS}---\n{PODS}")), expected);
        // Other output before and behind it.
        let mixed =
            format!("{PODS}\n2: eth0: <UP> mtu 1500\n    inet 192.0.2.14/24 scope global eth0\n");
        let mut all = expected.to_vec();
        all.push(("192.0.2.14".to_owned(), Role::Node));
        all.sort();
        assert_eq!(roles(&mixed), all);
    }

    #[test]
    fn device_lists_are_read() {
        let cases = [
            "devices:\n- name: switch1\n  addresses: [192.0.2.9, '2001:db8::9']\n",
            "# ours\n- name: switch1\n  address: 192.0.2.9\n- name: switch1\n  address: 2001:db8::9\n",
            "---\nswitch1:\n  - 192.0.2.9\n  - 2001:db8::9\n",
            "base: &all\n  ip: 192.0.2.9\nswitch1:\n  ip: 2001:db8::9\n",
        ];
        for text in cases {
            let facts = read_all("", None, text, 1);
            let mut addresses: Vec<_> = facts
                .devices
                .iter()
                .flat_map(|device| device.addresses.iter().map(ToString::to_string))
                .collect();
            addresses.sort();
            assert_eq!(addresses, ["192.0.2.9", "2001:db8::9"], "{text}");
        }
    }

    #[test]
    fn other_text_is_no_yaml() {
        for text in [
            "The roles are:\nVIP: the one asked\n",
            "note: it failed\nresult: broken\n",
            "default via 192.0.2.254 dev eth0\n",
            "- item\n- item\n",
        ] {
            let facts = read_all("", None, text, 1);
            assert!(facts.devices.is_empty() && facts.addresses.len() <= 1, "{text}: {facts:?}");
            assert_eq!(facts.faults, [], "{text}");
        }
    }

    #[test]
    fn bombs_and_damage_are_faults() {
        let mut bomb = "apiVersion: v1\na: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, before) in
            [('b', 'a'), ('c', 'b'), ('d', 'c'), ('e', 'd'), ('f', 'e'), ('g', 'f')]
        {
            let aliases = vec![format!("*{before}"); 10].join(", ");
            bomb += &["", &format!("{name}: &{name} [{aliases}]\n")].concat();
        }
        let deep = format!("apiVersion: v1\na: {}\n", "[".repeat(10_000));
        let damaged = "apiVersion: v1\nkind: Pod\n  name: [\n".to_owned();
        for text in [bomb, deep, damaged] {
            let facts = read_all("", None, &text, 1);
            assert!(facts.is_empty());
            assert_eq!(facts.faults.len(), 1, "{:?}", facts.faults);
            assert!(facts.faults[0].message.starts_with("YAML that cannot be read: "));
        }
    }

    #[test]
    fn faults_name_the_line_of_the_input() {
        for (text, line) in [
            ("apiVersion: v1\nkind: Pod\n  name: [\n", 9),
            ("apiVersion: v1\r\r\rkind: Pod\nkind: Pod\n  name: [\n", 9),
            ("apiVersion: v1\nkind: [\n", 8),
        ] {
            let facts = read_all("", None, text, 7);
            let places: Vec<_> = facts.faults.iter().map(|fault| fault.place).collect();
            assert_eq!(places, [crate::model::input::Place::Line(line)], "{:?}", facts.faults);
        }
    }

    proptest! {
        #[test]
        fn no_mutation_panics_or_hangs(at in 0_usize..800, insert in "\\PC{0,3}", cut in 0_usize..40) {
            let at = (0..=at.min(PODS.len())).rev().find(|at| PODS.is_char_boundary(*at)).unwrap_or(0);
            let (before, behind) = PODS.split_at(at);
            let behind = behind.get(cut.min(behind.len())..).unwrap_or_default();
            let facts = read_all("", None, &format!("{before}{insert}{behind}"), 1);
            prop_assert!(facts.addresses.len() <= 1_000);
        }
    }
}
