//! What is known about one device.

use std::net::IpAddr;

use askama::Template;

use crate::model::report::DeviceSummary;

/// What a device's page shows.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    ext = "html",
    source = "<!doctype html><html lang=en><title>{{ device }}</title><link rel=stylesheet href=\"{{ stylesheet }}\"><p>{{ device }}{% if let Some(name) = name %} {{ name }}{% endif %}{% for entry in entries %}<p><a href=\"/analyses/{{ entry.analysis }}\">{{ entry.headline }}</a>{% endfor %}"
)]
pub struct HistoryView<'a> {
    pub stylesheet: &'a str,
    pub device: IpAddr,
    pub name: Option<&'a str>,
    pub entries: &'a [DeviceSummary],
}

/// The page of one device over all analyses.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render(view: &HistoryView<'_>) -> Result<String, askama::Error> {
    view.render()
}
