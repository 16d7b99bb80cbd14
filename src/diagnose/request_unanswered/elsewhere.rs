//! What the pod's cable says of a request, or of its silence.

use crate::diagnose::reading::Reading;
use crate::diagnose::wording::{count, place};
use crate::model::capture::PointKind;

/// What the pod's cable says about it, with a space before it.
pub fn elsewhere(reading: &Reading<'_>) -> String {
    if let Some(pod) = reading.exchange.others().iter().find(|view| view.kind == PointKind::Pod) {
        let replies = pod.reply_packets();
        return if replies > 0 && !reading.is_answered() {
            format!(
                " The pod did answer: its cable shows {}, which did not get here.",
                count(replies, "reply packet")
            )
        } else if pod.follow_up_packets() == 0 && reading.follow_ups().next().is_some() {
            " At the pod's cable no follow-up was seen.".to_owned()
        } else if reading.is_answered() && pod.requests.packets < reading.view.requests.packets {
            format!(
                " At the pod's cable only {} of {} were seen.",
                pod.requests.packets,
                count(reading.view.requests.packets, "request")
            )
        } else if pod.requests.packets > 0 && !reading.is_answered() {
            " The request was seen at the pod's cable, and no reply there either.".to_owned()
        } else {
            String::new()
        };
    }
    let running = reading.points.iter().find(|point| {
        point.kind == PointKind::Pod && point.id != reading.view.point && point.observed.is_some()
    });
    match running {
        Some(point) if !reading.is_answered() && reading.view.kind != PointKind::Pod => {
            format!(" Nothing of it was recognised in the capture at {}.", place(point))
        }
        _ => String::new(),
    }
}

/// Where an unanswered request or its reply was lost, as far as the pod's cable tells.
pub fn conclusion(reading: &Reading<'_>) -> &'static str {
    match reading.exchange.others().iter().find(|view| view.kind == PointKind::Pod) {
        Some(pod) if pod.reply_packets() > 0 => {
            "The reply was lost or dropped between the pod and this point, or took another way."
        }
        Some(pod) if pod.requests.packets > 0 => "So the server did not answer.",
        _ => {
            "The request or the reply was lost or dropped on the way, or the server did not answer."
        }
    }
}
