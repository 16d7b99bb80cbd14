//! Hashes by which datagrams are recognised again.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// How many payload bytes go into a fingerprint.
const FINGERPRINT_BYTES: usize = 32;

/// Of a payload that was cut, fewer bytes tell nothing: an operation and a block (RFC 1350
/// section 5), and less than any identity takes.
const FEWEST_BYTES: usize = 4;

/// Hash of a payload's first 32 captured bytes and of its `length` in bytes by
/// the UDP header. NAT does not touch payloads (but for the kernel's SIP and
/// FTP helpers), so a datagram has the same one before and after translation.
///
/// Two points agree wherever both captured 32 bytes of the payload, or all of a
/// shorter one. Where a snap length left fewer at one of them, they do not.
/// Datagrams that differ only after byte 32 share a fingerprint; whoever
/// compares must look at time and IP identification too.
///
/// `None` where the payload has bytes and too few of them were captured to tell anything: of
/// TFTP not even which block it is. An empty payload has a fingerprint: nothing of it is missing.
pub(super) fn find_fingerprint(captured: &[u8], length: u32) -> Option<u64> {
    let is_cut = u32::try_from(captured.len()).is_ok_and(|captured| captured < length);
    if is_cut && captured.len() < FEWEST_BYTES {
        return None;
    }
    let head = captured.get(..FINGERPRINT_BYTES).unwrap_or(captured);
    let mut hasher = FxHasher::default();
    hasher.write(head);
    hasher.write_u32(length);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snap_length_does_not_change_a_fingerprint_after_32_bytes() {
        let payload: Vec<u8> = (0..=255).collect();
        let whole = find_fingerprint(&payload, 256);
        for captured_bytes in [32, 33, 64, 100, 255] {
            assert_eq!(find_fingerprint(&payload[..captured_bytes], 256), whole);
        }
        for captured_bytes in [4, 16, 31] {
            assert_ne!(find_fingerprint(&payload[..captured_bytes], 256), whole);
        }
    }

    #[test]
    fn length_and_bytes_count() {
        assert_ne!(find_fingerprint(b"abc", 3), find_fingerprint(b"abc", 4));
        assert_ne!(find_fingerprint(b"abc", 3), find_fingerprint(b"abd", 3));
        for captured in [&b""[..], b"a", b"abc"] {
            assert_eq!(find_fingerprint(captured, 5), None);
        }
        assert!(find_fingerprint(b"abcd", 5).is_some());
        assert!(find_fingerprint(b"a", 1).is_some(), "nothing of it is cut");
        assert!(find_fingerprint(b"", 0).is_some());
    }
}
