//! The order in which a packet passes the capture points.

use crate::model::capture::PointKind;
use crate::model::exchange::{Exchange, PointId, View};

/// Two points, in the direction of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub from: PointId,
    pub to: PointId,
}

/// How far a point is from the client: 0 is nearest. `None` where the side of
/// the translation is not known, so that the point has no place in the order.
#[must_use]
pub fn steps_from_client(exchange: &Exchange, kind: PointKind) -> Option<u8> {
    let from_device = match kind {
        PointKind::Device => 0,
        PointKind::Host => 1,
        PointKind::Pod => 2,
        PointKind::Unknown => return None,
    };
    // A pod that polls a device is at the other end of the same path.
    Some(if exchange.device_is_client() { from_device } else { 2 - from_device })
}

/// Whether a request passes `near` before `far`.
#[must_use]
pub fn is_before(exchange: &Exchange, near: &View, far: &View) -> bool {
    let place = |view: &View| steps_from_client(exchange, view.kind);
    place(near).zip(place(far)).is_some_and(|(near, far)| near < far)
}
