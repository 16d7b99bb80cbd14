//! Whether bytes can be DNS where no port says so for certain.

use super::Payload;
use crate::decode::field::{find_u8, find_u16};

const HEADER_BYTES: usize = 12;
/// The shortest question: the root's name, type and class (RFC 1035 section 4.1.2).
const QUESTION_BYTES: u32 = 5;
/// The shortest record: with time to live and length as well (section 4.1.3).
const RECORD_BYTES: u32 = 11;
/// A name's longest form, with its length bytes.
const MAX_NAME_BYTES: usize = 255;
/// RFC 6891 section 6.1.2: its class is a size.
const OPTION_RECORD: u16 = 41;
/// Internet, chaos, Hesiod, none, any.
const CLASSES: [u16; 5] = [1, 3, 4, 254, 255];
/// mDNS asks for an answer to one, or says that older records are void (RFC 6762
/// sections 5.4 and 10.2).
const MDNS_CLASS_BIT: u16 = 0x8000;
const RESPONSE: u16 = 0x8000;
const TRUNCATED: u16 = 0x0200;
const CODE: u16 = 0x000f;

/// Whether a payload may be a DNS message for all that was captured of it: as many
/// questions and records as it has room for, and a first one with a name, a type and a
/// class that there is. An error may come with the header alone, for its sender could not
/// read what it was asked.
pub(super) fn may_begin(payload: &Payload<'_>) -> bool {
    let bytes = payload.captured;
    let is_cut = !payload.is_whole();
    let Some(flags) = find_u16(bytes, 2) else { return is_cut };
    let counts = [4, 6, 8, 10].map(|offset| find_u16(bytes, offset).map(u32::from));
    let [Some(questions), Some(answers), Some(authorities), Some(additional)] = counts else {
        return is_cut;
    };
    let records = answers + authorities + additional;
    if questions + records == 0 {
        let is_header_alone = u32::try_from(HEADER_BYTES).is_ok_and(|all| all == payload.length);
        return is_header_alone && flags & RESPONSE != 0 && flags & CODE != 0;
    }
    // What was left out of a truncated answer may be counted.
    let counted = if flags & TRUNCATED == 0 { records * RECORD_BYTES } else { 0 };
    let has_room = payload.length.saturating_sub(12) >= questions * QUESTION_BYTES + counted;
    has_room && first_entry_fits(bytes, is_cut)
}

/// Whether the first question, or the first record where none is asked, has the form of
/// one. Nothing stands before its name that this could point to.
fn first_entry_fits(bytes: &[u8], is_cut: bool) -> bool {
    let mut offset = HEADER_BYTES;
    while offset < HEADER_BYTES + MAX_NAME_BYTES {
        match find_u8(bytes, offset) {
            None => return is_cut,
            Some(0) => {
                let (kind, class) = (find_u16(bytes, offset + 1), find_u16(bytes, offset + 3));
                let is_option = offset == HEADER_BYTES && kind == Some(OPTION_RECORD);
                let is_kind = kind.map_or(is_cut, |kind| kind != 0);
                let is_class =
                    class.map_or(is_cut, |class| CLASSES.contains(&(class & !MDNS_CLASS_BIT)));
                return is_kind && (is_option || is_class);
            }
            Some(label_bytes @ 1..=63) => offset += 1 + usize::from(label_bytes),
            Some(64..) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    #[test]
    fn what_dns_fixes_has_to_fit() {
        let cases: [(&str, &[u8], bool); 11] = [
            ("a question", b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01", true),
            ("asked to all", b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\0\0\x1c\x80\x01", true),
            ("an option alone", b"\0\x01\0\0\0\0\0\0\0\0\0\x01\0\0\x29\x10\0\0\0\0\0\0\0", true),
            ("an error alone", b"\0\x01\x80\x05\0\0\0\0\0\0\0\0", true),
            ("no error", b"\0\x01\x80\0\0\0\0\0\0\0\0\0", false),
            ("no room", b"\0\x01\x01\0\0\x03\0\0\0\0\0\0\x01a\0\0\x01\0\x01", false),
            ("no room for records", b"\0\x01\x81\0\0\x01\0\x02\0\0\0\0\x01a\0\0\x01\0\x01", false),
            ("truncated", b"\0\x01\x83\0\0\x01\0\x02\0\0\0\0\x01a\0\0\x01\0\x01", true),
            ("no class", b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x02", false),
            ("a pointer", b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\0\x01\0\x01", false),
            ("nothing", b"", false),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(may_begin(&whole(5353, 9000, bytes)), expected, "{name}");
            // Of a cut one it is not said that it is none before it shows.
            if expected {
                for end in 0..bytes.len() {
                    assert!(
                        may_begin(&cut(5353, 9000, &bytes[..end], bytes.len())),
                        "{name} {end}"
                    );
                }
            }
        }
        let endless = [&b"\0\x01\x01\0\0\x01\0\0\0\0\0\0"[..], &[1; 600]].concat();
        assert!(!may_begin(&whole(5353, 9000, &endless)));
    }
}
