use super::history::HistoryView;
use super::home::HomeView;
use super::problem::ProblemView;
use super::{history, home, problem};
use crate::model::finding::Verdict;
use crate::model::report::{AnalysisSummary, DeviceSummary};
use crate::report::samples;

const STYLESHEET: &str = "/static/app-0123456789abcdef.css";

fn pages(text: &str) -> Vec<(&'static str, String)> {
    let (analyses, entries) = (samples::analysis_summaries(text), samples::device_summaries(text));
    vec![
        ("home", render_home(&analyses, Some(text))),
        ("home-empty", render_home(&[], None)),
        ("history", render_history(&entries, Some(text))),
        ("history-empty", render_history(&[], None)),
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

fn render_history(entries: &[DeviceSummary], name: Option<&str>) -> String {
    let device = samples::ip("2000::65:119");
    history::render(&HistoryView { stylesheet: STYLESHEET, device, name, entries }).unwrap()
}

#[test]
fn no_page_runs_or_fetches_anything() {
    for text in ["running-config of access-switch-7", samples::HOSTILE] {
        for (name, page) in pages(text) {
            samples::assert_harmless(name, &page);
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
fn a_devices_page_leads_to_the_newest_report() {
    let id = samples::founding().id;
    let page = render_history(&samples::device_summaries("a headline"), None);
    assert!(page.contains(&format!("href=\"/analyses/{id}/devices/2000::65:119\"")));
    let page = render_history(&[], None);
    assert!(page.contains("Nothing is known yet"));
    assert!(page.contains("tcpdump -ni any -w 2000--65-119.pcap"));
}
