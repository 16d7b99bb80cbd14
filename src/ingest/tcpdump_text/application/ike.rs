//! IKE: `isakmp: phase 1 I ident`, `isakmp: parent_sa ikev2_init[I]`. Who initiates is
//! printed (`print-isakmp.c`), and below `-v` the cookies, of which a responder that has not
//! answered has none.

use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::identity::hash_words;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// How messages begin that open an association, and what that is. `[E` behind it says that
/// the message is encrypted, as those are that come later (RFC 2409 section 5).
const OPENINGS: [(&str, &str); 3] = [
    ("ikev2_init[I]", "IKE_SA_INIT request"),
    ("phase 1 I ident", "main mode, first message"),
    ("phase 1 I agg", "aggressive mode, first message"),
];

/// An opening of an association. All of one pair of ends have one identity, for they are sent
/// again as they were (RFC 7296 section 2.1), and of their bytes nothing is printed.
pub(super) fn find_opening(flow: &FlowKey, summary: &str) -> Option<Application> {
    let (_, message) = summary.split_once("isakmp")?;
    let label = OPENINGS.iter().find_map(|(begins, label)| {
        let (before, behind) = message.split_once(begins)?;
        let has_responder = before.split_once("->").is_some_and(|(_, cookie)| !is_zero(cookie));
        (!has_responder && !behind.starts_with("[E")).then_some(*label)
    })?;
    let name = |end: Endpoint| end.to_string();
    Some(Application::Transaction(Transaction {
        protocol: Protocol::Ike,
        role: TransactionRole::Request,
        identity: hash_words(&["IKE", &name(flow.source), &name(flow.destination), label]),
        question: None,
        label,
        reply_to: None,
    }))
}

/// Whether the cookie that `text` begins with is none.
fn is_zero(text: &str) -> bool {
    let cookie = text.split(|letter: char| !letter.is_ascii_hexdigit()).next().unwrap_or_default();
    cookie.bytes().all(|digit| digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_opens_an_association_asks() {
        let main_mode = Some("main mode, first message");
        let cases = [
            ("isakmp: phase 1 I ident", main_mode),
            ("isakmp: phase 1 I ident[E]", None),
            ("isakmp: phase 1 R ident", None),
            ("isakmp: phase 1 ? ident", None),
            ("isakmp: phase 1 I agg", Some("aggressive mode, first message")),
            ("isakmp: phase 2/others I oakley-quick[E]", None),
            ("isakmp: parent_sa ikev2_init[I]", Some("IKE_SA_INIT request")),
            ("isakmp: parent_sa ikev2_init[R]", None),
            ("isakmp: child_sa  ikev2_auth[I]", None),
            ("NONESP-encap: isakmp: parent_sa ikev2_init[I]", Some("IKE_SA_INIT request")),
            (
                "isakmp 1.0 msgid 00000000 cookie 5a1b2c3d4e5f6071->0000000000000000: phase 1 I ident:",
                main_mode,
            ),
            (
                "isakmp 1.0 msgid 00000000 cookie 5a1b2c3d4e5f6071->1122334455667788: phase 1 I ident:",
                None,
            ),
            ("UDP, length 300", None),
        ];
        for [source, destination] in
            [["192.0.2.7", "198.51.100.1"], ["2001:db8::7", "2001:db8:100::1"]]
        {
            let end = |text: &str| Endpoint::new(text.parse().unwrap(), 500);
            let flow = FlowKey::udp(end(source), end(destination));
            for (summary, expected) in cases {
                let found = match find_opening(&flow, summary) {
                    Some(Application::Transaction(transaction)) => Some(transaction.label),
                    _ => None,
                };
                assert_eq!(found, expected, "{summary}");
            }
        }
    }
}
