//! A service and an agent that know each other by certificates.

use serde_json::json;

use crate::certificates::Authority;
use crate::folder::Folder;
use crate::netns::DEVICE;
use crate::site::{site, wait};

const QUERIES: &str = "/api/v1/nodes/node3/analyses";

/// Says that a query cannot begin, and why.
fn refusal(service: &crate::site::Service<'_>) -> String {
    let answer = service.post(QUERIES, &json!({"device": DEVICE[1]}));
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json["type"], "/problems/agent-unreachable", "{answer:?}");
    let detail = answer.json["detail"].as_str().unwrap().to_owned();
    // The form on the node's page says the same.
    let page = service.get("/nodes/node3");
    let reason = detail.rsplit(": ").next().unwrap();
    assert!(page.status == 200 && page.text.contains(reason), "{detail}\n{}", page.text);
    detail
}

#[test]
fn both_sides_know_each_other_by_their_certificates() {
    let files = Folder::new("query-tls-files");
    let [agents, services, others] =
        ["agents", "services", "others"].map(|name| Authority::new(files.path(), name));
    let (certificate, key) = agents.sign("agent", "127.0.0.1");
    let (own, own_key) = services.sign("service", "replyscope.example.org");
    let (foreign, foreign_key) = others.sign("foreign", "replyscope.example.org");
    let options = ["--tls-certificate", &certificate, "--tls-key", &key];
    let agent_options = [&options[..], &["--tls-client-authority", &services.file]].concat();
    let Some(site) = site("query-tls", &agent_options) else { return };
    assert!(site.agent.base().starts_with("https://"), "{}", site.agent.base());

    let trusting = ["--agent-authority", agents.file.as_str()];
    let known = ["--agent-certificate", &own, "--agent-key", &own_key];
    let unknown = ["--agent-certificate", &foreign, "--agent-key", &foreign_key];
    let cases = [
        (["--agent-authority", &others.file], &known[..], "not signed by an authority"),
        (trusting, &[], "it asks for a certificate, and this service shows none"),
        (trusting, &unknown, "it does not accept the certificate"),
    ];
    for (authority, identity, expected) in cases {
        let service = site.serve(&[&authority[..], identity].concat());
        for _ in 0..5 {
            let detail = refusal(&service);
            assert!(detail.contains(expected), "{detail}");
        }
    }

    let service = site.serve(&[&trusting[..], &known].concat());
    let id = service.ask(60);
    assert!(site.back_up(0, 40_000, "to-answerer"));
    assert!(!site.back_up(1, 40_001, "to-asked"));
    wait("packets come", || {
        let progress = service.get(&format!("/api/v1/analyses/{id}")).json;
        progress["packets"].as_u64().is_some_and(|packets| packets >= 10)
    });
    service.request(&format!("/api/v1/analyses/{id}/stop"), &["-X", "POST"]);
    let report = service.report(&id);
    assert_eq!(report["query"]["state"], "finished", "{}", report["query"]);
    assert_eq!(report["verdict"], "broken", "{report:#}");
}

#[test]
fn an_agent_whose_certificate_names_another_host_is_not_asked() {
    let files = Folder::new("query-tls-name-files");
    let agents = Authority::new(files.path(), "agents");
    let (certificate, key) = agents.sign("agent", "192.0.2.99");
    let options = ["--tls-certificate", &certificate, "--tls-key", &key];
    let Some(site) = site("query-tls-name", &options) else { return };
    let service = site.serve(&["--agent-authority", &agents.file]);
    let detail = refusal(&service);
    assert!(detail.contains("does not name the address"), "{detail}");
}
