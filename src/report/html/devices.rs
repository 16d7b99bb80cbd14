//! The table of all devices, and the part of it that a page shows.

use std::net::IpAddr;

use uuid::Uuid;

use super::Setting;
use super::device::DeviceView;
use crate::model::finding::Verdict;
use crate::model::report::{Device, DeviceSummary, Report};
use crate::model::stand_in::{find_shown, render_known, render_segment};
use crate::report::wording::{count, group_digits};

/// Devices that one page of the service lists.
pub const DEVICES_PER_PAGE: u32 = 100;

/// Where there are fewer devices, all are seen at once and nothing is filtered.
const FILTERED_FROM: u64 = 10;

/// The part of a report's devices that one page lists.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// Worst first, at most [`DEVICES_PER_PAGE`].
    pub rows: &'a [DeviceSummary],
    /// Devices that match the filter, on all pages.
    pub matching: u64,
    /// From 1.
    pub page: u64,
    pub verdict: Option<Verdict>,
    /// Part of a name, address or headline; empty for all.
    pub text: &'a str,
    /// The filter as fields of a query, encoded; empty without a filter.
    pub query: &'a str,
}

impl Listed<'_> {
    /// Whether this is the beginning of the whole list.
    pub(super) const fn is_beginning(&self) -> bool {
        !self.is_filtered() && self.page == 1
    }

    const fn is_filtered(&self) -> bool {
        self.verdict.is_some() || !self.text.is_empty()
    }
}

/// The report's devices, worst first.
pub(super) struct DeviceTable<'a> {
    pub rows: Vec<DeviceRow<'a>>,
    /// Whether there is more than the device that the page tells of anyhow.
    pub is_shown: bool,
    pub filter: Option<FilterForm<'a>>,
    pub pager: Option<Pager>,
    /// Devices that no page of this file has.
    pub omitted: u64,
    pub api_path: Option<String>,
}

/// One device and where more about it is.
pub(super) struct DeviceRow<'a> {
    /// Its address, or its name where no address is known.
    pub known_as: String,
    pub name: Option<&'a str>,
    pub verdict: Verdict,
    pub headline: &'a str,
    pub link: Option<String>,
}

/// What the filter's form holds.
pub(super) struct FilterForm<'a> {
    /// Where it is sent.
    pub path: String,
    /// Verdicts to choose from, those that the report has, and whether each is chosen.
    pub choices: Vec<(Verdict, bool)>,
    pub text: &'a str,
    pub is_set: bool,
}

/// Where in the list the page is, and the way to the others.
pub(super) struct Pager {
    /// `101 to 200 of 20,000 devices`.
    pub position: String,
    pub first: Option<String>,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub last: Option<String>,
}

impl<'a> DeviceRow<'a> {
    fn new(
        address: IpAddr,
        name: Option<&'a str>,
        verdict: Verdict,
        headline: &'a str,
        link: Option<String>,
    ) -> Self {
        let known_as = render_known(address, name);
        let name = name.filter(|_| find_shown(address, name).is_none());
        Self { known_as, name, verdict, headline, link }
    }
}

impl<'a> DeviceTable<'a> {
    /// Up to `most` of the devices that the report holds. `detailed` ones have a
    /// section of their own on the page.
    pub(super) fn new(
        report: &'a Report,
        detailed: &[DeviceView<'_>],
        setting: Setting<'_>,
        most: usize,
    ) -> Self {
        let link = |device: &Device| match setting {
            Setting::Service { .. } => {
                Some(device_path(report.id, device.device, device.name.as_deref()))
            }
            Setting::File => detailed
                .iter()
                .find(|view| view.device.device == device.device)
                .map(|view| format!("#{}", view.anchor)),
        };
        let rows: Vec<_> = report
            .devices
            .iter()
            .take(most)
            .map(|device| {
                let (address, name) = (device.device, device.name.as_deref());
                DeviceRow::new(address, name, device.verdict, &device.headline, link(device))
            })
            .collect();
        let omitted =
            report.devices_omitted.saturating_add((report.devices.len() - rows.len()) as u64);
        let api_path = match setting {
            Setting::Service { .. } => Some(format!("/api/v1/analyses/{}", report.id)),
            Setting::File => None,
        };
        let is_shown = rows.len() > 1 || omitted > 0;
        Self { rows, is_shown, filter: None, pager: None, omitted, api_path }
    }

    /// One page of the list.
    pub(super) fn listed(report: &Report, listed: Listed<'a>) -> Self {
        let rows = listed.rows.iter().map(|row| {
            let (address, name) = (row.device, row.name.as_deref());
            let link = Some(device_path(report.id, address, name));
            DeviceRow::new(address, name, row.verdict, &row.headline, link)
        });
        let all = report.summary.devices;
        let is_filterable = all > FILTERED_FROM || listed.is_filtered();
        let filter = is_filterable.then(|| FilterForm {
            path: format!("/analyses/{}", report.id),
            choices: Verdict::WORST_FIRST
                .into_iter()
                .filter(|verdict| {
                    listed.verdict == Some(*verdict)
                        || report.summary.verdicts.contains_key(verdict)
                })
                .map(|verdict| (verdict, listed.verdict == Some(verdict)))
                .collect(),
            text: listed.text,
            is_set: listed.is_filtered(),
        });
        Self {
            rows: rows.collect(),
            is_shown: all > 1,
            filter,
            pager: Pager::find(report.id, &listed),
            omitted: 0,
            api_path: None,
        }
    }

    /// The number of devices without a row, grouped.
    pub(super) fn omitted_words(&self) -> String {
        group_digits(self.omitted)
    }
}

impl Pager {
    /// `None` where all devices that match are on the page.
    fn find(id: Uuid, listed: &Listed<'_>) -> Option<Self> {
        let per_page = u64::from(DEVICES_PER_PAGE);
        let pages = listed.matching.div_ceil(per_page);
        if pages <= 1 && listed.page == 1 {
            return None;
        }
        let link = |page: u64| {
            let separator = if listed.query.is_empty() { "" } else { "&" };
            format!("/analyses/{id}?{}{separator}page={page}#devices", listed.query)
        };
        let shown = listed.rows.len() as u64;
        let before = (listed.page - 1).saturating_mul(per_page);
        let matching = count(listed.matching, "device", "devices");
        let position = if shown == 0 {
            format!("none here, of {matching}")
        } else {
            format!(
                "{} to {} of {matching}",
                group_digits(before + 1),
                group_digits(before + shown)
            )
        };
        let is_first = listed.page <= 1;
        let is_last = listed.page >= pages;
        Some(Self {
            position,
            first: (!is_first).then(|| link(1)),
            previous: (!is_first && pages > 0).then(|| link((listed.page - 1).min(pages))),
            next: (!is_last).then(|| link(listed.page + 1)),
            last: (!is_last).then(|| link(pages)),
        })
    }
}

fn device_path(id: Uuid, device: IpAddr, name: Option<&str>) -> String {
    format!("/analyses/{id}/devices/{}", render_segment(device, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_leads_to_the_neighbours_and_the_ends() {
        let row = crate::report::samples::device_summaries("x").remove(0);
        let full = vec![row; 100];
        // matching, page, rows; position; pages of first, previous, next and last
        let cases = [
            (100, 1, 100, None),
            (0, 1, 0, None),
            (250, 1, 100, Some(("1 to 100 of 250 devices", [None, None, Some(2), Some(3)]))),
            (
                250,
                2,
                100,
                Some(("101 to 200 of 250 devices", [Some(1), Some(1), Some(3), Some(3)])),
            ),
            (250, 3, 50, Some(("201 to 250 of 250 devices", [Some(1), Some(2), None, None]))),
            (250, 9, 0, Some(("none here, of 250 devices", [Some(1), Some(3), None, None]))),
            (0, 2, 0, Some(("none here, of 0 devices", [Some(1), None, None, None]))),
        ];
        for (matching, page, rows, expected) in cases {
            for query in ["", "verdict=broken&q=a%26b"] {
                let listed =
                    Listed { rows: &full[..rows], matching, page, verdict: None, text: "", query };
                let pager = Pager::find(Uuid::nil(), &listed);
                let Some((position, links)) = expected else {
                    assert!(pager.is_none(), "{matching} {page}");
                    continue;
                };
                let pager = pager.unwrap();
                assert_eq!(pager.position, position);
                let and = if query.is_empty() { "" } else { "&" };
                let link =
                    |page| format!("/analyses/{}?{query}{and}page={page}#devices", Uuid::nil());
                assert_eq!(
                    [pager.first, pager.previous, pager.next, pager.last],
                    links.map(|page: Option<u64>| page.map(link)),
                    "{matching} {page}"
                );
            }
        }
    }
}
