//! CoAP (RFC 7252).

use super::Payload;
use crate::decode::field::{find_u8, find_u16};
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const HEADER_BYTES: usize = 4;
const SERVICE_PORT: u16 = 5683;
/// Section 3: a type of message.
const NON_CONFIRMABLE: u8 = 1;
/// RFC 7967 section 2.1, and the bit by which a client does not want to hear of success.
const NO_RESPONSE: usize = 258;
const NO_SUCCESS: u8 = 2;
/// RFC 8132 section 3: iPATCH.
const LAST_METHOD: u8 = 7;

/// Reads a request or response.
///
/// The identity is the token, which alone matches a response to its request
/// (section 5.3.2): a separate response has a message id of its own. A client
/// that uses no token is paired by message id, as its answers are piggybacked.
/// Empty messages carry no token, so they are known by message id: a confirmable one is
/// a ping, which is answered with a reset (section 4.3); the others acknowledge or refuse.
/// A request that need not be confirmed may say that it wants no answer (RFC 7967).
pub(super) fn find_transaction(payload: &Payload<'_>) -> Option<Transaction> {
    let bytes = payload.captured;
    let (first, code) = (find_u8(bytes, 0)?, find_u8(bytes, 1)?);
    let message_id = find_u16(bytes, 2)?;
    let (version, token_bytes) = (first >> 6, usize::from(first & 0xf));
    if version != 1 || token_bytes > 8 {
        return None;
    }
    let after_token = bytes.get(HEADER_BYTES + token_bytes..).unwrap_or_default();
    let (role, label) = match (code >> 5, code & 0x1f) {
        (0, 0) => match (first >> 4 & 3, payload.source_port) {
            (0, _) => (TransactionRole::Request, "ping"),
            (2, SERVICE_PORT) => (TransactionRole::Reply, "acknowledgement"),
            (2, _) => (TransactionRole::Notification, "acknowledgement"),
            (3, SERVICE_PORT) => (TransactionRole::Reply, "reset"),
            (3, _) => (TransactionRole::Notification, "reset"),
            // Not confirmable and empty: there is no such message (section 4.3).
            _ => return None,
        },
        (0, 1) => (TransactionRole::Request, "GET"),
        (0, 2) => (TransactionRole::Request, "POST"),
        (0, 3) => (TransactionRole::Request, "PUT"),
        (0, 4) => (TransactionRole::Request, "DELETE"),
        (0, 5) => (TransactionRole::Request, "FETCH"),
        (0, 6) => (TransactionRole::Request, "PATCH"),
        (0, 7) => (TransactionRole::Request, "iPATCH"),
        (2, _) => (TransactionRole::Reply, "success response"),
        (4 | 5, _) => (TransactionRole::Reply, "error response"),
        _ => return None,
    };
    let is_unconfirmed = first >> 4 & 3 == NON_CONFIRMABLE;
    let role = match role {
        TransactionRole::Request if is_unconfirmed && wants_no_success(after_token) => {
            TransactionRole::Notification
        }
        other => other,
    };
    let token = bytes.get(HEADER_BYTES..HEADER_BYTES + token_bytes)?;
    let identity = if token.is_empty() {
        hash_fields(&[&message_id.to_be_bytes()])
    } else {
        // A token of two bytes is no message id.
        hash_fields(&[token, &[]])
    };
    // The answers of an observation share one token (RFC 7641 section 4.2); a message id
    // of their own tells them from one that is sent again.
    let is_answer = role == TransactionRole::Reply && !token.is_empty();
    let is_question = role == TransactionRole::Request && payload.is_whole();
    Some(Transaction {
        protocol: Protocol::Coap,
        role,
        identity,
        question: if is_answer {
            Some(hash_fields(&[&message_id.to_be_bytes()]))
        } else {
            is_question.then(|| hash_fields(&[&[code], after_token]))
        },
        label,
        reply_to: None,
    })
}

/// Whether a payload between unknown ports is a response: a code that is
/// assigned, a token, and options that are registered, up to the payload
/// marker (section 3.1).
pub(super) fn has_response_shape(payload: &Payload<'_>) -> bool {
    let Some((_, code, options)) = find_parts(payload) else { return false };
    is_response_code(code) && Options::of(options).are_whole(is_option)
}

/// Whether a payload between unknown ports is a request: one that wants to be answered,
/// with a method that is assigned and registered options, of which there is one at least.
pub(super) fn has_request_shape(payload: &Payload<'_>) -> bool {
    let Some((kind, code, options)) = find_parts(payload) else { return false };
    let names_something = options.first().is_some_and(|first| *first != 0xff);
    kind <= 1
        && (1..=LAST_METHOD).contains(&code)
        && names_something
        && Options::of(options).are_whole(is_option)
}

/// Whether a whole message has all the parts that its head announces: options that end
/// where the payload does, or at its marker, and nothing at all behind an empty message
/// (sections 3.1 and 4.1). A marker with nothing behind it is an error of format (section 3),
/// and of CoAP all the same.
pub(super) fn has_parts_to_the_end(payload: &Payload<'_>) -> bool {
    let bytes = payload.captured;
    let (Some(first), Some(code)) = (find_u8(bytes, 0), find_u8(bytes, 1)) else { return false };
    let is_empty = code == 0;
    let is_known = is_empty || is_response_code(code) || (1..=LAST_METHOD).contains(&code);
    let Some(options) = bytes.get(HEADER_BYTES + usize::from(first & 0xf)..) else { return false };
    if !is_known || is_empty {
        return is_known && bytes.len() == HEADER_BYTES;
    }
    let mut options = Options::of(options);
    options.by_ref().for_each(drop);
    options.rest.first().is_none_or(|marker| *marker == 0xff)
}

/// Type, code, and what follows the token, of a message that is no reset and has one.
fn find_parts<'a>(payload: &Payload<'a>) -> Option<(u8, u8, &'a [u8])> {
    let bytes = payload.captured;
    let (first, code) = (find_u8(bytes, 0)?, find_u8(bytes, 1)?);
    let (kind, token_bytes) = (first >> 4 & 3, usize::from(first & 0xf));
    let fits = first >> 6 == 1 && kind != 3 && (1..=8).contains(&token_bytes);
    let after_token = bytes.get(HEADER_BYTES + token_bytes..)?;
    (payload.is_whole() && fits).then_some((kind, code, after_token))
}

/// The CoAP codes registry: success, client errors, server errors.
const fn is_response_code(code: u8) -> bool {
    matches!(
        (code >> 5, code & 0x1f),
        (2, 1..=5 | 31) | (4, 0..=6 | 8 | 9 | 12 | 13 | 15 | 22 | 29) | (5, 0..=5 | 8)
    )
}

/// Whether a request says that nothing need be said if it succeeds.
fn wants_no_success(options: &[u8]) -> bool {
    let mut options = Options::of(options);
    let wanted = options.find(|(number, _)| *number == NO_RESPONSE);
    matches!(wanted, Some((_, [wanted])) if wanted & NO_SUCCESS != 0)
}

/// Options in ascending order, by number and value; then nothing, or a marker and a payload
/// (section 3.1).
struct Options<'a> {
    number: usize,
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    const fn of(rest: &'a [u8]) -> Self {
        Self { number: 0, rest }
    }

    /// Whether they are `known` to the end, which is that of the payload, or a marker with
    /// something behind it.
    fn are_whole(mut self, known: impl Fn(usize) -> bool) -> bool {
        self.all(|(number, _)| known(number))
            && (self.rest.is_empty() || matches!(self.rest, [0xff, _, ..]))
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, after) = self.rest.split_first().filter(|(head, _)| **head != 0xff)?;
        let (delta, after) = find_extended(head >> 4, after)?;
        let (length, after) = find_extended(head & 0xf, after)?;
        let (value, rest) = after.split_at_checked(length)?;
        self.number += delta;
        self.rest = rest;
        Some((self.number, value))
    }
}

/// A delta or length of four bits, which 13 and 14 extend by one byte or two.
fn find_extended(bits: u8, after: &[u8]) -> Option<(usize, &[u8])> {
    match bits {
        13 => after.split_first().map(|(byte, rest)| (usize::from(*byte) + 13, rest)),
        14 => Some((usize::from(find_u16(after, 0)?) + 269, after.get(2..)?)),
        15 => None,
        _ => Some((usize::from(bits), after)),
    }
}

/// The CoAP option numbers registry, of what responses carry or may repeat.
const fn is_option(number: usize) -> bool {
    matches!(
        number,
        1 | 3..=9 | 11..=17 | 19..=21 | 23 | 27 | 28 | 31 | 35 | 39 | 60 | 252 | 258 | 292
    )
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn read(bytes: &[u8]) -> Option<Transaction> {
        find_transaction(&whole(40_000, 5683, bytes))
    }

    #[test]
    fn a_response_has_its_requests_token() {
        let request = read(&[0x42, 1, 0, 7, 0xaa, 0xbb, 0xb1, b't']).unwrap();
        let piggybacked = read(&[0x62, 0x45, 0, 7, 0xaa, 0xbb, 0xff, b'1']).unwrap();
        let separate = read(&[0x42, 0x45, 9, 9, 0xaa, 0xbb, 0xff, b'1']).unwrap();
        assert_eq!((request.role, request.label), (TransactionRole::Request, "GET"));
        assert_eq!(separate.role, TransactionRole::Reply);
        // The next of an observation is another message, and one sent again is the same.
        let next = read(&[0x42, 0x45, 9, 10, 0xaa, 0xbb, 0xff, b'1']).unwrap();
        assert_eq!(next.identity, separate.identity);
        assert_ne!(next.question, separate.question);
        assert_eq!(request.identity, piggybacked.identity);
        assert_eq!(request.identity, separate.identity);
        let again = read(&[0x42, 1, 0, 8, 0xcc, 0xdd, 0xb1, b't']).unwrap();
        assert_ne!(again.identity, request.identity);
        assert_eq!(again.question, request.question);
    }

    #[test]
    fn who_wants_no_answer_says_so() {
        use TransactionRole::{Notification, Request};
        // Type and token, then option 258 behind a path of one letter.
        let post = |first: u8, value: &[u8]| {
            let length = u8::try_from(value.len()).unwrap();
            let head = [first, 2, 0, 7, 0xaa, 0xbb, 0xb1, b't', 0xd0 | length, 234];
            read(&[&head[..], value, b"\xff1"].concat()).unwrap().role
        };
        for (name, first, value, expected) in [
            ("no answer at all", 0x52, &[26][..], Notification),
            ("nothing of success", 0x52, &[2], Notification),
            ("nothing of failures", 0x52, &[24], Request),
            ("everything", 0x52, &[], Request),
            ("to be confirmed", 0x42, &[26], Request),
        ] {
            assert_eq!(post(first, value), expected, "{name}");
        }
        assert_eq!(read(&[0x52, 2, 0, 7, 0xaa, 0xbb, 0xb1, b't']).unwrap().role, Request);
    }

    #[test]
    fn without_a_token_the_message_id_pairs() {
        let request = read(&[0x40, 1, 0, 7, 0xb1, b't']).unwrap();
        let reply = read(&[0x60, 0x84, 0, 7]).unwrap();
        assert_eq!(request.identity, reply.identity);
        assert_eq!(reply.label, "error response");
    }

    #[test]
    fn empty_messages_are_known_by_their_message_id() {
        use TransactionRole::{Notification, Reply, Request};
        let read = |ports: (u16, u16), bytes: &[u8]| {
            let found = find_transaction(&whole(ports.0, ports.1, bytes)).unwrap();
            (found.role, found.label, found.identity)
        };
        let (up, down) = ((40_000, SERVICE_PORT), (SERVICE_PORT, 40_000));
        let (role, label, ping) = read(up, &[0x40, 0, 0, 7]);
        assert_eq!((role, label), (Request, "ping"));
        let (role, label, answered) = read(down, &[0x70, 0, 0, 7]);
        assert_eq!((role, label, answered), (Reply, "reset", ping));
        for (ports, bytes, expected) in [
            (up, [0x60, 0, 0, 9], (Notification, "acknowledgement")),
            (up, [0x70, 0, 0, 9], (Notification, "reset")),
            (down, [0x60, 0, 0, 9], (Reply, "acknowledgement")),
        ] {
            let (role, label, _) = read(ports, &bytes);
            assert_eq!((role, label), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_request_or_response_is_left() {
        for bytes in [&[0x50, 0, 0, 7][..], &[0x80, 1, 0, 7], &[0x49, 1, 0, 7], &[0x40, 1, 0]] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
        let request = [0x42, 1, 0, 7, 0xaa, 0xbb, 0xb1, b't'];
        assert_eq!(find_transaction(&cut(40_000, 5683, &request[..5], 8)), None);
        assert_eq!(find_transaction(&cut(40_000, 5683, &request[..7], 8)).unwrap().question, None);
    }
}
