//! How much is kept of fragments, and for how long.

use super::*;

#[test]
fn what_is_kept_is_bounded() {
    let limits = Limits { fragmented_datagrams: 10, ..Limits::default() };
    for is_v6 in [false, true] {
        let mut decoder = Decoder::new(limits);
        let mut evicted = Vec::new();
        for number in 0..100 {
            let [first, ..] = fragments(is_v6, number);
            decode_one(&mut decoder, number.into(), at(1), &first).unwrap();
            while let Some(packet) = decoder.take_lost(Some(at(1))) {
                assert_eq!(lost_of(&packet).ended, FragmentsEnd::Evicted);
                evicted.push(lost_of(&packet).identification);
            }
        }
        assert_eq!(evicted, (0..90).collect::<Vec<u32>>());
        assert_eq!(std::iter::from_fn(|| decoder.take_lost(None)).count(), 10);

        // A last fragment far out takes the memory of all before it.
        let limits = Limits { fragment_bytes: 1 << 20, ..Limits::default() };
        let mut decoder = Decoder::new(limits);
        for number in 0..2_000 {
            let mut last = fragments(is_v6, number)[2].clone();
            let offset = if is_v6 { 42 } else { 6 };
            last[offset..offset + 2].copy_from_slice(if is_v6 { &[0xf0, 0] } else { &[0x1e, 0] });
            decode_one(&mut decoder, 1, at(1), &last).unwrap();
        }
        let waiting = decoder.fragments.waiting.len();
        assert!((10..=17).contains(&waiting), "{waiting}");
        assert!(decoder.fragments.waiting_bytes <= 1 << 20);
        assert!(decoder.fragments.ages.len() <= 2 * 1_024);
        assert!(decoder.fragments.lost.len() <= 1_024);
        while decoder.take_lost(None).is_some() {}
        assert_eq!(decoder.fragments.waiting_bytes, 0);
    }
}

#[test]
fn what_was_finished_is_forgotten_in_time() {
    for is_v6 in [false, true] {
        let mut decoder = new_decoder();
        for number in 0..1_000 {
            for bytes in fragments(is_v6, number) {
                decode_one(&mut decoder, 1, at(1), &bytes).unwrap();
            }
        }
        let fragments = &decoder.fragments;
        assert_eq!((fragments.waiting.len(), fragments.waiting_bytes), (0, 0));
        assert!(fragments.finished.len() <= super::super::MAX_FINISHED);
        assert!(fragments.finished_ages.len() <= super::super::MAX_FINISHED);
        assert!(fragments.ages.len() <= 2 * 1_024);
    }
}
