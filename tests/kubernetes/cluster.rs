//! Clusters that the tests follow, and what is known of them.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use replyscope::node::kubernetes::{Access, ClusterSettings, Clusters, Pace, Surroundings};
use replyscope::node::summary::{ClusterState, ResourceHealth};
use replyscope::{analysis, clock};
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::kube_api::KubeApi;

pub const PODS: &str = "/api/v1/pods";
pub const NODES: &str = "/api/v1/nodes";
pub const POOLS: &str = "/apis/crd.projectcalico.org/v1/ippools";

pub fn founding() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kubernetes");
    serde_json::from_slice(&std::fs::read(file.join("founding.json")).unwrap()).unwrap()
}

pub fn capture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/founding");
    std::fs::read(folder.join(name)).unwrap()
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The founding cluster with 10,000 pods, each with what objects carry along.
pub fn large() -> Value {
    let mut objects = founding();
    let pods = (0..10_000_u32).map(|number| {
        let mut pod = objects[PODS][0].clone();
        let (high, low) = (number / 250, number % 250 + 1);
        pod["metadata"]["name"] = format!("pod-{number}").into();
        pod["metadata"]["managedFields"] = json!([{"manager": "x".repeat(200)}]);
        pod["status"]["podIP"] = format!("10.1.{high}.{low}").into();
        pod["status"]["podIPs"] =
            json!([{"ip": format!("10.1.{high}.{low}")}, {"ip": format!("fd00::1:{number:x}")}]);
        pod
    });
    objects[PODS] = pods.collect();
    objects
}

pub async fn follow(clusters: &[(&str, &KubeApi)], folder: &Folder) -> Clusters {
    let settings = clusters.iter().map(|(name, api)| ClusterSettings {
        name: (*name).to_owned(),
        access: Access::Kubeconfig { file: api.kubeconfig(folder.path()), context: None },
    });
    Clusters::start(settings.collect(), surroundings()).await.unwrap()
}

pub fn surroundings() -> Surroundings {
    Surroundings {
        read: analysis::kubernetes_object,
        now: clock::now,
        pace: Pace {
            first: Duration::from_millis(20),
            longest: Duration::from_millis(100),
            refused: Duration::from_millis(50),
        },
    }
}

/// Waits until `is_so`; tells what is known where that does not come.
pub async fn wait(clusters: &Clusters, is_so: impl Fn(&Clusters) -> bool) {
    for _ in 0..3_000 {
        if is_so(clusters) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come so: {:#?}", clusters.states());
}

pub async fn connected(clusters: &Clusters) {
    wait(clusters, |clusters| clusters.states().iter().all(|state| state.connected)).await;
}

pub fn health(state: &ClusterState, resource: &str) -> (ResourceHealth, Option<String>) {
    let found = state.resources.iter().find(|one| one.resource == resource).unwrap();
    (found.state, found.error.clone())
}

/// Each fact as `address role node pod`, once.
pub fn told(clusters: &Clusters, name: &str) -> Vec<String> {
    let facts = clusters.facts(name).unwrap().facts;
    assert_eq!(facts.faults, []);
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let told = facts.addresses.iter().map(|fact| {
        let (node, pod) = (or_dash(&fact.node), or_dash(&fact.pod));
        format!("{} {} {node} {pod}", fact.address, fact.role.as_token())
    });
    told.collect()
}
