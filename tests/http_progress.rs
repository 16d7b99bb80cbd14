//! Analyses that run can be followed: by events, by their address and by their page.

#[cfg(test)]
#[path = "support/events.rs"]
mod events;
#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/http.rs"]
mod http;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use replyscope::clock;
    use reqwest::{Body, Method, Response};
    use serde_json::Value;
    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep, timeout};

    use super::events::Events;
    use super::folder::Folder;
    use super::http::{Server, problem};

    const ANALYSES: &str = "/api/v1/analyses";
    const LONG: Duration = Duration::from_secs(20);

    fn capture() -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lab/founding/host.pcap");
        std::fs::read(path).unwrap()
    }

    fn new_path() -> (String, String) {
        let id = clock::new_id().to_string();
        let path = format!("{ANALYSES}/{id}");
        (id, path)
    }

    /// An upload whose bytes come when the test sends them; without an
    /// announced length where `length` is `None`.
    fn upload(
        server: &Server,
        query: &str,
        length: Option<usize>,
    ) -> (mpsc::UnboundedSender<Vec<u8>>, JoinHandle<Response>) {
        let (sender, receiver) = mpsc::unbounded_channel::<Vec<u8>>();
        let body = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|chunk| (Ok::<_, std::io::Error>(chunk), receiver))
        });
        let mut request = server.request(Method::POST, &format!("{ANALYSES}{query}"));
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        let request = request.body(Body::wrap_stream(body));
        (sender, tokio::spawn(async { request.send().await.unwrap() }))
    }

    async fn follow(server: &Server, path: &str) -> Events {
        Events::new(server.get(&format!("{path}/events")).await)
    }

    /// Asks until the analysis runs and `is_enough` of it.
    async fn wait_until(server: &Server, path: &str, is_enough: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let response = server.get(path).await;
            if response.status() == 202 {
                assert_eq!(response.headers()["retry-after"], "1");
                assert_eq!(response.headers()["cache-control"], "no-store");
                let progress: Value = response.json().await.unwrap();
                assert_eq!(progress["state"], "running");
                if is_enough(&progress) {
                    return progress;
                }
            }
            assert!(started.elapsed() < LONG, "{path} does not come so far");
            sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn a_slow_upload_is_seen_while_it_comes() {
        let folder = Folder::new("progress-slow");
        let server = Server::start(folder.path()).await;
        let capture = capture();
        let (id, path) = new_path();
        // Whoever listens first misses nothing.
        let mut events = follow(&server, &path).await;
        let (sender, answer) = upload(&server, &format!("?id={id}"), Some(capture.len()));
        let half = capture.len() / 2;
        sender.send(capture[..half].to_vec()).unwrap();

        let started = Instant::now();
        let mut seen = Vec::new();
        loop {
            let (name, progress) = timeout(LONG, events.next()).await.unwrap().unwrap();
            assert_eq!((name.as_str(), &progress["id"]), ("progress", &Value::from(id.clone())));
            assert_eq!(progress["state"], "running");
            assert_eq!(progress["bytes_expected"], capture.len());
            let is_enough = progress["packets"].as_u64().unwrap() > 0;
            seen.push(progress);
            if is_enough {
                break;
            }
        }
        let last = seen.last().unwrap();
        assert_eq!(
            (&last["phase"], &last["captures"]),
            (&Value::from("receiving"), &Value::from(1))
        );
        assert!(last["bytes_received"].as_u64().unwrap() <= half.try_into().unwrap());

        // Its own address and page know it as well.
        wait_until(&server, &path, |progress| progress["bytes_received"] == half).await;
        let page = server.get(&format!("/analyses/{id}")).await;
        assert_eq!(page.status(), 202);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let page = page.text().await.unwrap();
        assert!(page.contains(&format!("data-analysis=\"{id}\"")), "{page}");
        assert!(page.contains("http-equiv=\"refresh\""), "{page}");
        let script = page.split('"').find(|part| part.starts_with("/assets/progress-")).unwrap();
        let script = server.get(script).await;
        assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
        // What needs its report says that there is none yet.
        let deletion = server.request(Method::DELETE, &path).send().await.unwrap();
        problem(deletion, 409, "analysis-runs").await;
        for part in ["/devices", "/devices/192.0.2.1"] {
            problem(server.get(&format!("{path}{part}")).await, 409, "analysis-runs").await;
        }

        for chunk in capture[half..].chunks(capture.len() / 8) {
            sender.send(chunk.to_vec()).unwrap();
            sleep(Duration::from_millis(20)).await;
        }
        drop(sender);
        let mut count = seen.len();
        let (name, done) = loop {
            let (name, content) = timeout(LONG, events.next()).await.unwrap().unwrap();
            if name != "progress" {
                break (name, content);
            }
            count += 1;
        };
        assert_eq!(name, "done");
        assert_eq!((&done["state"], &done["phase"]), (&"finished".into(), &"done".into()));
        assert_eq!(done["verdict"], "broken");
        assert_eq!(
            (done["url"].as_str(), done["page"].as_str()),
            (Some(path.as_str()), Some(format!("/analyses/{id}").as_str()))
        );
        assert!(events.next().await.is_none());
        // At most four a second, and the first at once.
        let most = started.elapsed().as_millis() / 250 + 2;
        assert!(u128::try_from(count).unwrap() <= most, "{count} events, {most} expected at most");

        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["location"], path.as_str());
        let report: Value = answer.json().await.unwrap();
        assert_eq!((&report["id"], &report["state"]), (&id.clone().into(), &"finished".into()));
        assert_eq!(server.get_json(&path).await, report);
        let devices = server.get_json(&format!("{path}/devices")).await;
        assert_eq!(devices["devices"], report["devices"]);
        let first = report["devices"][0]["device"].as_str().unwrap();
        let device = server.get_json(&format!("{path}/devices/{first}")).await;
        assert_eq!(device, report["devices"][0]);
        // One that has ended says so at once, and only that.
        let mut late = follow(&server, &path).await;
        assert_eq!(late.next().await.unwrap(), ("done".to_owned(), done));
        assert!(late.next().await.is_none());
        server.stop().await;
    }

    #[tokio::test]
    async fn a_failed_upload_says_why_to_whoever_asks() {
        let folder = Folder::new("progress-failed");
        let server = Server::start(folder.path()).await;
        let (id, path) = new_path();
        let mut events = follow(&server, &path).await;
        // A length that is not announced is not made up.
        let (sender, answer) = upload(&server, &format!("?id={id}"), None);
        sender.send(b"no packets in here\n".to_vec()).unwrap();
        let progress =
            wait_until(&server, &path, |progress| progress["bytes_received"] == 19).await;
        assert!(progress["bytes_expected"].is_null());
        drop(sender);
        let answered = problem(answer.await.unwrap(), 400, "no-packets").await;
        let (name, failed) = events.last().await;
        assert_eq!((name.as_str(), &failed["state"]), ("failed", &"failed".into()));
        assert!(server.capture_folders().is_empty());
        assert_eq!(failed["problem"], answered);
        // Late ones are told the same.
        assert_eq!(follow(&server, &path).await.last().await.1, failed);
        problem(server.get(&format!("{path}/devices")).await, 404, "analysis-failed").await;
        let found = problem(server.get(&path).await, 404, "analysis-failed").await;
        let detail = answered["detail"].as_str().unwrap();
        assert!(found["detail"].as_str().unwrap().contains(detail), "{found}");
        assert_eq!(found["hint"], answered["hint"]);
        let page = server.get(&format!("/analyses/{id}")).await;
        assert_eq!(page.status(), 404);
        let page = page.text().await.unwrap();
        assert!(page.contains("Analysis failed") && page.contains("HTTP status 400"), "{page}");

        // It has left nothing, so that its sender may try again.
        let (sender, answer) = upload(&server, &format!("?id={id}"), None);
        sender.send(capture()).unwrap();
        drop(sender);
        assert_eq!(answer.await.unwrap().status(), 201);
        assert_eq!(server.get_json(&path).await["state"], "finished");
        server.stop().await;
    }

    #[tokio::test]
    async fn a_sender_that_leaves_is_told_of() {
        let folder = Folder::new("progress-left");
        let server = Server::start(folder.path()).await;
        let (id, path) = new_path();
        let mut events = follow(&server, &path).await;
        let (sender, answer) = upload(&server, &format!("?id={id}"), Some(1 << 20));
        sender.send(capture()).unwrap();
        wait_until(&server, &path, |progress| progress["packets"].as_u64() > Some(0)).await;
        answer.abort();
        drop(sender);
        let (name, failed) = events.last().await;
        assert_eq!(name, "failed");
        assert_eq!(failed["problem"]["type"], "/problems/incomplete-upload");
        server.stop().await;
    }

    #[tokio::test]
    async fn an_analysis_that_does_not_begin_is_unknown() {
        let folder = Folder::new("progress-unknown");
        let server = Server::start_with(folder.path(), |settings| {
            settings.listener_patience = Duration::from_millis(200);
        })
        .await;
        let (id, path) = new_path();
        let mut events = follow(&server, &path).await;
        let (name, unknown) = events.next().await.unwrap();
        assert_eq!((name.as_str(), &unknown["state"]), ("unknown", &"unknown".into()));
        assert_eq!(unknown["problem"]["type"], "/problems/analysis-not-found");
        assert!(unknown["problem"]["detail"].as_str().unwrap().contains(&id));
        assert!(events.next().await.is_none());
        problem(server.get(&format!("{ANALYSES}/nope/events")).await, 400, "bad-path").await;
        server.stop().await;
    }

    #[tokio::test]
    async fn ids_are_taken_once_and_have_to_be_uuids() {
        let folder = Folder::new("progress-ids");
        let server = Server::start(folder.path()).await;
        for (id, version) in [("6f9619ff-8b86-4011-b42d-00c04fc964ff", 4), (&new_path().0, 7)] {
            let query = format!("?id={id}");
            let (sender, answer) = upload(&server, &query, None);
            sender.send(capture()).unwrap();
            let path = format!("{ANALYSES}/{id}");
            wait_until(&server, &path, |progress| progress["packets"].as_u64() > Some(0)).await;
            // While it runs, and afterwards.
            let (_, second) = upload(&server, &query, Some(0));
            problem(second.await.unwrap(), 409, "id-taken").await;
            drop(sender);
            assert_eq!(answer.await.unwrap().status(), 201, "version {version}");
            let (_, third) = upload(&server, &query, Some(0));
            let found = problem(third.await.unwrap(), 409, "id-taken").await;
            assert!(found["detail"].as_str().unwrap().contains(id), "{found}");
            // What was refused has not harmed what was there.
            assert_eq!(server.get_json(&path).await["verdict"], "broken");
        }
        for id in
            ["x", "00000000-0000-0000-0000-000000000000", "6f9619ff-8b86-1011-b42d-00c04fc964ff"]
        {
            let (_, answer) = upload(&server, &format!("?id={id}"), Some(0));
            let found = problem(answer.await.unwrap(), 400, "bad-query").await;
            assert!(found["detail"].as_str().unwrap().contains(id), "{found}");
        }
        // Whatever its id, the one that came last is the newest.
        let (sender, answer) = upload(&server, "?id=01000000-0000-7000-8000-000000000001", None);
        sender.send(capture()).unwrap();
        drop(sender);
        assert_eq!(answer.await.unwrap().status(), 201);
        let list = server.get_json(ANALYSES).await;
        assert_eq!(list["analyses"][0]["id"], "01000000-0000-7000-8000-000000000001");
        assert_eq!(list["analyses"][2]["id"], "6f9619ff-8b86-4011-b42d-00c04fc964ff");
        server.stop().await;
    }

    #[tokio::test]
    async fn there_are_only_so_many_listeners() {
        let folder = Folder::new("progress-limit");
        let server =
            Server::start_with(folder.path(), |settings| settings.listener_limit = 2).await;
        let (_, path) = new_path();
        let first = server.get(&format!("{path}/events")).await;
        let second = server.get(&format!("{path}/events")).await;
        let refused = server.get(&format!("{path}/events")).await;
        assert_eq!(refused.headers()["retry-after"], "10");
        problem(refused, 503, "too-many-listeners").await;
        // A listener that leaves makes room.
        drop(first);
        let started = Instant::now();
        while server.get(&format!("{path}/events")).await.status() != 200 {
            assert!(started.elapsed() < LONG, "the place stays taken");
            sleep(Duration::from_millis(50)).await;
        }
        drop(second);
        server.stop().await;
    }

    #[tokio::test]
    async fn those_who_wait_do_not_hold_up_the_end() {
        let folder = Folder::new("progress-end");
        let running = replyscope::web::Running::new();
        let registry = running.clone();
        let server =
            Server::start_with(folder.path(), |settings| settings.running = registry).await;
        let (_, path) = new_path();
        let mut events = follow(&server, &path).await;
        running.close();
        assert_eq!(events.next().await.unwrap().0, "unknown");
        timeout(LONG, server.stop()).await.unwrap();
    }
}
