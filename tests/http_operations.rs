//! What operators meet: probes, metrics, headers, deletion, and what was asked about a
//! device.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/http.rs"]
mod http;
#[cfg(test)]
#[path = "support/samples.rs"]
mod samples;

#[cfg(test)]
mod tests {
    use replyscope::model::query::{NodeQuery, QueryState};
    use replyscope::model::time::Timestamp;
    use reqwest::Method;
    use serde_json::Value;
    use uuid::Uuid;

    use super::folder::Folder;
    use super::http::{Server, problem};
    use super::samples::report;

    const ANALYSES: &str = "/api/v1/analyses";
    const SESSION: &str = "10:00:00.000000 IP6 2001:db8::7.50000 > 2001:db8::10.161: UDP, length 40\n\
        10:00:00.000000 IP 192.0.2.7.50000 > 198.51.100.10.161: UDP, length 40\n";

    async fn metric(server: &Server, series: &str) -> String {
        let text = server.get("/metrics").await.text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("{series}: {text}")).trim().to_owned()
    }

    #[tokio::test]
    async fn it_is_ready_only_while_captures_can_be_kept() {
        let folder = Folder::new("operations-ready");
        let server = Server::start(folder.path()).await;
        assert_eq!(server.get("/readyz").await.status(), 200);
        let captures = folder.path().join("captures");
        assert_eq!(std::fs::read_dir(&captures).unwrap().count(), 0, "the probe leaves nothing");
        // A file in the folder's place: nothing can be written below it.
        std::fs::remove_dir(&captures).unwrap();
        std::fs::write(&captures, b"").unwrap();
        let response = server.get("/readyz").await;
        assert!(response.headers().contains_key("retry-after"));
        let found = problem(response, 503, "not-ready").await;
        assert!(!found.to_string().contains("captures/"), "no path is told: {found}");
        assert_eq!(server.get("/livez").await.status(), 200);
        std::fs::remove_file(&captures).unwrap();
        std::fs::create_dir(&captures).unwrap();
        assert_eq!(server.get("/readyz").await.status(), 200);
        server.stop().await;
    }

    #[tokio::test]
    async fn metrics_count_uploads_and_what_is_stored() {
        let folder = Folder::new("operations-metrics");
        let server = Server::start(folder.path()).await;
        for (body, status) in [(SESSION, 201), ("no packets", 400), (SESSION, 201)] {
            let sent = server.request(Method::POST, ANALYSES).body(body).send().await.unwrap();
            assert_eq!(sent.status().as_u16(), status);
        }
        for (series, expected) in [
            ("replyscope_uploads_total{outcome=\"stored\"}", "2"),
            ("replyscope_uploads_total{outcome=\"refused\"}", "1"),
            ("replyscope_uploads_total{outcome=\"busy\"}", "0"),
            ("replyscope_uploads_total{outcome=\"failed\"}", "0"),
            ("replyscope_alerts_total{status=\"refused\"}", "0"),
            ("replyscope_node_queries_total{state=\"failed\"}", "0"),
        ] {
            assert_eq!(metric(&server, series).await, expected, "{series}");
        }
        let stored = metric(&server, "replyscope_stored_bytes{kind=\"captures\"}").await;
        assert_eq!(stored, (2 * SESSION.len()).to_string());
        let stored = metric(&server, "replyscope_stored_bytes{kind=\"database\"}").await;
        assert!(stored.parse::<u64>().unwrap() > 0);
        server.stop().await;
    }

    #[tokio::test]
    async fn programs_get_problems_and_people_get_pages() {
        let folder = Folder::new("operations-answers");
        let server = Server::start(folder.path()).await;
        let posted = server.request(Method::POST, "/metrics").send().await.unwrap();
        problem(posted, 405, "method-not-allowed").await;
        for path in ["/docs/nothing", "/docs/causes/", "/docs/nothing.js"] {
            let response = server.get(path).await;
            assert_eq!(response.status(), 404, "{path}");
            let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(media_type.starts_with("text/html"), "{path}: {media_type}");
            assert!(response.text().await.unwrap().contains(path), "{path}");
        }
        // Links come with marks of those who count visits; programs make no such mistakes.
        for path in ["/?utm_source=x", "/?utm_source=x&verdict=broken", "/nodes?utm=1&q=a"] {
            assert_eq!(server.get(path).await.status(), 200, "{path}");
        }
        assert_eq!(server.get("/?verdict=odd&utm_source=x").await.status(), 400);
        let strict = server.get(&format!("{ANALYSES}?utm_source=x")).await;
        problem(strict, 400, "bad-query").await;
        server.stop().await;
    }

    #[tokio::test]
    async fn codings_that_are_not_decoded_are_refused() {
        let folder = Folder::new("operations-codings");
        let server = Server::start(folder.path()).await;
        let alerts = r#"{"version": "4", "alerts": []}"#;
        let cases = [
            // path, content type, body, coding, status, codings that are taken
            (ANALYSES, "text/plain", SESSION, "br", 415, "gzip, zstd"),
            (ANALYSES, "text/plain", SESSION, "gzip, gzip", 415, "gzip, zstd"),
            (ANALYSES, "text/plain", SESSION, "identity", 201, ""),
            (ANALYSES, "multipart/form-data; boundary=x", "--x--", "gzip", 415, "identity"),
            ("/api/v1/alerts", "application/json", alerts, "gzip", 415, "identity"),
            ("/api/v1/alerts", "application/json", alerts, "identity", 200, ""),
            ("/api/v1/nodes/n/analyses", "application/json", "{}", "deflate", 415, "identity"),
        ];
        for (path, media_type, body, coding, status, taken) in cases {
            let request = server.request(Method::POST, path).header("content-type", media_type);
            let request = request.header("content-encoding", coding).body(body);
            let response = request.send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{path} {coding}");
            if status == 415 {
                assert_eq!(response.headers()["accept-encoding"], taken, "{path} {coding}");
                problem(response, 415, "unsupported-content-coding").await;
            }
        }
        // A capture that is compressed says so, or does not.
        let squeezed = zstd::encode_all(SESSION.as_bytes(), 1).unwrap();
        for coding in ["zstd", "identity"] {
            let request = server.request(Method::POST, ANALYSES).header("content-encoding", coding);
            let response = request.body(squeezed.clone()).send().await.unwrap();
            assert_eq!(response.status(), 201, "{coding}");
        }
        // A coding is of the transfer: what it holds may be a compressed file.
        let twice = zstd::encode_all(squeezed.as_slice(), 1).unwrap();
        for (coding, status) in [("zstd", 201), ("identity", 400)] {
            let request = server.request(Method::POST, ANALYSES).header("content-encoding", coding);
            let response = request.body(twice.clone()).send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{coding}");
        }
        let thrice = zstd::encode_all(twice.as_slice(), 1).unwrap();
        let request = server.request(Method::POST, ANALYSES).header("content-encoding", "zstd");
        problem(request.body(thrice).send().await.unwrap(), 400, "not-a-capture").await;
        server.stop().await;
    }

    #[tokio::test]
    async fn a_report_is_shown_shortened_and_deleted() {
        let folder = Folder::new("operations-report");
        let server = Server::start(folder.path()).await;
        let post = |query: &str| {
            server.request(Method::POST, &format!("{ANALYSES}{query}")).body(SESSION).send()
        };
        let whole: Value = post("").await.unwrap().json().await.unwrap();
        assert_eq!(whole["devices"].as_array().unwrap().len(), 2);
        let short = post("?device_limit=0").await.unwrap();
        assert_eq!(short.status(), 201);
        assert_eq!(short.headers()["content-type"], "application/json");
        let path = short.headers()["location"].to_str().unwrap().to_owned();
        let short: Value = short.json().await.unwrap();
        assert_eq!(
            (&short["devices_omitted"], &short["devices"]),
            (&2.into(), &Value::Array(vec![]))
        );
        assert_eq!(short["headline"], whole["headline"]);
        problem(post("?device_limit=x").await.unwrap(), 400, "bad-query").await;

        let page_path = path.replace("/api/v1", "");
        let page = server.get(&page_path).await;
        let (tag, vary) = (page.headers()["etag"].clone(), page.headers()["vary"].clone());
        let page = page.text().await.unwrap();
        assert!(page.contains(&format!("<a href=\"{path}\">JSON</a>")), "{page}");
        let form = format!("<form method=\"post\" action=\"{page_path}/delete\">");
        assert!(page.contains(&form), "{page}");
        let again = server.request(Method::GET, &page_path).header("if-none-match", tag);
        let again = again.send().await.unwrap();
        assert_eq!((again.status().as_u16(), &again.headers()["vary"]), (304, &vary));

        let delete = || server.request(Method::POST, &format!("{page_path}/delete"));
        let foreign = delete().header("sec-fetch-site", "cross-site").send().await.unwrap();
        assert_eq!(foreign.status(), 403);
        let deleted = delete().send().await.unwrap();
        assert_eq!(
            (deleted.status().as_u16(), &deleted.headers()["location"]),
            (303, &"/".parse().unwrap())
        );
        problem(server.get(&path).await, 404, "analysis-not-found").await;
        assert_eq!(server.capture_folders().len(), 1);
        assert_eq!(delete().send().await.unwrap().status(), 404);
        server.stop().await;
    }

    fn query(number: u128, device: &str, state: QueryState, message: Option<&str>) -> NodeQuery {
        let device = device.parse().unwrap();
        NodeQuery {
            id: Uuid::from_u128(number),
            node: "node3".to_owned(),
            cluster: None,
            device,
            addresses: vec![device],
            duration_s: 60,
            state,
            created_at: Timestamp::from_seconds(1_700_000_000 + i64::try_from(number).unwrap()),
            started_at: None,
            ended_at: None,
            message: message.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn a_device_shows_what_was_asked_about_it() {
        let folder = Folder::new("operations-asked");
        let server = Server::start(folder.path()).await;
        for device in ["192.0.2.7", "2001:db8::7"] {
            let queries = format!("/api/v1/devices/{device}/queries");
            assert_eq!(server.get_json(&queries).await["queries"], Value::Array(vec![]));
            let page = server.get(&format!("/devices/{device}")).await.text().await.unwrap();
            assert!(page.contains("Nothing is known yet"), "{page}");
            let base = if device.contains(':') { 100 } else { 0 };
            let failed = query(base + 1, device, QueryState::Queued, None);
            server.store.insert_query(&failed).await.unwrap();
            let reason = "the agent of node3 is out of reach: refused";
            let at = Timestamp::from_seconds(1_700_000_100);
            let end = |id, state, message| server.store.end_query(id, state, at, message);
            end(failed.id, QueryState::Failed, Some(reason)).await.unwrap();
            let page = server.get(&format!("/devices/{device}")).await.text().await.unwrap();
            assert!(page.contains(&format!("there is no report: {reason}.")), "{page}");
            assert!(!page.contains("Nothing is known yet"), "{page}");

            // One with a report in which the device is not.
            let empty = query(base + 2, device, QueryState::Queued, None);
            server.store.insert_query(&empty).await.unwrap();
            let mut about_another = report(1, "192.0.2.99", "broken", "reply_ignored");
            about_another.id = empty.id;
            server.store.save(&about_another).await.unwrap();
            end(empty.id, QueryState::Finished, None).await.unwrap();
            let found = server.get_json(&queries).await;
            let found = found["queries"].as_array().unwrap();
            assert_eq!(found.len(), 2, "{found:#?}");
            assert_eq!(found[0]["id"], empty.id.to_string());
            assert_eq!(found[0]["verdict"], "broken");
            assert_eq!(found[0]["headline"], about_another.headline);
            assert_eq!(found[0]["url"], format!("{ANALYSES}/{}", empty.id));
            assert_eq!(found[1]["state"], "failed");
            assert_eq!(
                (&found[1]["message"], &found[1]["verdict"]),
                (&reason.into(), &Value::Null)
            );
            let newest = server.get_json(&format!("{queries}?limit=1")).await;
            assert_eq!(newest["queries"].as_array().unwrap().len(), 1);
            let page = server.get(&format!("/devices/{device}")).await.text().await.unwrap();
            assert!(page.contains("saw no exchange of this device"), "{page}");

            // And of one that is known.
            let mut known = report(2, device, "symmetric", "retransmissions_recovered");
            known.id = Uuid::from_u128(base + 3);
            server.store.save(&known).await.unwrap();
            let history = server.get_json(&format!("/api/v1/devices/{device}")).await;
            assert_eq!(history["queries"].as_array().unwrap().len(), 2, "{history}");
            let page = server.get(&format!("/devices/{device}")).await.text().await.unwrap();
            assert!(page.contains("What nodes were asked") && page.contains(reason), "{page}");
        }
        server.stop().await;
    }
}
