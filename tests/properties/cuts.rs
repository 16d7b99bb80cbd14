//! Where a capture was cut, and in which order its packets were written.

use proptest::prelude::*;
use proptest::sample::Index;

use super::frames::{Format, Frames, RawFrame};
use super::scenarios::{CaptureInput, Scenario, apart_scenarios, differences, scenarios};
use super::variants::{CASES, has_a_direction_each, hold, hold_for};

/// What is cut in two is known for one capture by what goes on at the seam: the clock, and
/// soon enough.
const LONGEST_PAUSE_NS: i64 = 60_000_000_000;
const DISORDER_NS: i64 = 10_000_000;

/// Where a clock was set back, times do not tell which of the files of a ring comes first.
const WITHOUT_TIME: &[&str] = &["clock-steps-back"];

#[test]
fn a_capture_may_be_cut_in_two_files() {
    let mut all = scenarios();
    all.extend(apart_scenarios());
    let cuts = prop::collection::vec(any::<Index>(), 4);
    hold_for(
        &all,
        2 * CASES,
        &(cuts, any::<bool>(), any::<bool>()),
        |scenario, expected, variant| {
            let (cuts, backwards, is_pcapng) = variant;
            if has_a_direction_each(scenario) {
                return Vec::new();
            }
            let mut cut = scenario.clone();
            cut.captures = scenario
                .captures
                .iter()
                .zip(cuts.iter().cycle())
                .flat_map(|(capture, at)| {
                    let mut parts = parts(capture, &[*at]);
                    if backwards {
                        parts.reverse();
                    }
                    parts
                })
                .collect();
            let format = if is_pcapng { Format::Pcapng } else { Format::Pcap };
            let mut found = differences(expected, &cut.diagnose_as(format));
            if !found.is_empty() {
                let lengths = cut.captures.iter().map(|part| part.frames.frames.len());
                found.push(format!("cut into {:?}", lengths.collect::<Vec<_>>()));
            }
            found
        },
    );
}

#[test]
fn a_ring_of_files_is_one_capture() {
    let variants = (prop::collection::vec(any::<Index>(), 4), any::<Index>());
    hold(&variants, |scenario, expected, (cuts, turn)| {
        if WITHOUT_TIME.contains(&scenario.name.as_str()) || has_a_direction_each(scenario) {
            return Vec::new();
        }
        // A reader of several interfaces takes some frames from each in turn;
        // files of a ring are longer than that.
        let mut cut = scenario.map(Frames::in_order);
        cut.captures = cut.captures.iter().flat_map(|capture| parts(capture, &cuts)).collect();
        let count = cut.captures.len();
        cut.captures.rotate_left(turn.index(count));
        differences(expected, &cut.diagnose())
    });
}

/// Two queues of a network card write what they took in turn.
#[test]
fn neighbours_may_be_written_in_the_wrong_order() {
    let all: Vec<Scenario> = scenarios().into_iter().chain(apart_scenarios()).collect();
    let swaps = prop::collection::vec(any::<bool>(), 1..32);
    hold_for(&all, CASES, &swaps, |scenario, expected, swaps| {
        let swapped = scenario.map(|frames| frames.with(swap_neighbours(&frames.frames, &swaps)));
        differences(expected, &swapped.diagnose())
    });
}

/// Frames that were taken at nearly one time, some of them exchanged with the next.
fn swap_neighbours(frames: &[RawFrame], swaps: &[bool]) -> Vec<RawFrame> {
    let mut swapped = frames.to_vec();
    let mut swaps = swaps.iter().cycle();
    let mut at = 0;
    while at + 1 < swapped.len() {
        let apart_ns = swapped[at + 1].at_ns - swapped[at].at_ns;
        let is_near = 0 < apart_ns && apart_ns < DISORDER_NS / 2;
        if is_near && swaps.next() == Some(&true) {
            swapped.swap(at, at + 1);
            at += 1;
        }
        at += 1;
    }
    swapped
}

/// A capture in parts that begin at the frames `cuts`, empty ones left out. It is not cut
/// where nothing shows that one part goes on with the other.
fn parts(capture: &CaptureInput, cuts: &[Index]) -> Vec<CaptureInput> {
    let frames = &capture.frames.frames;
    let count = frames.len();
    let goes_on = |cut: &usize| {
        let before = cut.checked_sub(1).and_then(|before| frames.get(before));
        before.zip(frames.get(*cut)).is_none_or(|(before, after)| {
            (-DISORDER_NS..=LONGEST_PAUSE_NS).contains(&(after.at_ns - before.at_ns))
        })
    };
    let mut cuts: Vec<usize> =
        cuts.iter().map(|cut| cut.index(count.max(1))).filter(goes_on).collect();
    cuts.extend([0, count]);
    cuts.sort_unstable();
    cuts.dedup();
    let parts = cuts.windows(2).enumerate().map(|(number, range)| CaptureInput {
        name: format!("{number}-{}", capture.name),
        point: capture.point.clone(),
        frames: capture.frames.with(frames[range[0]..range[1]].to_vec()),
    });
    parts.collect()
}
