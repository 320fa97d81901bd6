//! Time limits for Redis.

use std::time::Duration;

/// The time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// For the answer to a command.
    pub(super) response: Duration,
    /// For making a connection.
    pub(super) connect: Duration,
}
