//! DNS: `12345+ A? example.com. (29)`, `12345 NXDomain 0/1/0 (90)`.

use super::{Reading, find_length, find_trailing_length};
use crate::model::failure::dns_label;
use crate::model::identity::{DnsQuestion, hash_fields, hash_words};
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
    let id: u16 = id.parse().ok()?;
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
        identity: hash_fields(&[&id.to_be_bytes()]),
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
            return Some(hash_question(kind, words.next()?));
        }
        // Answers may quote questions in their text.
        if word.starts_with('"') {
            return None;
        }
        last = word;
    }
    None
}

/// The number that the question's bytes have, where the text shows it whole: a type by
/// a name that we know, and a name up to the root, with no byte that is spelled out.
fn hash_question(kind: &str, name: &str) -> u64 {
    /// A label's longest form.
    const MAX_LABEL_BYTES: usize = 63;
    let Some(number) = find_type(kind) else {
        return hash_words(&[kind, &name.to_ascii_lowercase()]);
    };
    let mut question = DnsQuestion::default();
    if name == "." {
        return question.finish(number);
    }
    let is_plain = |label: &str| {
        let is_whole = (1..=MAX_LABEL_BYTES).contains(&label.len());
        is_whole && !label.contains(['\\', '^', '[', '<'])
    };
    match name.strip_suffix('.') {
        Some(labels) if labels.split('.').all(is_plain) => {
            labels.split('.').for_each(|label| question.add_label(label.as_bytes()));
            question.finish(number)
        }
        _ => hash_words(&[kind, &name.to_ascii_lowercase()]),
    }
}

/// A record type by tcpdump's name for it (`ns_type2str` in print-domain.c), which for
/// those that it does not know is `Type65`.
fn find_type(name: &str) -> Option<u16> {
    Some(match name {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "PTR" => 12,
        "HINFO" => 13,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "SRV" => 33,
        "NAPTR" => 35,
        "DS" => 43,
        "DNSKEY" => 48,
        "SVCB" => 64,
        "HTTPS" => 65,
        "ANY" => 255,
        _ => return name.strip_prefix("Type")?.parse().ok(),
    })
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
