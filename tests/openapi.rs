//! `openapi/openapi.json` and `openapi/agent.json` are what the handlers document.

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// The documents by their file below `openapi/`, with the arguments that print them.
    fn documents() -> Vec<(&'static str, &'static str, String)> {
        vec![
            ("openapi.json", "openapi", replyscope::web::render_openapi().unwrap()),
            #[cfg(target_os = "linux")]
            ("agent.json", "openapi --agent", replyscope::node::agent::render_openapi().unwrap()),
        ]
    }

    #[test]
    fn the_kept_documents_are_the_built_ones() {
        for (file, arguments, built) in documents() {
            let path = format!("{}/openapi/{file}", env!("CARGO_MANIFEST_DIR"));
            let kept = std::fs::read_to_string(path).unwrap();
            assert!(
                kept == built,
                "openapi/{file} is out of date: run `cargo run -- {arguments} > openapi.new && mv openapi.new openapi/{file}`"
            );
        }
    }

    #[test]
    fn every_operation_documents_its_problems() {
        for (file, _, document) in documents() {
            let document: Value = serde_json::from_str(&document).unwrap();
            let paths = document["paths"].as_object().unwrap();
            assert!(paths.len() >= 7, "{file}: {paths:?}");
            for (path, methods) in paths {
                for (method, operation) in methods.as_object().unwrap() {
                    assert!(operation["summary"].is_string(), "{file}: {method} {path}");
                    let responses = operation["responses"].as_object().unwrap();
                    let problems: Vec<_> =
                        responses.iter().filter(|(status, _)| status.as_str() >= "400").collect();
                    assert!(path == "/livez" || !problems.is_empty(), "{file}: {method} {path}");
                    for (status, response) in problems {
                        let content = &response["content"]["application/problem+json"];
                        let schema = &content["schema"]["$ref"];
                        let place = format!("{file}: {method} {path} {status}");
                        assert_eq!(schema, "#/components/schemas/Problem", "{place}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn visit(value: &Value, document: &Value) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(reference)) = members.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    members.values().for_each(|one| visit(one, document));
                }
                Value::Array(items) => items.iter().for_each(|one| visit(one, document)),
                _ => {}
            }
        }
        for (_, _, document) in documents() {
            let document: Value = serde_json::from_str(&document).unwrap();
            visit(&document, &document);
        }
    }
}
