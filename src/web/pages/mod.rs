//! The service's own pages: the views as text, and the handlers that fill them.

use axum::Router;
use axum::routing::{get, post};

use super::Service;

mod analyses;
mod causes;
mod devices;
pub mod history;
pub mod home;
mod node;
mod nodes;
pub mod problem;
mod problems;
mod queries;
mod report;
pub mod running;
#[cfg(test)]
mod tests;

/// The routes of the pages.
pub fn routes() -> Router<Service> {
    Router::new()
        .route("/", get(analyses::show_home))
        .route("/analyses", post(analyses::create_analysis))
        .route("/analyses/{id}", get(analyses::show_analysis))
        .route("/analyses/{id}/delete", post(analyses::delete_analysis))
        .route("/analyses/{id}/devices/{device}", get(analyses::show_analysis_device))
        .route("/devices/{device}", get(devices::show_device))
        .route("/analyses/{id}/stop", post(queries::stop))
        .route("/devices/{device}/analyses", post(queries::ask_about_device))
        .route("/nodes/{node}/analyses", post(queries::ask_node))
        .route("/nodes", get(nodes::show_nodes))
        .route("/nodes/{node}", get(nodes::show_node))
        .route("/problems", get(problems::show_problems))
        .route("/problems/{type}", get(problems::show_problem))
        .route("/docs/causes", get(causes::show_causes))
        .route("/docs/causes/{cause}", get(causes::show_cause))
}
