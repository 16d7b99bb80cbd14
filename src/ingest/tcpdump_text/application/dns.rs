//! DNS: `12345+ A? example.com. (29)`, `12345 NXDomain 0/1/0 (90)`.

use super::{Reading, find_length, find_trailing_length};
use crate::ingest::tcpdump_text::hash::fnv1a;
use crate::model::failure::dns_label;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Reads a DNS summary. The identity is the id alone, since an answer is
/// printed without its question. mDNS and LLMNR answers need no pairing.
pub(super) fn read(protocol: Protocol, summary: &str) -> Reading {
    let length = find_trailing_length(summary).or_else(|| find_length(summary));
    let transaction = (protocol == Protocol::Dns).then(|| find_transaction(summary)).flatten();
    let application = transaction.map_or(Application::Plain(protocol), Application::Transaction);
    Reading { application, length }
}

fn find_transaction(summary: &str) -> Option<Transaction> {
    let end = summary.find(|c: char| !c.is_ascii_digit()).unwrap_or(summary.len());
    let (id, rest) = summary.split_at(end);
    let _: u16 = id.parse().ok()?;
    let question = find_question(rest);
    let (role, label) = if has_counts(rest) {
        (TransactionRole::Reply, response_label(rest))
    } else if question.is_some() {
        (TransactionRole::Request, "query")
    } else {
        return None;
    };
    Some(Transaction {
        protocol: Protocol::Dns,
        role,
        identity: fnv1a(&[id]),
        question,
        label,
        reply_to: None,
    })
}

/// `NXDomain* 0/1/0`, ` update ServFail- 0/0/0`: the response code comes first, with
/// the flags right behind it. No word means that there was no error.
fn response_label(text: &str) -> &'static str {
    let words = text.split_whitespace().take(2);
    let mut known = words.filter_map(|word| {
        let name = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        Some(match name {
            "FormErr" => dns_label::FORMAT_ERROR,
            "ServFail" => dns_label::SERVER_FAILURE,
            "NXDomain" => dns_label::NO_SUCH_NAME,
            "NotImp" => dns_label::NOT_IMPLEMENTED,
            "Refused" => dns_label::REFUSED,
            "NotAuth" => dns_label::NOT_AUTHORITATIVE,
            _ => return None,
        })
    });
    known.next().unwrap_or(dns_label::RESPONSE)
}

/// `A? example.com.`: type and name, whose case does not matter (RFC 1035).
fn find_question(text: &str) -> Option<u64> {
    let mut last = "";
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if let Some(kind) = word.strip_suffix('?') {
            // `PTR (QU)? name`: the type stands before the class mark.
            let kind = if kind.starts_with('(') { last } else { kind };
            let name = words.next()?.to_ascii_lowercase();
            return Some(fnv1a(&[kind, &name]));
        }
        // Answers may quote questions in their text.
        if word.starts_with('"') {
            return None;
        }
        last = word;
    }
    None
}

/// `1/0/0`: only answers print the sizes of their sections.
fn has_counts(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let mut counts = word.split('/');
        let numbers = counts
            .by_ref()
            .take(3)
            .filter(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()));
        numbers.count() == 3 && counts.next().is_none()
    })
}
