//! Reports and captures that survive a restart.
