//! Projections: read models that follow the feed.

pub(crate) mod checkpoint;
pub(crate) mod database;
pub(crate) mod handler;

pub use checkpoint::{
    Checkpoint, CheckpointStore, PartitionKey, PartitionState, ProjectionStore,
    ProjectionTransaction, RegisterError, Registration, Step,
};
pub use database::{Database, Elsewhere, Postgres, Sqlite};
pub use handler::{HandlerError, HandlerOutcome, Subscriber};

use crate::feed::event::FeedEvent;
use crate::feed::source::Source;

/// A read model that follows the feed under a name.
///
/// [`derive(Projection)`](macro@crate::Projection) implements it, from the handlers that
/// [`#[event_handler]`](macro@crate::event_handler) collects.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "this type does not implement `Projection`",
    note = "add `#[derive(Projection)]` and `#[projection(name = \"…\", events(…), database = …)]`"
)]
pub trait Projection: Send + Sync + 'static {
    /// Where the handlers write.
    type Database: Database;

    /// The name under which the projection's progress is kept. Two projections of one store need two names.
    const NAME: &'static str;

    /// The events that it wants.
    const SOURCES: &'static [Source];

    /// The statements that create its tables, run once, before its first event.
    const CREATE: Option<&'static str> = None;

    /// Returns a number that changes when the code of the projection changes.
    #[must_use]
    fn fingerprint() -> u64;

    /// Applies one event, in the transaction that moves the checkpoint.
    ///
    /// # Errors
    /// [`HandlerError`] if the event cannot be decoded, or the handler has failed. The transaction is rolled back then.
    fn apply(
        &self,
        event: &FeedEvent,
        context: &mut <Self::Database as Database>::Connection,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}
