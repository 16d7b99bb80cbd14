//! A server that speaks the part of the Kubernetes API which lists and watches,
//! over HTTP or HTTPS, on a free port of loopback.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

pub const TOKEN: &str = "token-of-a-test";

/// The server. Dropped, it is gone with all its connections.
pub struct KubeApi {
    pub address: SocketAddr,
    state: Arc<Mutex<Content>>,
    /// In PEM, where it speaks TLS.
    certificate: Option<String>,
    task: JoinHandle<()>,
}

type Line = Result<String, std::io::Error>;

#[derive(Default)]
struct Content {
    version: u64,
    /// Objects by path and name.
    objects: BTreeMap<String, BTreeMap<String, Value>>,
    forbidden: Vec<String>,
    /// Open watches by path. An error breaks the connection.
    watches: Vec<(String, UnboundedSender<Line>)>,
    /// What watches of a path are answered instead: status and message.
    refusals: BTreeMap<String, (u16, String)>,
    /// Versions older than this are gone.
    oldest: u64,
    /// Each request as path and query.
    asked: Vec<String>,
}

impl KubeApi {
    pub async fn start(objects: &Value) -> Self {
        Self::bind("127.0.0.1:0".parse().unwrap(), objects, None).await
    }

    /// At a given address: a server that comes back.
    pub async fn start_at(address: SocketAddr, objects: &Value) -> Self {
        Self::bind(address, objects, None).await
    }

    /// With a certificate of its own.
    pub async fn start_tls(objects: &Value) -> Self {
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        Self::bind("127.0.0.1:0".parse().unwrap(), objects, Some(key)).await
    }

    async fn bind(
        address: SocketAddr,
        objects: &Value,
        key: Option<rcgen::CertifiedKey<rcgen::KeyPair>>,
    ) -> Self {
        // The tests' own HTTP client needs it, too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut content = Content { version: 100, ..Content::default() };
        for (path, list) in objects.as_object().unwrap() {
            let objects = content.objects.entry(path.clone()).or_default();
            for object in list.as_array().unwrap() {
                objects.insert(key_of(object), object.clone());
            }
        }
        let state = Arc::new(Mutex::new(content));
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let certificate = key.as_ref().map(|key| key.cert.pem());
        let tls = key.map(|key| {
            let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
            let config = ServerConfig::builder()
                .with_no_client_auth()
                .with_single_cert(vec![key.cert.der().clone()], PrivateKeyDer::from(private))
                .unwrap();
            TlsAcceptor::from(Arc::new(config))
        });
        let task = tokio::spawn(async move {
            // Dropped with this task: a server that dies takes its connections along.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(router.clone());
                let tls = tls.clone();
                connections.spawn(async move {
                    let builder = Builder::new(TokioExecutor::new());
                    match tls {
                        None => drop(builder.serve_connection(TokioIo::new(stream), service).await),
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            drop(builder.serve_connection(TokioIo::new(stream), service).await);
                        }
                    }
                });
            }
        });
        Self { address, state, certificate, task }
    }

    /// Writes a kubeconfig that leads here, under the context `test`.
    pub fn kubeconfig(&self, folder: &Path) -> PathBuf {
        use base64::Engine as _;
        let authority = self.certificate.as_ref().map(|pem| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(pem);
            format!(", certificate-authority-data: {encoded}")
        });
        let scheme = if authority.is_some() { "https" } else { "http" };
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters:\n- name: c\n  cluster: {{server: '{scheme}://{}'{}}}\nusers:\n- name: u\n  user: {{token: {TOKEN}}}\ncontexts:\n- name: test\n  context: {{cluster: c, user: u, namespace: replyscope}}\n",
            self.address,
            authority.unwrap_or_default()
        );
        let file = folder.join(format!("kubeconfig-{}.yaml", self.address.port()));
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Adds or changes an object, and tells the watches of it.
    pub fn apply(&self, path: &str, mut object: Value) {
        let mut content = self.state.lock().unwrap();
        let version = content.next_version();
        object["metadata"]["resourceVersion"] = version.into();
        let objects = content.objects.entry(path.to_owned()).or_default();
        let kind = if objects.insert(key_of(&object), object.clone()).is_some() {
            "MODIFIED"
        } else {
            "ADDED"
        };
        content.tell(path, &json!({"type": kind, "object": object}));
    }

    pub fn delete(&self, path: &str, name: &str) {
        let mut content = self.state.lock().unwrap();
        let version = content.next_version();
        let mut object = content.objects.get_mut(path).unwrap().remove(name).unwrap();
        object["metadata"]["resourceVersion"] = version.into();
        content.tell(path, &json!({"type": "DELETED", "object": object}));
    }

    /// Takes an object away and tells nobody, as a server does whose history was compacted.
    pub fn forget(&self, path: &str, name: &str) {
        self.state.lock().unwrap().objects.get_mut(path).unwrap().remove(name).unwrap();
    }

    /// Sends a bookmark to the watches of `path`, and returns its version.
    pub fn bookmark(&self, path: &str) -> String {
        let mut content = self.state.lock().unwrap();
        let version = content.next_version();
        let object = json!({"kind": "Pod", "apiVersion": "v1",
            "metadata": {"resourceVersion": version}});
        content.tell(path, &json!({"type": "BOOKMARK", "object": object}));
        version
    }

    /// Ends the watches of `path` with `410 Gone`; what came before is gone for new ones too.
    pub fn expire(&self, path: &str) {
        let mut content = self.state.lock().unwrap();
        content.oldest = content.version + 1;
        content.next_version();
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"});
        content.tell(path, &json!({"type": "ERROR", "object": status}));
        content.watches.retain(|(watched, _)| watched != path);
    }

    /// Sends a line as it is.
    pub fn send(&self, path: &str, line: &str) {
        self.state.lock().unwrap().send(path, line);
    }

    /// Ends the watches of `path` in good order.
    pub fn end_watches(&self, path: &str) {
        self.state.lock().unwrap().watches.retain(|(watched, _)| watched != path);
    }

    /// Breaks the connections of the watches of `path`.
    pub fn break_watches(&self, path: &str) {
        let mut content = self.state.lock().unwrap();
        for (_, sender) in content.watches.iter().filter(|(watched, _)| watched == path) {
            let _ = sender.send(Err(std::io::Error::other("the connection breaks")));
        }
        content.watches.retain(|(watched, _)| watched != path);
    }

    /// Ends the watches of `path`, and answers those to come with a status, if one is given.
    pub fn refuse_watches(&self, path: &str, refusal: Option<(u16, &str)>) {
        let mut content = self.state.lock().unwrap();
        content.refusals.remove(path);
        if let Some((code, message)) = refusal {
            content.refusals.insert(path.to_owned(), (code, message.to_owned()));
        }
        content.watches.retain(|(watched, _)| watched != path);
    }

    pub fn forbid(&self, path: &str, is_forbidden: bool) {
        let mut content = self.state.lock().unwrap();
        content.forbidden.retain(|known| known != path);
        if is_forbidden {
            content.forbidden.push(path.to_owned());
            content.watches.retain(|(watched, _)| watched != path);
        }
    }

    /// The requests for `path` so far: their queries.
    pub fn asked(&self, path: &str) -> Vec<String> {
        let content = self.state.lock().unwrap();
        let queries = content.asked.iter().filter_map(|asked| {
            let (found, query) = asked.split_once('?').unwrap_or((asked, ""));
            (found == path).then(|| query.to_owned())
        });
        queries.collect()
    }

    pub fn watch_count(&self, path: &str) -> usize {
        let mut content = self.state.lock().unwrap();
        content.watches.retain(|(_, sender)| !sender.is_closed());
        content.watches.iter().filter(|(watched, _)| watched == path).count()
    }
}

impl Drop for KubeApi {
    fn drop(&mut self) {
        self.task.abort();
        self.state.lock().unwrap().watches.clear();
    }
}

impl Content {
    fn next_version(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn tell(&mut self, path: &str, event: &Value) {
        self.send(path, &format!("{event}\n"));
    }

    fn send(&mut self, path: &str, line: &str) {
        let meant = |watched: &str| watched == path;
        self.watches.retain(|(watched, sender)| {
            !meant(watched) || sender.send(Ok(line.to_owned())).is_ok()
        });
    }
}

fn key_of(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap();
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

async fn answer(State(state): State<Arc<Mutex<Content>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if token != Some(&format!("Bearer {TOKEN}")) {
        return status(401, "Unauthorized", "no such token");
    }
    let fields: HashMap<&str, &str> =
        query.split('&').filter_map(|field| field.split_once('=')).collect();
    let mut content = state.lock().unwrap();
    content.asked.push(format!("{path}?{query}"));
    if content.forbidden.contains(&path) {
        let resource = path.rsplit('/').next().unwrap();
        let message = format!("{resource} is forbidden: User \"test\" cannot list it");
        return status(403, "Forbidden", &message);
    }
    if !content.objects.contains_key(&path) {
        return status(404, "NotFound", "the server could not find the requested resource");
    }
    let watches = matches!(fields.get("watch"), Some(&("true" | "1")));
    if !watches {
        return list(&content, &path, &fields);
    }
    if let Some((code, message)) = content.refusals.get(&path) {
        return status(*code, "Refused", message);
    }
    let from: u64 = fields["resourceVersion"].parse().unwrap();
    if from < content.oldest {
        return status(410, "Expired", "too old resource version");
    }
    let (sender, receiver) = mpsc::unbounded_channel::<Line>();
    content.watches.push((path, sender));
    let lines = futures_util::stream::unfold(receiver, |mut receiver| async {
        let line = receiver.recv().await?;
        Some((line, receiver))
    });
    Body::from_stream(lines).into_response()
}

/// A page of the list; `continue` is the number of the first object.
fn list(content: &Content, path: &str, fields: &HashMap<&str, &str>) -> Response {
    let objects = &content.objects[path];
    let start: usize = fields.get("continue").map_or(0, |text| text.parse().unwrap());
    let limit: usize = fields.get("limit").map_or(usize::MAX, |text| text.parse().unwrap());
    let items: Vec<&Value> = objects.values().skip(start).take(limit).collect();
    let end = start + items.len();
    let mut metadata = json!({"resourceVersion": content.version.to_string()});
    if end < objects.len() {
        metadata["continue"] = end.to_string().into();
    }
    let body = json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items});
    ([("content-type", "application/json")], body.to_string()).into_response()
}

fn status(code: u16, reason: &str, message: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code});
    let headers = [("content-type", "application/json")];
    (StatusCode::from_u16(code).unwrap(), headers, body.to_string()).into_response()
}
