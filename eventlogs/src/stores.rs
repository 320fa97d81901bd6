//! Where logs are kept.

pub mod fake;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod decoded;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod encoded;
mod error;
mod request;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod schema_version;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod write_queue;

pub use error::{AppendError, DecodeError, EncodeError, InvalidAppend, ReadError, StoreError};
pub use request::{
    AppendRequest, Appended, Expected, Limits, Page, ReadRequest, ReadStart, Replay,
};

/// A store of logs.
///
/// An append either happens whole or not at all; of several at one index exactly one wins. What it answers is decided
/// in this order: the events are already stored under their own ids (an attempt whose answer was lost: the same answer
/// again), the idempotency key was used before ([`AppendError::Replay`]), the log has another end than expected
/// ([`AppendError::Conflict`] and its kin). [`testing::conformance`](crate::testing::conformance) has the suite that
/// every store must pass.
///
/// Databases implement it for every [`Event`](crate::Event); the trait itself asks less, so that a store in memory can
/// keep plain values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not store events of type `{E}`",
    note = "database stores keep every type with `#[derive(Event)]`; `FakeEventStore::<{E}>` keeps every `Clone` type"
)]
pub trait EventStore<E: Send + Sync + 'static>: Send + Sync + 'static {
    /// Appends events to one log. One round trip when it succeeds.
    ///
    /// A future dropped before it first waits has written nothing; after that the events may be stored or not.
    ///
    /// # Errors
    /// As described at each variant of [`AppendError`].
    fn append(
        &self,
        request: AppendRequest<'_, E>,
    ) -> impl Future<Output = Result<Appended<E>, AppendError>> + Send;

    /// Reads one page of a log in one round trip. A log that does not exist gives an empty page.
    ///
    /// # Errors
    /// As described at each variant of [`ReadError`].
    fn read(&self, request: ReadRequest)
    -> impl Future<Output = Result<Page<E>, ReadError>> + Send;

    /// The write that used an idempotency key, if there was one.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn find_key(
        &self,
        idempotency_key: &str,
    ) -> impl Future<Output = Result<Option<Replay>, StoreError>> + Send;
}
