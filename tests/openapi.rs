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

    /// All media types of bodies, each with its schema, references followed.
    fn bodies(document: &Value) -> Vec<(String, Value)> {
        fn visit(value: &Value, document: &Value, found: &mut Vec<(String, Value)>) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::Object(content)) = members.get("content") {
                        for (media_type, body) in content {
                            let schema = &body["schema"];
                            let pointer = schema["$ref"].as_str().map(|one| &one[1..]);
                            let schema =
                                pointer.map_or(schema, |one| document.pointer(one).unwrap());
                            found.push((media_type.clone(), schema.clone()));
                        }
                    }
                    members.values().for_each(|one| visit(one, document, found));
                }
                Value::Array(items) => items.iter().for_each(|one| visit(one, document, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        visit(&document["paths"], document, &mut found);
        found
    }

    #[test]
    fn bodies_of_bytes_are_no_lists_of_numbers() {
        for (file, _, document) in documents() {
            let document: Value = serde_json::from_str(&document).unwrap();
            let mut of_bytes = 0;
            for (media_type, schema) in bodies(&document) {
                let is_json = media_type.ends_with("json");
                assert!(is_json || schema["type"] != "array", "{file}: {media_type}: {schema}");
                if media_type.starts_with("application/") && !is_json {
                    assert_eq!(schema["type"], "string", "{file}: {media_type}");
                    assert_eq!(schema["contentMediaType"], "application/octet-stream");
                    of_bytes += 1;
                }
            }
            assert!(of_bytes > 0, "{file}");
        }
    }

    #[test]
    fn headers_of_problems_are_documented() {
        for (file, _, document) in documents() {
            let document: Value = serde_json::from_str(&document).unwrap();
            for (path, methods) in document["paths"].as_object().unwrap() {
                for (method, operation) in methods.as_object().unwrap() {
                    for (status, response) in operation["responses"].as_object().unwrap() {
                        let header = match status.as_str() {
                            "401" => "WWW-Authenticate",
                            "415" => "Accept-Encoding",
                            "429" => "Retry-After",
                            "503" if file == "openapi.json" => "Retry-After",
                            _ => continue,
                        };
                        let described = &response["headers"][header]["description"];
                        assert!(described.is_string(), "{file}: {method} {path} {status}");
                    }
                }
            }
            if file == "openapi.json" {
                let delete = &document["paths"]["/api/v1/analyses/{id}"]["delete"]["responses"];
                assert!(delete["409"]["headers"]["Retry-After"].is_object());
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
