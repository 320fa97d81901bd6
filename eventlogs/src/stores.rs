//! Stores, which keep logs.

#[cfg(feature = "_database")]
pub(crate) mod any;
pub mod fake;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub(crate) mod appends;
#[cfg(feature = "_database")]
mod database;
#[cfg_attr(
    not(feature = "_database"),
    allow(dead_code, reason = "databases use more of it than the fake")
)]
mod encoding;
pub(crate) mod error;
pub(crate) mod fold;
pub(crate) mod idempotency;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod request;
pub(crate) mod store_id;
mod times;
#[cfg_attr(
    not(feature = "_database"),
    allow(dead_code, reason = "databases use more of it than the fake")
)]
pub(crate) mod write;

pub use appends::{AppendAcrossRequest, AppendPart, Appends};
pub use error::{
    AppendError, DecodeError, EncodeError, InvalidAppend, OpenError, ReadError, StoreError,
};
pub use fold::{BareFold, EventFold, Newest, NewestEvents, PassedEvent};
pub use idempotency::{IdempotencyKey, IdempotencyScope, Replay, RequestFingerprint};
pub use limits::Limits;
pub use list::{
    ListCursor, ListOrder, ListRequest, ListStart, ListedLog, LogList, OtherListOrder, SeenChanges,
    UnknownListCursor,
};
pub use page::{Page, ReadRequest, ReadStart};
pub use request::{AppendObserver, AppendRequest, AppendSettled, Appended, Expected};
pub use store_id::StoreId;
pub use write::WriteContext;

use crate::ids::LogId;
use crate::log_state::LogPosition;
use std::time::Duration;

/// A store of logs.
///
/// An append stores either all its events or none. Of several appends at one index exactly one succeeds. An append returns the
/// first of these results that applies:
///
/// 1. The events are already stored under their own ids, because the answer of an earlier attempt was lost: the result of that
///    attempt.
/// 2. The idempotency key was used before: [`AppendError::Replay`].
/// 3. The log does not end where the append expects: [`AppendError::Conflict`], [`AppendError::LogAlreadyExists`],
///    [`AppendError::LogNotFound`] or [`AppendError::WrongKind`].
///
/// [`testing::conformance`](crate::testing::conformance) has the suite that every store must pass.
///
/// Databases implement this trait for every [`Event`](crate::Event). The trait itself requires less, so that a store in memory
/// can keep plain values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not store events of type `{E}`",
    note = "a database stores every type with `#[derive(Event)]`; `FakeEventStore::<{E}>` stores every `Clone` type"
)]
pub trait EventStore<E: Send + Sync + 'static>: Send + Sync + 'static {
    /// Appends events to one log, in one round trip if it succeeds.
    ///
    /// If the future is dropped before it first waits, nothing is written. If it is dropped later, the events may be stored or
    /// not.
    ///
    /// # Errors
    /// Each variant of [`AppendError`] describes when it is returned.
    fn append(
        &self,
        request: AppendRequest<'_, E>,
    ) -> impl Future<Output = Result<Appended<E>, AppendError>> + Send;

    /// Appends events to several logs, to all of them or to none, in one round trip if it succeeds.
    ///
    /// Returns the new end of each log that it has written to, in the order of their parts. The result is decided as for a
    /// single append. If several logs prevent the append, the error may name any of them.
    ///
    /// A part may be a [requirement](AppendPart::is_requirement): the append happens only if that log ends where the part
    /// expects, at the moment of the commit. A requirement that does not hold is a [`Conflict`](AppendError::Conflict) about its
    /// log, also if the log does not exist; a log of another kind is [`WrongKind`](AppendError::WrongKind). It is compared
    /// together with the ends of the other logs: an append that is stored already stays a success, whatever has happened to the
    /// log since then.
    ///
    /// A store that calls observers calls those of all parts ([`AppendPart::observe`]).
    ///
    /// If the future is dropped before it first waits, nothing is written. If it is dropped later, either all events are stored
    /// or none.
    ///
    /// # Errors
    /// Each variant of [`AppendError`] describes when it is returned. A [`Replay`](AppendError::Replay) describes the first
    /// log; [`find_key`](EventStore::find_key) returns those of all logs.
    fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> impl Future<Output = Result<Vec<LogPosition>, AppendError>> + Send;

    /// Reads one page of a log in one round trip. The page of a log that does not exist is empty.
    ///
    /// # Errors
    /// Each variant of [`ReadError`] describes when it is returned.
    fn read(&self, request: ReadRequest)
    -> impl Future<Output = Result<Page<E>, ReadError>> + Send;

    /// Gives the events of a log to a fold, from where it starts to the end of the log, one at a time.
    ///
    /// A store that does not implement it reads pages.
    ///
    /// If the future is dropped, the fold has some of the events. It may be continued.
    ///
    /// # Errors
    /// Each variant of [`ReadError`] describes when it is returned. The fold may have got some events before the error.
    fn fold(
        &self,
        fold: &mut dyn EventFold<E>,
    ) -> impl Future<Output = Result<(), ReadError>> + Send {
        async move {
            loop {
                let request = ReadRequest::new(fold.log_id(), fold.start(), fold.page_size());
                let page = self.read(request).await?;
                for record in &page.records {
                    if fold.take(record).is_break() {
                        return Ok(());
                    }
                }
                if !page.more {
                    return Ok(());
                }
            }
        }
    }

    /// Gives the events of several logs to one fold each, and returns the result of each. The logs are not read at one moment.
    ///
    /// A store that does not implement it reads one log after the other.
    ///
    /// If the future is dropped, the folds have some of the events. They may be continued.
    fn fold_all(
        &self,
        folds: &mut [&mut dyn EventFold<E>],
    ) -> impl Future<Output = Vec<Result<(), ReadError>>> + Send {
        async move {
            let mut results = Vec::with_capacity(folds.len());
            for fold in folds {
                results.push(self.fold(*fold).await);
            }
            results
        }
    }

    /// Reads the newest events of a log, at most as many as `most`, for a fold that does not know yet where it starts. A store that
    /// does not implement it returns `None`.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn newest(
        &self,
        log_id: LogId,
        most: usize,
    ) -> impl Future<Output = Result<Newest<E>, StoreError>> + Send {
        let _ = (log_id, most);
        std::future::ready(Ok(None))
    }

    /// Returns the ends of logs, in the order of their ids, all as of one moment; `None` stands for a log that does not exist.
    /// It takes one round trip, and is as fresh as [`read`](EventStore::read). The kind of the logs is not compared.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn ends(
        &self,
        log_ids: &[LogId],
    ) -> impl Future<Output = Result<Vec<Option<LogPosition>>, StoreError>> + Send;

    /// Returns the identity of this store. All handles on the store return the same.
    fn store_id(&self) -> StoreId;

    /// Returns the name of this kind of store in metrics, as the label `store`: `other` unless a store says otherwise. It is short,
    /// and the same for all stores of one type.
    fn store_name(&self) -> &'static str {
        "other"
    }

    /// Returns one page of the logs whose kind is that of `E`, under its current or a former name.
    ///
    /// The page ends after [`limit`](ListRequest::limit) logs, and after a fixed number of logs or events that it has looked
    /// at: a store has no index of the logs of one kind. So it may have fewer logs than the limit, even none, and there may
    /// still be a next one. Each page looks at something that no page before it has looked at, unless it is the last one.
    ///
    /// - In the order of the ids, each log is returned as it is when its page is read.
    /// - In the order of the newest changes, all pages return the logs as they were when the first page was read.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn list(
        &self,
        request: ListRequest,
    ) -> impl Future<Output = Result<LogList<E>, StoreError>> + Send;

    /// Returns the write that used an idempotency key: one entry per log that it wrote to, in the order of its parts. Returns
    /// an empty vector if no write used the key.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn find_key(
        &self,
        key: IdempotencyKey<'_>,
    ) -> impl Future<Output = Result<Vec<Replay>, StoreError>> + Send;

    /// Forgets the idempotency keys that were used longer ago than `older_than`, by the store's clock, and returns the number
    /// of writes that they belonged to. The events stay. A later retry with a forgotten key is not recognised as a replay.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause. Keys that were forgotten before the failure
    /// stay forgotten.
    fn prune_idempotency_keys(
        &self,
        older_than: Duration,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Creates the tables, or brings them to the version that this code needs. A store without tables does nothing.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn migrate(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Checks that the store can read: it answers, and its tables are those that this code needs. A store that does not implement
    /// it looks for the end of a log that does not exist.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn ping(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { self.ends(&[LogId::new()]).await.map(|_| ()) }
    }

    /// Finishes the writes in progress, and closes the store for all its handles. From then on, calls get
    /// [`Closed`](StoreError::Closed). A store that has nothing to close does nothing.
    fn close(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}
