use crate::diagnose::sample::{Family, Sample};
use crate::model::cluster::TrafficPolicy;
use crate::model::exchange::Course;
use crate::model::finding::{Cause, Confidence};
use crate::model::packet::IcmpKind;
use crate::model::report::Quotes;
use crate::model::topology::NodeSettings;

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
fn the_helper_advice_follows_how_the_node_is_set() {
    const LOADS: &str = "modprobe -a nf_conntrack_tftp nf_nat_tftp";
    let both = || Some(vec!["nf_conntrack_tftp".to_owned(), "nf_nat_tftp".to_owned()]);
    let cases = [
        // node, modules, assigned by port, words, whether a command loads them
        ("node3", both(), None, "its NAT part are loaded", false),
        ("node3", Some(Vec::new()), None, "which are not loaded", true),
        ("node3", Some(vec!["nf_conntrack_tftp".to_owned()]), None, "which are not loaded", true),
        ("node3", None, Some(true), "loading both modules is enough", true),
        ("node3", both(), Some(true), "before you add one", false),
        ("node3", None, Some(false), "so the rule is needed", true),
        // What another node has decides nothing.
        ("node4", both(), Some(true), "load the helper and its NAT part, and assign", true),
    ];
    for family in Family::BOTH {
        for (node, helper_modules, assigns_helpers, words, loads) in cases.clone() {
            let settings = NodeSettings {
                node: Some(node.to_owned()),
                helper_modules,
                assigns_helpers,
                ..NodeSettings::default()
            };
            let text =
                advice(&founding(family).with_settings(settings), Cause::FollowUpToRequestAddress);
            assert!(text.contains(words), "{family:?}: no '{words}' in\n{text}");
            assert_eq!(text.contains(LOADS), loads, "{family:?} {words}");
        }
    }
}

#[test]
fn what_is_built_into_the_kernel_is_not_called_missing() {
    for family in Family::BOTH {
        let settings = NodeSettings {
            node: Some("node3".to_owned()),
            helper_modules: Some(vec!["nf_conntrack_tftp".to_owned()]),
            unknown_modules: vec!["nf_nat_tftp".to_owned()],
            ..NodeSettings::default()
        };
        let sample = founding(family).with_settings(settings);
        let text = advice(&sample, Cause::FollowUpToRequestAddress);
        assert!(text.contains("the helper is built into the kernel"), "{family:?}\n{text}");
        assert!(
            !text.contains("not loaded") && !text.contains("modprobe -a"),
            "{family:?}\n{text}"
        );
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
fn a_policy_that_the_cluster_states_is_named_and_stands_in_for_the_pods_side() {
    for family in Family::BOTH {
        let text = |sample: &Sample| advice(sample, Cause::FollowUpToRequestAddress);
        let local = founding(family).of_service(TrafficPolicy::Local);
        let cluster = founding(family).of_service(TrafficPolicy::Cluster);
        let of_service = "of the service ss/server";
        let own = text(&local.clone().pod_answers());
        assert!(own.contains(&format!("Leave externalTrafficPolicy: Local {of_service}")), "{own}");
        let odd = text(&cluster.clone().pod_answers());
        assert!(odd.contains("although kube-proxy hides it"), "{odd}");
        assert!(!odd.contains("with Cluster the pod would see"), "{odd}");
        let blind = text(&local);
        assert!(blind.contains("lets the pod see the device's own address"), "{blind}");
        let blind = text(&cluster);
        assert!(blind.contains("Do not set externalTrafficPolicy: Local"), "{blind}");
    }
}

#[test]
fn kube_vip_and_the_pool_are_named_where_they_are_known() {
    for family in Family::BOTH {
        let sample = founding(family).pod_answers();
        let plain = advice(&sample, Cause::FollowUpToRequestAddress);
        assert!(!plain.contains("kube-vip.io/egress") && !plain.contains("natOutgoing"), "{plain}");
        let sample = sample.of_service(TrafficPolicy::Local).of_pool();
        let text = advice(&sample, Cause::FollowUpToRequestAddress);
        for part in [
            "kubectl annotate service -n ss server kube-vip.io/egress=true",
            "natOutgoing of the address pool default-pool",
        ] {
            assert!(text.contains(part), "{family:?}: no '{part}' in\n{text}");
        }
        let cluster = founding(family).pod_answers().of_service(TrafficPolicy::Cluster);
        let text = advice(&cluster, Cause::FollowUpToRequestAddress);
        assert!(!text.contains("kube-vip.io/egress"), "{text}");
    }
}

#[test]
fn a_service_that_is_known_is_named_in_commands() {
    for family in Family::BOTH {
        let refused = || {
            Sample::tftp(family).icmp(IcmpKind::PortUnreachable, family.vip(), Quotes::Request, 1)
        };
        let list = "kubectl get endpointslices -n ss -l kubernetes.io/service-name=server -o wide";
        let local = refused().of_service(TrafficPolicy::Local);
        let text = advice(&local, Cause::RequestNotTranslated);
        assert!(text.contains(list), "{text}");
        assert!(text.contains("With externalTrafficPolicy: Local of the service"), "{text}");
        let cluster = refused().of_service(TrafficPolicy::Cluster);
        let text = advice(&cluster, Cause::RequestNotTranslated);
        assert!(text.contains(list) && !text.contains("externalTrafficPolicy"), "{text}");
    }
}

#[test]
fn a_policy_of_local_is_not_advised_where_it_is_set() {
    for family in Family::BOTH {
        let sample = || Sample::syslog(family).pod_is_asked().pod_sees_node();
        let patch = "kubectl patch service -n ss server";
        let text = advice(&sample().of_service(TrafficPolicy::Cluster), Cause::SenderTranslated);
        assert!(text.contains(patch), "{text}");
        let text = advice(&sample().of_service(TrafficPolicy::Local), Cause::SenderTranslated);
        assert!(!text.contains("kubectl patch"), "{text}");
        assert!(text.contains("It is not externalTrafficPolicy: Local of the service"), "{text}");
        let text = advice(&sample(), Cause::SenderTranslated);
        assert!(text.contains("kubectl patch service -n NAMESPACE SERVICE"), "{text}");
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
                Cause::RequestNotTranslated,
                vec!["kubectl get endpointslices".to_owned(), "ss -ulpn 'sport = :69'".to_owned()],
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

#[test]
fn packets_lost_between_points_get_the_commands_for_that_host() {
    for family in Family::BOTH {
        let (vip, device) = (family.vip(), family.device());
        let works = || {
            Sample::tftp(family)
                .with_client(family.other_device(), 5_000)
                .answered_by_vip()
                .pod_answers()
                .progress()
        };
        let request = Sample::tftp(family).repeat_request(3).wait_seconds(5);
        let request = request.pod_runs(Some((-5, 60))).beside(works());
        let follow_up = Sample::tftp(family)
            .answered_by_vip()
            .follow_up(vip, 40_001, Course::ToAnswerer, 1)
            .repeat_reply(3)
            .repeat_follow_up(3)
            .pod_answers()
            .pod_repeats(3);
        let reply = Sample::tftp(family).pod_answers().repeat_request(3).wait_seconds(5);
        let tables = if family == Family::V4 { "iptables-save" } else { "ip6tables-save" };
        let cases = [
            (
                request,
                Cause::RequestNotDelivered,
                format!("route get {vip} from {device} iif eth0"),
            ),
            (
                follow_up,
                Cause::FollowUpNotDelivered,
                format!("--orig-src {device} --orig-dst {vip}"),
            ),
            (
                reply,
                Cause::ReplyNotForwarded,
                format!("route get {device} from {} iif cali1", family.pod()),
            ),
        ];
        for (sample, cause, expected) in cases {
            let text = advice(&sample, cause);
            for part in [expected, tables.to_owned(), "On node3".to_owned()] {
                assert!(text.contains(&part), "{cause} {family:?}: no '{part}' in\n{text}");
            }
            let reverse_path = text.contains("ReversePath");
            assert_eq!(reverse_path, family == Family::V4, "{cause} {family:?}");
            let others = sample.diagnose().findings;
            let unanswered = others.iter().find(|f| f.cause == Cause::RequestUnanswered).unwrap();
            assert_eq!(unanswered.remedies[0].title, format!("See {cause}"), "{family:?}");
        }
    }
}

#[test]
fn what_stopped_a_masqueraded_transfer_is_told_once() {
    for family in Family::BOTH {
        let sample = Sample::tftp(family)
            .repeat_request(2)
            .wait_seconds(5)
            .pod_answers()
            .pod_sees_node()
            .icmp_at_pod(IcmpKind::PortUnreachable, family.node(), 3);
        let finding = sample.finding(Cause::PortUnreachable);
        assert!(!finding.explanation.contains("it had closed"), "{}", finding.explanation);
        assert_eq!(finding.remedies.len(), 1, "{family:?}");
        assert!(finding.remedies[0].title.contains("sender_translated"), "{family:?}");
        let remedies = sample.finding(Cause::SenderTranslated).remedies;
        assert!(remedies[0].title.contains("TFTP helper"), "{family:?} {remedies:?}");
        // A log needs no way back.
        let log = Sample::syslog(family).pod_is_asked().pod_sees_node();
        assert!(!advice(&log, Cause::SenderTranslated).contains("helper tftp"), "{family:?}");
    }
}

#[test]
fn a_client_that_moved_is_not_sent_to_the_helper() {
    for family in Family::BOTH {
        let vip = family.vip();
        let sample = Sample::tftp(family)
            .answered_by_vip()
            .follow_up_from(family.other_device(), vip, 40_001, 3)
            .icmp(IcmpKind::PortUnreachable, vip, Quotes::FollowUp, 3);
        let finding = sample.finding(Cause::PortUnreachable);
        assert!(finding.explanation.contains("another of its addresses"), "{family:?}");
        let text = advice(&sample, Cause::PortUnreachable);
        assert!(text.contains("client_source_changed"), "{family:?}: {text}");
        assert!(!text.contains("helper"), "{family:?}: {text}");
    }
}

#[test]
fn a_known_node_is_not_asked_for_where_the_request_is_missing() {
    for family in Family::BOTH {
        let sample = Sample::tftp(family)
            .begins_midway()
            .unknown_reply(family.node(), 40_001)
            .follow_up(family.vip(), 40_001, Course::AnswererUnseen, 3)
            .refused_follow_up(family.vip(), 40_001);
        let text = advice(&sample, Cause::FollowUpToRequestAddress);
        assert!(text.contains("TFTP helper"), "{family:?}: {text}");
        assert!(!text.contains("Find out who owns"), "{family:?}: {text}");
    }
}
