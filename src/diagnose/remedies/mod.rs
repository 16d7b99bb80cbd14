//! What to change: advice with commands for the case at hand.
//!
//! The same fault has opposite cures, so advice is chosen by what was seen: by
//! the protocol, by who answered, by which client the pod saw, and by which
//! part of the exchange an ICMP error quotes.

use std::net::IpAddr;

use super::reading::{Reading, SeenErrors};
use super::reply_source_translated::find_translation;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Origin, Replies};
use crate::model::finding::{Cause, Remedy};
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;
use crate::model::topology::Role;

mod capture;
mod client;
mod commands;
mod filter;
mod helper;
mod mtu;
mod path;
mod responder;
mod service;
mod translation;

pub use capture::{both_directions as capture_both_directions, next as capture_next};

/// For a client that answers to the address asked.
pub fn for_misdirected_follow_up(reading: &Reading<'_>, reply: &Replies) -> Vec<Remedy> {
    let mut remedies = cluster_side(reading, reply);
    remedies.push(client::follow_the_answerer(reading, reply.source));
    remedies
}

/// For a client that goes on at the port asked.
pub fn for_request_port(reading: &Reading<'_>) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    if let Some(reply) = reading.replies().next() {
        remedies.push(client::follow_the_answerer(reading, reply.source));
    }
    remedies.push(translation::single_port_server(reading));
    remedies
}

/// For a reply whose source was not asked. Several causes may tell of the same
/// reply: the one that explains most carries the list, the others point to it.
pub fn for_changed_reply(reading: &Reading<'_>, reply: &Replies, cause: Cause) -> Vec<Remedy> {
    let leading = if reading.wrong_address.is_some() {
        Cause::FollowUpToRequestAddress
    } else if reading.ignored().is_some() {
        Cause::ReplyIgnored
    } else if reading.refusal().is_some() {
        Cause::ReplyRejected
    } else {
        cause
    };
    if leading != cause {
        return vec![see(leading)];
    }
    let mut remedies = cluster_side(reading, reply);
    if reading.change_stopped() {
        remedies.push(client::accept_any_source(reading, reply.source));
    }
    remedies
}

/// Points to the finding of this exchange that carries the advice.
fn see(leading: Cause) -> Remedy {
    Remedy {
        title: format!("See {leading}"),
        steps: vec![format!(
            "This is the same fault seen from another side: what ends {leading} ends this too."
        )],
        commands: Vec::new(),
    }
}

/// For a client that goes on from another of its addresses.
pub fn for_client_source(reading: &Reading<'_>, source: IpAddr) -> Vec<Remedy> {
    vec![client::keep_one_source(reading, source)]
}

/// For an ICMP error, by what it quotes.
pub fn for_icmp(reading: &Reading<'_>, seen: &SeenErrors<'_>) -> Vec<Remedy> {
    let quoted = seen.errors.quoted_destination;
    match (seen.cause, seen.errors.quotes) {
        (Cause::PortUnreachable, Quotes::Request) => {
            let asked = quoted.or(seen.view.asked).or(reading.view.asked);
            asked.map(|asked| service::nothing_listens(reading, asked)).into_iter().collect()
        }
        (Cause::PortUnreachable, Quotes::FollowUp) => {
            if reading.wrong_address.is_some() {
                vec![see(Cause::FollowUpToRequestAddress)]
            } else if reading.wrong_port.is_some() {
                vec![see(Cause::FollowUpToRequestPort)]
            } else {
                lost_mapping(reading, quoted)
            }
        }
        (Cause::PortUnreachable, Quotes::Reply) => vec![client::wait_longer(reading)],
        (Cause::AdminProhibited, _) => vec![filter::refusing_host(reading, seen.errors)],
        (Cause::PacketTooBig, _) => vec![mtu::smaller_datagrams(reading, seen.errors.from)],
        _ if quoted.is_some_and(|quoted| quoted.address == seen.errors.from) => {
            vec![path::behind_the_address(seen.errors.from)]
        }
        _ => vec![path::neighbour_and_route(reading, seen.errors)],
    }
}

/// For a request that nobody answered.
pub fn for_unanswered_request(reading: &Reading<'_>, asked: Endpoint) -> Vec<Remedy> {
    let pod_answers = reading.exchange.pod_view().is_some_and(|pod| pod.reply_packets() > 0);
    let mut remedies = vec![capture::next(reading)];
    remedies.extend((!pod_answers).then(|| service::is_it_served(reading, asked)));
    remedies
}

/// For follow-ups that nobody answered.
pub fn for_unanswered_follow_up(reading: &Reading<'_>, to: Endpoint) -> Vec<Remedy> {
    let mut remedies = vec![capture::next(reading)];
    remedies.extend(lost_mapping(reading, Some(to)));
    remedies
}

/// For a reply that was not followed up.
pub fn for_missing_follow_up(reading: &Reading<'_>) -> Vec<Remedy> {
    vec![capture::next(reading)]
}

/// A server answered from a port and does not receive there.
fn lost_mapping(reading: &Reading<'_>, to: Option<Endpoint>) -> Vec<Remedy> {
    let mut remedies = vec![translation::look_at_entries(reading, to)];
    if reading.exchange.protocol == Protocol::Tftp && reading.exchange.device_is_client() {
        remedies.insert(0, helper::attach(reading));
    }
    remedies
}

/// What can be changed on the answering side.
fn cluster_side(reading: &Reading<'_>, reply: &Replies) -> Vec<Remedy> {
    let translated = find_translation(reading, reply).is_some();
    let answerer = reading.role_of(reply.source.address);
    let may_be_node = answerer == Role::Unknown && reading.exchange.device_is_client();
    if matches!(reply.origin, Origin::OtherPort(_)) {
        return vec![
            translation::look_at_entries(reading, reading.view.asked),
            responder::answer_from_asked(reading, reply.source),
        ];
    }
    let tftp = reading.exchange.protocol == Protocol::Tftp;
    if tftp && (translated || may_be_node) {
        let mut remedies = vec![helper::attach(reading)];
        remedies.extend(translation::to_vip(reading));
        remedies.push(translation::single_port_server(reading));
        if !translated {
            remedies.push(responder::answer_from_asked(reading, reply.source));
        }
        return remedies;
    }
    if translated {
        let mut remedies = vec![translation::look_at_entries(reading, reading.view.asked)];
        remedies.extend(translation::to_vip(reading));
        return remedies;
    }
    if answerer == Role::Pod && reading.exchange.device_is_client() {
        return vec![
            translation::look_at_entries(reading, reading.view.asked),
            translation::bridge_traffic(reading),
        ];
    }
    vec![responder::answer_from_asked(reading, reply.source)]
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Confidence};
    use crate::model::packet::IcmpKind;
    use crate::model::report::Quotes;

    fn advice(sample: &Sample, cause: Cause) -> String {
        let finding = sample.finding(cause);
        let remedies = finding.remedies.iter();
        remedies
            .flat_map(|r| [r.title.clone(), r.steps.join("\n"), r.commands.join("\n")])
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn founding(family: Family) -> Sample {
        Sample::tftp(family).answered_by_node().follow_up(
            family.vip(),
            40_001,
            Course::ToAskedAddress,
            4,
        )
    }

    #[test]
    fn the_founding_fault_gets_the_helper_for_its_own_family() {
        for family in Family::BOTH {
            let text = advice(&founding(family), Cause::FollowUpToRequestAddress);
            let (nft, tables) = match family {
                Family::V4 => ("ip daddr", "iptables -t raw"),
                Family::V6 => ("ip6 daddr", "ip6tables -t raw"),
            };
            let (vip, device) = (family.vip(), family.device());
            for expected in [
                format!("{nft} {vip} udp dport 69 ct helper set"),
                format!("{tables} -A PREROUTING -d {vip} -p udp --dport 69 -j CT --helper tftp"),
                "modprobe -a nf_conntrack_tftp nf_nat_tftp".to_owned(),
                format!("--orig-dst {vip}"),
                "RFC 1350 section 4".to_owned(),
                "kube-proxy replacement".to_owned(),
                format!("-d {device} -p udp -j SNAT --to-source {vip}"),
            ] {
                assert!(text.contains(&expected), "{family:?}: no '{expected}' in\n{text}");
            }
        }
    }

    #[test]
    fn traffic_policy_advice_follows_what_the_pod_saw() {
        for family in Family::BOTH {
            let own = advice(&founding(family).pod_answers(), Cause::FollowUpToRequestAddress);
            let sample = founding(family).pod_answers().pod_sees_node();
            let node = advice(&sample, Cause::FollowUpToRequestAddress);
            let blind = advice(&founding(family), Cause::FollowUpToRequestAddress);
            assert!(own.contains("Leave externalTrafficPolicy"), "{own}");
            assert!(node.contains("Do not set externalTrafficPolicy: Local"), "{node}");
            assert!(!blind.contains("externalTrafficPolicy"), "{blind}");
        }
    }

    #[test]
    fn an_answer_that_left_through_another_node_is_out_of_the_helpers_reach() {
        for family in Family::BOTH {
            let near = advice(&founding(family), Cause::FollowUpToRequestAddress);
            let sample = founding(family).on_node(family.node(), "node5");
            let far = advice(&sample, Cause::FollowUpToRequestAddress);
            assert!(!near.contains("has to leave through"), "{near}");
            assert!(far.contains("has to leave through node3"), "{far}");
        }
    }

    #[test]
    fn one_finding_carries_the_advice_and_the_others_point_to_it() {
        for family in Family::BOTH {
            let sample = founding(family).refused_follow_up(family.vip(), 40_001);
            for cause in [Cause::ReplySourceTranslated, Cause::PortUnreachable] {
                let finding = sample.finding(cause);
                let titles: Vec<_> = finding.remedies.iter().map(|r| r.title.as_str()).collect();
                assert_eq!(titles, ["See follow_up_to_request_address"], "{family:?}");
            }
        }
    }

    #[test]
    fn snat_to_the_vip_is_not_offered_across_nodes() {
        for family in Family::BOTH {
            let apart = founding(family).pod_answers().on_node(family.pod(), "node5");
            let text = advice(&apart, Cause::FollowUpToRequestAddress);
            assert!(!text.contains("--to-source"), "{text}");
        }
    }

    #[test]
    fn a_pod_is_named_only_where_a_cluster_is_known() {
        for family in Family::BOTH {
            let silent = || Sample::tftp(family).repeat_request(3).wait_seconds(5);
            let known = advice(&silent(), Cause::RequestUnanswered);
            let unknown = advice(&silent().without_topology(), Cause::RequestUnanswered);
            assert!(known.contains("pod's cable"), "{known}");
            assert!(!unknown.contains("pod's cable"), "{unknown}");
            assert!(unknown.contains(&format!("near {}", family.vip())), "{unknown}");
        }
    }

    #[test]
    fn other_faults_get_their_own_commands() {
        for family in Family::BOTH {
            let (vip, device) = (family.vip(), family.device());
            let icmp = |kind, quotes| Sample::tftp(family).icmp(kind, vip, quotes, 1);
            let moved = Sample::snmp(family).answered_by_other_address(3);
            let moved = moved.asked_again(2, Confidence::Certain);
            let silent = Sample::tftp(family).repeat_request(3).wait_seconds(5);
            let cases = [
                (
                    moved,
                    Cause::ReplyIgnored,
                    vec!["agentAddress".to_owned(), "unconnected_udp_socket".to_owned()],
                ),
                (
                    icmp(IcmpKind::PortUnreachable, Quotes::Request),
                    Cause::PortUnreachable,
                    vec![
                        "kubectl get endpointslices".to_owned(),
                        "ss -ulpn 'sport = :69'".to_owned(),
                    ],
                ),
                (
                    icmp(IcmpKind::AdminProhibited, Quotes::Request),
                    Cause::AdminProhibited,
                    vec![format!("{vip}")],
                ),
                (
                    icmp(IcmpKind::HostUnreachable, Quotes::Request),
                    Cause::HostUnreachable,
                    // The path to itself is not what the address complains about.
                    vec![format!("at {vip} or behind it"), "grep -n reject".to_owned()],
                ),
                (
                    Sample::tftp(family).icmp(
                        IcmpKind::HostUnreachable,
                        family.node(),
                        Quotes::Request,
                        1,
                    ),
                    Cause::HostUnreachable,
                    vec![format!("route get {vip}")],
                ),
                (
                    icmp(IcmpKind::PacketTooBig, Quotes::Request),
                    Cause::PacketTooBig,
                    vec!["blksize".to_owned()],
                ),
                (
                    silent,
                    Cause::RequestUnanswered,
                    vec![format!("host {device}"), "pod.pcap".to_owned(), "node.pcap".to_owned()],
                ),
            ];
            for (sample, cause, expected) in cases {
                let text = advice(&sample, cause);
                for part in expected {
                    assert!(text.contains(&part), "{cause} {family:?}: no '{part}' in\n{text}");
                }
            }
        }
    }
}
