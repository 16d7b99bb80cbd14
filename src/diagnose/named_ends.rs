//! What is less sure of ends that have a name and no address.
//!
//! `tcpdump` without `-n` prints one address alike throughout a run, so two names are two
//! ends. One name may be that of several addresses: a resolver gives all addresses of a
//! host its name, and systemd's nss-myhostname(8) gives that of the own host to every
//! local one. A change between those does not show.

use std::net::IpAddr;

use super::reading::Reading;
use crate::model::finding::{Cause, Confidence, Finding, Remedy};
use crate::model::report::Quotes;

/// Makes a finding no surer than names are, and says what they may hide.
pub fn weigh(finding: &mut Finding, reading: &Reading<'_>) {
    if reading.topology.stand_ins().is_empty() || !has_named_end(reading) {
        return;
    }
    finding.confidence = finding.confidence.min(Confidence::Likely);
    if finding.cause == Cause::PortUnreachable
        && let Some((name, quotes)) = find_hiding(reading)
    {
        finding.explanation.push_str(&explain(name, quotes));
        finding.remedies.insert(0, print_addresses());
    }
}

/// Whether a refused packet may have come from, or gone to, an address that its name hides.
pub fn may_hide_change(reading: &Reading<'_>) -> bool {
    find_hiding(reading).is_some()
}

fn has_named_end(reading: &Reading<'_>) -> bool {
    let names = reading.topology.stand_ins();
    let views = reading.exchange.views.iter();
    let mut ends = views.flat_map(|view| {
        let replies = view.replies.iter().map(|replies| replies.source.address);
        let follow_ups = view.follow_ups.iter();
        let follow_ups =
            follow_ups.flat_map(|sent| [sent.source.address, sent.destination.address]);
        view.asked.map(|asked| asked.address).into_iter().chain(replies).chain(follow_ups)
    });
    names.find(reading.exchange.client.address).is_some()
        || ends.any(|address| names.find(address).is_some())
}

/// The name under which a refused packet may have come from, or gone to, another address
/// than the one asked or heard.
fn find_hiding(reading: &Reading<'_>) -> Option<(IpAddr, Quotes)> {
    let asked = reading.view.asked?.address;
    reading.topology.stand_ins().find(asked)?;
    let is_same = |seen: &&super::reading::SeenErrors<'_>| match seen.errors.quotes {
        Quotes::Request => false,
        Quotes::Reply => reading.replies().any(|replies| replies.source.address == asked),
        Quotes::FollowUp => reading.follow_ups().any(|sent| sent.destination.address == asked),
    };
    let seen = reading.errors.iter().find(|seen| {
        seen.cause == Cause::PortUnreachable && reading.changed.is_none() && is_same(seen)
    })?;
    Some((asked, seen.errors.quotes))
}

fn explain(name: IpAddr, quotes: Quotes) -> String {
    let refused = match quotes {
        Quotes::Request | Quotes::Reply => {
            "the answer came from another one than was asked, the client refused it for that"
        }
        Quotes::FollowUp => {
            "the follow-up went to another one than had answered, it was refused for that"
        }
    };
    format!(
        " Or an address changed where it cannot be seen: the name {name} may hide several addresses of one host. If {refused}."
    )
}

fn print_addresses() -> Remedy {
    Remedy {
        title: "Print addresses instead of names".to_owned(),
        steps: vec![
            "Capture once more with `tcpdump -n`: a name may stand for several addresses of one host, and only addresses tell whether the one that was asked answered.".to_owned(),
        ],
        commands: Vec::new(),
    }
}
