//! Stored reports over HTTP: lists, filters, pages, histories, deletion, and
//! what every answer carries.

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
    use replyscope::store::Store;
    use reqwest::Method;
    use serde_json::Value;
    use sqlx::SqlitePool;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::folder::Folder;
    use super::http::{Server, problem};
    use super::samples::report;

    const ANALYSES: &str = "/api/v1/analyses";

    /// Five reports on two devices.
    async fn start(folder: &Folder) -> Server {
        let server = Server::start(folder.path()).await;
        for (second, device, verdict, cause) in [
            (0, "192.0.2.1", "broken", "follow_up_to_request_address"),
            (1, "2001:db8::1", "broken", "reply_ignored"),
            (2, "192.0.2.1", "tolerated", "reply_source_translated"),
            (3, "2001:db8::1", "symmetric", "retransmissions_recovered"),
            (4, "192.0.2.1", "broken", "reply_ignored"),
        ] {
            server.store.save(&report(second, device, verdict, cause)).await.unwrap();
        }
        server
    }

    fn titles(page: &Value) -> Vec<&str> {
        let entries = page["analyses"].as_array().unwrap();
        entries.iter().map(|entry| entry["title"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn lists_are_filtered() {
        let folder = Folder::new("reports-lists");
        let server = start(&folder).await;
        let first = "100% of <b>switches</b>";
        let cases = [
            ("", &["report 4", "report 3", "report 2", "report 1", first][..]),
            ("?device=192.0.2.1", &["report 4", "report 2", first]),
            ("?device=::ffff:192.0.2.1", &["report 4", "report 2", first]),
            ("?device=2001:DB8::1", &["report 3", "report 1"]),
            ("?device=2001:db8::ffff&verdict=symmetric", &["report 3"]),
            ("?verdict=broken", &["report 4", "report 1", first]),
            ("?cause=reply_ignored", &["report 4", "report 1"]),
            ("?cause=reply_ignored&device=2001:db8::1", &["report 1"]),
            ("?verdict=tolerated&device=2001:db8::1", &[]),
            ("?node=node3&limit=1", &["report 4"]),
            ("?node=node4", &[]),
            ("?since=2025-01-01T00:00:03Z", &["report 4", "report 3"]),
            ("?until=2025-01-01T00:00:01Z", &[first]),
            ("?since=2025-01-01T00:00:01Z&until=2025-01-01T00:00:03Z", &["report 2", "report 1"]),
            ("?q=REPORT+3", &["report 3"]),
            ("?q=host-2.pcap", &["report 2"]),
            ("?q=switch+at+192.0.2.1", &["report 4", "report 2", first]),
            ("?q=2001:db8::1", &["report 3", "report 1"]),
            ("?q=100%25", &[first]),
            ("?q=report__", &[]),
            ("?q=nothing%00", &[]),
            ("?q=", &["report 4", "report 3", "report 2", "report 1", first]),
        ];
        for (query, expected) in cases {
            let page = server.get_json(&format!("{ANALYSES}{query}")).await;
            assert_eq!(titles(&page), expected, "{query}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn pages_of_a_list_show_each_entry_once() {
        let folder = Folder::new("reports-pages");
        let server = start(&folder).await;
        for (list, key, count) in [(ANALYSES, "analyses", 5), ("/api/v1/devices", "devices", 2)] {
            let mut seen = Vec::new();
            let mut path = format!("{list}?limit=1");
            loop {
                let page = server.get_json(&path).await;
                let entries = page[key].as_array().unwrap();
                assert_eq!(entries.len(), 1, "{path}");
                seen.extend(entries.iter().map(ToString::to_string));
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                path = format!("{list}?limit=1&cursor={cursor}");
            }
            assert_eq!(seen.len(), count, "{list}");
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), count, "{list}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn the_first_page_filters_and_keeps_the_filter() {
        let folder = Folder::new("reports-home");
        let server = start(&folder).await;
        // As the form sends it: empty fields ask for nothing.
        let mut path = "/?verdict=broken&q=&device=&since=&limit=1".to_owned();
        let mut shown = Vec::new();
        loop {
            let response = server.get(&path).await;
            assert_eq!(response.status(), 200, "{path}");
            let page = response.text().await.unwrap();
            let (_, title) = page.split_once("<a class=\"title\"").expect(&path);
            let (_, title) = title.split_once('>').unwrap();
            shown.push(title.split_once("</a>").unwrap().0.to_owned());
            assert!(page.contains("<option value=\"broken\" selected>"), "{path}");
            let Some((_, link)) = page.split_once("<a rel=\"next\" href=\"") else { break };
            path = link.split_once("#recent").unwrap().0.replace("&#38;", "&");
            assert!(path.contains("verdict=broken"), "{path}");
        }
        assert_eq!(shown.len(), 3, "{shown:?}");
        server.stop().await;
    }

    #[tokio::test]
    async fn one_report_and_its_device() {
        let folder = Folder::new("reports-one");
        let server = start(&folder).await;
        let saved = report(4, "192.0.2.1", "broken", "reply_ignored");
        let path = format!("{ANALYSES}/{}", saved.id);
        let response = server.get(&path).await;
        let tag = response.headers()["etag"].clone();
        let mut expected = serde_json::to_value(&saved).unwrap();
        expected["state"] = "finished".into();
        assert_eq!(response.json::<Value>().await.unwrap(), expected);

        let again = server.request(Method::GET, &path).header("if-none-match", &tag);
        let again = again.send().await.unwrap();
        assert_eq!((again.status().as_u16(), &again.headers()["etag"]), (304, &tag));
        let other = server.request(Method::GET, &path).header("if-none-match", "\"other\"");
        assert_eq!(other.send().await.unwrap().status(), 200);

        let head = server.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["content-type"], "application/json");
        assert!(head.bytes().await.unwrap().is_empty());

        for address in ["192.0.2.1", "2001:db8::ffff", "[2001:db8::ffff]", "2001%3Adb8%3A%3Affff"] {
            let part = server.get_json(&format!("{path}/devices/{address}")).await;
            assert_eq!(part["device"], "192.0.2.1");
        }
        // It was uploaded: no node was asked.
        problem(server.get(&format!("{path}/query")).await, 404, "query-not-found").await;
        let stop = server.request(Method::POST, &format!("{path}/stop")).send().await.unwrap();
        problem(stop, 404, "query-not-found").await;
        let missing = server.get(&format!("{path}/devices/192.0.2.7")).await;
        problem(missing, 404, "device-not-in-analysis").await;
        for page in
            [format!("/analyses/{}", saved.id), "/".to_owned(), "/devices/192.0.2.1".to_owned()]
        {
            let response = server.get(&page).await;
            assert_eq!(response.status(), 200, "{page}");
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
            assert!(!response.text().await.unwrap().contains("<b>switches"), "{page}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn devices_have_a_newest_verdict_and_a_history() {
        let folder = Folder::new("reports-devices");
        let server = start(&folder).await;
        let verdicts = |list: &Value| -> Vec<(String, String)> {
            let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
            let entries = list.as_array().unwrap();
            entries.iter().map(|entry| (text(entry, "device"), text(entry, "verdict"))).collect()
        };
        let pair = |device: &str, verdict: &str| (device.to_owned(), verdict.to_owned());
        let page = server.get_json("/api/v1/devices").await;
        assert_eq!(
            verdicts(&page["devices"]),
            [pair("192.0.2.1", "broken"), pair("2001:db8::1", "symmetric")]
        );
        let page = server.get_json("/api/v1/devices?verdict=symmetric&q=SWITCH").await;
        assert_eq!(verdicts(&page["devices"]), [pair("2001:db8::1", "symmetric")]);
        // Any address of a device finds it.
        let page = server.get_json("/api/v1/devices?q=2001:DB8::FFFF").await;
        assert_eq!(page["devices"].as_array().unwrap().len(), 2);
        let page = server.get_json("/api/v1/devices?verdict=broken&q=db8::ffff").await;
        assert_eq!(verdicts(&page["devices"]), [pair("192.0.2.1", "broken")]);
        let device = server.get_json("/api/v1/devices/192.0.2.1").await;
        assert_eq!(device["verdict"], "broken");
        assert_eq!(device["name"], "switch at 192.0.2.1");
        let history = verdicts(&device["history"]);
        assert_eq!(
            history,
            [
                pair("192.0.2.1", "broken"),
                pair("192.0.2.1", "tolerated"),
                pair("192.0.2.1", "broken")
            ]
        );
        assert_eq!(device["history"][0]["causes"], serde_json::json!(["reply_ignored"]));
        let joined = server.get_json("/api/v1/devices/2001:db8::ffff?limit=2").await;
        assert_eq!(joined["history"].as_array().unwrap().len(), 2);
        server.stop().await;
    }

    #[tokio::test]
    async fn reports_survive_a_restart_and_deletion_is_for_good() {
        let folder = Folder::new("reports-restart");
        let server = start(&folder).await;
        let saved = report(4, "192.0.2.1", "broken", "reply_ignored");
        let captures = folder.path().join("captures");
        let mut blobs = server.store.new_captures(saved.id);
        let mut file = blobs.create().unwrap();
        file.write(b"bytes").unwrap();
        file.finish().unwrap();
        blobs.keep();
        // What a crash leaves: captures whose report was never saved.
        let orphan = captures.join("01940000-0000-7000-8000-000000000000.partial");
        std::fs::create_dir_all(&orphan).unwrap();
        std::fs::write(orphan.join("0"), b"half").unwrap();
        server.stop().await;
        // A crash between the saving of a report and the renaming of its captures.
        let kept = captures.join(saved.id.to_string());
        std::fs::rename(&kept, kept.with_extension("partial")).unwrap();

        let server = Server::start(folder.path()).await;
        assert!(!orphan.exists());
        let path = format!("{ANALYSES}/{}", saved.id);
        let mut found = server.get_json(&path).await;
        assert_eq!(found.as_object_mut().unwrap().remove("state").unwrap(), "finished");
        assert_eq!(found, serde_json::to_value(&saved).unwrap());
        assert_eq!(std::fs::read(captures.join(saved.id.to_string()).join("0")).unwrap(), b"bytes");
        let deletion = server.request(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(deletion.status(), 204);
        assert!(server.capture_folders().is_empty());
        problem(server.get(&path).await, 404, "analysis-not-found").await;
        let history = server.get_json("/api/v1/devices/192.0.2.1").await;
        assert_eq!(history["verdict"], "tolerated");
        server.stop().await;
    }

    #[tokio::test]
    async fn another_database_costs_no_capture() {
        let folder = Folder::new("reports-databases");
        let server = Server::start(folder.path()).await;
        let saved = report(1, "2001:db8::1", "broken", "reply_ignored");
        let mut blobs = server.store.new_captures(saved.id);
        blobs.create().unwrap().write(b"bytes").unwrap();
        server.store.save(&saved).await.unwrap();
        blobs.keep();
        server.stop().await;

        let other = SqliteConnectOptions::new().filename(folder.path().join("other.sqlite"));
        let store = Store::open(folder.path(), Some(other)).await.unwrap();
        assert!(store.find_frame(saved.id).await.unwrap().is_none());
        // The id is in use, though this database does not know by what.
        assert!(store.new_captures(saved.id).create().is_err());
        store.close().await;
        drop(store);
        let server = Server::start(folder.path()).await;
        assert_eq!(server.capture_folders(), [saved.id.to_string()]);
        let kept = folder.path().join("captures").join(saved.id.to_string()).join("0");
        assert_eq!(std::fs::read(kept).unwrap(), b"bytes");
        server.stop().await;
    }

    #[tokio::test]
    async fn a_deletion_that_fails_can_be_repeated() {
        let folder = Folder::new("reports-deletion");
        let captures = folder.path().join("captures");
        std::fs::create_dir_all(&captures).unwrap();
        // A folder that cannot be removed, since it is none; it keeps nothing from starting.
        let stuck = captures.join("01940000-0000-7000-8000-000000000000.partial");
        std::fs::write(&stuck, b"").unwrap();
        let server = start(&folder).await;
        assert!(stuck.exists());
        let saved = report(4, "192.0.2.1", "broken", "reply_ignored");
        let path = format!("{ANALYSES}/{}", saved.id);
        let kept = captures.join(saved.id.to_string());
        std::fs::write(&kept, b"").unwrap();
        let delete = || server.request(Method::DELETE, &path).send();
        let refused = problem(delete().await.unwrap(), 500, "capture-store").await;
        assert!(!refused["detail"].as_str().unwrap().contains('/'), "no path is told: {refused}");
        assert_eq!(server.get(&path).await.status(), 200);
        std::fs::remove_file(&kept).unwrap();
        std::fs::create_dir(&kept).unwrap();
        assert_eq!(delete().await.unwrap().status(), 204);
        assert!(!kept.exists());
        problem(delete().await.unwrap(), 404, "analysis-not-found").await;
        // Captures alone, of another database, perhaps.
        std::fs::create_dir(&kept).unwrap();
        assert_eq!(delete().await.unwrap().status(), 204);
        assert!(!kept.exists());
        server.stop().await;
    }

    #[tokio::test]
    async fn a_report_that_is_damaged_is_called_so() {
        let folder = Folder::new("reports-damaged");
        let server = start(&folder).await;
        let saved = report(4, "192.0.2.1", "broken", "reply_ignored");
        let options = SqliteConnectOptions::new().filename(folder.path().join("replyscope.sqlite"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let statement = "UPDATE analyses SET report = x'00' WHERE id = ?";
        sqlx::query(statement).bind(saved.id).execute(&pool).await.unwrap();
        pool.close().await;
        let response = server.get(&format!("{ANALYSES}/{}", saved.id)).await;
        assert!(!response.headers().contains_key("retry-after"));
        problem(response, 500, "damaged-report").await;
        server.stop().await;
    }

    #[tokio::test]
    async fn a_tag_does_not_outlive_its_report() {
        let folder = Folder::new("reports-tags");
        let server = start(&folder).await;
        let mut saved = report(4, "192.0.2.1", "broken", "reply_ignored");
        let path = format!("{ANALYSES}/{}", saved.id);
        let tag = server.get(&path).await.headers()["etag"].clone();
        let again = || server.request(Method::GET, &path).header("if-none-match", &tag).send();
        assert_eq!(again().await.unwrap().status(), 304);
        assert_eq!(server.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
        problem(again().await.unwrap(), 404, "analysis-not-found").await;
        // Senders choose ids, also one that was used before.
        saved.created_at = report(5, "192.0.2.1", "broken", "reply_ignored").created_at;
        saved.title = "another one".to_owned();
        server.store.save(&saved).await.unwrap();
        let response = again().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.json::<Value>().await.unwrap()["title"], "another one");
        server.stop().await;
    }

    #[tokio::test]
    async fn captures_that_are_not_kept_go_away() {
        let folder = Folder::new("reports-blobs");
        let server = Server::start(folder.path()).await;
        let mut blobs = server.store.new_captures(uuid::Uuid::from_u128(7));
        blobs.create().unwrap().write(b"bytes").unwrap();
        assert_eq!(server.capture_folders().len(), 1);
        drop(blobs);
        assert!(server.capture_folders().is_empty());
        server.stop().await;
    }

    #[tokio::test]
    async fn every_answer_is_guarded() {
        let folder = Folder::new("reports-headers");
        let server = start(&folder).await;
        for path in [
            "/",
            "/nowhere",
            ANALYSES,
            "/api/v1/analyses/x",
            "/livez",
            "/openapi.json",
            "/docs/",
            "/docs/causes",
            "/docs/causes/reply_ignored",
            "/docs/causes/x",
            "/problems",
            "/problems/busy",
            "/problems/x",
        ] {
            let response = server.get(path).await;
            let headers = response.headers();
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            let has_script = ["/", "/docs/"].contains(&path);
            assert_eq!(policy.contains("script-src 'self'"), has_script, "{path}: {policy}");
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(headers["x-frame-options"], "DENY", "{path}");
            assert!(headers.contains_key("referrer-policy"), "{path}");
            assert!(headers.contains_key("cache-control"), "{path}");
            assert!(headers.contains_key("x-request-id"), "{path}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn pages_find_their_stylesheet_and_programs_the_document() {
        let folder = Folder::new("reports-assets");
        let server = start(&folder).await;
        let page = server.get("/").await.text().await.unwrap();
        let start = page.find("/assets/app-").unwrap();
        let path = page[start..].split('"').next().unwrap();
        let response = server.get(path).await;
        assert_eq!(response.headers()["content-type"], "text/css; charset=utf-8");
        assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        for (path, words) in [("/livez", "live"), ("/readyz", "ready"), ("/docs/", "swagger")] {
            let response = server.get(path).await;
            assert_eq!(response.status(), 200, "{path}");
            let text = response.text().await.unwrap();
            assert!(text.contains(words), "{path}: {text}");
            assert!(!text.contains("//unpkg") && !text.contains("//cdn"), "{path}");
        }
        let document = server.get_json("/openapi.json").await;
        assert!(document["paths"]["/api/v1/analyses"]["post"].is_object());
        let squeezed =
            server.request(Method::GET, "/openapi.json").header("accept-encoding", "gzip");
        assert_eq!(squeezed.send().await.unwrap().headers()["content-encoding"], "gzip");
        server.stop().await;
    }
}
