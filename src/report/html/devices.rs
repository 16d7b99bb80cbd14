//! The table of all devices.

use super::Setting;
use super::device::DeviceView;
use crate::model::report::{Device, Report};
use crate::report::wording::group_digits;

/// Rows of the table; the rest is counted.
const ROWS_MAX: usize = 200;

/// The report's devices, worst first.
pub(super) struct DeviceTable<'a> {
    pub rows: Vec<DeviceRow<'a>>,
    /// Devices that have no row.
    pub omitted: u64,
    pub api_path: Option<String>,
}

/// One device and where more about it is.
pub(super) struct DeviceRow<'a> {
    pub device: &'a Device,
    pub link: Option<String>,
}

impl<'a> DeviceTable<'a> {
    /// `detailed` devices have a section of their own on the page.
    pub(super) fn new(
        report: &'a Report,
        detailed: &[DeviceView<'_>],
        setting: Setting<'_>,
    ) -> Self {
        let link = |device: &Device| match setting {
            Setting::Service { .. } => {
                Some(format!("/analyses/{}/devices/{}", report.id, device.device))
            }
            Setting::File => detailed
                .iter()
                .find(|view| view.device.device == device.device)
                .map(|view| format!("#{}", view.anchor)),
        };
        let rows: Vec<_> = report
            .devices
            .iter()
            .take(ROWS_MAX)
            .map(|device| DeviceRow { device, link: link(device) })
            .collect();
        let omitted = (report.devices.len() - rows.len()) as u64;
        let api_path = match setting {
            Setting::Service { .. } => Some(format!("/api/v1/analyses/{}", report.id)),
            Setting::File => None,
        };
        Self { rows, omitted, api_path }
    }

    /// The number of devices without a row, grouped.
    pub(super) fn omitted_words(&self) -> String {
        group_digits(self.omitted)
    }
}
