//! Pages and the JSON API.

pub mod pages;
