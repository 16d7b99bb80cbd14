//! Node queries of a service without a living agent: what ended, and what is told
//! of it.

#[cfg(test)]
#[path = "support/crowd.rs"]
mod crowd;
#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/process.rs"]
mod process;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::Duration;

    use replyscope::model::query::{NodeQuery, QueryState};
    use replyscope::model::time::Timestamp;
    use replyscope::store::Store;
    use reqwest::Client;
    use serde_json::{Value, json};
    use sqlx::SqlitePool;
    use sqlx::sqlite::SqliteConnectOptions;
    use uuid::Uuid;

    use super::crowd::capture;
    use super::folder::Folder;
    use super::process::Service;

    /// Nothing listens there (discard, TCP).
    const AGENTS: [&str; 2] = ["node1=http://127.0.0.1:9", "node2=http://[::1]:9"];

    fn client() -> Client {
        // Of several tests in one process the first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::new()
    }

    fn start(folder: &Folder) -> Service {
        Service::start(folder.path(), &["--node", AGENTS[0], "--node", AGENTS[1]])
    }

    /// Waits until the query has ended.
    async fn ended(client: &Client, base: &str, id: &str) -> Value {
        loop {
            let path = format!("{base}/api/v1/analyses/{id}/query");
            let query: Value = client.get(path).send().await.unwrap().json().await.unwrap();
            if !["queued", "running"].contains(&query["state"].as_str().unwrap()) {
                return query;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn send_alert(client: &Client, base: &str, device: &str, node: &str) -> Value {
        let alert = json!({"status": "firing", "fingerprint": "0b7a6d5e4c3b2a19",
            "labels": {"device": device, "node": node}});
        let body = json!({"version": "4", "alerts": [alert]});
        let request = client.post(format!("{base}/api/v1/alerts")).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["alerts"][0].clone()
    }

    #[tokio::test]
    async fn an_alert_whose_query_failed_starts_one_again() {
        for (device, node) in [("192.0.2.7", "node1"), ("2001:db8::7", "node2")] {
            let folder = Folder::new(&format!("queries-alert-{node}"));
            let (service, client) = (start(&folder), client());
            let base = format!("http://{}", service.address);
            let mut ids = Vec::new();
            for _ in 0..2 {
                let answer = send_alert(&client, &base, device, node).await;
                assert_eq!(answer["status"], "started", "{answer}");
                let link = answer["links"]["api"].as_str().unwrap();
                let id = link.rsplit('/').next().unwrap().to_owned();
                assert_eq!(ended(&client, &base, &id).await["state"], "failed");
                ids.push(id);
            }
            assert_ne!(ids[0], ids[1]);
            // The id of a query is no upload's, though there is no report.
            let path = format!("{base}/api/v1/analyses?id={}", ids[0]);
            let upload = client.post(path).body(capture(20)).send().await.unwrap();
            assert_eq!(upload.status(), 409);
            let problem: Value = upload.json().await.unwrap();
            assert_eq!(problem["type"], "/problems/id-taken");
            assert_eq!(service.stop(), Some(0));
        }
    }

    #[tokio::test]
    async fn alerts_that_find_no_place_must_come_again() {
        let folder = Folder::new("queries-full");
        // It takes connections and says nothing: the query at it goes on.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = format!("node1=http://{}", silent.local_addr().unwrap());
        let options = ["--node", &silent, "--concurrent-queries", "1", "--query-queue", "0"];
        let (service, client) = (Service::start(folder.path(), &options), client());
        let base = format!("http://{}", service.address);
        let alert = |fingerprint: &str, device: &str, node: &str| {
            json!({"status": "firing", "fingerprint": fingerprint,
                "labels": {"device": device, "node": node}})
        };
        let send = async |alerts: &[Value]| {
            let body = json!({"version": "4", "alerts": alerts});
            client.post(format!("{base}/api/v1/alerts")).json(&body).send().await.unwrap()
        };
        let first = alert("a1", "192.0.2.7", "node1");
        let second = alert("a2", "2001:db8::7", "node1");
        let never = alert("a3", "2001:db8::7", "moon");
        let answer = send(&[first.clone(), never.clone(), second]).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "30");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/alerts-wait", "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with("1 of 3 alerts"), "{problem}");
        // What can never start anything is no reason to send it again, and what has
        // started is known.
        let answer = send(&[first, never]).await;
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["alerts"][0]["status"], "duplicate", "{answer}");
        assert_eq!(answer["alerts"][1]["status"], "refused", "{answer}");
        let metrics = client.get(format!("{base}/metrics")).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        for (status, count) in [("started", 1), ("waiting", 1), ("refused", 2), ("duplicate", 1)] {
            let line = format!("replyscope_alerts_total{{status=\"{status}\"}} {count}");
            assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
        }
        // One that meets the query of another has started nothing, however often it comes.
        for _ in 0..2 {
            let answer = send(&[alert("a4", "192.0.2.7", "node1")]).await;
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(answer["alerts"][0]["status"], "running", "{answer}");
        }
    }

    const ID: Uuid = Uuid::from_u128(0x0194_0000_0000_7000_8000_0000_0000_0007);

    /// Leaves what a service leaves that is killed while a query captures; returns the
    /// capture's file.
    async fn leave_query(folder: &Folder, devices: u32) -> PathBuf {
        let store = Store::open(folder.path(), None).await.unwrap();
        let device = super::crowd::device(0).into();
        let query = NodeQuery {
            id: ID,
            node: "node1".to_owned(),
            cluster: None,
            device,
            addresses: vec![device],
            duration_s: 60,
            state: QueryState::Queued,
            created_at: Timestamp::from_seconds(1_700_000_000),
            started_at: None,
            ended_at: None,
            message: None,
        };
        store.insert_query(&query).await.unwrap();
        store.start_query(ID, query.created_at).await.unwrap();
        let mut captures = store.new_query_captures(ID);
        let mut file = captures.create().unwrap();
        file.write(&capture(devices)).unwrap();
        file.finish().unwrap();
        captures.keep();
        store.close().await;
        folder.path().join(format!("captures/{ID}/0"))
    }

    async fn get(client: &Client, base: &str, path: &str) -> (u16, Value) {
        let response = client.get(format!("{base}/api/v1/analyses/{ID}{path}")).send().await;
        let response = response.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_start_that_fails_costs_no_capture() {
        let folder = Folder::new("queries-port");
        let file = leave_query(&folder, 20).await;
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap().to_string();
        for _ in 0..5 {
            let mut start = Command::new(env!("CARGO_BIN_EXE_replyscope"));
            start.args(["serve", "--listen", &taken, "--data"]).arg(folder.path());
            assert_eq!(start.output().unwrap().status.code(), Some(2));
        }
        let (service, client) = (start(&folder), client());
        let base = format!("http://{}", service.address);
        let query = ended(&client, &base, &ID.to_string()).await;
        assert_eq!(query["state"], "interrupted", "{query}");
        let (status, report) = get(&client, &base, "").await;
        assert_eq!((status, &report["verdict"]), (200, &"broken".into()), "{report}");
        assert!(file.exists());
        assert_eq!(service.stop(), Some(0));
    }

    #[tokio::test]
    async fn a_service_that_is_told_to_end_loses_no_capture() {
        let folder = Folder::new("queries-term");
        let file = leave_query(&folder, 6_000).await;
        for _ in 0..5 {
            assert_eq!(start(&folder).stop(), Some(0));
            assert!(file.exists());
        }
        let (service, client) = (start(&folder), client());
        let base = format!("http://{}", service.address);
        ended(&client, &base, &ID.to_string()).await;
        assert_eq!(get(&client, &base, "").await.0, 200);
        assert_eq!(service.stop(), Some(0));
    }

    #[tokio::test]
    async fn a_capture_that_ends_the_service_is_left_alone_and_kept() {
        let folder = Folder::new("queries-attempts");
        let file = leave_query(&folder, 20).await;
        let options = SqliteConnectOptions::new().filename(folder.path().join("replyscope.sqlite"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query("UPDATE queries SET attempts = 3").execute(&pool).await.unwrap();
        pool.close().await;
        for _ in 0..2 {
            let (service, client) = (start(&folder), client());
            let base = format!("http://{}", service.address);
            let query = ended(&client, &base, &ID.to_string()).await;
            assert_eq!(query["state"], "interrupted", "{query}");
            assert!(query["message"].as_str().unwrap().contains("the capture is kept"), "{query}");
            let (status, problem) = get(&client, &base, "").await;
            assert_eq!((status, &problem["type"]), (404, &"/problems/analysis-failed".into()));
            let events = client.get(format!("{base}/api/v1/analyses/{ID}/events"));
            let events = events.send().await.unwrap().text().await.unwrap();
            assert!(events.starts_with("event: failed\n"), "{events}");
            assert!(events.contains("the capture is kept"), "{events}");
            assert!(file.exists());
            assert_eq!(service.stop(), Some(0));
        }
        let (service, client) = (start(&folder), client());
        let base = format!("http://{}", service.address);
        let delete = || client.delete(format!("{base}/api/v1/analyses/{ID}")).send();
        assert_eq!(delete().await.unwrap().status(), 204);
        assert!(!file.exists());
        assert_eq!(get(&client, &base, "").await.1["type"], "/problems/analysis-not-found");
        assert_eq!(get(&client, &base, "/query").await.0, 404);
        assert_eq!(delete().await.unwrap().status(), 404);
        assert_eq!(service.stop(), Some(0));
    }

    #[tokio::test]
    async fn a_query_that_failed_is_told_by_its_events_and_can_be_deleted() {
        let folder = Folder::new("queries-failed");
        let client = client();
        let mut id = String::new();
        // While the service that saw it runs, and after a restart.
        for start_number in 0..2 {
            let service = start(&folder);
            let base = format!("http://{}", service.address);
            if start_number == 0 {
                let answer = send_alert(&client, &base, "192.0.2.7", "node1").await;
                let link = answer["links"]["api"].as_str().unwrap();
                id = link.rsplit('/').next().unwrap().to_owned();
                ended(&client, &base, &id).await;
            }
            let path = format!("{base}/api/v1/analyses/{id}");
            // There is one, but it does not run.
            let stop = client.post(format!("{path}/stop")).send().await.unwrap();
            assert_eq!(stop.status(), 409);
            let events = client.get(format!("{path}/events")).send().await.unwrap();
            let events = events.text().await.unwrap();
            assert!(events.contains("event: failed\n"), "{events}");
            assert!(events.contains("out of reach"), "{events}");
            if start_number == 1 {
                for status in [204, 404] {
                    let deletion = client.delete(&path).send().await.unwrap();
                    assert_eq!(deletion.status().as_u16(), status);
                    let found = client.get(&path).send().await.unwrap();
                    let problem: Value = found.json().await.unwrap();
                    assert_eq!(problem["type"], "/problems/analysis-not-found");
                }
            }
            assert_eq!(service.stop(), Some(0));
        }
    }
}
