//! Devices of which a text tells the name and not the address.

use replyscope::analysis::{Analysis, Limits, ReportHeader};
use replyscope::model::report::Report;
use replyscope::model::time::Timestamp;
use uuid::Uuid;

use crate::folder::Folder;
use crate::http::{Server, problem};

fn report(number: u128, family: &str, name: &str) -> Report {
    let text = format!(
        "12:00:00.000000 {family} {name}.41226 > ns.example.domain: 1+ A? example.com. (29)\n12:00:00.001000 {family} node3.example.domain > {name}.41226: 1 1/0/0 A 203.0.113.9 (45)\n"
    );
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("text", None, &mut text.as_bytes()).unwrap();
    let created_at = Timestamp::from_seconds(1_735_689_600);
    analysis.finish(ReportHeader { id: Uuid::from_u128(number), title: None, created_at }).unwrap()
}

#[tokio::test]
async fn a_device_is_found_and_shown_by_its_name() {
    let folder = Folder::new("reports-named");
    let server = Server::start(folder.path()).await;
    let cases = [
        ("IP", "switch7", "ip:switch7"),
        ("IP6", "switch7", "ip6:switch7"),
        ("IP", "<vip>", "ip:%3Cvip%3E"),
        ("IP6", "<vip>", "ip6:%3Cvip%3E"),
    ];
    for (number, (family, name, segment)) in (1..).zip(cases) {
        let report = report(number, family, name);
        server.store.save(&report).await.unwrap();
        let id = report.id;
        for path in [
            format!("/analyses/{id}"),
            format!("/analyses/{id}/devices/{segment}"),
            format!("/devices/{segment}"),
            "/".to_owned(),
        ] {
            let response = server.get(&path).await;
            assert_eq!(response.status(), 200, "{path}");
            let page = response.text().await.unwrap();
            for entry in &report.addresses {
                assert!(!page.contains(&entry.address.to_string()), "{path}: {page}");
            }
            assert!(!path.contains("/devices/") || page.contains(&format!("/devices/{segment}")));
        }
        let device = server.get_json(&format!("/api/v1/analyses/{id}/devices/{segment}")).await;
        assert_eq!(device["name"], name);
        let history = server.get_json(&format!("/api/v1/devices/{segment}")).await;
        assert_eq!(history["name"], name);
    }
    for path in ["/api/v1/devices/ip:nobody", "/api/v1/devices/ip6:nobody"] {
        let problem = problem(server.get(path).await, 404, "device-not-found").await;
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(detail, "no analysis has seen a device of that name yet", "{path}");
    }
    assert_eq!(server.get("/devices/ip:nobody").await.status(), 404);
    // The name alone leads to the newest of its pages.
    for (name, segment) in
        [("switch7", "ip6:switch7"), ("Switch7.", "ip6:switch7"), ("%3Cvip%3E", "ip6:%3Cvip%3E")]
    {
        let response = server.get(&format!("/devices/{name}")).await;
        assert_eq!(response.status(), 307, "{name}");
        assert_eq!(response.headers()["location"], format!("/devices/{segment}"), "{name}");
    }
    let missing = server.get("/devices/nobody").await;
    assert_eq!(missing.status(), 404);
    let page = missing.text().await.unwrap();
    assert!(page.contains("ask for its address") && !page.contains("/queries"), "{page}");
    // Nodes are asked about addresses: an alert's name alone leads to none.
    assert_eq!(server.store.find_named_device("switch7").await.unwrap(), None);
    server.stop().await;
}
