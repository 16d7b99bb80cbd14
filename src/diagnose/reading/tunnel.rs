//! Errors about the tunnel that carries an exchange, or that is one.

use super::{Reading, SeenErrors};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Exchange;
use crate::model::packet::TunnelKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;

/// A tunnel that its far end does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedTunnel {
    pub kind: TunnelKind,
    pub far_end: Endpoint,
    pub seen_as: SeenAs,
}

/// As what an exchange is a tunnel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenAs {
    /// It is what the tunnel carries.
    Content,
    /// It is the tunnel's own datagrams.
    Carrier,
}

impl Reading<'_> {
    /// The tunnel that is refused, if that is what the errors say.
    #[must_use]
    pub fn refused_tunnel(&self, seen: &SeenErrors<'_>) -> Option<RefusedTunnel> {
        let quoted = seen.errors.quoted_destination;
        if let Some((kind, far_end)) = seen.errors.tunnel.zip(quoted) {
            return Some(RefusedTunnel { kind, far_end, seen_as: SeenAs::Content });
        }
        let kind = find_kind(self.exchange.protocol)?;
        let far_end = quoted.or(seen.view.asked)?;
        let is_refused = seen.errors.kind.is_refusal() && seen.errors.quotes == Quotes::Request;
        is_refused.then_some(RefusedTunnel { kind, far_end, seen_as: SeenAs::Carrier })
    }
}

/// Whether errors about a tunnel's outer datagrams say that it is refused. Each direction
/// of an overlay is a flow of its own (RFC 7348 section 5), and each has one end that takes
/// it. A Teredo client tries peers, of which many are not there (RFC 4380 section 5.2.4).
pub(super) fn is_told_of_tunnel(exchange: &Exchange) -> bool {
    find_kind(exchange.protocol).is_some()
}

const fn find_kind(protocol: Protocol) -> Option<TunnelKind> {
    match protocol {
        Protocol::Vxlan => Some(TunnelKind::Vxlan),
        Protocol::Geneve => Some(TunnelKind::Geneve),
        Protocol::GtpU => Some(TunnelKind::GtpU),
        _ => None,
    }
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
            assert!(finding.explanation.contains("VXLAN tunnel"), "{}", finding.explanation);
            let remedy = &finding.remedies[0].title;
            assert!(remedy.starts_with("Open the VXLAN tunnel to"), "{remedy}");
        }
    }
}
