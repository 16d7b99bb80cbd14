//! What holds for every exchange, however odd.

use std::net::IpAddr;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::sample::{Family, Sample};
use super::wording::TITLE_LIMIT_CHARS;
use crate::model::capture::PointKind;
use crate::model::exchange::{Course, Exchange, Origin};
use crate::model::finding::{Cause, Confidence, Diagnosis, Severity, Verdict};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;

/// One thing that may happen next in an exchange.
#[derive(Debug, Clone)]
enum Event {
    Wait(u64),
    RepeatRequest(u64),
    Reply { from: usize, port: u16, origin: Origin, packets: u64 },
    RepeatReply,
    FollowUp { to: usize, port: u16, course: Course, packets: u64 },
    RepeatFollowUp(u64),
    Progress,
    AskedAgain(u64, Confidence),
    Icmp { kind: IcmpKind, from: usize, quotes: Quotes, packets: u64 },
    IcmpAtPod(IcmpKind),
    Midway,
    At(PointKind),
    PodAnswers,
    PodSeesNode,
    PodIsAsked,
    PodRepeats(u64),
    PodRuns(Option<(i64, i64)>),
    Beside(Neighbour),
    WithoutTopology,
    EmptyTallies,
}

/// Another exchange of the same analysis.
#[derive(Debug, Clone, Copy)]
enum Neighbour {
    Works,
    WorksAtPod,
    OtherFamily,
}

fn confidence() -> impl Strategy<Value = Confidence> {
    prop::sample::select(vec![Confidence::Possible, Confidence::Likely, Confidence::Certain])
}

fn kind() -> impl Strategy<Value = IcmpKind> {
    prop::sample::select(vec![
        IcmpKind::PortUnreachable,
        IcmpKind::HostUnreachable,
        IcmpKind::NetworkUnreachable,
        IcmpKind::AdminProhibited,
        IcmpKind::PacketTooBig,
        IcmpKind::TimeExceeded,
        IcmpKind::Other,
    ])
}

fn event() -> impl Strategy<Value = Event> {
    let port = || prop::sample::select(vec![69_u16, 161, 514, 40_001]);
    let origin = (0..5_u8, confidence()).prop_map(|(which, confidence)| match which {
        0 => Origin::Asked,
        1 => Origin::ByDesign,
        2 => Origin::OtherAddress(confidence),
        3 => Origin::OtherPort(confidence),
        _ => Origin::Unknown,
    });
    let course = prop::sample::select(vec![
        Course::ToAnswerer,
        Course::ToAskedAddress,
        Course::ToAskedPort,
        Course::AnswererUnseen,
        Course::FromOtherSource,
    ]);
    let quotes = prop::sample::select(vec![Quotes::Request, Quotes::Reply, Quotes::FollowUp]);
    let point = prop::sample::select(vec![
        PointKind::Device,
        PointKind::Host,
        PointKind::Pod,
        PointKind::Unknown,
    ]);
    prop_oneof![
        (0..10_u64).prop_map(Event::Wait),
        (0..4_u64).prop_map(Event::RepeatRequest),
        (0..5_usize, port(), origin, 0..4_u64)
            .prop_map(|(from, port, origin, packets)| Event::Reply { from, port, origin, packets }),
        Just(Event::RepeatReply),
        (0..5_usize, port(), course, 0..4_u64)
            .prop_map(|(to, port, course, packets)| Event::FollowUp { to, port, course, packets }),
        (0..4_u64).prop_map(Event::RepeatFollowUp),
        Just(Event::Progress),
        (0..4_u64, confidence()).prop_map(|(times, sure)| Event::AskedAgain(times, sure)),
        (kind(), 0..5_usize, quotes, 0..4_u64)
            .prop_map(|(kind, from, quotes, packets)| Event::Icmp { kind, from, quotes, packets }),
        kind().prop_map(Event::IcmpAtPod),
        Just(Event::Midway),
        point.prop_map(Event::At),
        Just(Event::PodAnswers),
        Just(Event::PodSeesNode),
        Just(Event::PodIsAsked),
        (0..4_u64).prop_map(Event::PodRepeats),
        prop::option::of((-20..20_i64, 0..60_i64)).prop_map(Event::PodRuns),
        prop::sample::select(vec![Neighbour::Works, Neighbour::WorksAtPod, Neighbour::OtherFamily])
            .prop_map(Event::Beside),
        Just(Event::WithoutTopology),
        Just(Event::EmptyTallies),
    ]
}

fn apply(sample: Sample, family: Family, event: &Event) -> Sample {
    let address = |index: usize| -> IpAddr {
        [family.device(), family.other_device(), family.vip(), family.node(), family.pod()][index]
    };
    let replied = !sample.exchange.views[0].replies.is_empty();
    let followed = !sample.exchange.views[0].follow_ups.is_empty();
    match *event {
        Event::Wait(seconds) => sample.wait_seconds(seconds),
        Event::RepeatRequest(times) => sample.repeat_request(times),
        Event::Reply { from, port, origin, packets } => {
            sample.reply(address(from), port, origin, packets)
        }
        Event::RepeatReply if replied => sample.repeat_reply(1),
        Event::FollowUp { to, port, course, packets } => {
            sample.follow_up(address(to), port, course, packets)
        }
        Event::RepeatFollowUp(times) if followed => sample.repeat_follow_up(times),
        Event::Progress => sample.progress(),
        Event::AskedAgain(times, sure) => sample.asked_again(times, sure),
        Event::Icmp { kind, from, quotes, packets } => {
            sample.icmp(kind, address(from), quotes, packets)
        }
        Event::IcmpAtPod(kind) => sample.icmp_at_pod(kind, family.node(), 2),
        Event::Midway => sample.begins_midway(),
        Event::At(kind) => sample.at(kind),
        Event::PodAnswers => sample.pod_answers(),
        Event::PodSeesNode => sample.pod_sees_node(),
        Event::PodIsAsked => sample.pod_is_asked(),
        Event::PodRepeats(times)
            if sample.exchange.views.get(1).is_some_and(|v| !v.replies.is_empty()) =>
        {
            sample.pod_repeats(times)
        }
        Event::RepeatReply | Event::RepeatFollowUp(_) | Event::PodRepeats(_) => sample,
        Event::PodRuns(observed) => sample.pod_runs(observed),
        Event::Beside(Neighbour::Works) => {
            sample.beside(Sample::tftp(family).with_port(5_000).begins_at(1).answered_by_vip())
        }
        Event::Beside(Neighbour::WorksAtPod) => sample.beside(
            Sample::tftp(family).with_port(5_000).answered_by_vip().pod_answers().progress(),
        ),
        Event::Beside(Neighbour::OtherFamily) => {
            sample.listed().beside(Sample::tftp(family.other()).answered_by_node().progress())
        }
        Event::WithoutTopology => sample.without_topology(),
        Event::EmptyTallies => {
            let mut sample = sample;
            for replies in &mut sample.primary().replies {
                replies.tally.first = None;
            }
            sample
        }
    }
}

fn sample() -> impl Strategy<Value = Sample> {
    let family = prop::sample::select(Family::BOTH.to_vec());
    let start = (family, 0..7_u8);
    (start, prop::collection::vec(event(), 0..10)).prop_map(|((family, protocol), events)| {
        let start = match protocol {
            0 | 1 => Sample::tftp(family),
            2 => Sample::snmp(family),
            3 => Sample::syslog(family),
            4 => Sample::mdns(family),
            5 => Sample::request(family, Protocol::Udp, 9_000),
            _ => Sample::request(family, Protocol::Quic, 443),
        };
        events.iter().fold(start, |sample, event| apply(sample, family, event))
    })
}

fn worst(diagnosis: &Diagnosis) -> Option<Severity> {
    diagnosis.findings.iter().map(|finding| finding.severity).max()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verdict_and_findings_agree(sample in sample()) {
        let diagnosis = sample.diagnose();
        let worst = worst(&diagnosis);
        match diagnosis.verdict {
            Verdict::Broken | Verdict::Rejected | Verdict::Unanswered => {
                prop_assert_eq!(worst, Some(Severity::Error));
            }
            Verdict::Tolerated => prop_assert_eq!(worst, Some(Severity::Warning)),
            Verdict::Symmetric => prop_assert!(worst <= Some(Severity::Info)),
            // A log that is filed under the wrong sender is an error all the same.
            Verdict::OneWay if diagnosis.findings.iter().any(|f| f.cause == Cause::SenderTranslated) => {
                prop_assert_eq!(worst, Some(Severity::Error));
            }
            Verdict::Inconclusive | Verdict::OneWay => {
                prop_assert!(worst <= Some(Severity::Warning));
            }
        }
    }

    #[test]
    fn findings_are_ordered_and_presentable(sample in sample()) {
        let diagnosis = sample.diagnose();
        let order = |cause: Cause| Cause::ALL.iter().position(|other| *other == cause);
        prop_assert!(diagnosis.findings.is_sorted_by(|a, b| order(a.cause) < order(b.cause)));
        for finding in &diagnosis.findings {
            let title = finding.title.chars().count();
            prop_assert!((1..=TITLE_LIMIT_CHARS).contains(&title), "{}", finding.title);
            prop_assert!(finding.explanation.ends_with('.'), "{}", finding.explanation);
            prop_assert!((1..=8).contains(&finding.evidence.len()));
            for remedy in &finding.remedies {
                prop_assert!(!remedy.steps.is_empty(), "{}", remedy.title);
            }
        }
    }

    #[test]
    fn protocols_that_move_and_groups_are_never_asymmetric(
        events in prop::collection::vec(event(), 0..10),
        quic in any::<bool>(),
    ) {
        for family in Family::BOTH {
            let start = if quic {
                Sample::request(family, Protocol::Quic, 443)
            } else {
                Sample::mdns(family)
            };
            let sample = events.iter().fold(start, |s, event| apply(s, family, event));
            let verdict = sample.diagnose().verdict;
            prop_assert!(![Verdict::Broken, Verdict::Tolerated].contains(&verdict), "{:?}", verdict);
            // Of what opens a conversation silence is told all the same.
            prop_assert!(quic || verdict != Verdict::Unanswered, "{:?}", verdict);
        }
    }
}

#[test]
fn an_exchange_without_views_is_inconclusive() {
    for family in Family::BOTH {
        let mut sample = Sample::tftp(family);
        sample.exchange = Exchange { views: Vec::new(), ..sample.exchange };
        assert_eq!(sample.diagnose().verdict, Verdict::Inconclusive);
    }
}

#[test]
fn random_exchanges_reach_every_verdict() {
    let mut runner = TestRunner::deterministic();
    let mut missing = Verdict::WORST_FIRST.to_vec();
    for _ in 0..4_000 {
        let verdict = sample().new_tree(&mut runner).unwrap().current().diagnose().verdict;
        missing.retain(|other| *other != verdict);
    }
    assert!(missing.is_empty(), "never reached: {missing:?}");
}
