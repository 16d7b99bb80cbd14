//! Tables of `kubectl get … -o wide`, with or without their header.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::address::excerpt;
use super::kubectl_row::{Row, facts_of, find_row};
use super::text::Reading;
use crate::model::topology::{AddressFact, Role};

/// Reads tables row by row.
#[derive(Debug)]
pub struct KubectlReader<'a> {
    namespace: Option<&'a str>,
    header: Option<Header>,
    facts: Vec<AddressFact>,
}

/// The header of the current table: each column with the byte at which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Header {
    kind: TableKind,
    /// Empty where pasting squeezed the columns.
    columns: Vec<(String, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TableKind {
    Pods,
    Nodes,
    Services,
    /// A table without addresses: deployments, or pods without `-o wide`.
    Other,
}

impl<'a> KubectlReader<'a> {
    /// A reader; `namespace` is the one that the command names.
    pub const fn new(namespace: Option<&'a str>) -> Self {
        Self { namespace, header: None, facts: Vec::new() }
    }

    /// Ends the current table: another command's lines follow.
    pub fn end(&mut self) {
        self.header = None;
    }

    /// Reads one line, if it is a header or a row.
    pub fn read(&mut self, line: &str) -> Reading {
        if line.trim().is_empty() || is_prompt(line) {
            self.end();
            return Reading::Foreign;
        }
        if let Some(header) = Header::find(line) {
            self.header = Some(header);
            return Reading::Read;
        }
        let by_columns = self.header.as_ref().and_then(|header| header.find_row(line));
        let Some(row) = by_columns.or_else(|| find_row(line)) else {
            return self.read_odd(line);
        };
        let mut faults = Vec::new();
        self.facts.extend(facts_of(&row, self.namespace, &mut faults));
        faults.into_iter().next().map_or(Reading::Read, Reading::Fault)
    }

    /// A line that is no row: a fault only where a row must be.
    fn read_odd(&self, line: &str) -> Reading {
        let Some(header) = &self.header else { return Reading::Foreign };
        let expected = match header.kind {
            TableKind::Pods => "pod",
            TableKind::Nodes => "node",
            TableKind::Services => "service",
            TableKind::Other => return Reading::Read,
        };
        Reading::Fault(format!("expected a row of the {expected} table, found '{}'", excerpt(line)))
    }

    /// What the rows say.
    pub fn finish(mut self) -> Vec<AddressFact> {
        settle_host_network(&mut self.facts);
        self.facts
    }
}

/// `[root@node3 ~]# …`, `user@node3:~$ …`: no resource's name has such a mark.
fn is_prompt(line: &str) -> bool {
    line.split_whitespace().any(|word| word.ends_with(['#', '$']))
}

/// Gives an address that several pods of one node share to the node: they use
/// the host's network. The table itself does not say so.
fn settle_host_network(facts: &mut [AddressFact]) {
    type Shared = BTreeMap<(IpAddr, Option<String>), BTreeSet<String>>;
    let mut pods = Shared::new();
    for fact in facts.iter().filter(|fact| fact.role == Role::Pod) {
        let users = pods.entry((fact.address, fact.node.clone())).or_default();
        users.extend(fact.pod.clone());
    }
    for fact in facts.iter_mut().filter(|fact| fact.role == Role::Pod) {
        let users = pods.get(&(fact.address, fact.node.clone())).map_or(0, BTreeSet::len);
        if users > 1 {
            fact.role = Role::Node;
            fact.reason = format!("shared by {users} pods on the host's network");
            fact.pod = None;
        }
    }
}

impl Header {
    fn find(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let first = words.first()?;
        let is_header = matches!(*first, "NAME" | "NAMESPACE" | "POD")
            && words.len() > 1
            && words.iter().all(|word| !word.contains(|c: char| c.is_ascii_lowercase()))
            && words.iter().all(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
        if !is_header {
            return None;
        }
        let columns = columns_of(line);
        let has = |name: &str| words.contains(&name);
        let kind = if has("INTERNAL-IP") {
            TableKind::Nodes
        } else if has("CLUSTER-IP") {
            TableKind::Services
        } else if has("IP") {
            TableKind::Pods
        } else {
            TableKind::Other
        };
        let squeezed = columns.len() < 2;
        Some(Self { kind, columns: if squeezed { Vec::new() } else { columns } })
    }

    /// Cuts a row at the columns of the header.
    fn find_row<'a>(&self, line: &'a str) -> Option<Row<'a>> {
        let is_aligned = self.columns.iter().all(|(_, start)| {
            *start == 0 || line.get(..*start).is_none_or(|before| before.ends_with([' ', '\t']))
        });
        if !is_aligned {
            return None;
        }
        let cell = |name: &str| {
            let at = self.columns.iter().position(|(column, _)| column == name)?;
            let (_, start) = self.columns.get(at)?;
            let end =
                self.columns.get(at + 1).map_or(line.len(), |(_, end)| (*end).min(line.len()));
            let cell = line.get(*start..end)?.trim();
            // Two words mean that the row is aligned otherwise.
            (!cell.is_empty() && !cell.contains(char::is_whitespace)).then_some(cell)
        };
        let name = cell("NAME").or_else(|| cell("POD"))?;
        let namespace = cell("NAMESPACE");
        match self.kind {
            TableKind::Pods => Some(Row::Pod {
                namespace,
                name,
                status: cell("STATUS").unwrap_or_default(),
                ip: cell("IP")?,
                node: cell("NODE").unwrap_or_default(),
            }),
            TableKind::Nodes => Some(Row::Node {
                name,
                internal_ip: cell("INTERNAL-IP")?,
                external_ip: cell("EXTERNAL-IP").unwrap_or_default(),
            }),
            TableKind::Services => Some(Row::Service {
                namespace,
                name,
                cluster_ip: cell("CLUSTER-IP")?,
                external_ip: cell("EXTERNAL-IP").unwrap_or_default(),
            }),
            TableKind::Other => None,
        }
    }
}

/// The columns of a header: two spaces or a tab stand between them, since
/// `NOMINATED NODE` is one column.
fn columns_of(line: &str) -> Vec<(String, usize)> {
    let mut columns: Vec<(String, usize)> = Vec::new();
    let mut gap = "  ";
    let mut offset_bytes = 0;
    for word in line.split_inclusive([' ', '\t']) {
        let bare = word.trim_end();
        if !bare.is_empty() {
            match columns.last_mut() {
                Some((name, _)) if gap == " " => {
                    name.push(' ');
                    name.push_str(bare);
                }
                _ => columns.push((bare.to_owned(), offset_bytes)),
            }
        }
        // After a word: its own separator; a further one makes the gap wide.
        gap = if bare.is_empty() || word.ends_with('\t') { "  " } else { " " };
        offset_bytes += word.len();
    }
    columns
}

#[cfg(test)]
#[path = "kubectl_table_tests.rs"]
mod tests;
