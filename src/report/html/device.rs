//! One device, as its section of a page shows it.

use std::collections::BTreeSet;

use crate::model::finding::Remedy;
use crate::model::report::{Device, DeviceExchange, DeviceFinding, Step};
use crate::model::stand_in::{find_shown, render_known, render_segment};
use crate::report::advice::remedies;
use crate::report::ladder::find_ladder;
use crate::report::parties::Parties;
use crate::report::picture::{Picture, Width, draw};
use crate::report::story::{Fact, facts};
use crate::report::times::Times;
use crate::report::wireshark::find_caution;
use crate::report::wording::{count, group_digits};

/// Exchanges that a section shows; the rest is counted.
const EXCHANGES_MAX: usize = 6;
/// Packets in the list that says what the ladder shows.
const LISTED_MAX: usize = 60;
/// Frames in the table of evidence.
const EVIDENCE_MAX: usize = 40;

/// One device.
pub(super) struct DeviceView<'a> {
    pub device: &'a Device,
    /// Its element's id: where links to this device point.
    pub anchor: String,
    pub findings: Vec<FindingView<'a>>,
    /// Of all findings, the most helpful first, none twice.
    pub remedies: Vec<&'a Remedy>,
    pub evidence: Vec<EvidenceRow<'a>>,
    pub evidence_omitted: usize,
    /// The exchange that the verdict rests on.
    pub worst: Option<ExchangeView<'a>>,
    pub others: Vec<ExchangeView<'a>>,
    pub exchanges_omitted: u64,
}

/// One finding with the id of its article.
pub(super) struct FindingView<'a> {
    pub finding: &'a DeviceFinding,
    pub id: String,
}

/// One frame and the findings that it proves.
pub(super) struct EvidenceRow<'a> {
    pub capture: &'a str,
    pub frame: u64,
    /// `frame`, or `line` of a table.
    pub place: &'static str,
    pub time: Option<String>,
    pub summary: &'a str,
    /// Indices into the findings, from 1, with their ids.
    pub proves: Vec<(usize, String)>,
}

/// One exchange with its ladder.
pub(super) struct ExchangeView<'a> {
    pub exchange: &'a DeviceExchange,
    /// Its end, as people know it.
    pub client: String,
    pub id: String,
    pub time: Option<String>,
    pub facts: [Fact<'a>; 4],
    /// The ladder in words, for those who do not see it.
    pub description: String,
    /// The same ladder for wide and for narrow screens; none without packets.
    pub pictures: Vec<Picture>,
    pub steps: Vec<ListedStep<'a>>,
    pub steps_omitted: u64,
    pub caution: Option<String>,
}

/// One packet in words.
pub(super) struct ListedStep<'a> {
    pub step: &'a Step,
    /// `frame`, or `line` of a table.
    pub place: &'static str,
    pub time: Option<String>,
    pub source: String,
    pub destination: String,
    /// `12 packets left out`, before this one.
    pub gap: Option<String>,
}

impl<'a> DeviceView<'a> {
    pub(super) fn new(device: &'a Device, parties: &Parties<'a>, times: &Times<'_>) -> Self {
        let findings = findings(device);
        let (evidence, evidence_omitted) = evidence(&findings, times);
        let mut exchanges =
            device.exchanges.iter().take(EXCHANGES_MAX).enumerate().map(|(index, exchange)| {
                ExchangeView::new(index, exchange, device, parties, times)
            });
        let worst = exchanges.next();
        let others = exchanges.collect();
        let hidden = device.exchanges.len().saturating_sub(EXCHANGES_MAX) as u64;
        Self {
            device,
            anchor: format!("device-{}", segment(device)),
            remedies: remedies(device),
            evidence,
            evidence_omitted,
            findings,
            worst,
            others,
            exchanges_omitted: device.exchanges_omitted.saturating_add(hidden),
        }
    }

    /// The device in a link.
    pub(super) fn segment(&self) -> String {
        segment(self.device)
    }

    /// The device's address, or its name where no address is known.
    pub(super) fn known_as(&self) -> String {
        render_known(self.device.device, self.device.name.as_deref())
    }

    /// Its name beside the address.
    pub(super) fn name(&self) -> Option<&'a str> {
        let name = self.device.name.as_deref();
        name.filter(|_| find_shown(self.device.device, name).is_none())
    }

    /// `and 3 more exchanges`.
    pub(super) fn omitted_words(&self) -> String {
        count(self.exchanges_omitted, "more exchange", "more exchanges")
    }

    /// `3 more frames`.
    pub(super) fn omitted_frames(&self) -> String {
        let omitted = u64::try_from(self.evidence_omitted).unwrap_or(u64::MAX);
        count(omitted, "more frame", "more frames")
    }

    /// The filter for the whole exchange, with the caution that belongs to it.
    pub(super) fn caution(&self) -> Option<&str> {
        self.worst.as_ref().and_then(|exchange| exchange.caution.as_deref())
    }
}

/// The device in a link.
pub(super) fn segment(device: &Device) -> String {
    render_segment(device.device, device.name.as_deref())
}

fn findings(device: &Device) -> Vec<FindingView<'_>> {
    let id = |finding: &DeviceFinding| format!("finding-{}-{}", segment(device), finding.cause);
    device.findings.iter().map(|finding| FindingView { finding, id: id(finding) }).collect()
}

/// The frames of all findings, each once, those of the first finding first.
fn evidence<'a>(findings: &[FindingView<'a>], times: &Times<'_>) -> (Vec<EvidenceRow<'a>>, usize) {
    let mut rows: Vec<EvidenceRow<'a>> = Vec::new();
    let mut omitted = BTreeSet::new();
    for (index, view) in findings.iter().enumerate() {
        for frame in &view.finding.evidence {
            let proof = (index + 1, view.id.clone());
            let known = rows
                .iter()
                .position(|row| row.frame == frame.frame && row.capture == frame.capture);
            match known {
                Some(row) if rows[row].proves.contains(&proof) => {}
                Some(row) => rows[row].proves.push(proof),
                None if rows.len() < EVIDENCE_MAX => rows.push(EvidenceRow {
                    capture: &frame.capture,
                    frame: frame.frame,
                    place: times.place_word(&frame.capture),
                    time: times.find(&frame.capture, frame.at),
                    summary: &frame.summary,
                    proves: vec![proof],
                }),
                None => {
                    omitted.insert((frame.capture.as_str(), frame.frame));
                }
            }
        }
    }
    // What proves the first finding is read first.
    let order = |row: &EvidenceRow<'a>| {
        (row.proves.first().map(|(finding, _)| *finding), row.capture, row.frame)
    };
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    (rows, omitted.len())
}

impl<'a> ExchangeView<'a> {
    fn new(
        index: usize,
        exchange: &'a DeviceExchange,
        device: &'a Device,
        parties: &Parties<'a>,
        times: &Times<'_>,
    ) -> Self {
        let ladder = find_ladder(exchange, device, parties, times);
        let pictures = ladder
            .iter()
            .flat_map(|ladder| [Width::Wide, Width::Narrow].map(|size| draw(ladder, size)))
            .collect();
        let facts = facts(exchange, device, parties);
        let capture = exchange.captures.first().map_or("", String::as_str);
        let steps: Vec<_> = exchange
            .steps
            .iter()
            .take(LISTED_MAX)
            .map(|step| listed(step, device, parties, times))
            .collect();
        let hidden = (exchange.steps.len() - steps.len()) as u64;
        let gaps = steps.iter().map(|item| item.step.omitted_before);
        let told = gaps.fold(0_u64, u64::saturating_add);
        let omitted = exchange.steps_omitted.saturating_sub(told).saturating_add(hidden);
        Self {
            exchange,
            client: parties.render_end(exchange.client, device),
            id: format!("ladder-{}-{}", segment(device), index + 1),
            time: times.find(capture, exchange.first_packet_at),
            description: describe(&facts),
            facts,
            pictures,
            steps,
            steps_omitted: omitted,
            caution: find_caution(exchange, device, parties),
        }
    }

    /// `12 more packets`.
    pub(super) fn omitted_words(&self) -> String {
        count(self.steps_omitted, "more packet", "more packets")
    }
}

fn listed<'a>(
    step: &'a Step,
    device: &'a Device,
    parties: &Parties<'a>,
    times: &Times<'_>,
) -> ListedStep<'a> {
    let mut source = parties.party(step.source, device);
    let mut destination = parties.party(step.destination, device);
    (source.port, destination.port) = (step.source_port, step.destination_port);
    ListedStep {
        step,
        place: times.place_word(&step.capture),
        time: times.find(&step.capture, step.at),
        source: source.to_string(),
        destination: destination.to_string(),
        gap: (step.omitted_before > 0)
            .then(|| format!("… {} left out", count(step.omitted_before, "packet", "packets"))),
    }
}

/// The four facts as sentences.
fn describe(facts: &[Fact<'_>; 4]) -> String {
    let sentence = |fact: &Fact<'_>| match fact.party {
        Some(party) => format!("{} {party} ({}).", fact.label, fact.words),
        None => format!("{}: {}.", fact.label, fact.words),
    };
    facts.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

impl EvidenceRow<'_> {
    /// The frame's number, grouped; a line says that it is one.
    pub(super) fn frame_words(&self) -> String {
        let number = group_digits(self.frame);
        if self.place == "frame" { number } else { format!("{} {number}", self.place) }
    }
}
