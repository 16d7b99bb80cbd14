//! The API's document, built from the handlers.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::api;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Replyscope",
        description = "Finds out why UDP does not get through: per device, which address was asked, which answered, where the follow-up went, whether that worked, why not, and what to change.\n\nErrors are problem documents (RFC 9457). Times are RFC 3339 in UTC, addresses RFC 5952."
    ),
    components(schemas(
        super::events::AnalysisFinished,
        super::events::AnalysisFailed,
        super::events::AnalysisUnknown
    )),
    tags(
        (name = "analyses", description = "Captures in, reports out"),
        (name = "devices", description = "Devices over all analyses"),
        (name = "nodes", description = "Nodes of the clusters that are followed, and nodes registered by name"),
        (name = "operations", description = "For supervisors")
    )
)]
struct Document;

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
    let mut json = serde_json::to_string_pretty(document)?;
    json.push('\n');
    Ok(json)
}
