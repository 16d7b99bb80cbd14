//! TFTP messages (RFC 1350) and options (RFC 2347).

use super::Payload;
use crate::decode::field::find_u16;
use crate::model::packet::{TftpMessage, TftpRequest};

const TFTP_PORT: u16 = 69;

const READ_REQUEST: u16 = 1;
const WRITE_REQUEST: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OPTION_ACK: u16 = 6;

/// Opcode and block number, or opcode and error code.
const HEADER_BYTES: u32 = 4;
const HEADER_LENGTH: usize = 4;
/// RFC 2348 allows no larger block.
const MAX_BLOCK_BYTES: u32 = 65_464;
/// RFC 2347: option negotiation failed. There is no higher code.
const MAX_ERROR_CODE: u16 = 8;
/// Some send an ACK in a buffer of the size of a block.
const MAX_ACK_BYTES: u32 = HEADER_BYTES + 512;
/// Characters kept of any text that a packet holds.
const MAX_TEXT_CHARS: usize = 255;
/// Options kept of a request; RFC 2347 lets all of it be 512 bytes.
const MAX_OPTIONS: usize = 32;

/// Reads a message that is TFTP for certain: at port 69, or a whole request at
/// any port. A request that a snap length cut keeps what is there of it.
pub(super) fn find_message(payload: &Payload<'_>) -> Option<TftpMessage> {
    let bytes = payload.captured;
    let opcode = find_u16(bytes, 0)?;
    match opcode {
        READ_REQUEST | WRITE_REQUEST => {
            let is_request = payload.destination_port == TFTP_PORT || has_request_shape(bytes);
            is_request.then(|| read_request(opcode, bytes.get(2..).unwrap_or_default()))
        }
        _ if payload.source_port != TFTP_PORT && payload.destination_port != TFTP_PORT => None,
        DATA if payload.length >= HEADER_BYTES => find_data(payload),
        ACK => Some(TftpMessage::Ack { block: find_u16(bytes, 2)? }),
        ERROR => Some(TftpMessage::Error {
            code: find_u16(bytes, 2)?,
            message: read_text(fields(bytes.get(4..)?).next().unwrap_or_default()).into(),
        }),
        OPTION_ACK => Some(TftpMessage::OptionAck),
        _ => None,
    }
}

/// Reads what looks like the rest of a transfer between two ports of which
/// nothing is known; of a cut message, what is there of it.
///
/// Only an exchange that began with a TFTP request believes it, so it is as tolerant as
/// common servers and clients are: they look at the opcode and skip a text's missing end,
/// more NULs than one, codes that nobody assigned, and what follows an acknowledgement.
pub(super) fn find_shape(payload: &Payload<'_>) -> Option<TftpMessage> {
    let bytes = payload.captured;
    match find_u16(bytes, 0)? {
        ACK if (HEADER_BYTES..=MAX_ACK_BYTES).contains(&payload.length) => {
            Some(TftpMessage::Ack { block: find_u16(bytes, 2)? })
        }
        ERROR => {
            let code = find_u16(bytes, 2)?;
            let text = fields(bytes.get(HEADER_LENGTH..)?).next().unwrap_or_default();
            is_printable(text).then(|| TftpMessage::Error { code, message: read_text(text).into() })
        }
        OPTION_ACK => {
            has_option_shape(bytes.get(2..)?, payload.is_whole()).then_some(TftpMessage::OptionAck)
        }
        DATA if (HEADER_BYTES..=HEADER_BYTES + MAX_BLOCK_BYTES).contains(&payload.length) => {
            find_data(payload)
        }
        _ => None,
    }
}

/// As [`find_shape`], where a port speaks for another protocol: opcode, length and text
/// must fit to the last byte.
pub(super) fn find_strict_shape(payload: &Payload<'_>) -> Option<TftpMessage> {
    let rest = payload.captured.get(HEADER_LENGTH..).unwrap_or_default();
    // One end, and nothing behind it.
    let ends =
        |text: &[u8]| !payload.is_whole() || text.ends_with(&[0]) && !text.ends_with(&[0; 2]);
    find_shape(payload).filter(|message| match message {
        TftpMessage::Ack { .. } => payload.length == HEADER_BYTES,
        TftpMessage::Error { code, .. } => {
            let is_text = rest == [0] || ends(rest) && fields(rest).nth(1).is_none();
            *code <= MAX_ERROR_CODE && (rest.is_empty() || is_text)
        }
        TftpMessage::OptionAck => ends(payload.captured),
        TftpMessage::Data { .. } | TftpMessage::ReadRequest(_) | TftpMessage::WriteRequest(_) => {
            true
        }
    })
}

fn find_data(payload: &Payload<'_>) -> Option<TftpMessage> {
    let block = find_u16(payload.captured, 2)?;
    Some(TftpMessage::Data { block, length: payload.length.saturating_sub(HEADER_BYTES) })
}

fn read_request(opcode: u16, bytes: &[u8]) -> TftpMessage {
    let mut fields = fields(bytes).map(read_text);
    let file = fields.next().unwrap_or_default();
    let mode = fields.next().unwrap_or_default();
    let mut options = Vec::new();
    while let Some(name) = fields.next()
        && options.len() < MAX_OPTIONS
    {
        options.push((name, fields.next().unwrap_or_default()));
    }
    let request = Box::new(TftpRequest { file, mode, options });
    if opcode == READ_REQUEST {
        TftpMessage::ReadRequest(request)
    } else {
        TftpMessage::WriteRequest(request)
    }
}

/// File name, NUL, a mode in any case, NUL: nothing else looks like that.
fn has_request_shape(bytes: &[u8]) -> bool {
    let mut parts = bytes.get(2..).unwrap_or_default().splitn(3, |byte| *byte == 0);
    let (Some(file), Some(mode), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_mode = [b"octet".as_slice(), b"netascii", b"mail"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(mode));
    is_mode && !file.is_empty() && is_printable(file)
}

/// Pairs of NUL-terminated texts, at least one; RFC 2347 has a server leave
/// out what it does not grant, and send no empty OACK.
fn has_option_shape(bytes: &[u8], is_whole: bool) -> bool {
    let count = fields(bytes).count();
    let is_complete = !is_whole || (count >= 2 && count.is_multiple_of(2));
    is_complete && !bytes.starts_with(&[0]) && fields(bytes).all(is_printable)
}

/// The NUL-terminated fields; the last may lack its NUL, or have some more.
fn fields(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let bytes = bytes.get(..end).unwrap_or_default();
    // Splitting nothing would give one empty field.
    let has_fields = !bytes.is_empty();
    bytes.split(|byte| *byte == 0).filter(move |_| has_fields)
}

/// Text of any encoding, without control characters.
fn is_printable(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r') || !byte.is_ascii_control())
}

/// Text for people: what is not UTF-8, and control characters, are U+FFFD.
fn read_text(text: &[u8]) -> String {
    // Four bytes are the longest character.
    let head = text.get(..MAX_TEXT_CHARS * 4).unwrap_or(text);
    String::from_utf8_lossy(head)
        .chars()
        .take(MAX_TEXT_CHARS)
        .map(
            |character| {
                if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    fn request(file: &str, mode: &str, options: &[(&str, &str)]) -> TftpRequest {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        TftpRequest {
            file: file.to_owned(),
            mode: mode.to_owned(),
            options: options.iter().map(owned).collect(),
        }
    }

    fn rrq(file: &str, mode: &str, options: &[(&str, &str)]) -> TftpMessage {
        TftpMessage::ReadRequest(Box::new(request(file, mode, options)))
    }

    fn wrq(file: &str, mode: &str, options: &[(&str, &str)]) -> TftpMessage {
        TftpMessage::WriteRequest(Box::new(request(file, mode, options)))
    }

    fn error(code: u16, message: &str) -> TftpMessage {
        TftpMessage::Error { code, message: message.into() }
    }

    #[test]
    fn messages_at_port_69_are_read() {
        let full = b"\0\x02startup.cfg\0octet\0tsize\x001024\0blksize\x001428\0";
        let options = [("tsize", "1024"), ("blksize", "1428")];
        let cases: [(&[u8], Option<TftpMessage>); 12] = [
            (b"\0\x01a/b.bin\0netascii\0", Some(rrq("a/b.bin", "netascii", &[]))),
            (full, Some(wrq("startup.cfg", "octet", &options))),
            (b"\0\x01\0\0", Some(rrq("", "", &[]))),
            (b"\0\x01", Some(rrq("", "", &[]))),
            (b"\0\x03\0\x01abc", Some(TftpMessage::Data { block: 1, length: 3 })),
            (b"\0\x04\0\x07", Some(TftpMessage::Ack { block: 7 })),
            (b"\0\x05\0\x01File not found\0", Some(error(1, "File not found"))),
            (b"\0\x05\0\x63no end", Some(error(99, "no end"))),
            (b"\0\x06blksize\x001428\0", Some(TftpMessage::OptionAck)),
            (b"\0\x04", None),
            (b"\0\x09", None),
            (b"", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(find_message(&whole(40_000, 69, bytes)), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_cut_request_keeps_what_is_there() {
        let bytes = b"\0\x02startup.cfg\0octet\0tsize\x001024\0";
        let cases = [
            (2, request("", "", &[])),
            (9, request("startup", "", &[])),
            (14, request("startup.cfg", "", &[])),
            (17, request("startup.cfg", "oct", &[])),
            (22, request("startup.cfg", "octet", &[("ts", "")])),
            (28, request("startup.cfg", "octet", &[("tsize", "10")])),
        ];
        for (captured_bytes, expected) in cases {
            let payload = cut(40_000, 69, &bytes[..captured_bytes], bytes.len());
            assert_eq!(find_message(&payload), Some(TftpMessage::WriteRequest(Box::new(expected))));
        }
    }

    #[test]
    fn a_request_is_known_at_any_port_by_its_shape() {
        let cases: [(&[u8], bool); 9] = [
            (b"\0\x01boot.img\0octet\0", true),
            (b"\0\x02boot.img\0OcTeT\0", true),
            (b"\0\x02boot.img\0mail\0", true),
            ("\0\u{1}бут.img\0netascii\0".as_bytes(), true),
            (b"\0\x01boot.img\0octet", false),
            (b"\0\x01boot.img\0binary\0", false),
            (b"\0\x01\0octet\0", false),
            (b"\0\x01bo\x01ot\0octet\0", false),
            (b"\0\x03boot.img\0octet\0", false),
        ];
        for (bytes, expected) in cases {
            assert_eq!(find_message(&whole(40_000, 6969, bytes)).is_some(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn between_unknown_ports_the_shape_must_fit() {
        let cases: [(&str, &[u8], usize, Option<TftpMessage>); 27] = [
            ("DATA", b"\0\x03\0\x02ab", 6, Some(TftpMessage::Data { block: 2, length: 2 })),
            (
                "DATA, cut",
                b"\0\x03\0\x02ab",
                516,
                Some(TftpMessage::Data { block: 2, length: 512 }),
            ),
            ("last DATA", b"\0\x03\0\x02", 4, Some(TftpMessage::Data { block: 2, length: 0 })),
            ("DATA, block cut", b"\0\x03\0", 516, None),
            ("DATA too long", b"\0\x03\0\x02", 65_469, None),
            ("ACK", b"\0\x04\0\x02", 4, Some(TftpMessage::Ack { block: 2 })),
            ("ACK in a larger buffer", b"\0\x04\0\x02\0", 5, Some(TftpMessage::Ack { block: 2 })),
            ("ACK too long", b"\0\x04\0\x02\0", 517, None),
            ("ERROR", b"\0\x05\0\x03Disk full\0", 14, Some(error(3, "Disk full"))),
            ("ERROR without text", b"\0\x05\0\0\0", 5, Some(error(0, ""))),
            ("ERROR of four bytes", b"\0\x05\0\0", 4, Some(error(0, ""))),
            ("ERROR, text cut", b"\0\x05\0\x03Disk", 14, Some(error(3, "Disk"))),
            ("ERROR, code cut", b"\0\x05\0", 14, None),
            ("ERROR without end", b"\0\x05\0\x03Disk full", 13, Some(error(3, "Disk full"))),
            ("ERROR with two ends", b"\0\x05\0\x03Disk full\0\0", 15, Some(error(3, "Disk full"))),
            ("ERROR, code 99", b"\0\x05\0\x63Disk full\0", 14, Some(error(99, "Disk full"))),
            ("ERROR, no text", b"\0\x05\0\x03\x01\x02\0", 7, None),
            ("ERROR, two texts", b"\0\x05\0\x03a\0b\0", 8, Some(error(3, "a"))),
            ("OACK", b"\0\x06tsize\x000\0", 10, Some(TftpMessage::OptionAck)),
            ("OACK, odd NULs", b"\0\x06tsize\x000\0\0", 11, Some(TftpMessage::OptionAck)),
            ("OACK, more NULs", b"\0\x06tsize\x000\0\0\0\0", 13, Some(TftpMessage::OptionAck)),
            ("OACK without end", b"\0\x06tsize\x000", 9, Some(TftpMessage::OptionAck)),
            ("OACK, cut", b"\0\x06tsi", 10, Some(TftpMessage::OptionAck)),
            ("OACK, opcode alone", b"\0\x06", 10, Some(TftpMessage::OptionAck)),
            ("OACK without value", b"\0\x06tsize\0", 8, None),
            ("OACK, no text", b"\0\x06\x01\0\x02\0", 6, None),
            ("empty OACK", b"\0\x06", 2, None),
        ];
        for (name, bytes, length, expected) in cases {
            assert_eq!(find_shape(&cut(40_000, 40_001, bytes, length)), expected, "{name}");
        }
    }

    #[test]
    fn at_another_protocols_port_it_must_fit_to_the_last_byte() {
        let cases: [(&[u8], usize, bool); 14] = [
            (b"\0\x03\0\x02ab", 6, true),
            (b"\0\x04\0\x02", 4, true),
            (b"\0\x04\0\x02\0", 5, false),
            (b"\0\x05\0\x03Disk full\0", 14, true),
            (b"\0\x05\0\0\0", 5, true),
            (b"\0\x05\0\0", 4, true),
            (b"\0\x05\0\x03Disk", 14, true),
            (b"\0\x05\0\x03Disk full", 13, false),
            (b"\0\x05\0\x03Disk full\0\0", 15, false),
            (b"\0\x05\0\x09Disk full\0", 14, false),
            (b"\0\x05\0\x03a\0b\0", 8, false),
            (b"\0\x06tsize\x000\0", 10, true),
            (b"\0\x06tsize\x000\0\0", 11, false),
            (b"\0\x06tsize\x000", 9, false),
        ];
        for (bytes, length, expected) in cases {
            let found = find_strict_shape(&cut(2055, 40_001, bytes, length));
            assert_eq!(found.is_some(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn texts_are_clean_and_bounded() {
        let mut wrq = b"\0\x02a\x1b[31m\xff\r\n<b>\0".to_vec();
        wrq.extend([b'x'; 400]);
        wrq.push(0);
        wrq.extend(b"o\0v\0".repeat(100));
        let Some(TftpMessage::WriteRequest(request)) = find_message(&whole(40_000, 69, &wrq))
        else {
            panic!("no request");
        };
        assert_eq!(request.file, "a\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}<b>");
        assert_eq!(request.mode.len(), 255);
        assert_eq!(request.options.len(), 32);
    }
}
