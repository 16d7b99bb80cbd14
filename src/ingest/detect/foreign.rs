//! Formats that are not read, so that people are told what to do.

use super::is_binary;
use crate::ingest::byte_order::ByteOrder;

/// Formats that people send by mistake: magic number and name.
pub const OTHER_FORMATS: [(&[u8], &str); 27] = [
    (&[0xff, 0xd8, 0xff], "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x7fELF", ELF_PROGRAM),
    (b"MZ", WINDOWS_PROGRAM),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (&[0x1f, 0x9d], "a file made by compress (.Z); unpack it first"),
    (b"LZIP\x01", "an lzip file; unpack it first"),
    (b"RTSS", "a Network Monitor capture; convert it with editcap -F pcapng"),
    (b"GMBU", "a Network Monitor capture; convert it with editcap -F pcapng"),
    // What Wireshark's programs convert: wiretap/file_access.c.
    (b"iptrace ", "an iptrace capture of AIX; convert it with editcap -F pcapng"),
    (b"TR\0d\0", "a nettl capture of HP-UX; convert it with editcap -F pcapng"),
    (b"TRSNIFF data    \x1a", "a Sniffer capture; convert it with editcap -F pcapng"),
    (b"XCP\0", "a Sniffer capture; convert it with editcap -F pcapng"),
    (b"ObserverPktBuffe", "an Observer capture; convert it with editcap -F pcapng"),
    (&[0xaa, 0xaa, 0xaa, 0xaa], "a 5View capture; convert it with editcap -F pcapng"),
    (&[0x05, b'V', b'N', b'F'], "a Visual Networks capture; convert it with editcap -F pcapng"),
    (b"\x01\x10\x4c\0\x01\x05Trace", "a LANalyzer capture; convert it with editcap -F pcapng"),
    // lzma's own header: properties, a dictionary of whole KiB, an unknown length.
    (&[0x5d, 0, 0], "a file made by lzma; unpack it first, or compress it with xz"),
    // What a transfer in text mode makes of a section header's first bytes,
    // which were chosen for that: pcapng, section 4.1.
    (b"\r\n\r\r\r\n", DAMAGED_PCAPNG),
    (b"\r\n\r\r\n", DAMAGED_PCAPNG),
    (b"\n\r\n", DAMAGED_PCAPNG),
    (b"\n\n\n", DAMAGED_PCAPNG),
];

pub const DAMAGED_PCAPNG: &str =
    "a pcapng capture that was copied in text mode; copy it again in binary mode";

pub const EVENT_TRACE: &str = "a Windows event trace (.etl); convert it with etl2pcapng, or one of pktmon with pktmon etl2pcap";
pub const UNKNOWN: &str = "binary data of an unknown kind";
const ELF_PROGRAM: &str = "an ELF program";
const WINDOWS_PROGRAM: &str = "a Windows program";

/// Whether what looks like this may have an archive behind it that unpacks itself.
pub fn may_hold_archive(name: &str) -> bool {
    matches!(name, ELF_PROGRAM | WINDOWS_PROGRAM | UNKNOWN)
}

/// Whether it is an event trace of Windows: the size of a buffer, its header of 72
/// bytes, and the header of the first event, which says that it is the system's
/// (`WMI_BUFFER_HEADER` and `SYSTEM_TRACE_HEADER`).
fn is_event_trace(head: &[u8]) -> bool {
    const BUFFER_MAX_BYTES: u32 = 16 * 1024 * 1024;
    let buffer_bytes = ByteOrder::Little.find_u32(head, 0).unwrap_or(0);
    buffer_bytes > 0
        && buffer_bytes <= BUFFER_MAX_BYTES
        && buffer_bytes.is_multiple_of(1024)
        && matches!(head.get(0x48..0x4c), Some([_, 0, 1 | 2, 0xc0]))
}

/// The name of a format that is not read, with what to do about it.
pub fn find_other_format(head: &[u8]) -> Option<&'static str> {
    if is_event_trace(head) {
        return Some(EVENT_TRACE);
    }
    let (magic, name) = OTHER_FORMATS.iter().find(|(magic, _)| head.starts_with(magic))?;
    let rest = &head[magic.len()..];
    // Magic numbers made of letters or line ends could begin a text as well.
    let is_meant = match *magic {
        b"MZ" | b"RTSS" | b"GMBU" | b"iptrace " | b"ObserverPktBuffe" => is_binary(head),
        [0x5d, 0, 0] => head.get(5..13) == Some(&[0xff; 8]),
        _ if *name == DAMAGED_PCAPNG => {
            let near = &rest[..rest.len().min(16)];
            near.windows(4)
                .any(|mark| matches!(mark, [0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a]))
        }
        _ => true,
    };
    is_meant.then_some(*name)
}
