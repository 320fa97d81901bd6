//! Subscriptions: projections that run in this process, and in others that share the work.

pub(crate) mod error;
mod follow;
mod head;
mod job;
pub(crate) mod options;
mod parked;
mod parking;
mod partition;
mod progress;
mod run;
pub(crate) mod running;
pub(crate) mod start;
pub(crate) mod status;
mod supervisor;
mod telemetry;
mod wait;

pub use error::{SubscriptionError, WaitError};
pub use options::{StartAt, SubscriptionOptions, WhenChanged};
pub use running::RunningSubscriptions;
pub use start::Subscriptions;
pub use status::{PartitionStatus, SubscriptionState, SubscriptionStatus};
