//! The handlers of a projection, and how they end.

use crate::event::interest::Interest;
use crate::feed::record::FeedRecord;
use crate::projection::row_error::RowError;
use crate::shared_error::SharedError;
use crate::stores::error::DecodeError;
use std::any::Any;
use std::error::Error;

/// The dispatch of the events `E` to the methods of a projection, written by
/// [`#[event_handler]`](macro@crate::event_handler) on a block of `async` methods.
///
/// `C` is the type of `#[context]`: the connection that the handlers write with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `async` handlers for `{E}`",
    label = "no `#[event_handler({E})]` block of `async` methods whose `#[context]` is a `&mut {C}`",
    note = "add `#[event_handler({E})] impl {Self} {{ … }}` with one `#[on(…)] async fn …(&self, …)` per event; a `#[context]` must be a `&mut {C}`"
)]
pub trait Subscriber<E, C: ?Sized> {
    /// Which variants of the enum have a handler.
    const INTEREST: Interest = Interest::All;

    /// Handles one event.
    ///
    /// # Errors
    /// [`HandlerError`] if the handler has failed.
    fn handle(
        &self,
        event_record: &FeedRecord<E>,
        context: &mut C,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Returns the handlers' part of the [fingerprint](crate::Projection::fingerprint). Handlers written by hand contribute
    /// nothing.
    #[doc(hidden)]
    #[must_use]
    fn handlers_fingerprint() -> u64 {
        0
    }
}

/// The reason why an event was not handled.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// This code cannot read the event.
    #[error(transparent)]
    Decode(#[from] Box<DecodeError>),
    /// The handler has returned an error.
    #[error("the handler has failed: {}", source.cause())]
    Failed {
        /// The error of the handler.
        source: SharedError,
    },
    /// The handler has panicked.
    #[error("the handler has panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The handler has not returned within its time.
    #[error(
        "the handler has not returned after {seconds} s; keep handlers short, or raise `SubscriptionOptions::handler_timeout`"
    )]
    TimedOut {
        /// The time that it had, in seconds.
        seconds: u64,
    },
    /// A row was not read or not written.
    #[error(transparent)]
    Row(#[from] Box<RowError>),
}

/// Returns the message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
}

/// What a handler may return: nothing, or a `Result<(), E>` of any error.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "return nothing, or a `Result<(), E>` whose error converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait HandlerOutcome {
    /// Makes the outcome of the handler.
    ///
    /// # Errors
    /// [`HandlerError::Failed`] with the error of the handler.
    fn outcome(self) -> Result<(), HandlerError>;
}

impl HandlerOutcome for () {
    fn outcome(self) -> Result<(), HandlerError> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> HandlerOutcome for Result<(), E> {
    fn outcome(self) -> Result<(), HandlerError> {
        self.map_err(|error| HandlerError::Failed {
            source: SharedError::from(error),
        })
    }
}
