//! What there is to tell.

use std::net::IpAddr;

use uuid::Uuid;

use crate::model::endpoint::Endpoint;
use crate::model::finding::Verdict;
use crate::model::report::Device;
use crate::model::stand_in::StandIns;
use crate::model::time::Timestamp;

/// Endpoints of one role that a message names.
const MOST_ENDPOINTS: usize = 3;

/// Devices whose verdicts an analysis changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub analysis: Uuid,
    /// The report's title.
    pub title: String,
    pub created_at: Timestamp,
    /// The report's page, with its host.
    pub url: String,
    /// Worst first; at least one.
    pub changes: Vec<Change>,
    /// Further devices whose verdict changed.
    pub changes_omitted: u64,
}

/// A device whose verdict changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub device: IpAddr,
    pub name: Option<String>,
    pub verdict: Verdict,
    /// What the analysis before said; `None` where no analysis could judge the device before.
    pub verdict_before: Option<Verdict>,
    /// The answer in one sentence.
    pub headline: String,
    /// Who was asked in the exchange that decided.
    pub asked: Option<Endpoint>,
    /// From where it was answered: some, where there were many.
    pub answered_from: Vec<Endpoint>,
    /// Where the device sent what followed: some, where there were many.
    pub followed_up_to: Vec<Endpoint>,
    /// The device's part of the report, with its host.
    pub url: String,
    /// The names for which addresses of these stand.
    pub names: StandIns,
}

impl Change {
    /// What is told of a device of a report, whose worst exchange comes first.
    #[must_use]
    pub fn of(device: &Device, verdict_before: Option<Verdict>, url: String) -> Self {
        let worst = device.exchanges.first();
        let replies = worst.iter().flat_map(|one| &one.replies).map(|part| part.source);
        let follow_ups = worst.iter().flat_map(|one| &one.follow_ups).map(|part| part.destination);
        Self {
            device: device.device,
            name: device.name.clone(),
            verdict: device.verdict,
            verdict_before,
            headline: device.headline.clone(),
            asked: worst.and_then(|one| one.request.as_ref()).map(|part| part.destination),
            answered_from: replies.take(MOST_ENDPOINTS).collect(),
            followed_up_to: follow_ups.take(MOST_ENDPOINTS).collect(),
            url,
            names: StandIns::default(),
        }
    }

    /// The same, with the names for which addresses of its report stand.
    #[must_use]
    pub fn with_names(self, names: StandIns) -> Self {
        Self { names, ..self }
    }
}
