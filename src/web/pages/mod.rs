//! The service's own pages: the views as text, and the handlers that fill them.

use axum::Router;
use axum::routing::{get, post};

use super::Service;

mod analyses;
mod devices;
pub mod history;
pub mod home;
mod node;
mod nodes;
pub mod problem;
pub mod running;
#[cfg(test)]
mod tests;

/// The routes of the pages.
pub fn routes() -> Router<Service> {
    Router::new()
        .route("/", get(analyses::show_home))
        .route("/analyses", post(analyses::create_analysis))
        .route("/analyses/{id}", get(analyses::show_analysis))
        .route("/analyses/{id}/devices/{device}", get(analyses::show_analysis_device))
        .route("/devices/{device}", get(devices::show_device))
        .route("/nodes", get(nodes::show_nodes))
        .route("/nodes/{node}", get(nodes::show_node))
}
