//! The page of one analysis, with a page of its devices.

use serde::Deserialize;

use super::super::assets::stylesheet_path;
use super::super::error::Error;
use super::super::query::{empty_as_none, read_text, render_fields};
use crate::model::finding::Verdict;
use crate::model::report::{DeviceSummary, Report};
use crate::report::html::{DETAILED_MAX, DEVICES_PER_PAGE, Listed, render_listed};
use crate::store::{DeviceFilter, Store};

/// Which devices the page lists. Fields that are none of these are let be: links
/// to reports come from everywhere.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    #[serde(deserialize_with = "empty_as_none")]
    verdict: Option<Verdict>,
    /// Part of a device's name, address or headline.
    q: Option<String>,
    /// From 1.
    #[serde(deserialize_with = "read_page")]
    page: Option<u64>,
}

/// The page of the report whose frame is `report`.
///
/// # Errors
///
/// Where the store does not answer, or the template cannot be rendered.
pub async fn render(store: &Store, mut report: Report, query: ListQuery) -> Result<String, Error> {
    let id = report.id;
    let filter = DeviceFilter { verdict: query.verdict, cause: None, text: read_text(query.q)? };
    let page = query.page.unwrap_or(1).max(1);
    let skip = (page - 1).saturating_mul(u64::from(DEVICES_PER_PAGE));
    let rows = store.device_lines(id, &filter, skip, DEVICES_PER_PAGE).await?;
    let matching = match (&filter.text, filter.verdict) {
        (None, None) => report.summary.devices,
        (None, Some(verdict)) => report.summary.verdicts.get(&verdict).copied().unwrap_or(0),
        (Some(_), _) => store.count_devices(id, &filter).await?,
    };
    if filter.is_empty() && page == 1 {
        // Without a filter, the first row has the place 0.
        let places: Vec<u64> = (0..)
            .zip(&rows)
            .filter(|(place, row)| *place == 0 || needs_detail(row))
            .map(|(place, _)| place)
            .take(DETAILED_MAX)
            .collect();
        for part in store.device_parts_at(id, &places).await? {
            report.devices.push(part.parse(id)?);
        }
    }
    let fields = [
        ("verdict", filter.verdict.map(|verdict| verdict.as_token().to_owned())),
        ("q", filter.text.clone()),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let listed = Listed {
        rows: &rows,
        matching,
        page,
        verdict: filter.verdict,
        text: filter.text.as_deref().unwrap_or_default(),
        query: &render_fields(fields),
    };
    Ok(render_listed(&report, listed, stylesheet_path())?)
}

/// Whether there is more to say about a device than that it works.
fn needs_detail(row: &DeviceSummary) -> bool {
    !row.causes.is_empty() || !matches!(row.verdict, Verdict::Symmetric | Verdict::OneWay)
}

/// A page's number; what is none leads to the first.
fn read_page<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
