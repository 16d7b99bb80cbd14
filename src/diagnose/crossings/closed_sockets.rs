//! Sockets that had their answer from somebody else: a client that asks several
//! servers at once closes its socket after the first answer, and its kernel then
//! refuses the others. That is no fault of anybody.

use hashbrown::{HashMap, HashSet};

use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Exchange, Origin, PointId, View};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;
use crate::model::time::Timestamp;

type Socket = (Protocol, Endpoint, PointId);

/// When sockets that refused some reply were answered by whom they asked.
#[derive(Debug, Default)]
pub struct ClosedSockets {
    answers: HashMap<Socket, Vec<Answered>>,
}

#[derive(Debug, Clone, Copy)]
struct Answered {
    asked: Endpoint,
    request_at: Timestamp,
    reply_at: Timestamp,
}

impl ClosedSockets {
    /// Keeps the answered exchanges of sockets that refused a reply in another one.
    pub fn new(exchanges: &[Exchange]) -> Self {
        let views = || {
            exchanges.iter().flat_map(|exchange| {
                exchange.views.iter().map(move |view| (socket(exchange, view), view))
            })
        };
        let refusing: HashSet<Socket> =
            views().filter(|(_, view)| refuses_reply(view)).map(|(socket, _)| socket).collect();
        let mut closed = Self::default();
        if refusing.is_empty() {
            return closed;
        }
        for (socket, view) in views().filter(|(socket, _)| refusing.contains(socket)) {
            if let Some(answered) = answered(view).filter(|_| !refuses_reply(view)) {
                closed.answers.entry(socket).or_default().push(answered);
            }
        }
        closed
    }

    /// Whether the client of `exchange` had been answered in another exchange
    /// between its last request here and the first reply, and asked no more.
    #[must_use]
    pub fn had_answer(&self, exchange: &Exchange, view: &View) -> bool {
        let Some(answers) = self.answers.get(&socket(exchange, view)) else { return false };
        let replied_at = view.replies.iter().filter_map(|replies| replies.tally.first).min();
        let (Some(reply), Some(last)) = (replied_at, view.requests.last) else { return false };
        answers.iter().any(|answer| {
            Some(answer.asked) != view.asked
                && answer.request_at <= reply.at
                && (last.at..=reply.at).contains(&answer.reply_at)
        })
    }
}

fn socket(exchange: &Exchange, view: &View) -> Socket {
    (exchange.protocol, exchange.client, view.point)
}

fn refuses_reply(view: &View) -> bool {
    view.icmp_errors
        .iter()
        .any(|errors| errors.kind == IcmpKind::PortUnreachable && errors.quotes == Quotes::Reply)
}

fn answered(view: &View) -> Option<Answered> {
    let expected = view.replies.iter().find(|replies| replies.origin == Origin::Asked)?;
    Some(Answered {
        asked: view.asked?,
        request_at: view.requests.first?.at,
        reply_at: expected.tally.first?.at,
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::Verdict;
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

    #[test]
    fn a_socket_that_was_answered_may_refuse_the_other_servers() {
        for family in Family::BOTH {
            let (vip, node, device) = (family.vip(), family.node(), family.device());
            let asks = || Sample::request(family, Protocol::Dns, 53);
            let refused = || {
                asks().wait_seconds(1).reply(vip, 53, Origin::Asked, 1).icmp(
                    IcmpKind::PortUnreachable,
                    device,
                    Quotes::Reply,
                    1,
                )
            };
            let other = || asks().asking(node);
            let cases = [
                ("alone", refused(), Verdict::Rejected),
                (
                    "answered by another server",
                    refused().beside(other().reply(node, 53, Origin::Asked, 1)),
                    Verdict::Symmetric,
                ),
                ("the other is silent too", refused().beside(other()), Verdict::Rejected),
                (
                    "answered by another server too late",
                    refused().beside(other().wait_seconds(3).reply(node, 53, Origin::Asked, 1)),
                    Verdict::Rejected,
                ),
                (
                    "another socket was answered",
                    refused().beside(other().with_port(9).reply(node, 53, Origin::Asked, 1)),
                    Verdict::Rejected,
                ),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
            }
        }
    }
}
