//! Alerts that start queries.

use serde_json::{Value, json};

use crate::monitoring::{find_program, start_alertmanager};
use crate::netns::DEVICE;
use crate::site::{site, wait};

fn notification(alerts: &[Value]) -> Value {
    json!({"version": "4", "groupKey": "{}", "status": "firing", "receiver": "replyscope",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example", "alerts": alerts})
}

fn alert(status: &str, fingerprint: &str, labels: &Value) -> Value {
    json!({"status": status, "labels": labels, "annotations": {}, "fingerprint": fingerprint,
        "startsAt": "2024-11-19T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": ""})
}

#[test]
fn alerts_start_queries_at_registered_nodes_only() {
    let Some(site) = site("alerts", &[]) else { return };
    let token = site.folder.path().join("alert-token");
    std::fs::write(&token, "alerts-only\n").unwrap();
    let service = site.serve(&[
        "--alert-token",
        token.to_str().unwrap(),
        "--public-url",
        "https://replyscope.example.org/",
        "--alert-seconds",
        "3",
    ]);
    let send = |alerts: &[Value]| {
        let body = notification(alerts).to_string();
        let header = "Authorization: Bearer alerts-only";
        let answer = service.request("/api/v1/alerts", &["-H", header, "-d", &body]);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json["alerts"].as_array().unwrap().clone()
    };
    let body = notification(&[]).to_string();
    assert_eq!(service.request("/api/v1/alerts", &["-d", &body]).status, 401);

    let answers = send(&[
        alert("resolved", "a0", &json!({"device": DEVICE[0], "node": "node3"})),
        alert("firing", "a1", &json!({"device": DEVICE[0]})),
        alert("firing", "a1", &json!({"device": DEVICE[0]})),
        alert("firing", "a2", &json!({"device": DEVICE[0], "node": "node3"})),
        alert("firing", "a3", &json!({"device": DEVICE[1], "node": "http://192.0.2.1:8790"})),
        alert("firing", "a4", &json!({"instance": DEVICE[1]})),
        alert("firing", "a5", &json!({"device": "http://192.0.2.1/"})),
        alert("firing", "", &json!({"device": DEVICE[1]})),
    ]);
    let found: Vec<_> = answers.iter().map(|one| one["status"].as_str().unwrap()).collect();
    let expected =
        ["ignored", "started", "duplicate", "running", "refused", "refused", "refused", "refused"];
    assert_eq!(found, expected, "{answers:#?}");
    assert!(answers[4]["reason"].as_str().unwrap().contains("no node has the name"));
    let links = &answers[1]["links"];
    let device = format!("https://replyscope.example.org/devices/{}", DEVICE[0]);
    assert_eq!(links["device"], device);
    let api =
        links["api"].as_str().unwrap().strip_prefix("https://replyscope.example.org").unwrap();
    let id = api.rsplit('/').next().unwrap();
    // The link of an alert works before there is a report, and leads to the capture.
    let page = service.get(&format!("/devices/{}", DEVICE[0]));
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&format!("href=\"/analyses/{id}\"")), "{}", page.text);
    wait("it captures", || service.get(api).json["query"]["state"] == "running");
    site.back_up(0, 40_000, "to-answerer");
    let report = service.report(id);
    assert_eq!(report["query"]["state"], "finished", "{}", report["query"]);
    // Asked before at node3, and again within the hour.
    let answers = send(&[alert("firing", "a1", &json!({"device": DEVICE[0]}))]);
    assert_eq!(answers[0]["status"], "duplicate", "{answers:?}");
    let bad = service.request(
        "/api/v1/alerts",
        &["-H", "Authorization: Bearer alerts-only", "-d", r#"{"version": "3", "alerts": []}"#],
    );
    assert_eq!(bad.status, 400, "{bad:?}");
}

#[test]
fn a_real_alertmanager_delivers_and_its_link_opens_the_report() {
    let Some(program) = find_program("prometheus-alertmanager") else { return };
    let Some(site) = site("alertmanager", &[]) else { return };
    let service = site.serve(&["--alert-seconds", "4"]);
    let config = format!(
        "route:\n  receiver: replyscope\n  group_wait: 0s\n  group_interval: 1s\nreceivers:\n- name: replyscope\n  webhook_configs:\n  - url: http://{}/api/v1/alerts\n    send_resolved: false\n",
        service.address
    );
    let _alertmanager = start_alertmanager(&site, &program, &config);
    let link = format!("http://{}/devices/{}", service.address, DEVICE[1]);
    let alerts = json!([{"labels": {"alertname": "DeviceBackupFailed", "device": DEVICE[1], "node": "node3"},
        "annotations": {"replyscope": link}}])
    .to_string();
    let send = || {
        let mut curl = site.network.command("node", "curl");
        let curl = curl.args(["-sS", "-f", "-H", "Content-Type: application/json", "-d", &alerts]);
        curl.arg("http://127.0.0.1:9093/api/v2/alerts").output().unwrap().status.success()
    };
    wait("Alertmanager takes the alert", send);
    let page = format!("/devices/{}", DEVICE[1]);
    let mut id = String::new();
    wait("the query runs", || {
        let text = service.get(&page).text;
        let found = text.split_once("href=\"/analyses/").map(|(_, rest)| rest.to_owned());
        id = found.and_then(|rest| rest.split('"').next().map(str::to_owned)).unwrap_or_default();
        !id.is_empty()
    });
    service.wait_for_capture(&id);
    site.back_up(1, 40_001, "to-asked");
    service.report(&id);
    // The link in the annotation, as Alertmanager has it.
    let kept = crate::monitoring::alerts(&site);
    let link = kept[0]["annotations"]["replyscope"].as_str().unwrap();
    let path = link.strip_prefix(&format!("http://{}", service.address)).unwrap();
    let text = service.get(path).text;
    assert!(text.contains(&format!("href=\"/analyses/{id}/devices/")), "{text}");
}
