//! The points at which a capture was taken: its interfaces, of which a link header may
//! name more than the capture's own header does.

use super::CaptureIntake;
use crate::analysis::feeder::Feeder;
use crate::model::exchange::PointId;
use crate::model::time::Timestamp;

/// Interfaces that only a link header names are numbered from here.
pub const FIRST_KERNEL_INTERFACE: u32 = 1 << 16;
/// Interfaces of each kind that are points of their own; what is seen at others is followed
/// as at one.
pub const MAX_POINTS: u32 = 1_024;

impl CaptureIntake {
    /// Without an interface at hand the capture's first stands for all. Which
    /// kernel interface a frame without a packet came from is not known.
    pub(super) fn observe(&mut self, at: Timestamp, interface: Option<u32>, feeder: &mut Feeder) {
        if !self.kernel_interfaces.is_empty() {
            return;
        }
        if let Some(interface) = interface {
            feeder.observe(self.point_of(interface, None), at);
        } else if self.whole_interfaces().len() <= 1 {
            feeder.observe(self.point_of(0, None), at);
        }
    }

    /// Silence at all points of an interface was observed until then.
    pub(super) fn listened_until(&mut self, interface: u32, until: Timestamp, feeder: &mut Feeder) {
        let interface = self.number_in_whole(interface);
        let kernel: Vec<u32> = self
            .kernel_interfaces
            .iter()
            .filter(|(known, _)| *known == interface)
            .map(|(_, index)| index)
            .collect();
        if self.kernel_interfaces.is_empty() {
            feeder.observe(self.point_of(interface, None), until);
        }
        for index in kernel {
            feeder.observe(self.point_of(interface, Some(index)), until);
        }
    }

    pub(super) fn point_of(&mut self, interface: u32, kernel_interface: Option<u32>) -> PointId {
        let capture = self.first_part();
        let Some(kernel_index) = kernel_interface else {
            self.shares_point |= interface >= MAX_POINTS;
            return PointId { capture, interface: interface.min(MAX_POINTS) };
        };
        let number = self.kernel_interfaces.number((interface, kernel_index), MAX_POINTS);
        self.shares_point |= number.is_none();
        PointId { capture, interface: FIRST_KERNEL_INTERFACE + number.unwrap_or(MAX_POINTS) }
    }
}
