//! Nodes of several clusters, and the agents that are registered for them.

use std::collections::BTreeMap;

use replyscope::node::registry::{FindNodeError, Nodes};
use serde_json::Value;

use crate::cluster::{connected, follow, founding};
use crate::folder::Folder;
use crate::http::{Server, problem};
use crate::kube_api::KubeApi;

#[tokio::test]
async fn a_registered_agent_counts_where_one_cluster_has_the_node() {
    let folder = Folder::new("kubernetes-registered");
    let api = KubeApi::start(&founding()).await;
    let clusters = follow(&[("site-a", &api)], &folder).await;
    connected(&clusters).await;
    for url in ["http://192.0.2.1:1", "http://[2001:db8::1]:1"] {
        for place in ["node1", "site-a/node1"] {
            let registered = BTreeMap::from([(place.to_owned(), url.to_owned())]);
            let nodes = Nodes::new(clusters.clone(), registered);
            let node = nodes.find("node1", None).unwrap();
            assert_eq!(node.summary.agent.url.as_deref(), Some(url), "{place}");
            assert_eq!(nodes.list().len(), 3, "{place}");
        }
    }
}

#[tokio::test]
async fn nodes_of_one_name_in_two_clusters_are_told_apart() {
    let folder = Folder::new("kubernetes-two");
    let (one, two) = (KubeApi::start(&founding()).await, KubeApi::start(&founding()).await);
    let clusters = follow(&[("site-a", &one), ("site-b", &two)], &folder).await;
    connected(&clusters).await;
    let registered = BTreeMap::from(
        [
            ("node1", "http://192.0.2.1:1"),
            ("site-b/node2", "http://192.0.2.2:1"),
            ("site-a/node7", "http://[2001:db8::7]:1"),
            ("spare", "http://[2001:db8::9]:1"),
        ]
        .map(|(place, url)| (place.to_owned(), url.to_owned())),
    );
    let nodes = Nodes::new(clusters, registered);
    let both = vec!["site-a".to_owned(), "site-b".to_owned()];
    assert_eq!(
        nodes.find("node1", None).unwrap_err(),
        FindNodeError::Ambiguous { node: "node1".to_owned(), clusters: both }
    );
    // An agent's address counts for the node that it is of, and for no other.
    let agent_of =
        |node: &str, cluster: Option<&str>| nodes.find(node, cluster).unwrap().summary.agent.url;
    for (node, cluster, expected) in [
        ("node1", Some("site-a"), None),
        ("node1", Some("site-b"), None),
        ("node2", Some("site-a"), None),
        ("node2", Some("site-b"), Some("http://192.0.2.2:1")),
        ("node7", Some("site-a"), Some("http://[2001:db8::7]:1")),
        ("spare", None, Some("http://[2001:db8::9]:1")),
    ] {
        assert_eq!(agent_of(node, cluster).as_deref(), expected, "{node} {cluster:?}");
    }
    let last: Vec<_> = nodes.list().into_iter().skip(6).map(|one| one.node).collect();
    assert_eq!(last, ["node7", "spare"]);

    let server = Server::start_with(folder.path(), |settings| settings.nodes = nodes.clone()).await;
    problem(server.get("/api/v1/nodes/node1").await, 409, "node-ambiguous").await;
    problem(server.get("/api/v1/nodes/node9").await, 404, "node-not-found").await;
    let node = server.get_json("/api/v1/nodes/node1?cluster=site-a").await;
    assert_eq!(node["cluster"], "site-a");
    let page = server.get_json("/api/v1/nodes?limit=4").await;
    assert_eq!(page["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(page["clusters"][1]["connected"], true);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = server.get_json(&format!("/api/v1/nodes?limit=4&cursor={cursor}")).await;
    assert_eq!(rest["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(rest["next_cursor"], Value::Null);
    for (query, expected) in [("q=2000::65:13", 2), ("q=NODE1&cluster=site-b", 1), ("q=x", 0)] {
        let found = server.get_json(&format!("/api/v1/nodes?{query}")).await;
        assert_eq!(found["nodes"].as_array().unwrap().len(), expected, "{query}");
    }
    problem(server.get("/api/v1/nodes?cursor=x").await, 400, "bad-query").await;
    for path in ["/nodes", "/nodes?q=node2", "/nodes/node2?cluster=site-a"] {
        let page = server.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert!(page.text().await.unwrap().contains("2000::65:12"), "{path}");
    }
    assert_eq!(server.get("/nodes/node2").await.status(), 409);
    server.stop().await;
}
