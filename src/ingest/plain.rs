//! Text as it is inside a compressed file, or in another encoding.

use std::io::{self, Read};

use super::bounded::{Budget, Expanded, find_limit};
use super::detect::Kind;
use super::layers::detect;
use super::utf16::Utf16;
use super::window::Window;
use crate::model::input::InputErrorKind;

/// The bytes of a text: decompressed, if it is compressed once, and as UTF-8 where it is
/// UTF-16. What else it may be is left as it is.
///
/// # Errors
///
/// Where it is longer than `limit_bytes`, is damaged, or `input` fails.
pub fn read_plain(input: &mut dyn Read, limit_bytes: u64) -> Result<Vec<u8>, InputErrorKind> {
    let mut window = Window::new(input);
    let outcome = match detect(&mut window) {
        Kind::Compressed(compression) => {
            let budget = Budget::new(limit_bytes);
            let mut expanded =
                Expanded::new(compression, &mut window, &budget).map_err(InputErrorKind::Read)?;
            let mut content = Window::new(&mut expanded);
            let read = read_text(&mut content, limit_bytes);
            let offset_bytes = content.end_offset();
            match content.take_failure() {
                Some(failure) if find_limit(&failure).is_some() => {
                    Err(InputErrorKind::TooLarge { limit_bytes })
                }
                Some(failure) => {
                    Err(InputErrorKind::Damaged { message: failure.to_string(), offset_bytes })
                }
                None => read,
            }
        }
        _ => read_text(&mut window, limit_bytes),
    };
    // A decoder takes a failed input for one that was cut.
    match window.take_failure() {
        Some(failure) => Err(InputErrorKind::Read(failure)),
        None => outcome,
    }
}

fn read_text(window: &mut Window<'_>, limit_bytes: u64) -> Result<Vec<u8>, InputErrorKind> {
    match detect(window) {
        Kind::Utf16 { order, mark_bytes } => {
            window.consume(mark_bytes);
            read_within(&mut Utf16::new(window, order), limit_bytes)
        }
        _ => read_within(window, limit_bytes),
    }
}

fn read_within(text: &mut dyn Read, limit_bytes: u64) -> Result<Vec<u8>, InputErrorKind> {
    let mut bytes = Vec::new();
    let read = io::copy(&mut text.take(limit_bytes.saturating_add(1)), &mut bytes);
    let length_bytes = read.map_err(InputErrorKind::Read)?;
    if length_bytes > limit_bytes {
        return Err(InputErrorKind::TooLarge { limit_bytes });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::byte_order::ByteOrder;
    use crate::ingest::samples::{gzipped as gzip, utf16};

    #[test]
    fn text_comes_out_the_same_however_it_is_wrapped() {
        for text in ["name,address\r\nsw1,192.0.2.7\r\n", "name,address\nsw1,2001:db8::7\n"] {
            let wide = utf16(&format!("\u{feff}{text}"), ByteOrder::Little);
            let cases = [
                ("as it is", text.as_bytes().to_vec()),
                ("UTF-16, little endian", wide.clone()),
                ("UTF-16, big endian", utf16(&format!("\u{feff}{text}"), ByteOrder::Big)),
                ("compressed", gzip(text.as_bytes())),
                ("compressed UTF-16", gzip(&wide)),
            ];
            for (name, bytes) in cases {
                let read = read_plain(&mut bytes.as_slice(), 100).unwrap();
                assert_eq!(String::from_utf8(read).unwrap(), text, "{name}");
                let error = read_plain(&mut bytes.as_slice(), 9).unwrap_err();
                assert!(matches!(error, InputErrorKind::TooLarge { limit_bytes: 9 }), "{name}");
            }
        }
        let cut = gzip(&[b'a'; 5_000]);
        let error = read_plain(&mut &cut[..cut.len() - 9], 9_000).unwrap_err();
        assert!(matches!(error, InputErrorKind::Damaged { .. }), "{error:?}");
    }
}
