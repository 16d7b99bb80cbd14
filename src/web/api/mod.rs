//! The JSON API, one file per resource.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Service;

mod analyses;
mod devices;
mod health;
pub mod nodes;
mod responses;

/// The routes of the API, each with its documentation.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(analyses::create_analysis, analyses::list_analyses))
        .routes(routes!(analyses::get_analysis, analyses::delete_analysis))
        .routes(routes!(analyses::get_analysis_events))
        .routes(routes!(analyses::get_analysis_device))
        .routes(routes!(devices::list_devices))
        .routes(routes!(devices::get_device))
        .routes(routes!(nodes::list_nodes))
        .routes(routes!(nodes::get_node))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
}
