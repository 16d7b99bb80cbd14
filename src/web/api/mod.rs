//! The JSON API, one file per resource.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Service;

mod alerts;
mod analyses;
mod devices;
mod health;
mod metrics;
pub mod nodes;
pub mod queries;
mod report_body;
mod report_devices;
mod responses;

/// The routes of the API, each with its documentation.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(analyses::create_analysis, analyses::list_analyses))
        .routes(routes!(analyses::get_analysis, analyses::delete_analysis))
        .routes(routes!(analyses::get_analysis_events))
        .routes(routes!(report_devices::list_analysis_devices))
        .routes(routes!(report_devices::get_analysis_device))
        .routes(routes!(devices::list_devices))
        .routes(routes!(devices::get_device))
        .routes(routes!(devices::list_device_queries))
        .routes(routes!(nodes::list_nodes))
        .routes(routes!(nodes::get_node))
        .routes(routes!(queries::create_query))
        .routes(routes!(queries::get_query))
        .routes(routes!(queries::stop_query))
        .routes(routes!(alerts::take_alerts))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::get_metrics))
}
