//! The only place that asks for the current time.
