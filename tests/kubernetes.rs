//! Clusters through their API: a server lists and watches, and the service knows
//! what it says, and what it withholds.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/http.rs"]
mod http;
#[cfg(test)]
#[path = "support/kube_api.rs"]
mod kube_api;
#[cfg(test)]
#[path = "support/process.rs"]
mod process;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;
    use std::path::Path;
    use std::time::Duration;

    use replyscope::model::cluster::TrafficPolicy;
    use replyscope::node::kubernetes::{
        Access, ClusterSettings, Clusters, ConnectError, Pace, Surroundings,
    };
    use replyscope::node::registry::{FindNodeError, Nodes};
    use replyscope::node::summary::{AgentState, ClusterState, ResourceHealth};
    use replyscope::{analysis, clock};
    use reqwest::Method;
    use reqwest::multipart::{Form, Part};
    use serde_json::{Value, json};

    use super::folder::Folder;
    use super::http::{Server, problem};
    use super::kube_api::KubeApi;
    use super::process::Service;

    const PODS: &str = "/api/v1/pods";
    const NODES: &str = "/api/v1/nodes";
    const POOLS: &str = "/apis/crd.projectcalico.org/v1/ippools";

    fn founding() -> Value {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kubernetes");
        serde_json::from_slice(&std::fs::read(file.join("founding.json")).unwrap()).unwrap()
    }

    fn capture(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/founding");
        std::fs::read(folder.join(name)).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The founding cluster with 10,000 pods, each with what objects carry along.
    fn large() -> Value {
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

    async fn follow(clusters: &[(&str, &KubeApi)], folder: &Folder) -> Clusters {
        let settings = clusters.iter().map(|(name, api)| ClusterSettings {
            name: (*name).to_owned(),
            access: Access::Kubeconfig { file: api.kubeconfig(folder.path()), context: None },
        });
        Clusters::start(settings.collect(), surroundings()).await.unwrap()
    }

    fn surroundings() -> Surroundings {
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
    async fn wait(clusters: &Clusters, is_so: impl Fn(&Clusters) -> bool) {
        for _ in 0..3_000 {
            if is_so(clusters) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not come so: {:#?}", clusters.states());
    }

    async fn connected(clusters: &Clusters) {
        wait(clusters, |clusters| clusters.states().iter().all(|state| state.connected)).await;
    }

    fn health(state: &ClusterState, resource: &str) -> (ResourceHealth, Option<String>) {
        let found = state.resources.iter().find(|one| one.resource == resource).unwrap();
        (found.state, found.error.clone())
    }

    /// Each fact as `address role node pod`, once.
    fn told(clusters: &Clusters, name: &str) -> Vec<String> {
        let facts = clusters.facts(name).unwrap().facts;
        assert_eq!(facts.faults, []);
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let told = facts.addresses.iter().map(|fact| {
            let (node, pod) = (or_dash(&fact.node), or_dash(&fact.pod));
            format!("{} {} {node} {pod}", fact.address, fact.role.as_token())
        });
        told.collect()
    }

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
            assert_eq!(
                told.iter().filter(|one| *one == expected).count(),
                1,
                "{expected}: {told:#?}"
            );
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
    async fn a_watch_that_lost_its_place_lists_again() {
        let folder = Folder::new("kubernetes-expired");
        let api = KubeApi::start(&founding()).await;
        let clusters = follow(&[("site-a", &api)], &folder).await;
        connected(&clusters).await;
        wait(&clusters, |_| api.watch_count(PODS) == 1).await;
        let old = ip("177.177.135.16");
        assert_eq!(clusters.find_pods_of(old).len(), 1);

        // By an event of the watch.
        api.forget(PODS, "ss/tftpserver-dm-vmgtf");
        api.expire(PODS);
        wait(&clusters, |clusters| clusters.find_pods_of(old).is_empty()).await;
        wait(&clusters, |_| api.watch_count(PODS) == 1).await;
        // By the answer to a new watch: the version that it names is gone.
        api.forget(PODS, "ss/tftpserver-dm-drrsn");
        api.expire(NODES);
        api.end_watches(PODS);
        let other = ip("fd00:177:177:0:c8e0:4:5:6");
        wait(&clusters, |clusters| clusters.find_pods_of(other).is_empty()).await;
        connected(&clusters).await;
        // By a line that is no event: what it would have said is not guessed.
        wait(&clusters, |_| api.watch_count(PODS) == 1).await;
        api.forget(PODS, "ss/tftpserver-dm-798nv");
        api.send(PODS, "{\"type\": \"ADDED\"}\n");
        wait(&clusters, |clusters| clusters.find_pods_of(ip("177.177.166.147")).is_empty()).await;
        connected(&clusters).await;
    }

    #[tokio::test]
    async fn a_watch_that_is_refused_lists_again_unless_the_server_is_busy() {
        let folder = Folder::new("kubernetes-refused");
        let cases = [
            // status, message, whether it lists again
            (504, "Timeout: Too large resource version: 900, current: 5", true),
            (500, "etcdserver: mvcc: required revision is a future revision", true),
            (400, "the resourceVersion is not understood", true),
            (429, "too many requests, please try again later", false),
        ];
        for (code, message, lists) in cases {
            let api = KubeApi::start(&founding()).await;
            let clusters = follow(&[("site-a", &api)], &folder).await;
            connected(&clusters).await;
            let listed = |api: &KubeApi| {
                api.asked(PODS).iter().filter(|query| !query.contains("watch=")).count()
            };
            let before = listed(&api);
            let began = tokio::time::Instant::now();
            api.refuse_watches(PODS, Some((code, message)));
            // At once, in the API's own words.
            wait(&clusters, |clusters| {
                let (state, error) = health(&clusters.states()[0], "pods");
                state == ResourceHealth::Failing && error.is_some_and(|text| text.contains(message))
            })
            .await;
            assert!(began.elapsed() < Duration::from_secs(5), "{code}: {:?}", began.elapsed());
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(listed(&api) > before, lists, "{code}: {:?}", api.asked(PODS));
            api.forget(PODS, "ss/tftpserver-dm-vmgtf");
            api.refuse_watches(PODS, None);
            connected(&clusters).await;
            if lists {
                let owners = || clusters.find_pods_of(ip("177.177.135.16")).len();
                wait(&clusters, |_| owners() == 0).await;
                assert!(clusters.find_pods_of(ip("fd00:177:177:0:7bf3:bb28:910a:873c")).is_empty());
            }
        }
    }

    #[tokio::test]
    async fn a_watch_that_worked_is_open_again_soon_after_each_break() {
        let folder = Folder::new("kubernetes-breaks");
        let api = KubeApi::start(&founding()).await;
        let access = Access::Kubeconfig { file: api.kubeconfig(folder.path()), context: None };
        // Doubled at each break, the pause would soon be longer than the test.
        let pace = Pace { longest: Duration::from_mins(1), ..surroundings().pace };
        let clusters = Clusters::start(
            vec![ClusterSettings { name: "site-a".to_owned(), access }],
            Surroundings { pace, ..surroundings() },
        )
        .await
        .unwrap();
        connected(&clusters).await;
        for round in 0..12 {
            // With and without a word before the break.
            if round % 2 == 0 {
                api.bookmark(PODS);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let began = tokio::time::Instant::now();
            api.break_watches(PODS);
            wait(&clusters, |_| api.watch_count(PODS) == 1).await;
            assert!(began.elapsed() < Duration::from_secs(1), "{round}: {:?}", began.elapsed());
        }
        connected(&clusters).await;
    }

    #[tokio::test]
    async fn what_is_forbidden_is_said_and_the_rest_goes_on() {
        let folder = Folder::new("kubernetes-forbidden");
        let mut objects = founding();
        objects.as_object_mut().unwrap().remove(POOLS);
        let api = KubeApi::start(&objects).await;
        api.forbid(PODS, true);
        let clusters = follow(&[("site-a", &api)], &folder).await;
        connected(&clusters).await;
        let state = clusters.states().remove(0);
        let (pods, error) = health(&state, "pods");
        assert_eq!(pods, ResourceHealth::Forbidden);
        assert!(error.unwrap().contains("cannot list it"));
        assert_eq!(health(&state, "ippools"), (ResourceHealth::Absent, None));
        assert_eq!(health(&state, "nodes"), (ResourceHealth::Fresh, None));
        assert!(state.last_event_at.is_some());
        assert_eq!(clusters.nodes().len(), 3);

        // Endpoints still tell the pods.
        assert!(
            told(&clusters, "site-a")
                .contains(&"177.177.135.16 pod node3 ss/tftpserver-dm-vmgtf".to_owned())
        );

        api.forbid(PODS, false);
        wait(&clusters, |clusters| {
            health(&clusters.states()[0], "pods").0 == ResourceHealth::Fresh
        })
        .await;
        assert_eq!(clusters.find_pods_of(ip("177.177.135.16")).len(), 1);
        // A role that is taken away takes its facts along.
        api.forbid(PODS, true);
        wait(&clusters, |clusters| clusters.find_pods_of(ip("177.177.135.16")).is_empty()).await;
    }

    #[tokio::test]
    async fn a_server_that_is_gone_leaves_what_it_said_and_is_heard_again() {
        let folder = Folder::new("kubernetes-gone");
        let api = KubeApi::start(&founding()).await;
        let address = api.address;
        let clusters = follow(&[("site-a", &api)], &folder).await;
        connected(&clusters).await;
        drop(api);
        wait(&clusters, |clusters| {
            health(&clusters.states()[0], "pods").0 == ResourceHealth::Failing
        })
        .await;
        let state = clusters.states().remove(0);
        assert!(!state.connected);
        let error = health(&state, "pods").1.unwrap();
        assert!(error.contains("refused"), "{error}");
        assert_eq!(clusters.find_pods_of(ip("fd00:177:177:0:7bf3:bb28:910a:873c")).len(), 1);
        assert!(clusters.facts("site-a").unwrap().at < clock::now());

        let _api = KubeApi::start_at(address, &founding()).await;
        connected(&clusters).await;
        assert_eq!(health(&clusters.states()[0], "pods"), (ResourceHealth::Fresh, None));
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
            (kubeconfig(&folder.path().join("none.yaml"), None), "none.yaml' cannot be used"),
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
        let agent_of = |node: &str, cluster: Option<&str>| {
            nodes.find(node, cluster).unwrap().summary.agent.url
        };
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

        let server =
            Server::start_with(folder.path(), |settings| settings.nodes = nodes.clone()).await;
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
        let server =
            Server::start_with(folder.path(), |settings| settings.nodes = nodes.clone()).await;

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
}
