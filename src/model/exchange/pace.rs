//! How long both sides of an exchange wait for each other.

use std::time::Duration;

/// Nobody says again sooner what was not heard; a farewell is said several times at once.
pub const SOONEST_REPEAT: Duration = Duration::from_millis(200);

/// A request that nobody answered for so long is not on its way any more: answers from far
/// away, and of servers that ask others first, take their time.
pub const PATIENCE: Duration = Duration::from_secs(2);
