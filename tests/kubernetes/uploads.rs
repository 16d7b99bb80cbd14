//! Captures that are read beside a cluster.

use std::collections::BTreeMap;

use replyscope::node::registry::Nodes;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::cluster::{capture, connected, follow, founding};
use crate::folder::Folder;
use crate::http::{Server, problem};
use crate::kube_api::KubeApi;

async fn upload(server: &Server, metadata: Option<Value>) -> reqwest::Response {
    let mut form = Form::new();
    if let Some(metadata) = metadata {
        form = form.text("metadata", metadata.to_string());
    }
    for name in ["host.pcap", "pod.pcap"] {
        form = form.part("capture", Part::bytes(capture(name)).file_name(name));
    }
    let request = server.request(Method::POST, "/api/v1/analyses").multipart(form);
    request.send().await.unwrap()
}

fn address<'a>(report: &'a Value, address: &str) -> Option<&'a Value> {
    report["addresses"].as_array().unwrap().iter().find(|one| one["address"] == address)
}

#[tokio::test]
async fn uploads_are_read_beside_the_cluster_that_has_their_addresses() {
    let folder = Folder::new("kubernetes-uploads");
    let api = KubeApi::start(&founding()).await;
    let clusters = follow(&[("site-a", &api)], &folder).await;
    connected(&clusters).await;
    let nodes = Nodes::new(clusters, BTreeMap::new());
    let server = Server::start_with(folder.path(), |settings| settings.nodes = nodes.clone()).await;

    let report: Value = upload(&server, None).await.json().await.unwrap();
    assert_eq!(report["verdict"], "broken", "{report}");
    for (text, role, node) in [
        ("192.168.65.21", "vip", json!("node3")),
        ("2000::65:21", "vip", json!("node3")),
        ("192.168.65.13", "node", json!("node3")),
        ("2000::65:13", "node", json!("node3")),
        ("fd00:177:177:0:7bf3:bb28:910a:873c", "pod", json!("node3")),
        ("177.177.135.16", "pod", json!("node3")),
    ] {
        let found = address(&report, text).unwrap();
        assert_eq!(found["role"], role, "{found}");
        assert_eq!(found["node"], node, "{found}");
        assert_eq!(found["source"], "kubernetes", "{found}");
        assert!(found["reason"].as_str().unwrap().contains("cluster site-a"), "{found}");
    }
    // Of the cluster only what the packets touch.
    assert!(address(&report, "192.168.65.11").is_none());
    assert!(address(&report, "10.96.0.1").is_none());
    let device = report["devices"].as_array().unwrap();
    let device = device.iter().find(|one| one["device"] == "2000::65:119").unwrap();
    let causes: Vec<&str> = device["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["cause"].as_str().unwrap())
        .collect();
    assert!(causes.contains(&"follow_up_to_request_address"), "{causes:?}");
    let text = device["findings"].to_string();
    assert!(text.contains("ss/tftp"), "{text}");
    assert!(text.contains("externalTrafficPolicy: Local"), "{text}");

    let without = upload(&server, Some(json!({"clusters": []}))).await;
    let report: Value = without.json().await.unwrap();
    assert_eq!(report["verdict"], "broken");
    assert!(!report.to_string().contains("site-a"), "{report}");

    let named = upload(&server, Some(json!({"clusters": ["site-a"]}))).await;
    assert!(named.text().await.unwrap().contains("cluster site-a"));
    let unknown = upload(&server, Some(json!({"clusters": ["site-b"]}))).await;
    let unknown = problem(unknown, 400, "bad-metadata").await;
    assert!(unknown["detail"].as_str().unwrap().contains("expected some of site-a"));

    for (query, expected) in [("clusters=none", false), ("clusters=site-a", true), ("", true)] {
        let path = format!("/api/v1/analyses?{query}");
        let raw = server.request(Method::POST, &path).body(capture("host.pcap"));
        let text = raw.send().await.unwrap().text().await.unwrap();
        assert_eq!(text.contains("cluster site-a"), expected, "{query}");
    }
    // A connection tracking table alone names addresses as well as packets do.
    let raw = server.request(Method::POST, "/api/v1/analyses").body(capture("conntrack.txt"));
    let report: Value = raw.send().await.unwrap().json().await.unwrap();
    for text in ["2000::65:13", "192.168.65.13"] {
        let found = address(&report, text).unwrap();
        assert_eq!((&found["role"], &found["node"]), (&json!("node"), &json!("node3")));
        assert!(found["reason"].as_str().unwrap().contains("cluster site-a"), "{found}");
    }
    let raw = server.request(Method::POST, "/api/v1/analyses?clusters=x").body("y");
    problem(raw.send().await.unwrap(), 400, "bad-query").await;
    // What was refused is not kept.
    assert_eq!(server.capture_folders().len(), 7);
    let page = server.get("/").await.text().await.unwrap();
    assert!(page.contains("<option value=\"site-a\">"), "{page}");
    server.stop().await;
}

#[tokio::test]
async fn a_service_without_clusters_says_so() {
    let folder = Folder::new("kubernetes-none");
    let server = Server::start(folder.path()).await;
    let page = server.get_json("/api/v1/nodes").await;
    assert_eq!(page, json!({"nodes": [], "clusters": [], "next_cursor": null}));
    let page = server.get("/nodes").await.text().await.unwrap();
    assert!(page.contains("No node is known."), "{page}");
    let refused = upload(&server, Some(json!({"clusters": ["site-a"]}))).await;
    let refused = problem(refused, 400, "bad-metadata").await;
    assert!(refused["detail"].as_str().unwrap().contains("none is configured"));
    assert!(server.capture_folders().is_empty());
    server.stop().await;
}
