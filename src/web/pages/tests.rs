use super::history::HistoryView;
use super::home::HomeView;
use super::problem::ProblemView;
use super::running::RunningView;
use super::{history, home, problem, running};
use crate::model::finding::Verdict;
use crate::model::progress::{AnalysisState, Phase, Progress};
use crate::model::report::{AnalysisSummary, DeviceSummary};
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
    running::render(&RunningView { stylesheet: STYLESHEET, script: SCRIPT, progress }).unwrap()
}

fn render_history(entries: &[DeviceSummary], name: Option<&str>) -> String {
    let device = samples::ip("2000::65:119");
    history::render(&HistoryView { stylesheet: STYLESHEET, device, name, entries }).unwrap()
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
