use super::history::HistoryView;
use super::home::HomeView;
use super::node::{self, NodeView, NodesView};
use super::problem::ProblemView;
use super::running::RunningView;
use super::{history, home, problem, running};
use crate::model::finding::Verdict;
use crate::model::progress::{AnalysisState, Phase, Progress};
use crate::model::query::{NodeQuery, QueryState, QuerySummary};
use crate::model::report::{AnalysisSummary, DeviceSummary};
use crate::model::topology::{FactSource, Role};
use crate::node::summary::{
    AgentState, AgentSummary, ClusterState, NodeAddress, NodeDetails, NodeSummary, PodSummary,
    ResourceHealth, ResourceState,
};
use crate::node::wire::InterfaceStatus;
use crate::report::samples;

const SCRIPT: &str = "/static/progress-0123456789abcdef.js";
const STYLESHEET: &str = "/static/app-0123456789abcdef.css";

fn pages(text: &str) -> Vec<(&'static str, String)> {
    let (analyses, entries) = (samples::analysis_summaries(text), samples::device_summaries(text));
    vec![
        ("home", render_home(&analyses, Some(text))),
        ("home-empty", render_home(&[], None)),
        ("history", render_history(&entries, Some(text))),
        ("history-empty", render_history(&[], None)),
        ("nodes", render_nodes(&[node_sample(text).summary], text)),
        ("nodes-empty", render_nodes(&[], "")),
        ("node", render_node(&node_sample(text))),
        ("running", render_running(None)),
        ("running-of", render_running(Some(2 << 30))),
        (
            "problem",
            problem::render(&ProblemView {
                stylesheet: STYLESHEET,
                status: 422,
                title: "Not a capture",
                detail: text,
                hint: Some(text),
            })
            .unwrap(),
        ),
    ]
}

fn render_home(analyses: &[AnalysisSummary], text: Option<&str>) -> String {
    let view = HomeView {
        stylesheet: STYLESHEET,
        script: SCRIPT,
        analyses,
        older: text,
        limit_bytes: 1 << 30,
        filter_text: text,
        verdict: Some(Verdict::Broken),
        text: text.unwrap_or_default(),
        kept: &[("node", text.unwrap_or_default().to_owned())],
        clusters: &text.map(str::to_owned).into_iter().collect::<Vec<_>>(),
    };
    home::render(&view).unwrap()
}

fn render_running(bytes_expected: Option<u64>) -> String {
    let progress = Progress {
        id: samples::founding().id,
        state: AnalysisState::Running,
        phase: Phase::Receiving,
        bytes_received: 3 << 28,
        bytes_expected,
        packets: 1_234,
        captures: 1,
    };
    let view = RunningView { stylesheet: STYLESHEET, script: SCRIPT, progress, query: None };
    running::render(&view).unwrap()
}

fn render_history(entries: &[DeviceSummary], name: Option<&str>) -> String {
    let device = samples::ip("2000::65:119");
    let text = name.unwrap_or("node3");
    let nodes = [node_sample(text).summary];
    let nodes = if name.is_some() { &nodes[..] } else { &[] };
    let last_node = name.map(|name| (Some(name), name));
    let asked: Vec<_> =
        name.map(|name| asked(QueryState::Failed, Some(name), None)).into_iter().collect();
    let view = HistoryView {
        stylesheet: STYLESHEET,
        device,
        name,
        entries,
        nodes,
        last_node,
        asked: &asked,
        running: None,
    };
    history::render(&view).unwrap()
}

/// What was asked of node3 about a device.
fn asked(state: QueryState, message: Option<&str>, headline: Option<&str>) -> QuerySummary {
    let device = samples::ip("2000::65:119");
    QuerySummary {
        query: NodeQuery {
            id: samples::founding().id,
            node: message.unwrap_or("node3").to_owned(),
            cluster: message.map(str::to_owned),
            device,
            addresses: vec![device],
            duration_s: 60,
            state,
            created_at: samples::founding().created_at,
            started_at: None,
            ended_at: None,
            message: message.map(str::to_owned),
        },
        verdict: headline.map(|_| Verdict::Inconclusive),
        headline: headline.map(str::to_owned),
    }
}

fn render_nodes(nodes: &[NodeSummary], text: &str) -> String {
    let resource = |state| ResourceState {
        resource: "pods".to_owned(),
        state,
        objects: 1,
        objects_omitted: 7,
        last_event_at: None,
        error: Some(text.to_owned()),
    };
    let cluster = ClusterState {
        cluster: text.to_owned(),
        connected: false,
        objects: 1,
        last_event_at: None,
        agents_elsewhere: 2,
        resources: vec![resource(ResourceHealth::Forbidden), resource(ResourceHealth::Fresh)],
    };
    let view = NodesView {
        stylesheet: STYLESHEET,
        nodes,
        omitted: 3,
        clusters: &[cluster.clone(), cluster],
        cluster: None,
        text,
    };
    node::render_nodes(&view).unwrap()
}

fn render_node(node: &NodeDetails) -> String {
    let interfaces = [InterfaceStatus {
        name: node.summary.node.clone(),
        index: 2,
        state: "UP".to_owned(),
        may_capture: true,
    }];
    let view = NodeView {
        stylesheet: STYLESHEET,
        node,
        interfaces: Some(&interfaces),
        complaint: Some(&node.summary.node),
        longest_s: 600,
    };
    node::render_node(&view).unwrap()
}

fn node_sample(text: &str) -> NodeDetails {
    let address = |address: &str, role| NodeAddress {
        address: samples::ip(address),
        role,
        source: FactSource::Kubernetes,
        reason: text.to_owned(),
    };
    NodeDetails {
        summary: NodeSummary {
            node: text.to_owned(),
            cluster: Some(text.to_owned()),
            addresses: vec![
                address("192.0.2.4", Role::Node),
                address("2001:db8::4", Role::Node),
                address("2001:db8::10", Role::Vip),
            ],
            pod_count: 1,
            agent: AgentSummary { state: AgentState::Registered, url: Some(text.to_owned()) },
        },
        pods: vec![PodSummary {
            pod: text.to_owned(),
            addresses: vec![samples::ip("203.0.113.7"), samples::ip("2001:db8:1::7")],
            uses_host_network: false,
        }],
    }
}

#[test]
fn a_nodes_page_shows_roles_pods_and_what_a_cluster_withholds() {
    let page = render_node(&node_sample("node3"));
    for part in
        ["192.0.2.4", "2001:db8::10</td><td role=\"cell\">vip", "2001:db8:1::7", "listens at"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = render_nodes(&[node_sample("node 3").summary], "only for admins");
    for part in [
        "href=\"/nodes/node%203?cluster=node%203\"",
        "pods may not be read: only for admins",
        "7 pods are more than are kept",
        "not connected",
        "3 more fit",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(render_nodes(&[], "").contains("--in-cluster"));
}

#[test]
fn no_page_runs_or_fetches_anything_but_the_one_script() {
    for text in ["running-config of access-switch-7", samples::HOSTILE] {
        for (name, page) in pages(text) {
            let script = format!("<script src=\"{SCRIPT}\" defer></script>");
            let has_script = page.contains(&script);
            assert_eq!(has_script, name.starts_with("home") || name.starts_with("running"));
            samples::assert_harmless(name, &page.replacen(&script, "", 1));
            assert!(
                page.contains(&format!("<link rel=\"stylesheet\" href=\"{STYLESHEET}\">")),
                "{name}"
            );
        }
    }
}

#[test]
fn the_first_page_takes_captures_inventories_and_text() {
    let page = render_home(&[], None);
    for part in [
        "method=\"post\" action=\"/analyses\" enctype=\"multipart/form-data\"",
        "type=\"file\" name=\"capture\" multiple",
        "type=\"file\" name=\"inventory\" multiple",
        "name=\"text\"",
        "name=\"title\"",
        "1 GiB",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_running_analysis_is_told_with_and_without_a_script() {
    let page = render_running(Some(2 << 30));
    for part in [
        "<progress id=\"progress-bar\" max=\"2147483648\" value=\"805306368\">",
        "<label for=\"progress-bar\" id=\"progress-phase\">Receiving</label>",
        "768 MiB of 2 GiB, packets: 1234",
        "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>",
        "aria-live=\"polite\"",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    // A bar without a value moves, and says nothing of how much is left.
    assert!(render_running(None).contains("<progress id=\"progress-bar\"></progress>"));
}

#[test]
fn a_devices_page_leads_to_the_newest_report() {
    let id = samples::founding().id;
    let page = render_history(&samples::device_summaries("a headline"), None);
    assert!(page.contains(&format!("href=\"/analyses/{id}/devices/2000::65:119\"")));
    let page = render_history(&[], None);
    assert!(page.contains("Nothing is known yet"));
    assert!(page.contains("tcpdump -ni any -w 2000--65-119.pcap"));
}

#[test]
fn a_device_that_was_asked_about_is_not_unknown() {
    let empty = "No UDP exchange was found in 0 packets";
    let cases = [
        (QueryState::Running, None, None, "node3 is asked about this device now."),
        (
            QueryState::Finished,
            None,
            Some(empty),
            "for 60 s, and saw no exchange of this device. No UDP",
        ),
        (
            QueryState::Finished,
            Some("stopped after 1 s"),
            Some(empty),
            "and the capture did not last 60 s: stopped after 1 s. Until it ended, it saw no exchange of this device. No UDP",
        ),
        (
            QueryState::Interrupted,
            Some("the agent was lost 3 s into the capture"),
            Some(empty),
            "did not last 60 s: the agent was lost 3 s into the capture. Until it ended",
        ),
        (QueryState::Failed, Some("it is away"), None, "and there is no report: it is away."),
        (QueryState::Interrupted, Some("it was stopped"), None, "no report: it was stopped."),
    ];
    for (state, message, headline, words) in cases {
        let page = history::render(&HistoryView {
            stylesheet: STYLESHEET,
            device: samples::ip("2000::65:119"),
            name: None,
            entries: &[],
            nodes: &[],
            last_node: None,
            asked: &[asked(state, message, headline)],
            running: None,
        })
        .unwrap();
        assert!(!page.contains("Nothing is known yet"), "{page}");
        assert!(page.contains(words), "{words}: {page}");
        let is_whole = state == QueryState::Finished && message.is_none();
        assert_eq!(page.contains("for 60 s, and saw"), is_whole, "{page}");
        let link = format!("href=\"/analyses/{}\"", samples::founding().id);
        assert!(page.contains(&link), "{page}");
        assert!(
            page.contains(&format!("data-label=\"state\">{}</td>", state.as_token())),
            "{page}"
        );
    }
}

#[test]
fn the_node_that_was_asked_last_is_chosen_in_its_cluster() {
    let mut nodes = [node_sample("node3").summary, node_sample("node3").summary];
    let cases = [
        // clusters of the nodes, the last one's, which is chosen
        ([Some("site-a"), Some("site-b")], Some("site-a"), Some("site-a/node3")),
        ([Some("site-a"), Some("site-b")], Some("site-b"), Some("site-b/node3")),
        ([Some("site-a"), None], None, Some("/node3")),
        ([Some("site-a"), Some("site-b")], None, None),
    ];
    for (clusters, last, expected) in cases {
        for (node, cluster) in nodes.iter_mut().zip(clusters) {
            node.cluster = cluster.map(str::to_owned);
        }
        let page = history::render(&HistoryView {
            stylesheet: STYLESHEET,
            device: samples::ip("2001:db8::7"),
            name: None,
            entries: &[],
            nodes: &nodes,
            last_node: Some((last, "node3")),
            asked: &[],
            running: None,
        })
        .unwrap();
        let chosen: Vec<&str> = page
            .split("<option value=\"")
            .skip(1)
            .filter(|option| option.split('>').next().unwrap().ends_with(" selected"))
            .map(|option| option.split('"').next().unwrap())
            .collect();
        assert_eq!(chosen, expected.into_iter().collect::<Vec<_>>(), "{clusters:?}");
    }
}
