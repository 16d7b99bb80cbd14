//! Lines before which no format stands: packets as tcpdump prints them, words that lead to
//! one, sentences that tell of one, and all else.

use super::above::Before;
use super::formats::is_printed;
use super::told::{Behind, has_own_time};
use super::{Out, Repair, Repaired, Turn, marks, may_hold_packet, several};
use crate::ingest::tcpdump_text::looks_like_packet;
use crate::ingest::transcript::heading::names_place;

impl Repair {
    /// Takes a line that no format explains.
    pub(super) fn take_unexplained(&mut self, number: u64, text: &str, turn: Turn, out: Out<'_>) {
        self.above.note(text);
        if !may_hold_packet(text) || self.above.takes(text) {
            return self.pass_on(number, text, out);
        }
        let text = marks::remove_marks(text);
        if is_printed(&text) || looks_like_packet(&text) {
            self.above.before = Before::Nothing;
            if turn == Turn::First {
                self.told.note(&text);
            }
            return self.push_several(number, &text, out);
        }
        let Some(behind) = Behind::find(&text) else { return self.pass_on(number, &text, out) };
        let may_be_told = !behind.is_led_to || has_own_time(behind.packet);
        if may_be_told && turn == Turn::First {
            return self.hold(number, &text, out);
        }
        let stands_plainly = may_be_told && self.told.stands_plainly(behind.packet);
        match (behind.is_led_to, stands_plainly) {
            (true, true) if several::split(behind.packet).len() == 1 => {
                self.told.leave_out(behind.packet);
                self.pass_on(number, behind.words, out);
            }
            (true, _) => self.push_led_to(number, behind, out),
            (false, _) => {
                self.pass_on(number, &text, out);
                if !stands_plainly {
                    self.leave_unread(number, behind.words, out);
                }
            }
        }
    }

    /// `Host: ` before the first packet of a capture is its heading, a line of its own; before
    /// one packet after the other such words say who sent it.
    fn push_led_to(&mut self, number: u64, behind: Behind<'_>, out: Out<'_>) {
        if self.above.before == Before::Nothing && names_place(behind.words) {
            self.pass_on(number, behind.words, out);
        }
        self.above.before = Before::Words;
        self.push_several(number, behind.packet, out);
    }

    fn leave_unread(&mut self, number: u64, words: &str, out: Out<'_>) {
        self.broken.finish(out);
        let fault = self.told.note_unread(number, words);
        out(Repaired::Unread { packets: 1, fault });
    }
}
