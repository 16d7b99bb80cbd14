//! What every answer carries, and where its assets are.

use reqwest::Method;

use crate::folder::Folder;
use crate::stored::{ANALYSES, start};

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
    let squeezed = server.request(Method::GET, "/openapi.json").header("accept-encoding", "gzip");
    assert_eq!(squeezed.send().await.unwrap().headers()["content-encoding"], "gzip");
    server.stop().await;
}
