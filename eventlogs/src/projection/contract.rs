//! What a projection is, and how it applies events one by one.

use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::projection::database::Database;
use crate::projection::handler::{HandlerError, panic_message};
use crate::projection::page::{EventPage, PageError};
use crate::projection::row_error::RowError;
use crate::projection::table::RowTable;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// A read model that follows the feed under a name.
///
/// [`derive(Projection)`](macro@crate::Projection) implements it, from the handlers that
/// [`#[event_handler]`](macro@crate::event_handler) collects.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "this type does not implement `Projection`",
    note = "add `#[derive(Projection)]` and `#[projection(name = \"…\", events(…), database = …)]`",
    note = "a struct with `#[projection(table = \"…\")]` is a row; the projection is `Rows::<{Self}>::new()`"
)]
pub trait Projection: Send + Sync + 'static {
    /// Where the handlers write.
    type Database: Database;

    /// The name under which the projection's progress is kept. Two projections of one store need two names.
    const NAME: &'static str;

    /// The events that it wants.
    const SOURCES: &'static [Source];

    /// Whether it cannot run in several partitions.
    const ONE_PARTITION: bool = false;

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

    /// Applies the first events of a page, in the transaction that moves the checkpoint. Returns how many they are, those
    /// without payload included. The checkpoint moves after them.
    ///
    /// By default it [applies](Self::apply) one event after the other, each in its time, until the page
    /// [must end](EventPage::must_end_after). Another implementation may handle several events together.
    ///
    /// # Errors
    /// [`PageError`] if an event was not applied. The transaction is rolled back then, and the events before the failing one
    /// are applied without it.
    fn apply_page(
        &self,
        page: &EventPage<'_>,
        context: &mut <Self::Database as Database>::Connection,
    ) -> impl Future<Output = Result<usize, PageError>> + Send {
        one_by_one(self, page, context)
    }

    /// Returns the table whose rows it writes, so that a start finds out whether the table can hold them. By default there is
    /// none.
    ///
    /// # Errors
    /// [`RowError`] if the rows have no columns.
    fn table() -> Result<Option<RowTable>, RowError> {
        Ok(None)
    }
}

async fn one_by_one<P: Projection + ?Sized>(
    projection: &P,
    page: &EventPage<'_>,
    context: &mut <P::Database as Database>::Connection,
) -> Result<usize, PageError> {
    let mut done = 0;
    for event in page.events() {
        if event.payload.is_some() {
            handle(projection, event, context, page.handler_timeout())
                .await
                .map_err(|error| PageError::OneEvent(done, error))?;
        }
        done += 1;
        if page.must_end_after(done) {
            break;
        }
    }
    Ok(done)
}

/// Handles one event, in its time, and survives a panic of the handler.
async fn handle<P: Projection + ?Sized>(
    projection: &P,
    event: &FeedEvent,
    context: &mut <P::Database as Database>::Connection,
    limit: Duration,
) -> Result<(), HandlerError> {
    // The call is inside: a projection that is written by hand may panic before it returns its future.
    let handled = async move { projection.apply(event, context).await };
    let handled = AssertUnwindSafe(handled).catch_unwind();
    match tokio::time::timeout(limit, handled).await {
        Ok(Ok(handled)) => handled,
        Ok(Err(panic)) => Err(HandlerError::Panicked {
            message: panic_message(&*panic),
        }),
        Err(_) => Err(HandlerError::TimedOut {
            seconds: limit.as_secs(),
        }),
    }
}
