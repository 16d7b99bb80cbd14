//! The real service on a free port, and a client for it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use replyscope::clock;
use replyscope::store::Store;
use replyscope::web::{self, Connections, Queries, QueryOptions, Settings};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct Server {
    pub store: Store,
    pub address: SocketAddr,
    client: Client,
    folder: PathBuf,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts the service with its data in `folder`.
    pub async fn start(folder: &Path) -> Self {
        Self::start_with(folder, |_| {}).await
    }

    /// As [`Server::start`], with other settings.
    pub async fn start_with(folder: &Path, adjust: impl FnOnce(&mut Settings)) -> Self {
        let connections = Connections::new(NonZeroUsize::new(100).unwrap());
        Self::start_limited(folder, adjust, connections).await
    }

    /// As [`Server::start_with`], with other limits on connections.
    pub async fn start_limited(
        folder: &Path,
        adjust: impl FnOnce(&mut Settings),
        connections: Connections,
    ) -> Self {
        // The client is built without one. Of several tests in one process the first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut settings = Settings::new(clock::now, clock::new_id);
        settings.concurrent_analyses = 2;
        adjust(&mut settings);
        let store = Store::open(folder, None).await.unwrap();
        let queries = Queries::new(store.clone(), &settings, QueryOptions::default());
        let router = web::router(store.clone(), settings, queries).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            web::serve(listener, router, connections, async { drop(stopped.await) }).await;
        });
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { store, address, client, folder: folder.to_owned(), stop, task }
    }

    /// Ends the service; its data directory is free afterwards.
    pub async fn stop(self) {
        drop(self.client);
        let _ = self.stop.send(());
        self.task.await.unwrap();
        self.store.close().await;
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// Folders of captures that are there.
    pub fn capture_folders(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.join("captures")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Checks that `response` is a problem document of this status and kind, and returns it.
pub async fn problem(response: Response, status: u16, kind: &str) -> Value {
    let url = response.url().clone();
    assert_eq!(response.status().as_u16(), status, "{url}");
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{url}");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], format!("/problems/{kind}"), "{url}: {problem}");
    assert_eq!(problem["status"], status, "{url}");
    assert!(!problem["title"].as_str().unwrap().is_empty(), "{url}");
    assert!(!problem["detail"].as_str().unwrap().is_empty(), "{url}");
    problem
}
