//! The errors of subscriptions.

mod kinds;

use crate::projection::checkpoint::RegisterError;
use crate::stores::error::store::StoreError;

/// Subscriptions were not started, or a call named one that does not exist.
///
/// [`kind`](SubscriptionError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// Two subscriptions have one name.
    #[error("there are two subscriptions named `{name}`; give one of them another name")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// The subscription cannot run as it is.
    #[error("`{name}` was not started: {source}")]
    Refused {
        /// The name.
        name: String,
        /// Why, and what to do.
        source: RegisterError,
    },
    /// There is no subscription of this name.
    #[error("there is no subscription named `{name}`; check the name, or start it first")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The log is not parked.
    #[error("log {log_id} is not parked in `{name}`; `parked` lists the logs that are")]
    NotParked {
        /// The name of the subscription.
        name: String,
        /// The log.
        log_id: crate::ids::LogId,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Waiting for a subscription has ended without the event.
///
/// [`kind`](WaitError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The subscription has not come to the event in time.
    #[error(
        "`{name}` has not come to the event in time{}; wait longer, or answer without it",
        still_behind(*behind)
    )]
    TimedOut {
        /// The name.
        name: String,
        /// About how many events of all logs lie between its checkpoint and the event; `None` if the database has not answered.
        behind: Option<u64>,
    },
    /// The subscription has stopped before the event.
    #[error(
        "`{name}` has stopped: {reason}; correct the cause, then call `resume` or start the process again"
    )]
    Stopped {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The log is parked, at the event or at an earlier one.
    #[error(
        "`{name}` has parked the log at event {index}: {reason}; correct the cause, then call `retry`, or call `skip`"
    )]
    Parked {
        /// The name.
        name: String,
        /// The index of the event that was not applied.
        index: u64,
        /// Why.
        reason: String,
    },
    /// There is no subscription of this name.
    #[error("there is no subscription named `{name}`; check the name, or start it first")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The log does not have the event.
    #[error("log {log_id} does not have event {index} that was waited for; reduce the log again")]
    NoSuchEvent {
        /// The log.
        log_id: crate::ids::LogId,
        /// The index of the event.
        index: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns a part of the message of [`WaitError::TimedOut`].
fn still_behind(behind: Option<u64>) -> String {
    behind.map_or_else(String::new, |behind| {
        format!(", and has about {behind} events to go")
    })
}
