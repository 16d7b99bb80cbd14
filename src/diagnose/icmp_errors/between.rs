//! Errors of who stands between the two sides: whoever translates, or carries it.

use super::explanation::quoted_text;
use super::over;
use crate::diagnose::reading::{Reading, RefusedTunnel, SeenAs, SeenErrors};
use crate::diagnose::wording::count;
use crate::model::finding::Cause;

/// Explains `packets` errors like `seen`, where they are not of one of the two sides.
pub(super) fn find_explanation(
    reading: &Reading<'_>,
    seen: &SeenErrors<'_>,
    packets: u64,
) -> Option<String> {
    let who = reading.name_first(seen.errors.from);
    let often = count(packets, &format!("ICMP {} error", seen.errors.kind.as_text()));
    let end = over::render_end(reading, seen);
    if let Some(client) = reading.untranslated_back(seen) {
        return Some(format!(
            "{who} had put its own address into the request of {client}, and sent {often} about the reply: its connection tracking did not lead the reply back to {}, so its own stack got it, where no socket waits for it.{end}",
            client.address,
        ));
    }
    let RefusedTunnel { kind, far_end, seen_as } = reading.refused_tunnel(seen)?;
    let why = if seen.cause == Cause::PortUnreachable {
        "Nothing takes that port there: the overlay has no interface on that host, or another port."
    } else {
        "What is inside does not get there, whoever sends it."
    };
    let what = match seen_as {
        SeenAs::Content => format!(", which carries the {}", quoted_text(seen.errors.quotes)),
        SeenAs::Carrier => String::new(),
    };
    Some(format!("{who} sent {often} about the {kind} tunnel to {far_end}{what}. {why}{end}"))
}
