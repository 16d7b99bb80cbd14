//! What is known of a cluster, and how that stays true.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use replyscope::model::cluster::TrafficPolicy;
use replyscope::node::kubernetes::{Access, ClusterSettings, Clusters, ConnectError};
use replyscope::node::registry::Nodes;
use replyscope::node::summary::AgentState;
use serde_json::json;

use crate::cluster::{PODS, connected, follow, founding, ip, large, surroundings, told, wait};
use crate::folder::Folder;
use crate::kube_api::KubeApi;

#[tokio::test]
async fn the_founding_cluster_is_known_in_both_families() {
    let folder = Folder::new("kubernetes-founding");
    let api = KubeApi::start_tls(&founding()).await;
    let clusters = follow(&[("site-a", &api)], &folder).await;
    connected(&clusters).await;

    let told = told(&clusters, "site-a");
    for expected in [
        "192.168.65.13 node node3 -",
        "2000::65:13 node node3 -",
        "192.168.65.21 vip node3 -",
        "2000::65:21 vip node3 -",
        "10.96.7.69 service - -",
        "fd00:96::769 service - -",
        "177.177.135.16 pod node3 ss/tftpserver-dm-vmgtf",
        "fd00:177:177:0:7bf3:bb28:910a:873c pod node3 ss/tftpserver-dm-vmgtf",
    ] {
        assert_eq!(told.iter().filter(|one| *one == expected).count(), 1, "{expected}: {told:#?}");
    }
    // The pod that has ended may have left its address to another.
    assert!(told.iter().all(|one| !one.contains("135.99") && !one.contains(":9999")));

    let facts = clusters.facts("site-a").unwrap().facts;
    let service = facts.services.iter().find(|one| one.name == "ss/tftp").unwrap();
    assert_eq!(service.cluster.as_deref(), Some("site-a"));
    assert_eq!(service.external_traffic_policy, Some(TrafficPolicy::Local));
    assert_eq!(service.vips, [ip("192.168.65.21"), ip("2000::65:21")]);
    assert!(facts.pools.iter().all(|pool| pool.nat_outgoing));
    assert_eq!(facts.pools.len(), 2);

    for address in ["177.177.135.16", "fd00:177:177:0:7bf3:bb28:910a:873c"] {
        let owners = clusters.find_pods_of(ip(address));
        assert_eq!(owners.len(), 1, "{address}");
        assert_eq!(owners[0].pod, "ss/tftpserver-dm-vmgtf");
        assert_eq!(owners[0].node.as_deref(), Some("node3"));
    }
    // A pod on the host's network shares the node's address and does not own it.
    for address in ["192.168.65.13", "2000::65:13"] {
        assert!(clusters.find_pods_of(ip(address)).is_empty(), "{address}");
    }

    let nodes = Nodes::new(clusters, BTreeMap::new());
    let names: Vec<String> = nodes.list().into_iter().map(|node| node.node).collect();
    assert_eq!(names, ["node1", "node2", "node3"]);
    let node = nodes.find("node3", None).unwrap();
    assert_eq!(node.summary.pod_count, 3);
    assert_eq!(node.summary.agent.url.as_deref(), Some("https://192.168.65.13:9443"));
    // A pod of another namespace that calls itself our agent is not sent our token.
    let other = nodes.find("node2", None).unwrap();
    assert_eq!(other.summary.agent.state, AgentState::None);
    // Why it is none is told.
    let state = &nodes.cluster_states()[0];
    assert_eq!(state.agents_elsewhere, 1);
}

#[tokio::test]
async fn changes_arrive_and_watches_go_on_from_where_they_were() {
    let folder = Folder::new("kubernetes-changes");
    let api = KubeApi::start(&founding()).await;
    let clusters = follow(&[("site-a", &api)], &folder).await;
    connected(&clusters).await;
    wait(&clusters, |_| api.watch_count(PODS) == 1).await;
    let has = |address: &'static str| {
        move |clusters: &Clusters| !clusters.find_pods_of(ip(address)).is_empty()
    };

    for (address, name) in [("177.177.135.77", "new4"), ("fd00:177:177::77", "new6")] {
        let mut pod = founding()[PODS][2].clone();
        pod["metadata"]["name"] = name.into();
        pod["status"]["podIP"] = address.into();
        pod["status"]["podIPs"] = json!([{"ip": address}]);
        api.apply(PODS, pod.clone());
        wait(&clusters, has(address)).await;
        pod["status"]["podIPs"] = json!([{"ip": "177.177.135.78"}, {"ip": "fd00:177:177::78"}]);
        pod["status"]["podIP"] = "177.177.135.78".into();
        api.apply(PODS, pod);
        wait(&clusters, has("177.177.135.78")).await;
        assert!(!has(address)(&clusters), "{address} is gone");
        api.delete(PODS, &format!("ss/{name}"));
        wait(&clusters, |clusters| !has("177.177.135.78")(clusters)).await;
    }

    let before = api.asked(PODS).len();
    let version = api.bookmark(PODS);
    tokio::time::sleep(Duration::from_millis(50)).await;
    api.end_watches(PODS);
    wait(&clusters, |_| api.watch_count(PODS) == 1).await;
    let asked = api.asked(PODS);
    assert_eq!(asked.len(), before + 1, "{asked:?}");
    assert!(asked[before].contains(&format!("resourceVersion={version}")), "{asked:?}");
    assert!(asked[before].contains("allowWatchBookmarks=true"), "{asked:?}");
}

#[tokio::test]
async fn large_clusters_come_in_pages_and_keep_little() {
    let folder = Folder::new("kubernetes-large");
    let objects = large();
    let api = KubeApi::start(&objects).await;
    let clusters = follow(&[("site-a", &api)], &folder).await;
    connected(&clusters).await;
    let lists = api.asked(PODS).into_iter().filter(|query| query.contains("limit=500"));
    assert_eq!(lists.count(), 20);
    for address in ["10.1.39.250", "fd00::1:270f"] {
        assert_eq!(clusters.find_pods_of(ip(address))[0].pod, "ss/pod-9999");
    }
    // The nodes' addresses are told once, though each pod names them.
    let node = told(&clusters, "site-a");
    assert_eq!(node.iter().filter(|one| one.starts_with("192.168.65.11 ")).count(), 1);
    assert_eq!(node.iter().filter(|one| one.contains("ss/pod-")).count(), 20_000);
}

#[tokio::test]
async fn clusters_that_cannot_be_used_are_refused_with_a_reason() {
    let folder = Folder::new("kubernetes-refused");
    let api = KubeApi::start(&founding()).await;
    let good = api.kubeconfig(folder.path());
    let bad = folder.path().join("bad.yaml");
    std::fs::write(&bad, "clusters: [{").unwrap();
    let kubeconfig = |file: &Path, context: Option<&str>| Access::Kubeconfig {
        file: file.to_owned(),
        context: context.map(str::to_owned),
    };
    let cases = [
        (kubeconfig(&folder.path().join("none.yaml"), None), "none.yaml' cannot be read"),
        (kubeconfig(&bad, None), "bad.yaml' cannot be used"),
        (kubeconfig(&good, Some("other")), "with the context 'other'"),
        (Access::InCluster, "no service account here"),
    ];
    for (access, expected) in cases {
        let settings = vec![ClusterSettings { name: "site-a".to_owned(), access }];
        let error: ConnectError = Clusters::start(settings, surroundings()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("cluster site-a: ") && text.contains(expected), "{text}");
        assert!(std::error::Error::source(&error).is_some(), "{text}");
    }
}
