//! A report for terminals.

mod device;
mod page;

use self::device::{Told, write_device};
use self::page::{Colour, Page};
use super::parties::Parties;
use super::tables::{AddressTable, CaptureRow};
use super::times::{TimeWords as _, Times};
use super::wording::{VerdictWords as _, count, needs_detail};
use crate::model::finding::Verdict;
use crate::model::report::{Device, Report};
use crate::model::stand_in::render_named;

/// Devices that are told in full.
const DETAILED_MAX: usize = 10;
/// Devices that get a line each after those, where nobody said how many.
const LISTED_MAX: usize = 40;
/// Devices that work get a line each if there are no more of them than this.
const WORKING_MAX: usize = 5;
/// Where more is said about the causes named above.
const CAUSES_HINT: &str = "What each cause means and what would disprove it: /docs/causes of a running service (replyscope serve).";
/// Addresses that get a line each.
const ADDRESSES_MAX: usize = 40;

/// The report as text without control characters, but for ANSI colours where `style` says so.
///
/// The first line is the verdict and the headline: what `head -1` and a chat
/// message show.
#[must_use]
pub fn render_text(report: &Report, style: Style) -> String {
    render_worst(report, style, None)
}

/// As [`render_text`], with the worst `most` devices where somebody said how many.
#[must_use]
pub fn render_worst(report: &Report, style: Style, most: Option<usize>) -> String {
    let (parties, times) = (Parties::new(report), Times::new(report));
    let mut page = Page::new(style);
    write_head(&mut page, report);
    let is_detailed = |(index, device): &(usize, &Device)| *index == 0 || needs_detail(device);
    let detailed: Vec<_> = report
        .devices
        .iter()
        .enumerate()
        .filter(is_detailed)
        .take(most.unwrap_or(DETAILED_MAX).min(DETAILED_MAX))
        .collect();
    let mut told = Told::default();
    for (_, device) in &detailed {
        write_device(&mut page, device, &parties, &times, &mut told);
    }
    // Devices that need no detail may stand between those that do.
    let is_told = |index: usize| detailed.iter().any(|(told, _)| *told == index);
    let others: Vec<&Device> = report
        .devices
        .iter()
        .enumerate()
        .filter_map(|(index, device)| (!is_told(index)).then_some(device))
        .collect();
    match most {
        None => write_other_devices(&mut page, &others),
        Some(most) => {
            write_listed_devices(&mut page, &others, most.saturating_sub(detailed.len()));
        }
    }
    write_addresses(&mut page, report);
    write_captures(&mut page, report);
    if detailed.iter().any(|(_, device)| !device.findings.is_empty()) {
        page.end_line();
        page.paragraph(0, CAUSES_HINT);
    }
    page.finish()
}

/// Whether the reader shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Ansi,
}

fn write_head(page: &mut Page, report: &Report) {
    page.paint(Colour::of(report.verdict), &report.verdict.as_text().to_uppercase());
    page.words("  ");
    page.words(&report.headline);
    page.end_line();
    page.words(&report.title);
    page.words(", ");
    page.words(&report.created_at.minute());
    let counts: Vec<_> = report
        .summary
        .verdicts
        .iter()
        .rev()
        .map(|(verdict, devices)| format!("{} {verdict}", count(*devices, "device", "devices")))
        .collect();
    if !counts.is_empty() {
        page.words(": ");
        page.words(&counts.join(", "));
    }
    page.end_line();
    page.paragraph(0, report.verdict.meaning());
}

/// The devices that are not told in full: those with a fault by line, those that work by number.
fn write_other_devices(page: &mut Page, devices: &[&Device]) {
    if devices.is_empty() {
        return;
    }
    let (faulty, working): (Vec<&Device>, Vec<&Device>) =
        devices.iter().copied().partition(|device| needs_detail(device));
    page.heading("Other devices");
    let listed_working = if working.len() > WORKING_MAX { &[] } else { working.as_slice() };
    for device in faulty.iter().take(LISTED_MAX).chain(listed_working) {
        write_line(page, device);
    }
    write_omitted(page, faulty.len().saturating_sub(LISTED_MAX));
    if working.len() > WORKING_MAX {
        for verdict in [Verdict::OneWay, Verdict::Symmetric] {
            let devices = working.iter().filter(|device| device.verdict == verdict).count() as u64;
            if devices > 0 {
                page.paragraph(
                    2,
                    &format!("{} {verdict}", count(devices, "device is", "devices are")),
                );
            }
        }
    }
}

/// As many devices as somebody wants to see, a line each, whether they work or not.
fn write_listed_devices(page: &mut Page, devices: &[&Device], most: usize) {
    if devices.is_empty() {
        return;
    }
    page.heading("Other devices");
    for device in devices.iter().take(most) {
        write_line(page, device);
    }
    write_omitted(page, devices.len().saturating_sub(most));
}

fn write_line(page: &mut Page, device: &Device) {
    page.words("  ");
    page.paint(Colour::of(device.verdict), &format!("{:<12}", device.verdict));
    page.words(&format!(" {}  {}", name(device), device.headline));
    page.end_line();
}

/// How many devices have no line, and how to see them.
fn write_omitted(page: &mut Page, omitted: usize) {
    if omitted > 0 {
        let words = count(omitted as u64, "more device", "more devices");
        page.paragraph(
            2,
            &format!("and {words}; --devices all lists them, --format json tells of each in full"),
        );
    }
}

/// `access-switch-7 (192.168.101.254)`, or the address alone.
fn name(device: &Device) -> String {
    render_named(device.device, device.name.as_deref())
}

fn write_addresses(page: &mut Page, report: &Report) {
    let table = AddressTable::new(report);
    if table.rows.is_empty() {
        return;
    }
    page.heading("Addresses");
    let shown = &table.rows[..table.rows.len().min(ADDRESSES_MAX)];
    let width = shown.iter().map(|row| row.shown.chars().count()).max().unwrap_or(0);
    for row in shown {
        let entry = row.entry;
        let names = [entry.node.as_deref(), entry.pod.as_deref()];
        let names = names.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let separator = if names.is_empty() { "" } else { ": " };
        let words = format!(
            "  {:<12}  {:<width$}  {names}{separator}{} ({})",
            row.role, row.shown, entry.reason, row.source,
        );
        page.words(&words);
        page.end_line();
    }
    if let Some(words) = table.omitted_words(shown.len()) {
        page.paragraph(2, &words);
    }
}

fn write_captures(page: &mut Page, report: &Report) {
    if report.captures.is_empty() {
        return;
    }
    page.heading("Captures");
    for row in CaptureRow::all(report) {
        page.words(&format!("  {} ({}): {}", row.capture.name, row.point, row.contents));
        if let Some(span) = row.span {
            page.words(&format!(", {span}"));
        }
        page.end_line();
        for tunnel in &row.tunnels {
            page.words(&format!("    {tunnel}"));
            page.end_line();
        }
        for warning in &row.capture.warnings {
            page.words("    ");
            page.paint(Colour::Warning, "! ");
            page.words(warning);
            page.end_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_founding_report_reads_so() {
        insta::assert_snapshot!("founding_text", render_text(&samples::founding(), Style::Plain));
    }

    #[test]
    fn the_first_line_is_the_answer() {
        let text = render_text(&samples::founding(), Style::Plain);
        assert!(
            text.starts_with("BROKEN  2000::65:119 asked the VIP 2000::65:21, was answered by")
        );
    }

    #[test]
    fn colours_are_the_only_difference_between_styles() {
        for report in [samples::founding(), samples::hostile(), samples::large(1_000)] {
            let plain = render_text(&report, Style::Plain);
            let mut ansi = render_text(&report, Style::Ansi);
            assert!(ansi.contains("\x1b[1;31mBROKEN\x1b[0m"));
            for sequence in ["\x1b[1;31m", "\x1b[33m", "\x1b[32m", "\x1b[36m", "\x1b[1m", "\x1b[0m"]
            {
                ansi = ansi.replace(sequence, "");
            }
            assert_eq!(ansi, plain);
        }
    }

    #[test]
    fn no_character_acts_on_the_terminal() {
        let text = render_text(&samples::hostile(), Style::Plain);
        let acts = |character: char| {
            (character.is_control() && character != '\n')
                || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert_eq!(text.chars().find(|character| acts(*character)), None);
    }

    #[test]
    fn working_devices_are_counted_where_they_are_many() {
        let text = render_text(&samples::large(100_000), Style::Plain);
        assert!(text.contains("99,950 devices are symmetric"), "{}", &text[text.len() - 3_000..]);
        assert!(text.lines().count() < 400, "{} lines", text.lines().count());
        let text = render_text(&samples::large(52), Style::Plain);
        assert_eq!(text.lines().filter(|line| line.starts_with("  symmetric ")).count(), 2);
    }

    #[test]
    fn no_device_is_lost_between_those_that_need_detail() {
        let mut report = samples::large(60);
        // Of two devices that work, only the second needs detail.
        let mut last = samples::founding().devices.remove(0);
        last.verdict = Verdict::Symmetric;
        report.devices.truncate(3);
        let plain = samples::large(60).devices.pop().unwrap();
        report.devices.extend([plain.clone(), last]);
        let text = render_text(&report, Style::Plain);
        assert!(text.contains(&plain.device.to_string()), "{text}");
    }

    #[test]
    fn as_many_devices_are_listed_as_somebody_wants() {
        let report = samples::large(1_000);
        let lines = |text: &str| {
            text.lines()
                .filter(|line| {
                    ["  broken ", "  tolerated ", "  symmetric "]
                        .iter()
                        .any(|verdict| line.starts_with(verdict))
                })
                .count()
        };
        let sections = |text: &str| text.matches("Taken for the device because").count();
        // how many, told in full, lines, more
        let cases = [
            (Some(1), 1, 0, Some("and 999 more devices; --devices all lists them")),
            (Some(20), 10, 10, Some("and 980 more devices; --devices all lists them")),
            (Some(1_000), 10, 990, None),
            (Some(usize::MAX), 10, 990, None),
            (None, 10, 40, None),
        ];
        for (most, in_full, listed, more) in cases {
            let text = render_worst(&report, Style::Plain, most);
            assert_eq!((sections(&text), lines(&text)), (in_full, listed), "{most:?}");
            assert_eq!(text.contains("more devices"), more.is_some(), "{most:?}");
            assert!(more.is_none_or(|more| text.contains(more)), "{most:?}");
        }
    }

    #[test]
    fn a_report_of_nothing_is_text() {
        let mut report = samples::founding();
        (report.devices, report.addresses, report.captures) = (Vec::new(), Vec::new(), Vec::new());
        assert!(render_text(&report, Style::Plain).starts_with("BROKEN"));
    }
}
