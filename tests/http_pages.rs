//! Pages of reports over HTTP: what is kept of them, and for how long.

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
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use replyscope::model::report::Report;
    use reqwest::{Method, Response};

    use super::folder::Folder;
    use super::http::{Server, problem};
    use super::samples::report;

    /// Rooms for pages: none, too little for any, and what a service has by itself.
    const ROOMS_BYTES: [Option<usize>; 3] = [Some(0), Some(1_000), None];

    async fn start(folder: &Folder, room_bytes: Option<usize>) -> (Server, Report) {
        let server = match room_bytes {
            Some(bytes) => {
                Server::start_with(folder.path(), |settings| settings.page_cache_bytes = bytes)
                    .await
            }
            None => Server::start(folder.path()).await,
        };
        let saved = report(4, "2001:db8::7", "broken", "reply_ignored");
        server.store.save(&saved).await.unwrap();
        (server, saved)
    }

    /// The page, asked for with these headers.
    async fn ask(server: &Server, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = server.request(Method::GET, path);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap()
    }

    #[tokio::test]
    async fn a_page_is_the_same_each_time_and_in_each_encoding() {
        for room_bytes in ROOMS_BYTES {
            let folder = Folder::new(&format!("pages-same-{room_bytes:?}"));
            let (server, saved) = start(&folder, room_bytes).await;
            for query in ["", "?page=2", "?verdict=broken", "?verdict=tolerated", "?q=2001:db8::7"]
            {
                let path = format!("/analyses/{}{query}", saved.id);
                let mut texts = Vec::new();
                for encoding in ["identity", "gzip", "identity", "gzip, br", "br", "*"] {
                    let response = ask(&server, &path, &[("accept-encoding", encoding)]).await;
                    let case = format!("{room_bytes:?} {path} {encoding}");
                    assert_eq!(response.status(), 200, "{case}");
                    let headers = response.headers().clone();
                    assert_eq!(headers["content-type"], "text/html; charset=utf-8", "{case}");
                    assert_eq!(headers["vary"], "accept-encoding", "{case}");
                    assert_eq!(headers["cache-control"], "private, no-cache", "{case}");
                    assert!(headers.contains_key("content-security-policy"), "{case}");
                    let body = response.bytes().await.unwrap();
                    match headers.get("content-encoding").map(|value| value.to_str().unwrap()) {
                        None => {
                            assert_eq!(encoding, "identity", "{case}");
                            texts.push(String::from_utf8(body.to_vec()).unwrap());
                        }
                        Some("gzip") => {
                            let length = headers["content-length"].to_str().unwrap();
                            assert_eq!(length, body.len().to_string(), "{case}");
                            let mut text = String::new();
                            GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
                            texts.push(text);
                        }
                        Some(other) => assert_eq!((other, encoding), ("br", "br"), "{case}"),
                    }
                }
                assert_eq!(texts.len(), 5);
                assert!(texts[0].contains("2001:db8::7 is broken"), "{path}");
                assert!(texts.iter().all(|text| *text == texts[0]), "{path}");
            }
            server.stop().await;
        }
    }

    #[tokio::test]
    async fn what_a_reader_has_is_not_sent_again() {
        for room_bytes in ROOMS_BYTES {
            let folder = Folder::new(&format!("pages-tags-{room_bytes:?}"));
            let (server, saved) = start(&folder, room_bytes).await;
            let path = format!("/analyses/{}", saved.id);
            let tag = ask(&server, &path, &[]).await.headers()["etag"].clone();
            let tag = tag.to_str().unwrap();
            for encoding in ["identity", "gzip"] {
                let headers = [("if-none-match", tag), ("accept-encoding", encoding)];
                let again = ask(&server, &path, &headers).await;
                assert_eq!(again.status(), 304);
                assert_eq!(again.headers()["etag"], tag);
                assert!(again.bytes().await.unwrap().is_empty());
            }
            // Another page is another one.
            let other = ask(&server, &format!("{path}?page=2"), &[("if-none-match", tag)]).await;
            assert_eq!(other.status(), 200);
            assert_ne!(other.headers()["etag"], tag);
            server.stop().await;
        }
    }

    #[tokio::test]
    async fn a_page_goes_with_its_report() {
        for room_bytes in ROOMS_BYTES {
            let folder = Folder::new(&format!("pages-gone-{room_bytes:?}"));
            let (server, mut saved) = start(&folder, room_bytes).await;
            let page = format!("/analyses/{}", saved.id);
            let pages = [page.clone(), format!("{page}?page=2"), format!("{page}?verdict=broken")];
            let mut tags = Vec::new();
            for path in &pages {
                let response = ask(&server, path, &[("accept-encoding", "gzip")]).await;
                assert_eq!(response.status(), 200, "{path}");
                tags.push(response.headers()["etag"].to_str().unwrap().to_owned());
            }
            let deletion = server.request(Method::DELETE, &format!("/api/v1{page}"));
            assert_eq!(deletion.send().await.unwrap().status(), 204);
            let gone = server.get(&format!("/api/v1{page}")).await;
            problem(gone, 404, "analysis-not-found").await;
            assert!(server.capture_folders().is_empty());
            for (path, tag) in pages.iter().zip(&tags) {
                for headers in [&[("if-none-match", tag.as_str())][..], &[]] {
                    assert_eq!(ask(&server, path, headers).await.status(), 404, "{path}");
                }
            }
            // Senders choose ids, also one that was used before.
            saved.created_at = report(5, "2001:db8::7", "broken", "reply_ignored").created_at;
            saved.headline = "told anew".to_owned();
            server.store.save(&saved).await.unwrap();
            for (path, tag) in pages.iter().zip(&tags) {
                let response = ask(&server, path, &[("if-none-match", tag)]).await;
                assert_eq!(response.status(), 200, "{path}");
                assert!(response.text().await.unwrap().contains("told anew"), "{path}");
            }
            let told = server.get_json(&format!("/api/v1{page}")).await;
            assert_eq!(told["headline"], "told anew");
            // Also where something else than the service deletes it.
            server.store.delete(saved.id).await.unwrap();
            assert_eq!(ask(&server, &page, &[]).await.status(), 404);
            server.stop().await;
        }
    }

    #[tokio::test]
    async fn alerts_link_to_a_device_by_whatever_their_label_holds() {
        let folder = Folder::new("pages-device");
        let (server, _) = start(&folder, None).await;
        for label in ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:161", "192.0.2.9:161"] {
            let page = server.get(&format!("/devices/{label}")).await;
            assert_eq!(page.status(), 200, "{label}");
            let is_known = page.text().await.unwrap().contains("2001:db8::7 is broken");
            assert_eq!(is_known, label.contains("2001:"), "{label}");
        }
        let named = server.get("/devices/switch%20at%202001:db8::7").await;
        assert_eq!(named.status(), 307);
        assert_eq!(named.headers()["location"], "/devices/2001:db8::7");
        let unknown = server.get("/devices/switch-8").await;
        assert_eq!(unknown.status(), 404);
        let text = unknown.text().await.unwrap();
        assert!(text.contains("neither an address nor the name of a device"), "{text}");
        let problem = problem(server.get("/api/v1/devices/switch-8").await, 400, "bad-path").await;
        assert!(!problem["detail"].as_str().unwrap().contains("URL"), "{problem}");
        server.stop().await;
    }
}
