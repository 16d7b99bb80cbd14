//! The agent's API document, built from the handlers.

use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use super::{guarded_routes, open_routes};
use crate::model::problem::Problem;
use crate::node::openapi::document_headers;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Replyscope agent",
        description = "Facts of one node from its kernel, live captures, and verdicts on watched devices.\n\nErrors are problem documents (RFC 9457). Times are RFC 3339 in UTC by the node's clock, addresses RFC 5952. Tables of the kernel have the names that `ip -j` gives them."
    ),
    tags(
        (name = "facts", description = "What the kernel says"),
        (name = "captures", description = "Packets while they come"),
        (name = "watch", description = "Devices that are judged all the time"),
        (name = "operations", description = "For supervisors")
    ),
    components(schemas(Problem))
)]
struct Document;

/// The OpenAPI document as JSON that people can read, with a line feed at its end.
///
/// # Errors
///
/// Where it has no JSON form, which would be a fault of ours.
pub fn render_openapi() -> Result<String, serde_json::Error> {
    let (_, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(guarded_routes())
        .merge(open_routes())
        .split_for_parts();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let required = utoipa::openapi::SecurityRequirement::new("bearer", [] as [&str; 0]);
    document.security = Some(vec![required, utoipa::openapi::SecurityRequirement::default()]);
    document_headers(&mut document, &["429"]);
    let mut json = serde_json::to_string_pretty(&document)?;
    json.push('\n');
    Ok(json)
}
