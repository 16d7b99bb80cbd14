//! Halves of which not all packets could be kept, for there were too many.
//!
//! Of plain questions and answers the counts do: as many answers as questions, from the
//! endpoint that was asked. Where there are fewer it is not known what was answered.

use hashbrown::HashMap;

use super::joined::Joined;
use super::socket::are_alike;
use crate::correlate::audience::Audience;
use crate::correlate::count::{Count, Mark};
use crate::correlate::record::{ExchangeIndex, Flag, Record};
use crate::correlate::sides::RepliesFrom;
use crate::correlate::table::PointTable;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::capture::{FrameRef, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Beside;

/// The answers that one point saw of a socket which asked at another.
#[derive(Debug, Clone, Copy)]
struct Answers {
    table: usize,
    index: ExchangeIndex,
    tally: Count,
}

/// Gives questions that no answer was seen to the answers that another point saw: where
/// packets did not stay, and of exchanges so long that none of theirs are kept.
pub fn join(tables: &mut [PointTable], kinds: &[PointKind], has_lost: bool) {
    let mut known: HashMap<(Endpoint, Endpoint), Answers> = HashMap::new();
    for (table, own) in tables.iter().enumerate() {
        for (position, record) in own.exchanges.iter().enumerate() {
            let is_kept = !has_lost && !record.is_long();
            let replies = find_answers(record).filter(|_| !is_kept);
            let answers = ExchangeIndex::new(position).zip(replies);
            if let Some((index, replies)) = answers {
                let tally = replies.tally.count;
                let ends = (record.client, replies.source);
                known.entry(ends).or_insert(Answers { table, index, tally });
            }
        }
    }
    let mut gone: HashMap<usize, Vec<ExchangeIndex>> = HashMap::new();
    for table in 0..tables.len() {
        for position in 0..tables[table].exchanges.len() {
            let record = &tables[table].exchanges[position];
            let Some(asked) = record.asked.filter(|_| is_in_vain(record)) else { continue };
            let Some(answers) = known.get(&(record.client, asked)).copied() else { continue };
            let is_elsewhere = answers.table != table
                && tables[answers.table].id.as_captured() != tables[table].id.as_captured()
                && are_alike(kinds[table], kinds[answers.table]);
            let Some(index) = ExchangeIndex::new(position).filter(|_| is_elsewhere) else {
                continue;
            };
            let details = record.details.as_ref();
            let repeats = details.map_or(0, |details| details.repeated_requests.packets());
            let questions = record.requests.packets.saturating_sub(repeats);
            if answers.tally.packets < questions {
                tables[table].exchanges[position].flags.add(Flag::AnswersElsewhere);
                continue;
            }
            known.remove(&(record.client, asked));
            gone.entry(answers.table).or_default().push(answers.index);
            let there = tables[answers.table].id;
            take(&mut tables[table], index, answers.tally, Beside { point: there, ahead_ns: 0 });
        }
    }
    for (table, gone) in gone {
        super::commit::take_away(&mut tables[table], &gone);
    }
}

/// The answers of a record that has nothing but those of one endpoint.
fn find_answers(record: &Record) -> Option<&RepliesFrom> {
    let is_plain = !is_tftp_protocol(record.protocol) && !record.is_vacant();
    let details = record.details.as_deref().filter(|_| is_plain && record.is_reply_alone())?;
    details.replies.first()
}

fn is_in_vain(record: &Record) -> bool {
    !record.protocol.is_one_way()
        && record.audience != Audience::Group
        && !is_tftp_protocol(record.protocol)
        && record.requests.packets > 0
        && !record.is_answered()
}

/// Counts what another point saw as the answers of the exchange at `index`.
fn take(table: &mut PointTable, index: ExchangeIndex, answers: Count, beside: Beside) {
    let capture = beside.point.capture;
    let marks = [answers.first, answers.last];
    let number = table.joined.next_number();
    table.joined.borrow(marks.map(|mark| mark.frame(capture)));
    table.joined.insert(index, Joined { observed: None, beside: Some(beside) });
    let borrowed = |number: u64, mark: Mark| {
        Mark::new(FrameRef { capture: table.id.capture, number, at: mark.at })
    };
    let (first, last) = (borrowed(number, marks[0]), borrowed(number + 1, marks[1]));
    let Some(record) = table.exchanges.get_mut(index.position()) else { return };
    record.answers = Count { first, last, ..answers };
    record.unanswered.answer_all();
}
