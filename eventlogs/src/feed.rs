//! The feed of a store: all events of all logs, in an order in which they can be read once and for all.

mod ahead;
pub(crate) mod commits;
pub(crate) mod contract;
pub(crate) mod error;
pub(crate) mod event;
mod guard;
pub(crate) mod head;
mod moved;
pub(crate) mod page;
pub(crate) mod pages;
pub(crate) mod record;
mod repair;
pub(crate) mod source;
mod telemetry;
#[cfg(all(test, feature = "json"))]
mod tests;
pub(crate) mod typed;
pub(crate) mod wanted;

pub use crate::event::interest::Interest;
pub use commits::{CommitSignal, Commits};
pub use contract::{EventFeed, Feed};
pub use error::FeedError;
pub use event::FeedEvent;
pub use head::{FeedHead, FeedHold, History};
pub use page::{FeedPage, FeedRequest};
pub use record::FeedRecord;
pub use source::Source;
pub use typed::{FeedEvents, OneOf2, OneOf3, OneOf4, OneOf5, OneOf6, TypedFeed, TypedPage};
pub use wanted::Wanted;
