//! Errors about the tunnel that carries an exchange.

use super::{Reading, SeenErrors};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Exchange;
use crate::model::protocol::Protocol;

impl Reading<'_> {
    /// The tunnel that carries the exchange and is refused, and its far end, if that is what
    /// the errors quote.
    #[must_use]
    pub fn refused_tunnel(&self, seen: &SeenErrors<'_>) -> Option<(Protocol, Endpoint)> {
        let quoted = seen.errors.quoted_destination?;
        let tunnel = Protocol::of_port(quoted.port).filter(|known| is_refused_as_one(*known))?;
        let is_own = self.exchange.protocol == tunnel
            || seen.view.asked == Some(quoted)
            || self.exchange.client == quoted;
        (!is_own).then_some((tunnel, quoted))
    }
}

/// Whether errors about a tunnel's outer datagrams say that it is refused. Each direction
/// of an overlay is a flow of its own (RFC 7348 section 5), and each has one end that takes
/// it. A Teredo client tries peers, of which many are not there (RFC 4380 section 5.2.4).
pub(super) fn is_told_of_tunnel(exchange: &Exchange) -> bool {
    is_refused_as_one(exchange.protocol)
}

const fn is_refused_as_one(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Vxlan | Protocol::Geneve | Protocol::GtpU)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::{Cause, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

    #[test]
    fn a_refused_tunnel_is_rejected() {
        for family in Family::BOTH {
            let outer = |protocol, port| Sample::request(family, protocol, port);
            let refused = |sample: Sample, kind| {
                sample.icmp(kind, family.vip(), Quotes::Request, 2).wait_seconds(5)
            };
            let (prohibited, closed) = (IcmpKind::AdminProhibited, IcmpKind::PortUnreachable);
            let vxlan = || outer(Protocol::Vxlan, 4789);
            let again = |sample: Sample| sample.wait_seconds(30).request_again().wait_seconds(5);
            let cases = [
                ("a rule", refused(vxlan(), prohibited), Verdict::Rejected),
                ("nothing there", refused(vxlan(), closed), Verdict::Rejected),
                ("Geneve", refused(outer(Protocol::Geneve, 6081), closed), Verdict::Rejected),
                ("taken later", again(refused(vxlan(), closed)), Verdict::OneWay),
                ("not refused", vxlan().wait_seconds(5), Verdict::OneWay),
                ("a peer", refused(outer(Protocol::Teredo, 3544), closed), Verdict::OneWay),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
            }
            let finding = refused(vxlan(), prohibited).finding(Cause::AdminProhibited);
            assert!(!finding.remedies.is_empty(), "{family:?}");
        }
    }
}
