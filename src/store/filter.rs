//! Which reports a list shows, and its pages.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use crate::model::finding::{Cause, Verdict};
use crate::model::time::Timestamp;

/// Which reports a list shows: those that match all that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Reports on the device that has this address.
    pub device: Option<IpAddr>,
    /// The report's verdict; with `device`, that device's.
    pub verdict: Option<Verdict>,
    /// A cause found at any device; with `device`, at that one.
    pub cause: Option<Cause>,
    /// A node that a capture or an address of the report names.
    pub node: Option<String>,
    /// Created at this time or later.
    pub since: Option<Timestamp>,
    /// Created before this time.
    pub until: Option<Timestamp>,
    /// Part of the title, a capture's name, the headline, or a device's name
    /// or address; ASCII letters match in either case.
    pub text: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C = AnalysisCursor> {
    pub entries: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<C>,
}

/// The last analysis of a page: where the next one goes on. Senders may choose
/// ids, so that only the time says what is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalysisCursor {
    pub created_at: Timestamp,
    /// Tells analyses of one moment apart.
    pub id: Uuid,
}

impl fmt::Display for AnalysisCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.created_at.as_nanoseconds(), self.id)
    }
}

impl FromStr for AnalysisCursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let expected = "not a cursor; use the next_cursor of the page before";
        let (time_ns, id) = text.split_once('_').ok_or(expected)?;
        Ok(Self {
            created_at: Timestamp::from_nanoseconds(time_ns.parse().map_err(|_| expected)?),
            id: id.parse().map_err(|_| expected)?,
        })
    }
}

impl Filter {
    /// Adds the conditions for `analyses AS a` to a statement that ends in a condition.
    pub(super) fn push_conditions(&self, statement: &mut QueryBuilder<Sqlite>) {
        if let Some(device) = self.device {
            self.push_device(statement, device);
        } else {
            if let Some(verdict) = self.verdict {
                statement.push(" AND a.verdict = ").push_bind(verdict.as_token());
            }
            if let Some(cause) = self.cause {
                statement
                    .push(" AND a.id IN (SELECT analysis_id FROM device_causes WHERE cause = ")
                    .push_bind(cause.as_token())
                    .push(")");
            }
        }
        if let Some(node) = &self.node {
            statement
                .push(" AND a.id IN (SELECT analysis_id FROM analysis_nodes WHERE node = ")
                .push_bind(node.clone())
                .push(")");
        }
        if let Some(since) = self.since {
            statement.push(" AND a.created_at_ns >= ").push_bind(since.as_nanoseconds());
        }
        if let Some(until) = self.until {
            statement.push(" AND a.created_at_ns < ").push_bind(until.as_nanoseconds());
        }
        if let Some(text) = &self.text {
            push_text(statement, text);
        }
    }

    fn push_device(&self, statement: &mut QueryBuilder<Sqlite>, device: IpAddr) {
        statement
            .push(
                " AND EXISTS (SELECT 1 FROM device_addresses x JOIN devices d \
                 ON d.analysis_id = x.analysis_id AND d.device = x.device \
                 WHERE x.analysis_id = a.id AND x.address = ",
            )
            .push_bind(device.to_string());
        if let Some(verdict) = self.verdict {
            statement.push(" AND d.verdict = ").push_bind(verdict.as_token());
        }
        if let Some(cause) = self.cause {
            statement
                .push(
                    " AND EXISTS (SELECT 1 FROM device_causes c WHERE c.analysis_id = d.analysis_id \
                     AND c.device = d.device AND c.cause = ",
                )
                .push_bind(cause.as_token())
                .push(")");
        }
        statement.push(")");
    }
}

/// As a list's title says it: `device 192.0.2.7, broken`; empty without a condition.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.device.map(|device| format!("device {device}")),
            self.verdict.map(|verdict| verdict.to_string()),
            self.cause.map(|cause| cause.to_string()),
            self.node.as_ref().map(|node| format!("node {node}")),
            self.since.map(|since| format!("since {since}")),
            self.until.map(|until| format!("before {until}")),
            self.text.as_ref().map(|text| format!("\u{201c}{text}\u{201d}")),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        f.write_str(&words.join(", "))
    }
}

fn push_text(statement: &mut QueryBuilder<Sqlite>, text: &str) {
    let pattern = like_pattern(text);
    statement.push(" AND (");
    push_likes(statement, ["a.title", "a.headline"], &pattern);
    statement
        .push("EXISTS (SELECT 1 FROM json_each(a.captures) WHERE value LIKE ")
        .push_bind(pattern.clone())
        .push(r" ESCAPE '\') OR EXISTS (SELECT 1 FROM devices d WHERE d.analysis_id = a.id AND d.name LIKE ")
        .push_bind(pattern.clone())
        .push(r" ESCAPE '\') OR EXISTS (SELECT 1 FROM device_addresses x WHERE x.analysis_id = a.id AND x.address LIKE ")
        .push_bind(pattern)
        .push(r" ESCAPE '\'))");
}

/// Begins the alternatives of a search: any of `columns` fits the pattern. Another
/// alternative has to follow.
pub(super) fn push_likes(statement: &mut QueryBuilder<Sqlite>, columns: [&str; 2], pattern: &str) {
    for column in columns {
        statement
            .push(column)
            .push(" LIKE ")
            .push_bind(pattern.to_owned())
            .push(r" ESCAPE '\' OR ");
    }
}

/// A `LIKE` pattern for texts that contain `text`, whatever signs it holds.
pub(super) fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for sign in text.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back() {
        let id = Uuid::from_u128(7);
        for time_ns in [0, -1, 1_800_000_000_123_456_789] {
            let created_at = Timestamp::from_nanoseconds(time_ns);
            let cursor = AnalysisCursor { created_at, id };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "x", "7", "_", "7_", "7_x", "x_00000000-0000-0000-0000-000000000007"] {
            assert!(text.parse::<AnalysisCursor>().is_err(), "{text}");
        }
    }

    #[test]
    fn signs_of_a_pattern_lose_their_meaning() {
        for (text, pattern) in [
            ("switch", "%switch%"),
            ("100%", r"%100\%%"),
            ("a_b", r"%a\_b%"),
            (r"c:\x", r"%c:\\x%"),
        ] {
            assert_eq!(like_pattern(text), pattern);
        }
    }
}
