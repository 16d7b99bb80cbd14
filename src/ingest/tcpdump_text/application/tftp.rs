//! TFTP: ` 64 WRQ "a.cfg" octet tsize 7304`, and `TFTP, length 64, WRQ …`
//! since tcpdump 4.99.

use super::Reading;
use crate::ingest::tcpdump_text::line::split_word;
use crate::model::packet::{Application, TftpMessage, TftpRequest};
use crate::model::protocol::Protocol;

/// Reads a summary that tcpdump printed as TFTP.
pub(super) fn find(summary: &str) -> Option<Reading> {
    if let Some(rest) = summary.strip_prefix("TFTP") {
        let rest = rest.trim_start_matches([',', ' ']);
        let (length, message) = match rest.strip_prefix("length ") {
            Some(rest) => {
                let (number, message) = rest.split_once(',').unwrap_or((rest, ""));
                (number.trim().parse().ok(), message.trim_start())
            }
            None => (None, rest),
        };
        return Some(reading(length, find_message(message, length)));
    }
    if summary.starts_with("[|tftp]") {
        return Some(reading(None, None));
    }
    let (number, message) = split_word(summary);
    let length = Some(number.parse().ok()?);
    let first = split_word(message).0;
    if message.starts_with("[|tftp]") {
        return Some(reading(length, None));
    }
    matches!(first, "RRQ" | "WRQ" | "DATA" | "ACK" | "ERROR" | "OACK")
        .then(|| reading(length, find_message(message, length)))
}

fn reading(length: Option<u32>, message: Option<TftpMessage>) -> Reading {
    let application = message.map_or(Application::Plain(Protocol::Tftp), Application::Tftp);
    Reading { application, length }
}

fn find_message(text: &str, length: Option<u32>) -> Option<TftpMessage> {
    let (name, rest) = split_word(text);
    match name {
        "RRQ" => Some(TftpMessage::ReadRequest(Box::new(find_request(rest)?))),
        "WRQ" => Some(TftpMessage::WriteRequest(Box::new(find_request(rest)?))),
        // Opcode and block number take four of the bytes.
        "DATA" => Some(TftpMessage::Data {
            block: find_block(rest)?,
            length: length.unwrap_or(0).saturating_sub(4),
        }),
        "ACK" => Some(TftpMessage::Ack { block: find_block(rest)? }),
        "OACK" => Some(TftpMessage::OptionAck),
        "ERROR" => {
            let (name, message) = split_word(rest);
            let message = message.trim().trim_matches('"').into();
            Some(TftpMessage::Error { code: find_error_code(name)?, message })
        }
        _ => None,
    }
}

fn find_block(text: &str) -> Option<u16> {
    split_word(text.strip_prefix("block ")?).0.parse().ok()
}

/// `"startup.cfg" octet tsize 7304 blksize 512`.
fn find_request(text: &str) -> Option<TftpRequest> {
    let (file, rest) = match text.strip_prefix('"') {
        // A name may hold quotes, a mode does not.
        Some(rest) => {
            rest.rsplit_once("\" ").or_else(|| rest.split_once('"')).unwrap_or((rest, ""))
        }
        None => split_word(text),
    };
    let mut words = rest.split_whitespace().take_while(|word| !word.starts_with("[|"));
    let mode = words.next().unwrap_or_default().to_owned();
    let mut options = Vec::new();
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        options.push((name.to_owned(), value.to_owned()));
    }
    (!file.is_empty()).then(|| TftpRequest { file: file.to_owned(), mode, options })
}

/// The names of tcpdump's print-tftp.c, in the order of RFC 1350's codes.
fn find_error_code(name: &str) -> Option<u16> {
    const NAMES: [&str; 9] = [
        "EUNDEF",
        "ENOTFOUND",
        "EACCESS",
        "ENOSPACE",
        "EBADOP",
        "EBADID",
        "EEXISTS",
        "ENOUSER",
        "EOPTNEG",
    ];
    match NAMES.iter().position(|known| *known == name) {
        Some(code) => u16::try_from(code).ok(),
        None => name.strip_prefix("tftp-err-#").unwrap_or(name).parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_spellings_are_read() {
        let request = TftpRequest {
            file: "running.cfg".into(),
            mode: "octet".into(),
            options: vec![("tsize".into(), "7304".into()), ("blksize".into(), "512".into())],
        };
        let write = TftpMessage::WriteRequest(Box::new(request.clone()));
        let read = TftpMessage::ReadRequest(Box::new(TftpRequest {
            file: "test_file".into(),
            mode: "netascii".into(),
            options: Vec::new(),
        }));
        let cases = [
            ("64 WRQ \"running.cfg\" octet tsize 7304 blksize 512", Some(64), write.clone()),
            ("TFTP, length 64, WRQ \"running.cfg\" octet tsize 7304 blksize 512", Some(64), write),
            ("21 RRQ \"test_file\" netascii", Some(21), read),
            ("516 DATA block 1", Some(516), TftpMessage::Data { block: 1, length: 512 }),
            ("TFTP, length 4, ACK block 7", Some(4), TftpMessage::Ack { block: 7 }),
            ("19 OACK tsize 7304", Some(19), TftpMessage::OptionAck),
            (
                "30 ERROR EACCESS \"Access violation\"",
                Some(30),
                TftpMessage::Error { code: 2, message: "Access violation".into() },
            ),
            (
                "TFTP, length 9, ERROR tftp-err-#8 \"no\"",
                Some(9),
                TftpMessage::Error { code: 8, message: "no".into() },
            ),
        ];
        for (summary, length, message) in cases {
            let expected = Reading { application: Application::Tftp(message), length };
            assert_eq!(find(summary), Some(expected), "{summary}");
        }
        for summary in ["TFTP", "TFTP, length 64 [|tftp]", "64 [|tftp]", "[|tftp]"] {
            let plain = Application::Plain(Protocol::Tftp);
            assert_eq!(find(summary).map(|reading| reading.application), Some(plain), "{summary}");
        }
        for summary in ["UDP, length 64", "64 bytes", "12345+ A? example.com. (29)", ""] {
            assert_eq!(find(summary), None, "{summary}");
        }
    }
}
