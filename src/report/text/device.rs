//! One device, for terminals: its ladder, why, and what to change.

use super::name;
use super::page::{Colour, Page};
use crate::model::finding::Remedy;
use crate::model::report::{Device, DeviceExchange, DeviceFinding};
use crate::report::advice::remedies;
use crate::report::ladder::{Arrow, Ladder, Row, Tone, find_ladder};
use crate::report::parties::{Parties, Party};
use crate::report::plain::clip;
use crate::report::shelf::for_any_device;
use crate::report::story::facts;
use crate::report::times::Times;
use crate::report::wireshark::find_caution;
use crate::report::wording::count;

/// Frames of evidence per finding.
const EVIDENCE_MAX: usize = 8;
/// Other exchanges that get a line each.
const EXCHANGES_MAX: usize = 8;
/// Characters of what a packet says.
const SUMMARY_MAX: usize = 90;

/// Remedies that an earlier device's section has told, and that device.
#[derive(Default)]
pub(super) struct Told<'a> {
    remedies: Vec<(&'a Remedy, &'a Device)>,
}

/// Writes the section of one device.
pub(super) fn write_device<'a>(
    page: &mut Page,
    device: &'a Device,
    parties: &Parties<'a>,
    times: &Times<'_>,
    told: &mut Told<'a>,
) {
    page.end_line();
    page.paint(Colour::of(device.verdict), &device.verdict.as_text().to_uppercase());
    page.words("  ");
    page.paint(Colour::Strong, &format!("device {}", name(device)));
    page.end_line();
    page.paragraph(2, &device.headline);
    page.paragraph(2, &format!("Taken for the device because {}.", device.device_rule));

    let worst = device.exchanges.first();
    if let Some(exchange) = worst {
        page.end_line();
        page.words("  ");
        page.words(&exchange_title(exchange, device, parties, times));
        page.end_line();
        if let Some(ladder) = find_ladder(exchange, device, parties, times) {
            write_ladder(page, &ladder, device);
        }
        let [.., result] = facts(exchange, device, parties);
        page.words("    Result: ");
        page.paint(tone_colour(result.tone), &result.words);
        page.end_line();
    }
    write_findings(page, device, times);
    if let Some(exchange) = worst
        && let Some(caution) = find_caution(exchange, device, parties)
    {
        page.end_line();
        page.paragraph(2, &caution);
        page.verbatim(6, &exchange.display_filter);
    }
    write_remedies(page, device, told);
    write_other_exchanges(page, device, parties, times);
}

/// `TFTP from [2000::65:119]:41226, 11:55:29.393598, at node3/eth0`.
fn exchange_title(
    exchange: &DeviceExchange,
    device: &Device,
    parties: &Parties<'_>,
    times: &Times<'_>,
) -> String {
    let client = if exchange.client_unknown {
        "an unknown client".to_owned()
    } else {
        parties.render_end(exchange.client, device)
    };
    let mut title = format!("{} from {client}", exchange.protocol);
    if let Some(capture) = exchange.captures.first() {
        if let Some(time) = times.find(capture, exchange.first_packet_at) {
            title.push_str(", ");
            title.push_str(&time);
        }
        title.push_str(", at ");
        title.push_str(&exchange.captures.join(" and "));
    }
    title
}

fn write_ladder(page: &mut Page, ladder: &Ladder<'_>, device: &Device) {
    let path = |arrow: &Arrow| {
        let end = |lane: usize, port| render_end(&ladder.lanes[lane], port, device);
        format!(
            "{} → {}",
            end(arrow.from, arrow.source_port),
            end(arrow.to, arrow.destination_port)
        )
    };
    let arrows = || {
        ladder.rows.iter().filter_map(|row| match row {
            Row::Arrow(arrow) => Some(arrow),
            Row::Note { .. } => None,
        })
    };
    let path_width = arrows().map(|arrow| path(arrow).chars().count()).max().unwrap_or(0);
    let offset = |arrow: &Arrow| arrow.offset.clone().unwrap_or_default();
    let offset_width = arrows().map(|arrow| offset(arrow).chars().count()).max().unwrap_or(0);
    for row in &ladder.rows {
        match row {
            Row::Note { words, tone } => {
                page.words(&format!("    {:offset_width$}  ", ""));
                page.paint(tone_colour(*tone), words);
            }
            Row::Arrow(arrow) => {
                let sign = if arrow.tone == Tone::Bad { "✗" } else { " " };
                page.words("  ");
                page.paint(tone_colour(arrow.tone), sign);
                page.words(&format!(
                    " {:<offset_width$}  {:<10}  {:<path_width$}  ",
                    offset(arrow),
                    arrow.kind_label(),
                    path(arrow),
                ));
                page.words(&clip(&arrow.summary, SUMMARY_MAX));
                if let Some(note) = arrow.note {
                    page.words(", ");
                    page.paint(tone_colour(arrow.tone), note);
                }
            }
        }
        page.end_line();
    }
}

/// `VIP [2000::65:21]:69`; the device without its address, which the heading has.
fn render_end(party: &Party<'_>, port: Option<u16>, device: &Device) -> String {
    match port {
        Some(port) if party.address == device.device => format!("device:{port}"),
        None if party.address == device.device => "device".to_owned(),
        port => Party { port, ..*party }.to_string(),
    }
}

const fn tone_colour(tone: Tone) -> Colour {
    match tone {
        Tone::Plain => Colour::Strong,
        Tone::Good => Colour::Good,
        Tone::Changed => Colour::Warning,
        Tone::Bad => Colour::Bad,
    }
}

fn write_findings(page: &mut Page, device: &Device, times: &Times<'_>) {
    for (index, finding) in device.findings.iter().enumerate() {
        page.end_line();
        page.words("  ");
        page.paint(Colour::of_severity(finding.severity), finding.severity.as_token());
        page.words(&format!(": {}", finding.title));
        page.end_line();
        page.words(&format!("    {}, {}", finding.cause, finding.confidence.as_token()));
        page.end_line();
        page.paragraph(4, &finding.explanation);
        write_evidence(page, finding, times);
        let is_new = device.findings[..index]
            .iter()
            .all(|other| other.display_filter != finding.display_filter);
        if is_new && !finding.display_filter.is_empty() {
            page.words(&format!("    Wireshark filter: {}", finding.display_filter));
            page.end_line();
        }
    }
}

fn write_evidence(page: &mut Page, finding: &DeviceFinding, times: &Times<'_>) {
    for frame in finding.evidence.iter().take(EVIDENCE_MAX) {
        let time = times
            .find(&frame.capture, frame.at)
            .map(|time| format!("  {time}"))
            .unwrap_or_default();
        page.words(&format!(
            "    {} {} {}{time}  {}",
            frame.capture,
            times.place_word(&frame.capture),
            frame.frame,
            frame.summary
        ));
        page.end_line();
    }
    let omitted = finding.evidence.len().saturating_sub(EVIDENCE_MAX) as u64;
    if omitted > 0 {
        page.paragraph(4, &format!("and {}", count(omitted, "more frame", "more frames")));
    }
}

/// What to change. A remedy that differs from an earlier device's in the
/// device's address only is not told again.
fn write_remedies<'a>(page: &mut Page, device: &'a Device, told: &mut Told<'a>) {
    let remedies = remedies(device);
    if !remedies.is_empty() {
        page.end_line();
        page.words("  ");
        page.paint(Colour::Strong, "What to change");
        page.end_line();
    }
    for (index, remedy) in remedies.into_iter().enumerate() {
        let or = if index == 0 || remedy.title.starts_with("Or ") { "" } else { "or: " };
        let mark = format!("{}. {or}", index + 1);
        let indent = 4 + mark.chars().count();
        let is_known = |(known, first): &&(&Remedy, &Device)| {
            first.device != device.device
                && for_any_device(known, first.device) == for_any_device(remedy, device.device)
        };
        if let Some((_, first)) = told.remedies.iter().find(is_known) {
            let title = &remedy.title;
            page.item(&mark, indent, &format!("{title} (see {}, above)", name(first)));
            continue;
        }
        page.item(&mark, indent, &remedy.title);
        for step in &remedy.steps {
            page.item("- ", 9, step);
        }
        for command in &remedy.commands {
            page.verbatim(11, command);
        }
    }
    let remedies = device.findings.iter().flat_map(|finding| &finding.remedies);
    told.remedies.extend(remedies.map(|remedy| (remedy, device)));
}

fn write_other_exchanges(
    page: &mut Page,
    device: &Device,
    parties: &Parties<'_>,
    times: &Times<'_>,
) {
    let others = device.exchanges.get(1..).unwrap_or_default();
    let shown = &others[..others.len().min(EXCHANGES_MAX)];
    let hidden = (others.len() - shown.len()) as u64;
    let omitted = device.exchanges_omitted.saturating_add(hidden);
    if shown.is_empty() && omitted == 0 {
        return;
    }
    page.end_line();
    page.words("  ");
    page.paint(Colour::Strong, "Other exchanges of this device");
    page.end_line();
    for exchange in shown {
        page.words("    ");
        page.paint(Colour::of(exchange.verdict), &format!("{:<12}", exchange.verdict));
        page.words(" ");
        page.words(&exchange_title(exchange, device, parties, times));
        if let Some(words) = &exchange.error_answer {
            page.words(&format!(", answered with {words}"));
        }
        page.end_line();
    }
    if omitted > 0 {
        page.paragraph(4, &format!("and {}", count(omitted, "more exchange", "more exchanges")));
    }
}
