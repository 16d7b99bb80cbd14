//! What the service logs of requests that fail: once, with the reason, and as an
//! error only where it is one of the service.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/samples.rs"]
mod samples;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Child, Command};
    use std::time::Duration;

    use replyscope::store::Store;
    use reqwest::Client;
    use serde_json::{Value, json};
    use sqlx::SqlitePool;
    use sqlx::sqlite::SqliteConnectOptions;
    use uuid::Uuid;

    use super::folder::Folder;
    use super::samples::report;

    /// A process that ends with the test, however that ends.
    struct Service(Child);

    impl Drop for Service {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// The lines of the log, each an object.
    fn lines(folder: &Folder) -> Vec<(String, Value)> {
        let text = std::fs::read_to_string(folder.path().join("log")).unwrap();
        text.lines().map(|line| (line.to_owned(), serde_json::from_str(line).unwrap())).collect()
    }

    /// Waits for the line that `is_wanted`.
    async fn wait_for(folder: &Folder, is_wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..400 {
            if let Some((_, line)) = lines(folder).into_iter().find(|(_, line)| is_wanted(line)) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the line did not come: {:#?}", lines(folder));
    }

    /// Starts the service on a store with a report that is damaged.
    async fn start(folder: &Folder) -> (Service, String, Uuid) {
        let store = Store::open(folder.path(), None).await.unwrap();
        let saved = report(1, "2001:db8::1", "broken", "reply_ignored");
        store.save(&saved).await.unwrap();
        store.close().await;
        drop(store);
        let options = SqliteConnectOptions::new().filename(folder.path().join("replyscope.sqlite"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query("UPDATE analyses SET report = x'00'").execute(&pool).await.unwrap();
        pool.close().await;
        let child = Command::new(env!("CARGO_BIN_EXE_replyscope"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            // Nothing listens there (discard, TCP).
            .args(["--node", "node1=http://127.0.0.1:9", "--data"])
            .arg(folder.path())
            .env_remove("RUST_LOG")
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let service = Service(child);
        let says_where = |line: &Value| message(line).starts_with("listening on ");
        let line = wait_for(folder, says_where).await;
        let base = message(&line).strip_prefix("listening on ").unwrap().to_owned();
        (service, base, saved.id)
    }

    fn message(line: &Value) -> &str {
        line["fields"]["message"].as_str().unwrap()
    }

    #[tokio::test]
    async fn a_failure_is_one_line_with_its_reason() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = Folder::new("log");
        let (_service, base, damaged) = start(&folder).await;
        let client = Client::new();
        let path = format!("{base}/api/v1/analyses/{damaged}");
        assert_eq!(client.get(path).send().await.unwrap().status(), 500);
        let ask = client.post(format!("{base}/api/v1/nodes/node1/analyses"));
        let ask = ask.json(&json!({"device": "2001:db8::7"})).send().await.unwrap();
        assert_eq!(ask.status(), 503);
        let alert = json!({"status": "firing", "fingerprint": "0b7a6d5e4c3b2a19",
            "labels": {"device": "192.0.2.7", "node": "node1"}});
        let alerts = client.post(format!("{base}/api/v1/alerts"));
        let alerts = alerts.json(&json!({"version": "4", "alerts": [alert]}));
        assert_eq!(alerts.send().await.unwrap().status(), 200);
        // Whoever sent it throws the answer away.
        let refused = json!({"status": "firing", "fingerprint": "00000000000000aa",
            "labels": {"alertname": "BackupFailed", "device": "2001:db8::7", "node": "moon"}});
        let alerts = client.post(format!("{base}/api/v1/alerts"));
        let alerts = alerts.json(&json!({"version": "4", "alerts": [refused]}));
        assert_eq!(alerts.send().await.unwrap().status(), 200);
        let line = wait_for(&folder, |line| message(line) == "alert starts no query").await;
        for (field, words) in [
            ("fingerprint", "00000000000000aa"),
            ("alertname", "BackupFailed"),
            ("device", "2001:db8::7"),
            ("node", "moon"),
            ("reason", "no node has the name 'moon'"),
        ] {
            let found = line["fields"][field].as_str().unwrap();
            assert!(found.contains(words), "{field}: {line}");
        }

        let end = wait_for(&folder, |line| message(line) == "node query ended").await;
        assert!(end["fields"]["reason"].as_str().unwrap().contains("out of reach"), "{end}");
        let lines = lines(&folder);
        for (text, _) in &lines {
            assert_eq!(text.matches("\"message\":").count(), 1, "{text}");
        }
        let of_level = |level: &str| -> Vec<&Value> {
            lines.iter().map(|(_, line)| line).filter(|line| line["level"] == level).collect()
        };
        let (errors, warnings) = (of_level("ERROR"), of_level("WARN"));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0]["fields"]["error"].as_str().unwrap().contains("cannot be read back"));
        assert!(!errors[0]["fields"]["chain"].as_str().unwrap().is_empty());
        assert_eq!(warnings.len(), 2, "{warnings:#?}");
        assert!(warnings[0]["fields"]["error"].as_str().unwrap().contains("out of reach"));
    }
}
