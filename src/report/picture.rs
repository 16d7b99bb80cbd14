//! A ladder's geometry: where lifelines, arrows and words go in the SVG.
//!
//! Coordinates are user units of the `viewBox`, which are CSS pixels at full size.

mod lines;

use self::lines::{break_address, break_words};
use super::ladder::{Arrow, Ladder, Row, Tone};
use super::parties::Party;
use super::plain::clip;

/// How wide a ladder is drawn. A page holds both; its stylesheet shows the one that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// For screens, 880 units.
    Wide,
    /// For phones, 350 units: words above each arrow, across the whole width.
    Narrow,
}

/// The numbers in which the two drawings differ.
struct Measures {
    width: usize,
    /// Left of the first lifeline's column: where the times stand in the wide drawing.
    gutter: usize,
    line_height: usize,
    /// Upper bounds of a character's width in tenths, for monospaced and for other text.
    mono_tenths: usize,
    text_tenths: usize,
}

impl Width {
    const fn measures(self) -> Measures {
        match self {
            Self::Wide => Measures {
                width: 880,
                gutter: 96,
                line_height: 18,
                mono_tenths: 79,
                text_tenths: 76,
            },
            Self::Narrow => Measures {
                width: 350,
                gutter: 0,
                line_height: 17,
                mono_tenths: 67,
                text_tenths: 72,
            },
        }
    }

    pub(super) const fn as_token(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// A ladder, placed.
#[derive(Debug)]
pub(super) struct Picture {
    pub width: usize,
    pub height: usize,
    /// Where the lifelines begin and end.
    pub top: usize,
    pub bottom: usize,
    pub lanes: Vec<LaneMark>,
    pub rows: Vec<RowMark>,
    pub size: &'static str,
}

/// One lifeline and its head.
#[derive(Debug)]
pub(super) struct LaneMark {
    pub x: usize,
    pub role: String,
    pub role_token: &'static str,
    pub lines: Vec<Words>,
}

/// Words at a place.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub x: usize,
    pub y: usize,
    pub text: String,
}

/// One row.
#[derive(Debug)]
pub(super) enum RowMark {
    Arrow(Box<ArrowMark>),
    Note { lines: Vec<Words>, tone: Tone },
}

/// One arrow with its words.
#[derive(Debug)]
pub(super) struct ArrowMark {
    pub tone: Tone,
    pub is_error: bool,
    pub time: Option<Words>,
    pub kind: &'static str,
    /// What the packet says; more than one line where the drawing is narrow.
    pub label: Vec<Words>,
    pub note: Option<Words>,
    pub y: usize,
    pub from_x: usize,
    pub to_x: usize,
    /// The head's outline.
    pub head: String,
    /// A cross before the head, where this packet went wrong. Errors have none: they arrive.
    pub cross: Option<String>,
    pub source_port: Option<PortMark>,
    pub destination_port: Option<PortMark>,
}

/// A port at an arrow's end; `anchor` is the class that aligns it.
#[derive(Debug)]
pub(super) struct PortMark {
    pub words: Words,
    pub anchor: &'static str,
}

/// Places `ladder` at this width.
pub(super) fn draw(ladder: &Ladder<'_>, size: Width) -> Picture {
    let measures = size.measures();
    let count = ladder.lanes.len().max(1);
    let spacing = (measures.width - measures.gutter) / count;
    let lane_x = |index: usize| measures.gutter + spacing / 2 + spacing * index;
    let lanes: Vec<LaneMark> = ladder
        .lanes
        .iter()
        .enumerate()
        .map(|(index, party)| lane(party, lane_x(index), spacing, &measures))
        .collect();
    let head_lines = lanes.iter().map(|lane| lane.lines.len()).max().unwrap_or(0);
    let top = 24 + head_lines * measures.line_height + 8;

    let mut y = top + 10;
    let rows = ladder
        .rows
        .iter()
        .map(|row| match row {
            Row::Arrow(arrow) => {
                let (from_x, to_x) = (lane_x(arrow.from), lane_x(arrow.to));
                let mark = place(arrow, (from_x, to_x), &mut y, size);
                RowMark::Arrow(Box::new(mark))
            }
            Row::Note { words, tone } => {
                let room = (measures.width - measures.gutter) * 10 / measures.text_tenths;
                let x = measures.gutter + (measures.width - measures.gutter) / 2;
                y += 4;
                let line = |text| {
                    y += measures.line_height;
                    Words { x, y, text }
                };
                let words = keep_time_whole(words);
                let placed = break_words(&words, room, room, 2).into_iter().map(line).collect();
                y += 10;
                RowMark::Note { lines: placed, tone: *tone }
            }
        })
        .collect();
    let bottom = y + 8;
    Picture {
        width: measures.width,
        height: bottom + 6,
        top,
        bottom,
        lanes,
        rows,
        size: size.as_token(),
    }
}

/// The words of a fold, with spaces within its time that no line is broken at.
fn keep_time_whole(words: &str) -> String {
    match words.rsplit_once(", until ") {
        Some((fold, until)) => format!("{fold}, until {}", until.replace(' ', "\u{a0}")),
        None => words.to_owned(),
    }
}

fn lane(party: &Party<'_>, x: usize, spacing: usize, measures: &Measures) -> LaneMark {
    let characters = (spacing.saturating_sub(8) * 10 / measures.mono_tenths).max(6);
    let room = (spacing.saturating_sub(14) * 10 / measures.text_tenths).max(6);
    let title = party.title();
    let fits = title.chars().count() <= room;
    let role = clip(if fits { &title } else { party.label() }, room).into_owned();
    let lines = break_address(&party.address_words(), characters)
        .into_iter()
        .enumerate()
        .map(|(index, text)| Words { x, y: 18 + measures.line_height * (index + 1), text })
        .collect();
    LaneMark { x, role, role_token: party.role.as_token(), lines }
}

/// Places an arrow below `y`, which moves on.
fn place(arrow: &Arrow, (from_x, to_x): (usize, usize), y: &mut usize, size: Width) -> ArrowMark {
    let measures = size.measures();
    let (left, right) = (from_x.min(to_x), from_x.max(to_x));
    let kind = if arrow.kind_is_said() { "" } else { arrow.kind_label() };
    // Wide: words start at the arrow and may cross lifelines. Narrow: across the drawing.
    let words_x = match size {
        Width::Wide => left + 12,
        Width::Narrow => 2,
    };
    let room = (measures.width - words_x) * 10 / measures.text_tenths;
    let taken = |text: &str| if text.is_empty() { 0 } else { text.chars().count() + 1 };
    // In the narrow drawing the time stands at the end of the first line.
    let first_room = match (size, &arrow.offset) {
        (Width::Narrow, Some(offset)) => room.saturating_sub(taken(kind) + taken(offset) + 1),
        _ => room.saturating_sub(taken(kind)),
    };
    let lines_max = if size == Width::Narrow { 2 } else { 1 };

    *y += measures.line_height;
    let time = arrow.offset.as_ref().map(|offset| match size {
        Width::Wide => Words { x: 0, y: *y + 12, text: offset.clone() },
        Width::Narrow => Words { x: measures.width - 2, y: *y, text: offset.clone() },
    });
    let mut label = Vec::new();
    for text in break_words(&arrow.summary, first_room, room, lines_max) {
        if !label.is_empty() {
            *y += measures.line_height - 1;
        }
        label.push(Words { x: words_x, y: *y, text });
    }
    let note = arrow.note.map(|note| {
        *y += measures.line_height - 1;
        Words { x: words_x, y: *y, text: clip(note, room).into_owned() }
    });
    *y += 11;
    let line_y = *y;
    let is_loop = from_x == to_x;
    let (from_x, to_x) = if is_loop { (from_x, from_x + 30) } else { (from_x, to_x) };
    let head = if from_x < to_x {
        format!("M{to_x} {line_y}l-10 -5v10z")
    } else {
        format!("M{to_x} {line_y}l10 -5v10z")
    };
    let cross_x = if from_x < to_x { right.saturating_sub(20) } else { left + 20 };
    let cross = (arrow.tone == Tone::Bad && !arrow.kind_is_said()).then(|| {
        format!("M{} {}l10 10m0 -10l-10 10", cross_x.saturating_sub(5), line_y.saturating_sub(5))
    });
    let port = |port: Option<u16>, x: usize, is_left: bool| {
        port.map(|port| PortMark {
            words: Words {
                x: if is_left { x + 6 } else { x.saturating_sub(6) },
                y: line_y + 14,
                text: format!(":{port}"),
            },
            anchor: if is_left { "start" } else { "end" },
        })
    };
    let has_ports = arrow.source_port.is_some() || arrow.destination_port.is_some();
    let mark = ArrowMark {
        tone: arrow.tone,
        is_error: arrow.kind_is_said(),
        time,
        kind,
        label,
        note,
        y: line_y,
        from_x,
        to_x,
        head,
        cross,
        source_port: port(arrow.source_port, from_x, from_x < to_x),
        destination_port: port(arrow.destination_port, to_x, from_x > to_x),
    };
    *y += if has_ports { 22 } else { 12 };
    mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ladder::find_ladder;
    use crate::report::parties::Parties;
    use crate::report::samples;
    use crate::report::times::Times;

    #[test]
    fn everything_is_inside_the_picture() {
        for report in [samples::founding(), samples::hostile()] {
            let (parties, times) = (Parties::new(&report), Times::new(&report));
            for device in &report.devices {
                for exchange in &device.exchanges {
                    let ladder = find_ladder(exchange, device, &parties, &times).unwrap();
                    for size in [Width::Wide, Width::Narrow] {
                        check(&draw(&ladder, size));
                    }
                }
            }
        }
    }

    fn check(picture: &Picture) {
        assert!(picture.lanes.iter().all(|lane| lane.x < picture.width));
        for row in &picture.rows {
            match row {
                RowMark::Note { lines, .. } => {
                    assert!(lines.iter().all(|words| words.y < picture.height));
                }
                RowMark::Arrow(arrow) => {
                    assert!(arrow.y < picture.height);
                    assert!(arrow.from_x.max(arrow.to_x) < picture.width);
                    assert_ne!(arrow.from_x, arrow.to_x);
                    for words in &arrow.label {
                        let room = (picture.width - words.x) / 6;
                        assert!(words.text.chars().count() <= room, "{}", words.text);
                    }
                }
            }
        }
    }
}
