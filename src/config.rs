//! Settings, from arguments and environment, validated before anything starts.
