//! What stays over a restart, and what goes away.

use replyscope::store::Store;
use reqwest::Method;
use serde_json::Value;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::folder::Folder;
use crate::http::{Server, problem};
use crate::samples::report;
use crate::stored::{ANALYSES, start};

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
