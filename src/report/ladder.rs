//! An exchange as a ladder: addresses side by side, packets between them in order.
//!
//! The ladder is what both the picture and the terminal's lines are drawn from.
//! Long runs are folded, so that its size does not depend on the capture's.

mod fold;
mod remark;

use std::net::IpAddr;

use self::fold::{find_run, fold_words};
pub(super) use self::remark::has_asked_again;
use self::remark::{remark, silence};
use super::parties::{Parties, Party};
use super::times::Times;
use super::wording::{count, icmp_label};
use crate::model::report::{Device, DeviceExchange, IcmpPart, Step, StepKind};

/// More lifelines than this cannot be told apart on a page.
const LANES_MAX: usize = 5;
/// Rows after folding; the rest is one counted row.
const ROWS_MAX: usize = 16;
/// Packets drawn after a gap, of which each may take a row for the gap before it.
const LATE_MAX: usize = 4;

/// An exchange, ready to be drawn.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ladder<'a> {
    /// The client first, then the address asked, then those that answered.
    pub lanes: Vec<Party<'a>>,
    pub rows: Vec<Row>,
}

/// One row of a ladder.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    Arrow(Arrow),
    /// What is not drawn, or was not there, in words.
    Note {
        words: String,
        tone: Tone,
    },
}

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    /// Indices into the ladder's lanes.
    pub from: usize,
    pub to: usize,
    pub kind: StepKind,
    pub source_port: Option<u16>,
    pub destination_port: Option<u16>,
    /// Time since the exchange's first packet; `None` where the capture has no times.
    pub offset: Option<String>,
    pub summary: String,
    /// What is wrong or unusual about this packet.
    pub note: Option<&'static str>,
    pub tone: Tone,
}

impl Arrow {
    pub(super) fn kind_label(&self) -> &'static str {
        self.kind.as_text()
    }

    /// Whether the summary says the kind already: errors begin with their protocol's name.
    pub(super) fn kind_is_said(&self) -> bool {
        self.kind == StepKind::IcmpError
    }
}

/// How a part of the story is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    /// An address changed, which alone stops nothing.
    Changed,
    /// This is where the exchange stopped.
    Bad,
}

impl Tone {
    /// The class in the stylesheet.
    pub(super) const fn as_token(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Changed => "changed",
            Self::Bad => "bad",
        }
    }
}

/// The ladder of an exchange; `None` where the report holds none of its packets.
pub(super) fn find_ladder<'a>(
    exchange: &DeviceExchange,
    device: &'a Device,
    parties: &Parties<'a>,
    times: &Times<'_>,
) -> Option<Ladder<'a>> {
    let first = exchange.steps.first()?;
    let start = (first.capture.as_str(), first.at);
    let lanes = lanes(exchange);
    let drawn: Vec<&Step> = exchange
        .steps
        .iter()
        .filter(|step| lanes.contains(&step.source) && lanes.contains(&step.destination))
        .collect();
    let undrawn = exchange.steps.len() - drawn.len();
    let lane_of = |address: IpAddr| lanes.iter().position(|lane| *lane == address).unwrap_or(0);

    let mut rows: Vec<Row> = Vec::new();
    let draw = |rows: &mut Vec<Row>, step: &Step| {
        let (tone, note) = remark(step, exchange, parties, device);
        let (from, to) = (lane_of(step.source), lane_of(step.destination));
        let is_said = |row: &Row| matches!(row, Row::Arrow(arrow) if (arrow.from, arrow.to, arrow.note) == (from, to, note));
        // Said once, it holds for the packets that go the same way.
        let note = note.filter(|_| !rows.iter().any(is_said));
        rows.push(Row::Arrow(Arrow {
            from,
            to,
            kind: step.kind,
            source_port: step.source_port,
            destination_port: step.destination_port,
            offset: times.find_offset(&step.capture, step.at, start),
            summary: summary(step),
            note,
            tone,
        }));
    };
    // What comes after a gap was kept because it tells something: it has its rows.
    let first_late = drawn.iter().position(|step| step.omitted_before > 0);
    let (early, late) = drawn.split_at(first_late.unwrap_or(drawn.len()));
    let late = &late[..late.len().min(LATE_MAX)];
    let most_early = ROWS_MAX - 2 * late.len();
    let mut next = 0;
    while next < early.len() && rows.len() < most_early {
        // An error that the server answers with is drawn, whatever it is like.
        let is_error = |step: &&Step| tells_error(step, exchange);
        let until = early[next..].iter().position(is_error).unwrap_or(early.len() - next);
        let run = find_run(&early[next..next + until.max(1)]);
        for step in &early[next..next + run.period] {
            draw(&mut rows, step);
        }
        let end = next + run.period + run.hidden;
        if run.hidden > 0 {
            let last = early[end - 1];
            let until = times.find_offset(&last.capture, last.at, start);
            rows.push(Row::Note { words: fold_words(run, until.as_deref()), tone: Tone::Plain });
        }
        next = end;
    }
    let mut told = 0_u64;
    for (index, step) in late.iter().enumerate() {
        let skipped = if index == 0 { (early.len() - next) as u64 } else { 0 };
        told = told.saturating_add(step.omitted_before).saturating_add(skipped);
        let between = step.omitted_before.saturating_add(skipped);
        if between > 0 {
            let words = format!("… {} not drawn", count(between, "packet", "packets"));
            rows.push(Row::Note { words, tone: Tone::Plain });
        }
        draw(&mut rows, step);
    }
    let rest = (drawn.len() - next - late.len() + undrawn) as u64;
    let omitted = rest.saturating_add(exchange.steps_omitted).saturating_sub(told);
    if omitted > 0 {
        let words = format!("… {} not drawn", count(omitted, "more packet", "more packets"));
        rows.push(Row::Note { words, tone: Tone::Plain });
    } else if parties.is_tracked(exchange) {
        // A table has no order: nothing was waited for.
    } else if let Some(words) = silence(exchange) {
        rows.push(Row::Note { words: words.to_owned(), tone: Tone::Bad });
    }
    let lanes = lanes.into_iter().map(|address| parties.party(address, device)).collect();
    Some(Ladder { lanes, rows })
}

/// Whether the server's error is this packet: `DNS ServFail` tells of `ServFail`.
fn tells_error(step: &Step, exchange: &DeviceExchange) -> bool {
    let words = exchange.error_answer.as_deref();
    step.kind == StepKind::Reply && words.is_some_and(|words| step.summary.contains(words))
}

/// The client, whom it asked, who answered, and who else sent or got a packet.
fn lanes(exchange: &DeviceExchange) -> Vec<IpAddr> {
    let mut lanes = Vec::with_capacity(LANES_MAX);
    let asked = exchange.request.as_ref().map(|request| request.destination.address);
    let answerers = exchange.replies.iter().map(|reply| reply.source.address);
    let ends = exchange.steps.iter().flat_map(|step| [step.source, step.destination]);
    let mentioned = std::iter::once(exchange.client.address).chain(asked).chain(answerers);
    let appears = |address: IpAddr| {
        exchange.steps.iter().any(|step| step.source == address || step.destination == address)
    };
    for address in mentioned.chain(ends) {
        if lanes.len() < LANES_MAX && !lanes.contains(&address) && appears(address) {
            lanes.push(address);
        }
    }
    lanes
}

/// What a packet says. Errors say which family they are of, as it tells two rule sets apart.
fn summary(step: &Step) -> String {
    match step.kind {
        StepKind::IcmpError if step.source.is_ipv6() && step.summary.starts_with("ICMP ") => {
            step.summary.replacen("ICMP ", "ICMPv6 ", 1)
        }
        _ => step.summary.clone(),
    }
}

/// `ICMPv6 port unreachable ×3`: all errors of an exchange, counted by kind and sender.
pub(super) fn error_counts(exchange: &DeviceExchange) -> Vec<(String, IpAddr)> {
    let part = |part: &IcmpPart| {
        let label = icmp_label(part.kind, part.from);
        let words = if part.packets == 1 { label } else { format!("{label} ×{}", part.packets) };
        (words, part.from)
    };
    exchange.icmp_errors.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::fold::PERIOD_MAX;
    use super::*;
    use crate::report::samples;

    fn ladder_rows(device: usize) -> Vec<String> {
        let report = samples::founding();
        let device = &report.devices[device];
        let (parties, times) = (Parties::new(&report), Times::new(&report));
        let ladder = find_ladder(&device.exchanges[0], device, &parties, &times).unwrap();
        ladder
            .rows
            .iter()
            .map(|row| match row {
                Row::Note { words, .. } => words.clone(),
                Row::Arrow(arrow) => format!(
                    "{} {} > {} {}",
                    arrow.kind_label(),
                    ladder.lanes[arrow.from],
                    ladder.lanes[arrow.to],
                    arrow.tone.as_token(),
                ),
            })
            .collect()
    }

    #[test]
    fn the_founding_case_shows_its_fault_once() {
        assert_eq!(
            ladder_rows(0),
            [
                "request device 2000::65:119 > VIP 2000::65:21 plain",
                "reply node 2000::65:13 > device 2000::65:119 changed",
                "follow-up device 2000::65:119 > VIP 2000::65:21 bad",
                "ICMP error VIP 2000::65:21 > device 2000::65:119 bad",
                "… the same 3 packets 2 more times, until +6.015 s",
            ]
        );
    }

    #[test]
    fn a_transfer_that_goes_on_has_nothing_bad() {
        let rows = ladder_rows(1);
        assert_eq!(rows[1], "reply node 192.168.65.13 > device 192.168.101.254 changed");
        assert_eq!(rows[2], "follow-up device 192.168.101.254 > node 192.168.65.13 plain");
        assert!(rows.iter().all(|row| !row.contains("bad")), "{rows:?}");
    }

    #[test]
    fn a_packet_after_a_gap_is_drawn_behind_it() {
        for device in 0..2 {
            let mut report = samples::founding();
            let exchange = &mut report.devices[device].exchanges[0];
            let last = exchange.steps.len() - 1;
            exchange.steps[last].omitted_before = 40;
            exchange.steps_omitted = 47;
            let last = exchange.steps[last].summary.clone();
            let device = &report.devices[device];
            let (parties, times) = (Parties::new(&report), Times::new(&report));
            let ladder = find_ladder(&device.exchanges[0], device, &parties, &times).unwrap();
            let told: Vec<&str> = ladder
                .rows
                .iter()
                .map(|row| match row {
                    Row::Note { words, .. } => words.as_str(),
                    Row::Arrow(arrow) => arrow.summary.as_str(),
                })
                .collect();
            let [.., gap, arrow, rest] = told[..] else { unreachable!("{told:?}") };
            assert_eq!(gap, "… 40 packets not drawn");
            assert!(arrow.ends_with(last.trim_start_matches("ICMP ")), "{arrow}, not {last}");
            assert_eq!(rest, "… 7 more packets not drawn");
        }
    }

    #[test]
    fn a_hostile_exchange_stays_small() {
        let report = samples::hostile();
        let device = &report.devices[0];
        let (parties, times) = (Parties::new(&report), Times::new(&report));
        let ladder = find_ladder(&device.exchanges[0], device, &parties, &times).unwrap();
        assert!(ladder.lanes.len() <= LANES_MAX);
        assert!(ladder.rows.len() <= ROWS_MAX + PERIOD_MAX + 2);
    }
}
