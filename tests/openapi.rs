//! `openapi/openapi.json` is what the handlers document.

#[cfg(test)]
mod tests {
    use serde_json::Value;

    fn document() -> Value {
        serde_json::from_str(&replyscope::web::render_openapi().unwrap()).unwrap()
    }

    #[test]
    fn the_kept_document_is_the_built_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
        let kept = std::fs::read_to_string(path).unwrap();
        assert!(
            kept == replyscope::web::render_openapi().unwrap(),
            "openapi/openapi.json is out of date: run `cargo run -- openapi > openapi.new && mv openapi.new openapi/openapi.json`"
        );
    }

    #[test]
    fn every_operation_documents_its_problems() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 7, "{paths:?}");
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path}");
                let responses = operation["responses"].as_object().unwrap();
                let problems: Vec<_> =
                    responses.iter().filter(|(status, _)| status.as_str() >= "400").collect();
                assert!(path == "/livez" || !problems.is_empty(), "{method} {path}");
                for (status, response) in problems {
                    let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
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
        let document = document();
        visit(&document, &document);
    }
}
