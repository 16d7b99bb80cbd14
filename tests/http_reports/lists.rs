//! Lists, their filters and pages, one report, and the history of a device.

use reqwest::Method;
use serde_json::Value;

use crate::folder::Folder;
use crate::http::problem;
use crate::samples::report;
use crate::stored::{ANALYSES, start};

fn titles(page: &Value) -> Vec<&str> {
    let entries = page["analyses"].as_array().unwrap();
    entries.iter().map(|entry| entry["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_are_filtered() {
    let folder = Folder::new("reports-lists");
    let server = start(&folder).await;
    let first = "100% of <b>switches</b>";
    let cases = [
        ("", &["report 4", "report 3", "report 2", "report 1", first][..]),
        ("?device=192.0.2.1", &["report 4", "report 2", first]),
        ("?device=::ffff:192.0.2.1", &["report 4", "report 2", first]),
        ("?device=2001:DB8::1", &["report 3", "report 1"]),
        ("?device=2001:db8::ffff&verdict=symmetric", &["report 3"]),
        ("?verdict=broken", &["report 4", "report 1", first]),
        ("?cause=reply_ignored", &["report 4", "report 1"]),
        ("?cause=reply_ignored&device=2001:db8::1", &["report 1"]),
        ("?verdict=tolerated&device=2001:db8::1", &[]),
        ("?node=node3&limit=1", &["report 4"]),
        ("?node=node4", &[]),
        ("?since=2025-01-01T00:00:03Z", &["report 4", "report 3"]),
        ("?until=2025-01-01T00:00:01Z", &[first]),
        ("?since=2025-01-01T00:00:01Z&until=2025-01-01T00:00:03Z", &["report 2", "report 1"]),
        ("?q=REPORT+3", &["report 3"]),
        ("?q=host-2.pcap", &["report 2"]),
        ("?q=switch+at+192.0.2.1", &["report 4", "report 2", first]),
        ("?q=2001:db8::1", &["report 3", "report 1"]),
        ("?q=100%25", &[first]),
        ("?q=report__", &[]),
        ("?q=nothing%00", &[]),
        ("?q=", &["report 4", "report 3", "report 2", "report 1", first]),
    ];
    for (query, expected) in cases {
        let page = server.get_json(&format!("{ANALYSES}{query}")).await;
        assert_eq!(titles(&page), expected, "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_of_a_list_show_each_entry_once() {
    let folder = Folder::new("reports-pages");
    let server = start(&folder).await;
    for (list, key, count) in [(ANALYSES, "analyses", 5), ("/api/v1/devices", "devices", 2)] {
        let mut seen = Vec::new();
        let mut path = format!("{list}?limit=1");
        loop {
            let page = server.get_json(&path).await;
            let entries = page[key].as_array().unwrap();
            assert_eq!(entries.len(), 1, "{path}");
            seen.extend(entries.iter().map(ToString::to_string));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("{list}?limit=1&cursor={cursor}");
        }
        assert_eq!(seen.len(), count, "{list}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "{list}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_first_page_filters_and_keeps_the_filter() {
    let folder = Folder::new("reports-home");
    let server = start(&folder).await;
    // As the form sends it: empty fields ask for nothing.
    let mut path = "/?verdict=broken&q=&device=&since=&limit=1".to_owned();
    let mut shown = Vec::new();
    loop {
        let response = server.get(&path).await;
        assert_eq!(response.status(), 200, "{path}");
        let page = response.text().await.unwrap();
        let (_, title) = page.split_once("<a class=\"title\"").expect(&path);
        let (_, title) = title.split_once('>').unwrap();
        shown.push(title.split_once("</a>").unwrap().0.to_owned());
        assert!(page.contains("<option value=\"broken\" selected>"), "{path}");
        let Some((_, link)) = page.split_once("<a rel=\"next\" href=\"") else { break };
        path = link.split_once("#recent").unwrap().0.replace("&#38;", "&");
        assert!(path.contains("verdict=broken"), "{path}");
    }
    assert_eq!(shown.len(), 3, "{shown:?}");
    server.stop().await;
}

#[tokio::test]
async fn one_report_and_its_device() {
    let folder = Folder::new("reports-one");
    let server = start(&folder).await;
    let saved = report(4, "192.0.2.1", "broken", "reply_ignored");
    let path = format!("{ANALYSES}/{}", saved.id);
    let response = server.get(&path).await;
    let tag = response.headers()["etag"].clone();
    let mut expected = serde_json::to_value(&saved).unwrap();
    expected["state"] = "finished".into();
    assert_eq!(response.json::<Value>().await.unwrap(), expected);

    let again = server.request(Method::GET, &path).header("if-none-match", &tag);
    let again = again.send().await.unwrap();
    assert_eq!((again.status().as_u16(), &again.headers()["etag"]), (304, &tag));
    let other = server.request(Method::GET, &path).header("if-none-match", "\"other\"");
    assert_eq!(other.send().await.unwrap().status(), 200);

    let head = server.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-type"], "application/json");
    assert!(head.bytes().await.unwrap().is_empty());

    for address in ["192.0.2.1", "2001:db8::ffff", "[2001:db8::ffff]", "2001%3Adb8%3A%3Affff"] {
        let part = server.get_json(&format!("{path}/devices/{address}")).await;
        assert_eq!(part["device"], "192.0.2.1");
    }
    // It was uploaded: no node was asked.
    problem(server.get(&format!("{path}/query")).await, 404, "query-not-found").await;
    let stop = server.request(Method::POST, &format!("{path}/stop")).send().await.unwrap();
    problem(stop, 404, "query-not-found").await;
    let missing = server.get(&format!("{path}/devices/192.0.2.7")).await;
    problem(missing, 404, "device-not-in-analysis").await;
    for page in [format!("/analyses/{}", saved.id), "/".to_owned(), "/devices/192.0.2.1".to_owned()]
    {
        let response = server.get(&page).await;
        assert_eq!(response.status(), 200, "{page}");
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert!(!response.text().await.unwrap().contains("<b>switches"), "{page}");
    }
    server.stop().await;
}

#[tokio::test]
async fn devices_have_a_newest_verdict_and_a_history() {
    let folder = Folder::new("reports-devices");
    let server = start(&folder).await;
    let verdicts = |list: &Value| -> Vec<(String, String)> {
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
        let entries = list.as_array().unwrap();
        entries.iter().map(|entry| (text(entry, "device"), text(entry, "verdict"))).collect()
    };
    let pair = |device: &str, verdict: &str| (device.to_owned(), verdict.to_owned());
    let page = server.get_json("/api/v1/devices").await;
    assert_eq!(
        verdicts(&page["devices"]),
        [pair("192.0.2.1", "broken"), pair("2001:db8::1", "symmetric")]
    );
    let page = server.get_json("/api/v1/devices?verdict=symmetric&q=SWITCH").await;
    assert_eq!(verdicts(&page["devices"]), [pair("2001:db8::1", "symmetric")]);
    // Any address of a device finds it.
    let page = server.get_json("/api/v1/devices?q=2001:DB8::FFFF").await;
    assert_eq!(page["devices"].as_array().unwrap().len(), 2);
    let page = server.get_json("/api/v1/devices?verdict=broken&q=db8::ffff").await;
    assert_eq!(verdicts(&page["devices"]), [pair("192.0.2.1", "broken")]);
    let device = server.get_json("/api/v1/devices/192.0.2.1").await;
    assert_eq!(device["verdict"], "broken");
    assert_eq!(device["name"], "switch at 192.0.2.1");
    let history = verdicts(&device["history"]);
    assert_eq!(
        history,
        [pair("192.0.2.1", "broken"), pair("192.0.2.1", "tolerated"), pair("192.0.2.1", "broken")]
    );
    assert_eq!(device["history"][0]["causes"], serde_json::json!(["reply_ignored"]));
    let joined = server.get_json("/api/v1/devices/2001:db8::ffff?limit=2").await;
    assert_eq!(joined["history"].as_array().unwrap().len(), 2);
    server.stop().await;
}
