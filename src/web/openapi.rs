//! The API's document, built from the handlers.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::api;
use super::problem::Problem;
use super::security::OPEN_PATHS;
use crate::model::problem::PROBLEM_JSON;
use crate::node::openapi::document_headers;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Replyscope",
        description = "Finds out why UDP does not get through: per device, which address was asked, which answered, where the follow-up went, whether that worked, why not, and what to change.\n\nErrors are problem documents (RFC 9457); their types are explained at /problems. Times are RFC 3339 in UTC, addresses RFC 5952."
    ),
    modifiers(&Tokens),
    components(schemas(
        Problem,
        super::events::AnalysisFinished,
        super::events::AnalysisFailed,
        super::events::AnalysisUnknown
    )),
    tags(
        (name = "analyses", description = "Captures in, reports out"),
        (name = "devices", description = "Devices over all analyses"),
        (name = "nodes", description = "Nodes of the clusters that are followed, and nodes registered by name"),
        (name = "alerts", description = "What Alertmanager sends"),
        (name = "operations", description = "For supervisors")
    )
)]
struct Document;

/// The token that alerts come with, where the service is started with one.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "What --alert-token names; needed where that is set.";
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("alert_token", SecurityScheme::Http(scheme.build()));
    }
}

/// An empty router that carries the document's head.
pub fn start() -> OpenApiRouter<super::Service> {
    OpenApiRouter::with_openapi(Document::openapi())
}

/// The OpenAPI document as JSON that people can read, with a line feed at its end.
///
/// # Errors
///
/// Where it has no JSON form, which would be a fault of ours.
pub fn render_openapi() -> Result<String, serde_json::Error> {
    let (_, document) = start().merge(api::routes()).split_for_parts();
    render(&document)
}

/// `document` as JSON.
///
/// # Errors
///
/// As [`render_openapi`].
pub fn render(document: &utoipa::openapi::OpenApi) -> Result<String, serde_json::Error> {
    let mut document = document.clone();
    document_refusals(&mut document);
    document_headers(&mut document, &["429", "503"]);
    let mut json = serde_json::to_string_pretty(&document)?;
    json.push('\n');
    Ok(json)
}

/// A problem document with a status that `description` explains.
pub fn problem_response(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content.build()).build()
}

/// Documents what [`security`](super::security) refuses before any handler is asked.
fn document_refusals(document: &mut utoipa::openapi::OpenApi) {
    let document_one = |operation: &mut Operation, description: &str| {
        let response = RefOr::T(problem_response(description));
        operation.responses.responses.insert("403".to_owned(), response);
    };
    for (path, item) in &mut document.paths.paths {
        if let Some(operation) = item.get.as_mut().filter(|_| !OPEN_PATHS.contains(&path.as_str()))
        {
            document_one(operation, "It came under a name that is not the service's.");
        }
        for operation in [&mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            document_one(
                operation,
                "A browser sent the request in the name of another site's page, or under a name that is not the service's.",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::upload::MEDIA_TYPES;
    use super::*;

    #[test]
    fn every_content_type_that_is_taken_is_documented() {
        let document: Value = serde_json::from_str(&render_openapi().unwrap()).unwrap();
        let content = &document["paths"]["/api/v1/analyses"]["post"]["requestBody"]["content"];
        let found: BTreeSet<&str> =
            content.as_object().unwrap().keys().map(String::as_str).collect();
        let taken = MEDIA_TYPES.into_iter().chain(["multipart/form-data"]);
        assert_eq!(found, taken.collect());
    }

    #[test]
    fn alerts_may_need_a_token() {
        let document: Value = serde_json::from_str(&render_openapi().unwrap()).unwrap();
        let scheme = &document["components"]["securitySchemes"]["alert_token"];
        assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"bearer".into()));
        let security = &document["paths"]["/api/v1/alerts"]["post"]["security"];
        assert_eq!(*security, serde_json::json!([{"alert_token": []}, {}]));
    }
}
