//! The service's own pages, as text. Handlers are elsewhere; a page knows no request.

pub mod history;
pub mod home;
pub mod problem;

#[cfg(test)]
mod tests;
