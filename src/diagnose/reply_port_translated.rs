//! The right address answered from a wrong port, in a protocol that does not
//! change ports: port translation on the way out, or a server that answers
//! from a second socket.

use super::evidence::extend;
use super::reading::{Reading, SeenErrors};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{article, fit_title};
use crate::model::exchange::Origin;
use crate::model::finding::{Cause, Finding, Verdict};

/// Finds replies from a port that was not asked.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let reply = reading.changed?;
    let Origin::OtherPort(confidence) = reply.origin else { return None };
    let part = Part::stopped_if(reading.change_stopped());
    let first = reading.first_reply(reply)?;
    let mut finding =
        Finding::new(Cause::ReplyPortTranslated, severity(verdict, part), confidence, first);
    let protocol = reading.exchange.protocol;
    let asked = reading
        .view
        .asked
        .map_or_else(|| "another port".to_owned(), |asked| format!("port {}", asked.port));
    finding.title = fit_title([
        format!(
            "{asked} of {} was asked, port {} answered",
            reply.source.address, reply.source.port
        ),
        format!("{asked} was asked, port {} answered", reply.source.port),
    ]);
    finding.explanation = format!(
        "{} asked {asked} of {} and was answered from port {}. {} {protocol} server answers from the port that was asked, so the port was translated on the way out, or the server answers from a second socket.",
        reading.client_word_first(),
        reading.name(reply.source.address),
        reply.source.port,
        if article(protocol) == "an" { "An" } else { "A" },
    );
    extend(
        &mut finding,
        [
            reading.first_request(),
            reading.asked_again(),
            reading.refusal().and_then(SeenErrors::first_error),
        ],
    );
    finding.remedies = remedies::for_changed_reply(reading, reply, Cause::ReplyPortTranslated);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Verdict};

    #[test]
    fn a_changed_port_counts_outside_tftp_only() {
        for family in Family::BOTH {
            let port = Origin::OtherPort(Confidence::Certain);
            let snmp = || Sample::snmp(family).reply(family.device(), 1161, port, 1);
            let again = snmp().asked_again(2, Confidence::Certain);
            let tftp = Sample::tftp(family).reply(family.vip(), 40_001, port, 1).progress();
            let cases = [
                ("SNMP", snmp(), Verdict::Tolerated, true),
                ("SNMP, asked again", again, Verdict::Broken, true),
                ("TFTP", tftp, Verdict::Symmetric, false),
            ];
            for (name, sample, verdict, expected) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::ReplyPortTranslated);
                assert_eq!(found, expected, "{name} {family:?}");
            }
        }
    }
}
