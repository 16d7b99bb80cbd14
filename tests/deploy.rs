//! The manifests in `deploy/` are what Kubernetes reads, and grant what the
//! service uses: no field that it would pass over, no right too many.

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
    use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Service, ServiceAccount};
    use k8s_openapi::api::networking::v1::NetworkPolicy;
    use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
    use replyscope::node::kubernetes::{AGENT_LABEL, AGENT_NAME, api_paths};
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    fn base() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/base")
    }

    /// The objects of all manifests that the kustomization lists.
    fn objects() -> Vec<Value> {
        let read = |name: &str| std::fs::read_to_string(base().join(name)).unwrap();
        let kustomization: Value = serde_saphyr::from_str(&read("kustomization.yaml")).unwrap();
        let files = kustomization["resources"].as_array().unwrap();
        let texts = files.iter().map(|file| read(file.as_str().unwrap()));
        texts.flat_map(|text| serde_saphyr::from_multiple::<Value>(&text).unwrap()).collect()
    }

    fn find(kind: &str, name: &str) -> Value {
        let is_meant =
            |object: &Value| object["kind"] == kind && object["metadata"]["name"] == name;
        objects().into_iter().find(is_meant).unwrap()
    }

    /// The object as the API's own types write it again: what they do not know is gone.
    fn again<Kind: DeserializeOwned + Serialize>(object: &Value) -> Value {
        serde_json::to_value(serde_json::from_value::<Kind>(object.clone()).unwrap()).unwrap()
    }

    #[test]
    fn every_field_is_one_of_kubernetes() {
        let objects = objects();
        assert_eq!(objects.len(), 10);
        for object in objects {
            let kind = object["kind"].as_str().unwrap();
            let typed = match kind {
                "Namespace" => again::<Namespace>(&object),
                "ServiceAccount" => again::<ServiceAccount>(&object),
                "ClusterRole" => again::<ClusterRole>(&object),
                "ClusterRoleBinding" => again::<ClusterRoleBinding>(&object),
                "PersistentVolumeClaim" => again::<PersistentVolumeClaim>(&object),
                "Service" => again::<Service>(&object),
                "Deployment" => again::<Deployment>(&object),
                "DaemonSet" => again::<DaemonSet>(&object),
                "NetworkPolicy" => again::<NetworkPolicy>(&object),
                other => panic!("a kind that this test does not know: {other}"),
            };
            assert_eq!(typed, object, "{kind}");
        }
    }

    #[test]
    fn the_account_may_read_what_the_service_follows_and_no_more() {
        let role = find("ClusterRole", "replyscope");
        let mut granted = Vec::new();
        for rule in role["rules"].as_array().unwrap() {
            assert_eq!(rule["verbs"], serde_json::json!(["get", "list", "watch"]));
            for group in rule["apiGroups"].as_array().unwrap() {
                for resource in rule["resources"].as_array().unwrap() {
                    granted.push((
                        group.as_str().unwrap().to_owned(),
                        resource.as_str().unwrap().to_owned(),
                    ));
                }
            }
        }
        // `/api/v1/pods`, `/apis/discovery.k8s.io/v1/endpointslices`
        let mut used: Vec<(String, String)> = api_paths()
            .map(|path| match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
                ["api", _, resource] => (String::new(), resource.to_owned()),
                ["apis", group, _, resource] => (group.to_owned(), resource.to_owned()),
                _ => panic!("{path}"),
            })
            .collect();
        granted.sort();
        used.sort();
        assert_eq!(granted, used);
    }

    #[test]
    fn settings_in_manifests_are_options_of_the_program() {
        use clap::CommandFactory as _;
        let program = replyscope::config::Config::command();
        for (kind, name) in [("Deployment", "replyscope"), ("DaemonSet", "replyscope-agent")] {
            let container = &find(kind, name)["spec"]["template"]["spec"]["containers"][0];
            let command = program.find_subcommand(container["args"][0].as_str().unwrap()).unwrap();
            let known: Vec<&str> =
                command.get_arguments().filter_map(|one| one.get_env()?.to_str()).collect();
            for variable in container["env"].as_array().unwrap() {
                let name = variable["name"].as_str().unwrap();
                assert!(known.contains(&name), "{name} is none of {known:?}");
            }
        }
    }

    #[test]
    fn agents_are_found_by_what_their_manifest_says() {
        let agent = find("DaemonSet", "replyscope-agent");
        let template = &agent["spec"]["template"];
        assert_eq!(template["metadata"]["labels"][AGENT_LABEL], AGENT_NAME);
        let container = &template["spec"]["containers"][0];
        assert_eq!(container["ports"][0]["name"], "https");
        assert_eq!(template["spec"]["hostNetwork"], true);
        let capabilities = &container["securityContext"]["capabilities"];
        let expected = serde_json::json!({"drop": ["ALL"], "add": ["NET_RAW", "NET_ADMIN"]});
        assert_eq!(*capabilities, expected);
        // Who listens where, once as setting and once as port.
        let port = container["ports"][0]["containerPort"].as_u64().unwrap();
        let environment = container["env"].as_array().unwrap();
        let listen = environment.iter().find(|one| one["name"] == "REPLYSCOPE_LISTEN").unwrap();
        assert_eq!(listen["value"], format!("[::]:{port}"));
    }
}
