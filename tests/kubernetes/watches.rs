//! Watches that break, are refused, or lose their place.

use std::time::Duration;

use replyscope::clock;
use replyscope::node::kubernetes::{Access, ClusterSettings, Clusters, Pace, Surroundings};
use replyscope::node::summary::ResourceHealth;

use crate::cluster::{
    NODES, PODS, POOLS, connected, follow, founding, health, ip, surroundings, told, wait,
};
use crate::folder::Folder;
use crate::kube_api::KubeApi;

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
    wait(&clusters, |clusters| health(&clusters.states()[0], "pods").0 == ResourceHealth::Fresh)
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
    wait(&clusters, |clusters| health(&clusters.states()[0], "pods").0 == ResourceHealth::Failing)
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
