//! The composition root: starts the service and ends it.
