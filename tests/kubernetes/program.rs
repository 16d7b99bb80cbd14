//! The program with its options, beside a cluster.

use std::time::Duration;

use serde_json::Value;

use crate::cluster::{founding, large};
use crate::folder::Folder;
use crate::kube_api::KubeApi;
use crate::process::Service;

#[tokio::test]
async fn a_large_cluster_costs_the_program_little_memory() {
    let folder = Folder::new("kubernetes-memory");
    let api = KubeApi::start(&large()).await;
    let cluster = format!("site-a={}", api.kubeconfig(folder.path()).display());
    let service = Service::start(&folder.path().join("data"), &["--cluster", cluster.as_str()]);
    let page = connected_page(&service).await;
    assert!(page["clusters"][0]["objects"].as_u64().unwrap() > 10_000, "{page:#}");
    let status = format!("/proc/{}/status", service.child.id());
    let status = std::fs::read_to_string(status).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!("10,000 pods: {} MiB at most", peak_kib / 1024);
    assert!(peak_kib < 256 * 1024, "{peak_kib} KiB");
    assert_eq!(service.stop(), Some(0));
}

/// `/api/v1/nodes` of the program, once its cluster is connected.
async fn connected_page(service: &Service) -> Value {
    let url = format!("http://{}/api/v1/nodes", service.address);
    let mut page = Value::Null;
    for _ in 0..1_500 {
        page = reqwest::get(&url).await.unwrap().json().await.unwrap();
        if page["clusters"][0]["connected"] == true {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not connected: {page:#}");
}

#[tokio::test]
async fn the_program_follows_the_clusters_and_nodes_of_its_options() {
    let folder = Folder::new("kubernetes-process");
    let api = KubeApi::start_tls(&founding()).await;
    let cluster = format!("site-a={}#test", api.kubeconfig(folder.path()).display());
    let options = ["--cluster", cluster.as_str(), "--node", "spare=https://[2001:db8::9]:9443"];
    // The program does not wait for the cluster before it listens.
    let service = Service::start(&folder.path().join("data"), &options);
    let page = connected_page(&service).await;
    let names: Vec<&Value> =
        page["nodes"].as_array().unwrap().iter().map(|node| &node["node"]).collect();
    assert_eq!(names, ["node1", "node2", "node3", "spare"]);
    assert_eq!(page["nodes"][3]["agent"]["state"], "registered");
    assert_eq!(service.stop(), Some(0));
}
