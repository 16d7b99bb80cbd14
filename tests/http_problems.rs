//! Whatever goes wrong, the answer says what, as a problem document under
//! `/api` and as a page elsewhere, and nothing is kept.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/http.rs"]
mod http;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use replyscope::web::AcceptedHosts;
    use reqwest::header::HeaderValue;
    use reqwest::multipart::{Form, Part};
    use reqwest::{Body, Method, Response};
    use serde_json::Value;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::folder::Folder;
    use super::http::{Server, problem};

    const ANALYSES: &str = "/api/v1/analyses";
    const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
    const SOME: &str = "01940000-0000-7000-8000-000000000007";

    #[tokio::test]
    async fn paths_and_queries_that_cannot_be_read() {
        let folder = Folder::new("problems-paths");
        let server = Server::start(folder.path()).await;
        let analysis = format!("{ANALYSES}/{NOBODY}");
        let cases = [
            // path, status, problem, words of its detail
            ("/api/v1/nothing", 404, "not-found", "/api/v1/nothing"),
            ("/api", 404, "not-found", "/api"),
            (&analysis, 404, "analysis-not-found", NOBODY),
            (&format!("{analysis}/devices/192.0.2.1"), 404, "analysis-not-found", NOBODY),
            (&format!("{ANALYSES}/nope"), 400, "bad-path", "nope"),
            (&format!("{ANALYSES}/..%2f..%2fetc"), 400, "bad-path", "etc"),
            (&format!("{analysis}/devices/switch"), 400, "bad-path", "switch"),
            ("/api/v1/devices/switch", 400, "bad-path", "'switch' is neither"),
            ("/api/v1/devices/%ff", 400, "bad-path", "UTF-8"),
            ("/api/v1/devices/192.0.2.9", 404, "device-not-found", "192.0.2.9"),
            ("/api/v1/devices/2001:db8::9", 404, "device-not-found", "2001:db8::9"),
            ("/api/v1/analyses?limit=0", 400, "bad-query", "from 1 to 200"),
            ("/api/v1/analyses?limit=201", 400, "bad-query", "from 1 to 200"),
            ("/api/v1/analyses?limit=x", 400, "bad-query", "limit"),
            ("/api/v1/analyses?verdict=odd", 400, "bad-query", "odd"),
            ("/api/v1/analyses?cause=bad_luck", 400, "bad-query", "bad_luck"),
            ("/api/v1/analyses?device=switch", 400, "bad-query", "switch"),
            ("/api/v1/analyses?since=yesterday", 400, "bad-query", "since"),
            ("/api/v1/analyses?cursor=x", 400, "bad-query", "next_cursor"),
            ("/api/v1/analyses?colour=red", 400, "bad-query", "colour"),
            ("/api/v1/devices?cursor=x", 400, "bad-query", "next_cursor"),
            ("/api/v1/devices?limit=-1", 400, "bad-query", "limit"),
            (&format!("{analysis}?device_limt=0"), 400, "bad-query", "device_limt"),
            (&format!("{analysis}?device_limit=many"), 400, "bad-query", "many"),
            (&format!("{analysis}/query"), 404, "analysis-not-found", NOBODY),
        ];
        for (path, status, kind, words) in cases {
            let found = problem(server.get(path).await, status, kind).await;
            let detail = found["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{path}: '{words}' is not in: {detail}");
            assert!(!found["hint"].as_str().unwrap().is_empty(), "{path}");
            // The type leads to a page.
            let page = server.get(found["type"].as_str().unwrap()).await;
            assert_eq!(page.status(), 200, "{path}");
            assert!(page.text().await.unwrap().contains("What to do"), "{path}");
        }
        let page = server.get("/problems").await;
        assert_eq!(page.status(), 200);
        let page = page.text().await.unwrap();
        assert_eq!(page.matches("<h1").count(), 1);
        assert!(page.contains("href=\"/problems/bad-query\""), "{page}");
        let long = "\u{fc}".repeat(201);
        for list in ["analyses", "devices", "nodes", &format!("analyses/{NOBODY}/devices")] {
            let found = server.get(&format!("/api/v1/{list}?q={long}")).await;
            let found = problem(found, 400, "bad-query").await;
            assert!(found["detail"].as_str().unwrap().contains("201 characters"), "{found}");
            let most = server.get(&format!("/api/v1/{list}?q={}", &long[2..])).await;
            assert!([200, 404].contains(&most.status().as_u16()), "{list}");
        }
        let stop = server.request(Method::POST, &format!("{analysis}/stop")).send().await.unwrap();
        problem(stop, 404, "analysis-not-found").await;
        for empty in ["analyses?limit=", "devices?limit=&verdict=&q=", "nodes?limit="] {
            server.get_json(&format!("/api/v1/{empty}")).await;
        }
        problem(server.get(&format!("{analysis}?device_limit=")).await, 404, "analysis-not-found")
            .await;
        let deletion = server.request(Method::DELETE, &analysis).send().await.unwrap();
        problem(deletion, 404, "analysis-not-found").await;
        server.stop().await;
    }

    #[tokio::test]
    async fn methods_that_do_not_work_name_those_that_do() {
        let folder = Folder::new("problems-methods");
        let server = Server::start(folder.path()).await;
        let cases = [
            (Method::PUT, ANALYSES.to_owned(), "GET,HEAD,POST"),
            (Method::POST, format!("{ANALYSES}/{NOBODY}"), "GET,HEAD,DELETE"),
            (Method::DELETE, "/api/v1/devices".to_owned(), "GET,HEAD"),
        ];
        for (method, path, allowed) in cases {
            let response = server.request(method.clone(), &path).send().await.unwrap();
            let mut found: Vec<&str> =
                response.headers()["allow"].to_str().unwrap().split(',').map(str::trim).collect();
            let mut expected: Vec<&str> = allowed.split(',').collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{path}");
            let found = problem(response, 405, "method-not-allowed").await;
            assert!(found["detail"].as_str().unwrap().contains(method.as_str()));
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn bodies_that_are_no_upload() {
        let folder = Folder::new("problems-bodies");
        let server = Server::start(folder.path()).await;
        let post = || server.request(Method::POST, ANALYSES);
        let cases = [
            // content type, body, status, problem, words
            ("application/json", "{}", 415, "unsupported-media-type", "application/json"),
            ("image/jpeg", "x", 415, "unsupported-media-type", "multipart/form-data"),
            (
                "application/x-www-form-urlencoded",
                "a=b",
                415,
                "unsupported-media-type",
                "octet-stream",
            ),
            ("multipart/form-data", "x", 400, "bad-multipart", "boundary"),
            ("multipart/form-data; boundary=x", "--x--\r\n", 400, "empty-upload", "no capture"),
            ("multipart/form-data; boundary=x", "nothing", 400, "bad-multipart", "form"),
            ("application/octet-stream", "", 400, "empty-input", "empty"),
        ];
        for (content_type, body, status, kind, words) in cases {
            let request = post().header("content-type", content_type).body(body);
            let found = problem(request.send().await.unwrap(), status, kind).await;
            let detail = found["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{content_type}: '{words}' is not in: {detail}");
            assert!(status != 415 || found["hint"].as_str().unwrap().contains("curl"));
        }
        let found = problem(post().send().await.unwrap(), 400, "empty-input").await;
        assert_eq!(found["capture"], "capture");

        let forms = [
            (Form::new().text("colour", "red"), "bad-multipart", "'colour' is not known"),
            (Form::new().text("metadata", "{"), "bad-metadata", "line 1"),
            (Form::new().text("metadata", r#"{"tilte": "x"}"#), "bad-metadata", "tilte"),
            (
                Form::new().text("metadata", r#"{"points": {"a": "moon"}}"#),
                "bad-metadata",
                "'moon' is not a capture point",
            ),
            (Form::new().text("metadata", r#"{"points": {"a": "pod"}}"#), "bad-metadata", "'a'"),
            (
                Form::new().text("metadata", "{}").text("metadata", r#"{"title": "b"}"#),
                "bad-metadata",
                "a second metadata part",
            ),
            (Form::new().text("title", "x".repeat(301)), "bad-metadata", "301"),
            (Form::new().text("text", ""), "empty-upload", "no capture"),
            (
                Form::new().part("capture", Part::bytes(Vec::new()).file_name("")),
                "empty-upload",
                "no capture",
            ),
        ];
        for (form, kind, words) in forms {
            let found = problem(post().multipart(form).send().await.unwrap(), 400, kind).await;
            let detail = found["detail"].as_str().unwrap();
            assert!(detail.contains(words), "'{words}' is not in: {detail}");
            let is_second = words.contains("second");
            assert!(!is_second || found["hint"].as_str().unwrap().contains("one metadata part"));
        }
        let request = server.request(Method::POST, "/api/v1/analyses?point=moon").body("x");
        problem(request.send().await.unwrap(), 400, "bad-query").await;
        assert_eq!(server.get_json(ANALYSES).await["analyses"].as_array().unwrap().len(), 0);
        assert!(server.capture_folders().is_empty());
        server.stop().await;
    }

    #[tokio::test]
    async fn bodies_over_the_limit_are_told_the_limit() {
        let folder = Folder::new("problems-limit");
        let server =
            Server::start_with(folder.path(), |settings| settings.upload_limit_bytes = 1_000).await;
        let large = vec![b'x'; 5_000];
        let chunked = Body::wrap_stream(futures_util::stream::iter([
            Ok::<_, std::io::Error>(large.clone()),
            Ok(large.clone()),
        ]));
        let form = Form::new().part("capture", Part::bytes(large.clone()).file_name("a.pcap"));
        let post = || server.request(Method::POST, ANALYSES);
        for request in [post().body(large), post().body(chunked), post().multipart(form)] {
            let found = problem(request.send().await.unwrap(), 413, "too-large").await;
            assert!(found["detail"].as_str().unwrap().contains("1000 bytes"), "{found}");
        }
        // Even who looks for an answer only after sending all gets to see it.
        for request in [
            post().body(vec![b'x'; 4 << 20]),
            post().header("content-type", "image/jpeg").body(vec![b'x'; 4 << 20]),
        ] {
            assert!(request.send().await.unwrap().status().is_client_error());
        }
        assert!(server.capture_folders().is_empty());
        server.stop().await;
    }

    #[tokio::test]
    async fn requests_in_json_are_short() {
        let folder = Folder::new("problems-json");
        let server = Server::start(folder.path()).await;
        for (path, most) in [("alerts", 4 << 20), ("nodes/node1/analyses", 64 << 10)] {
            let post = |length| {
                let request = server.request(Method::POST, &format!("/api/v1/{path}"));
                request.body(vec![b' '; length]).send()
            };
            problem(post(most).await.unwrap(), 400, "bad-body").await;
            let found = problem(post(most + 1).await.unwrap(), 413, "too-large").await;
            assert!(found["detail"].as_str().unwrap().contains(&most.to_string()), "{found}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn bodies_that_stall_or_end_early_leave_nothing() {
        let folder = Folder::new("problems-stall");
        let server = Server::start_with(folder.path(), |settings| {
            settings.stall_time = Duration::from_millis(200);
        })
        .await;
        let head = "POST /api/v1/analyses HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n";
        let answer = send_raw(&server, format!("{head}some bytes").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("/problems/stalled-upload"), "{answer}");

        let form = "POST /api/v1/analyses HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"capture\"; filename=\"../../a.pcap\"\r\n\r\nbytes";
        for request in [head, form] {
            let mut connection = TcpStream::connect(server.address).await.unwrap();
            connection.write_all(request.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(connection);
        }
        for _ in 0..50 {
            if server.capture_folders().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(server.capture_folders().is_empty());
        assert_eq!(server.get_json(ANALYSES).await["analyses"].as_array().unwrap().len(), 0);
        server.stop().await;
    }

    #[tokio::test]
    async fn requests_of_other_sites_are_refused() {
        let folder = Folder::new("problems-sites");
        let server = Server::start(folder.path()).await;
        let form = || Form::new().text("text", "");
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
        ] {
            let request = server.request(Method::POST, ANALYSES).header(name, value);
            problem(request.multipart(form()).send().await.unwrap(), 403, "cross-site-request")
                .await;
            let request = server.request(Method::POST, "/analyses").header(name, value);
            let response = request.multipart(form()).send().await.unwrap();
            assert_eq!(response.status(), 403);
            assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn people_get_pages() {
        let folder = Folder::new("problems-pages");
        let server = Server::start(folder.path()).await;
        let places = [
            ("/nowhere", 404),
            ("/analyses/x", 400),
            ("/devices/x", 404),
            ("/assets/app-0.css", 404),
            (&format!("/analyses/{NOBODY}"), 404),
            (&format!("/analyses/{NOBODY}/devices/192.0.2.1"), 404),
            ("/?cursor=x", 400),
            ("/analyses", 405),
            ("/problems/x", 404),
            (&format!("/?q={}", "x".repeat(201)), 400),
        ];
        for (place, status) in places {
            let response = server.get(place).await;
            assert_eq!(response.status().as_u16(), status, "{place}");
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8", "{place}");
            assert!(!response.text().await.unwrap().is_empty(), "{place}");
        }
        let hostile = server.get("/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
        assert!(!hostile.text().await.unwrap().contains("<script>"));
        let form = Form::new()
            .text("text", "")
            .part("capture", Part::bytes(&b"\xff\xd8\xff\xe0"[..]).file_name("<b>.jpg"));
        let request = server.request(Method::POST, "/analyses").multipart(form);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let page = response.text().await.unwrap();
        assert!(!page.contains("<b>.jpg"), "{page}");
        assert!(page.contains(".jpg"), "the name is shown, escaped: {page}");
        server.stop().await;
    }

    /// Sends bytes as they are and returns all that comes until the connection ends.
    async fn send_raw(server: &Server, bytes: &[u8]) -> String {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Checks that an answer is documented: its status, and the headers that say what to do.
    fn assert_documented(document: &Value, method: &str, path: &str, response: &Response) {
        let status = response.status().as_u16().to_string();
        let place = format!("{method} {path} {status}");
        let documented = &document["paths"][path][method]["responses"][&status];
        assert!(documented.is_object(), "{place}");
        if response.status().is_client_error() || response.status().is_server_error() {
            let media_type = &response.headers()["content-type"];
            assert_eq!(media_type, "application/problem+json", "{place}");
        }
        for name in ["ETag", "Location", "Retry-After", "Accept-Encoding", "WWW-Authenticate"] {
            let is_there = response.headers().contains_key(name.to_ascii_lowercase());
            assert!(!is_there || documented["headers"][name].is_object(), "{place}: {name}");
        }
    }

    #[tokio::test]
    async fn answers_are_documented() {
        let folder = Folder::new("problems-documented");
        let server = Server::start_with(folder.path(), |settings| {
            settings.accepted_hosts = AcceptedHosts::of("127.0.0.1:1".parse().unwrap(), "");
            settings.listener_patience = Duration::from_millis(10);
        })
        .await;
        let upload = server.request(Method::POST, &format!("{ANALYSES}?id={SOME}"));
        let upload = upload.body(include_str!("../examples/founding-incident.txt")).send().await;
        assert_eq!(upload.unwrap().status(), 201);
        let stored = server.get(&format!("{ANALYSES}/{SOME}")).await;
        let tag = stored.headers()["etag"].clone();
        let document = server.get_json("/openapi.json").await;
        let mut asked = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, _) in methods.as_object().unwrap() {
                let send = |id: &str, device: &str, name: &str, value: &HeaderValue| {
                    let node = path.replace("{node}", "node3");
                    let path = node.replace("{id}", id).replace("{device}", device);
                    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                    server.request(method, &path).header(name, value).send()
                };
                let cases = [
                    (NOBODY, "192.0.2.9", "x-nothing", HeaderValue::from_static("x")),
                    ("nope", "switch", "x-nothing", HeaderValue::from_static("x")),
                    (NOBODY, "2001:db8::9", "host", HeaderValue::from_static("evil.example")),
                    (
                        NOBODY,
                        "192.0.2.9",
                        "origin",
                        HeaderValue::from_static("http://evil.example"),
                    ),
                    (NOBODY, "192.0.2.9", "content-encoding", HeaderValue::from_static("br")),
                    (NOBODY, "192.0.2.9", "content-type", HeaderValue::from_static("image/jpeg")),
                    (SOME, "2000::65:119", "if-none-match", tag.clone()),
                    (SOME, "192.168.101.254", "x-nothing", HeaderValue::from_static("x")),
                ];
                for (id, device, name, value) in cases {
                    if method == "delete" && id == SOME {
                        continue;
                    }
                    let response = send(id, device, name, &value).await.unwrap();
                    assert_documented(&document, method, path, &response);
                    asked += 1;
                }
            }
        }
        assert!(asked > 100, "{asked}");
        server.stop().await;
    }
}
