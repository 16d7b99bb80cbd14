//! Errors about follow-ups that arrived at another node than the one which answered.

use crate::diagnose::reading::{Reading, SeenErrors};
use crate::diagnose::wording::place;
use crate::model::exchange::Point;
use crate::model::finding::Cause;
use crate::model::report::Quotes;

/// What to say of errors that another node sent, where the address asked has moved to it: its
/// table of translations is its own, and has nothing of what began elsewhere.
pub fn explain(reading: &Reading<'_>, seen: &SeenErrors<'_>) -> Option<String> {
    let view = seen.view;
    let there = view.beside?.point;
    let error = seen.errors.tally.first?;
    let is_beside = |capture| capture == there.capture && capture != view.point.capture;
    let answered = reading.replies().find_map(|replies| replies.tally.first)?;
    if seen.cause != Cause::PortUnreachable
        || seen.errors.quotes != Quotes::FollowUp
        || !is_beside(error.capture)
        || is_beside(answered.capture)
    {
        return None;
    }
    let point = |id| reading.points.iter().find(|point: &&Point| point.id == id);
    let (here, there) = (point(view.point)?, point(there)?);
    let (node, other) = (here.node.as_ref()?, there.node.as_ref()?);
    (node != other).then(|| {
        format!(
            " It was answered at {}, and what follows arrives at {}: the address has moved to a node that has no translation of this transfer. With a helper on both nodes only transfers that begin after the move go on.",
            place(here),
            place(there),
        )
    })
}
