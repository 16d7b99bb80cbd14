//! Windows over exchanges, with a clock that the test moves.

use std::collections::VecDeque;
use std::time::Duration;

use uuid::Uuid;

use super::board::Board;
use super::devices::Devices;
use super::judge::{Context, find_troubled, judge};
use super::samples::{Stream, at};
use super::window::{Span, Window, WindowLimits};
use crate::analysis::read_node_tables;
use crate::model::finding::{Cause, Verdict};
use crate::model::report::Report;
use crate::model::time::Timestamp;

const SPAN: Duration = Duration::from_mins(1);
const STEP: i64 = 15;
const STALE: Duration = Duration::from_mins(5);

/// Client and the addresses of VIP and node, for both families.
const DEVICE: [&str; 2] = ["192.0.2.9", "2001:db8::9"];
const VIP: [&str; 2] = ["192.0.2.21", "2001:db8::21"];
const NODE: [&str; 2] = ["192.0.2.13", "2001:db8::13"];

const NODE_TABLES: &str = r#"[{"ifindex":2,"ifname":"eth0","operstate":"UP","addr_info":[
    {"family":"inet","local":"192.0.2.13","prefixlen":24,"scope":"global"},
    {"family":"inet","local":"192.0.2.21","prefixlen":32,"scope":"global"},
    {"family":"inet6","local":"2001:db8::13","prefixlen":64,"scope":"global"},
    {"family":"inet6","local":"2001:db8::21","prefixlen":128,"scope":"global","deprecated":true}]}]"#;

/// One packet of a story: milliseconds after its beginning, and what is written.
type Step = (i64, Box<dyn Fn(&mut Stream, Timestamp)>);

fn endpoint(address: &str, port: u16) -> String {
    std::net::SocketAddr::new(address.parse().unwrap(), port).to_string()
}

fn datagram(after_ms: i64, from: &str, to: &str, payload: &[u8]) -> Step {
    let (from, to, payload) = (from.to_owned(), to.to_owned(), payload.to_vec());
    (after_ms, Box::new(move |stream, at| stream.packet(0, at, &from, &to, &payload)))
}

/// The founding fault: the device sends its data to the VIP, on the node's port.
/// The server says OACK again every three seconds.
fn fails(family: usize, port: u16) -> Vec<Step> {
    let client = endpoint(DEVICE[family], port);
    let (asked, server) = (endpoint(VIP[family], 69), endpoint(NODE[family], 40_000));
    let wrong = endpoint(VIP[family], 40_000);
    let mut story =
        vec![datagram(0, &client, &asked, b"\0\x02startup.cfg\0octet\0blksize\x00512\0")];
    for round in 0..6 {
        let after_ms = 5 + 3_000 * round;
        story.push(datagram(after_ms, &server, &client, b"\0\x06blksize\x00512\0"));
        story.push(datagram(after_ms + 5, &client, &wrong, b"\0\x03\0\x01hostname switch1\n"));
        let (client, wrong) = (client.clone(), wrong.clone());
        let error: Step = (
            after_ms + 6,
            Box::new(move |stream, at| {
                stream.port_unreachable(0, at, VIP[family], (&client, &wrong));
            }),
        );
        story.push(error);
    }
    story
}

/// The same exchange, as it goes well.
fn works(family: usize, port: u16) -> Vec<Step> {
    let client = endpoint(DEVICE[family], port);
    let (asked, server) = (endpoint(VIP[family], 69), endpoint(NODE[family], 40_001));
    vec![
        datagram(0, &client, &asked, b"\0\x02startup.cfg\0octet\0blksize\x00512\0"),
        datagram(5, &server, &client, b"\0\x06blksize\x00512\0"),
        datagram(10, &client, &server, b"\0\x03\0\x01hostname switch1\n"),
        datagram(15, &server, &client, b"\0\x04\0\x01"),
    ]
}

/// A transfer of some minutes that goes well: a block each second.
fn goes_on(family: usize, port: u16) -> Vec<Step> {
    let client = endpoint(DEVICE[family], port);
    let (asked, server) = (endpoint(VIP[family], 69), endpoint(NODE[family], 40_002));
    let mut story = vec![
        datagram(0, &client, &asked, b"\0\x02image.bin\0octet\0"),
        datagram(5, &server, &client, b"\0\x04\0\0"),
    ];
    for block in 1..=200_u8 {
        let after_ms = i64::from(block) * 1_000;
        let data = [&[0, 3, 0, block][..], &[b'd'; 512]].concat();
        story.push(datagram(after_ms, &client, &server, &data));
        story.push(datagram(after_ms + 400, &server, &client, &[0, 4, 0, block]));
    }
    story
}

/// One socket that asks a name server again and again, and is answered slowly.
fn asks_names(family: usize, port: u16) -> Vec<Step> {
    let (client, server) = (endpoint(DEVICE[family], port), endpoint(NODE[family], 53));
    let message = |id: u8, flags: [u8; 2]| {
        let question = b"\x07switch1\x07example\0\0\x01\0\x01";
        [&[1, id][..], &flags, &[0, 1, 0, 0, 0, 0, 0, 0], question].concat()
    };
    let ask = |id: u8| {
        let after_ms = i64::from(id) * 3_000;
        [
            datagram(after_ms, &client, &server, &message(id, [1, 0])),
            datagram(after_ms + 1_500, &server, &client, &message(id, [0x81, 0x83])),
        ]
    };
    (0..60).flat_map(ask).collect()
}

/// A question that nobody answers.
fn asks(family: usize, port: u16) -> Vec<Step> {
    let (client, asked) = (endpoint(DEVICE[family], port), endpoint(VIP[family], 69));
    let request = b"\0\x01startup.cfg\0octet\0";
    (0..3).map(|round| datagram(round * 5_000, &client, &asked, request)).collect()
}

/// A watch whose clock is the test's.
struct Rehearsal {
    devices: Devices,
    window: Window,
    board: Board,
    stream: Stream,
    waiting: VecDeque<(Timestamp, Step)>,
    now_s: i64,
}

impl Rehearsal {
    fn new() -> Self {
        let addresses: Vec<_> = DEVICE.iter().map(|one| one.parse().unwrap()).collect();
        let limits = WindowLimits { span: SPAN, packets: 10_000, bytes: 1 << 20 };
        Self {
            devices: Devices::parse(&addresses, None).unwrap(),
            window: Window::new(limits, at(0)),
            board: Board::new(STALE),
            stream: Stream::new(&["eth0"]),
            waiting: VecDeque::new(),
            now_s: 0,
        }
    }

    fn tell(&mut self, begin_s: i64, story: Vec<Step>) {
        for step in story {
            let time = at(begin_s) + Duration::from_millis(step.0.try_into().unwrap());
            self.waiting.push_back((time, step));
        }
        self.waiting.make_contiguous().sort_by_key(|(time, _)| *time);
    }

    /// The next window; its report, if it holds packets.
    fn step(&mut self) -> Option<(Report, Span)> {
        self.now_s += STEP;
        let now = at(self.now_s);
        while let Some((time, (_, write))) = self.waiting.pop_front_if(|(time, _)| *time < now) {
            write(&mut self.stream, time);
            self.window.push(&self.stream.take(), now);
        }
        let snapshot = self.window.snapshot(now);
        let span = snapshot.span;
        if snapshot.packets == 0 {
            self.board.forget(now);
            return None;
        }
        let facts = read_node_tables("node3", NODE_TABLES);
        let context = Context { node: "node3".to_owned(), facts, table: None };
        let report = judge(snapshot, &self.devices, context, Uuid::nil()).unwrap();
        self.board.take(&report, &self.devices, span);
        Some((report, span))
    }

    fn verdict(&self, family: usize) -> Option<Verdict> {
        self.board.find(family, at(self.now_s)).map(|state| state.verdict)
    }

    /// The verdicts of a device at each step up to `end_s`, each once.
    fn verdicts(&mut self, family: usize, end_s: i64) -> Vec<Verdict> {
        let mut found = Vec::new();
        while self.now_s < end_s {
            self.step();
            found.extend(self.verdict(family));
        }
        found.dedup();
        found
    }

    /// The same, without the one that a window gives which has just its beginning.
    fn settled_verdicts(&mut self, family: usize, end_s: i64) -> Vec<Verdict> {
        let found = self.verdicts(family, end_s);
        let begins = usize::from(found.first() == Some(&Verdict::Inconclusive));
        found[begins..].to_vec()
    }
}

#[test]
fn an_exchange_across_an_edge_is_judged_whole() {
    for family in [0, 1] {
        for begin_s in 1..=60 {
            let mut rehearsal = Rehearsal::new();
            rehearsal.tell(begin_s, fails(family, 58_631));
            let verdicts = rehearsal.verdicts(family, 200);
            assert_eq!(verdicts, [Verdict::Broken], "{} at {begin_s} s", DEVICE[family]);
            let state = rehearsal.board.find(family, at(200)).unwrap();
            let causes: Vec<Cause> = state.findings.iter().map(|one| one.cause).collect();
            assert!(causes.contains(&Cause::FollowUpToRequestAddress), "{causes:?}");
            assert!(state.findings.iter().all(|one| one.evidence > 0));
        }
    }
}

#[test]
fn what_lasts_longer_than_a_window_and_goes_well_is_never_judged_worse() {
    for family in [0, 1] {
        for begin_s in 1..=15 {
            let mut rehearsal = Rehearsal::new();
            rehearsal.tell(begin_s, goes_on(family, 58_631));
            let verdicts = rehearsal.settled_verdicts(family, 300);
            assert_eq!(verdicts, [Verdict::Tolerated], "{} at {begin_s} s", DEVICE[family]);

            let mut rehearsal = Rehearsal::new();
            rehearsal.tell(begin_s, asks_names(family, 5_300));
            let verdicts = rehearsal.settled_verdicts(family, 180);
            assert_eq!(verdicts, [Verdict::Symmetric], "{} at {begin_s} s", DEVICE[family]);
        }
    }
}

#[test]
fn a_device_recovers_once_the_window_shows_only_what_works() {
    for family in [0, 1] {
        for gap_s in [20, 33, 70, 130] {
            let mut rehearsal = Rehearsal::new();
            rehearsal.tell(10, fails(family, 58_631));
            rehearsal.tell(10 + gap_s, works(family, 58_632));
            rehearsal.tell(10 + gap_s + 40, works(family, 58_633));
            let verdicts = rehearsal.verdicts(family, 240);
            let expected = [Verdict::Broken, Verdict::Tolerated];
            assert_eq!(verdicts, expected, "{} after {gap_s} s", DEVICE[family]);
            assert_eq!(rehearsal.verdict(1 - family), None);
        }
    }
}

#[test]
fn a_verdict_that_nothing_confirms_is_forgotten() {
    for family in [0, 1] {
        let mut rehearsal = Rehearsal::new();
        rehearsal.tell(10, works(family, 58_631));
        assert_eq!(rehearsal.verdicts(family, 300), [Verdict::Tolerated]);
        let judged_at = rehearsal.board.find(family, at(300)).unwrap().judged_at;
        assert!(rehearsal.board.find(family, judged_at + STALE).is_some());
        assert!(rehearsal.board.find(family, judged_at + STALE + SPAN).is_none());
    }
}

#[test]
fn silence_is_observed_up_to_the_end_of_the_window_unless_packets_were_missed() {
    for family in [0, 1] {
        let mut rehearsal = Rehearsal::new();
        rehearsal.tell(16, asks(family, 5_000));
        assert_eq!(rehearsal.verdicts(family, 75).last(), Some(&Verdict::Unanswered));

        let mut rehearsal = Rehearsal::new();
        rehearsal.tell(16, asks(family, 5_000));
        rehearsal.window.note_gap(at(16));
        assert_eq!(rehearsal.verdicts(family, 75), [Verdict::Inconclusive]);
        let state = rehearsal.board.find(family, at(75)).unwrap();
        assert!(state.findings.iter().all(|one| one.cause != Cause::RequestUnanswered));
    }
}

#[test]
fn a_window_that_shows_too_little_changes_no_verdict() {
    let mut rehearsal = Rehearsal::new();
    rehearsal.tell(10, works(0, 58_631));
    assert_eq!(rehearsal.verdicts(0, 90), [Verdict::Tolerated]);
    // An answer whose request nobody saw.
    let (server, client) = (endpoint(NODE[0], 40_007), endpoint(DEVICE[0], 58_700));
    rehearsal.tell(91, vec![datagram(0, &server, &client, b"\0\x04\0\x07")]);
    let (report, _) = rehearsal.step().unwrap();
    assert!(report.devices.iter().any(|device| device.verdict == Verdict::Inconclusive));
    assert_eq!(rehearsal.verdict(0), Some(Verdict::Tolerated));
}

#[test]
fn only_sockets_in_trouble_are_looked_up_in_the_kernels_table() {
    for family in [0, 1] {
        let mut rehearsal = Rehearsal::new();
        rehearsal.tell(1, fails(family, 58_631));
        rehearsal.tell(2, works(family, 58_632));
        rehearsal.now_s = 15;
        let (report, _) = rehearsal.step().unwrap();
        let troubled: Vec<String> =
            find_troubled(&report, &rehearsal.devices).iter().map(ToString::to_string).collect();
        assert_eq!(troubled, [endpoint(DEVICE[family], 58_631)]);
    }
}
