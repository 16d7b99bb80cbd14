//! Node queries of a service without a living agent: what ended, and what is told
//! of it.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/process.rs"]
mod process;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::Client;
    use serde_json::{Value, json};

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
            assert_eq!(service.stop(), Some(0));
        }
    }
}
