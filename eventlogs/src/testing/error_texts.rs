//! Each error says what, why and what to do; and its kind is the documented one.

use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::codec::{Codec, StubCodec};
use crate::cursor::Cursor;
use crate::error_kind::ErrorKind;
use crate::feed::error::FeedError;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::error::{DecideError, LogManagerError};
use crate::projection::catch_up::CatchUpError;
use crate::projection::checkpoint::RegisterError;
use crate::projection::handler::HandlerError;
use crate::projection::page::PageError;
use crate::projection::row_error::RowError;
use crate::shared_error::SharedError;
use crate::stores::error::{
    AppendError, DecodeError, EncodeError, InvalidAppend, OpenError, ReadError, StoreError,
};
use crate::stores::idempotency::Replay;
use crate::subscriptions::error::{SubscriptionError, WaitError};
use std::error::Error;
use std::io;

/// The text of each cause. No other text contains it.
const CAUSE: &str = "the lamp is out";
/// Advice of those errors that take it from the place where they are made.
const ADVICE: &str = "change the lamp";

fn cause() -> SharedError {
    io::Error::other(CAUSE).into()
}

/// A cause that passes by itself.
fn lost() -> SharedError {
    io::Error::new(io::ErrorKind::ConnectionReset, CAUSE).into()
}

/// A cause that does not pass.
fn lasting() -> SharedError {
    CAUSE.into()
}

/// What is expected of an error.
struct Case {
    error: Box<dyn Error>,
    kind: ErrorKind,
    is_retryable: bool,
    found: (ErrorKind, bool),
}

/// A case for each line: an error, its kind, and whether it is retryable.
macro_rules! cases {
    ($($error:expr => $kind:ident, $is_retryable:literal;)+) => {
        [$({
            let error = $error;
            let found = (error.kind(), error.is_retryable());
            Case {
                error: Box::new(error),
                kind: ErrorKind::$kind,
                is_retryable: $is_retryable,
                found,
            }
        }),+]
    };
}

/// Checks the kinds, and the form of the texts.
#[track_caller]
fn check(cases: &[Case]) {
    for case in cases {
        let text = case.error.to_string();
        assert_eq!(case.found, (case.kind, case.is_retryable), "{text}");
        assert!(!text.ends_with('.'), "{text}");
        let is_lower = !text.starts_with(char::is_uppercase) || text.starts_with("Redis");
        assert!(is_lower, "{text}");
        assert!(text.contains("; "), "no advice: {text}");
        assert!(!text.contains("error returned from database"), "{text}");
    }
}

/// Checks that each text has the cause, once.
#[track_caller]
fn check_texts(cases: &[Case]) {
    check(cases);
    for case in cases {
        let text = case.error.to_string();
        assert_eq!(text.matches(CAUSE).count(), 1, "{text}");
    }
}

/// Checks that each text has the cause, once, and that the cause can be reached by `source`.
#[track_caller]
fn check_causes(cases: &[Case]) {
    check_texts(cases);
    for case in cases {
        let mut source = case.error.source();
        let mut last = None;
        while let Some(error) = source {
            last = Some(error.to_string());
            source = error.source();
        }
        assert_eq!(last.as_deref(), Some(CAUSE), "{}", case.error);
    }
}

fn position() -> LogPosition {
    LogPosition::new(LogId::new(), 3, crate::ids::EventId::new())
}

fn replay() -> Replay {
    Replay {
        first_index: 2,
        event_count: 2,
        state: position(),
        recorded_at: chrono::DateTime::UNIX_EPOCH,
        request_fingerprint: None,
    }
}

fn undecodable(problem: DecodeProblem) -> DecodeError {
    let stored = StoredPayload {
        name: "payment.captured",
        version: 1,
        codec: StubCodec::ID,
        bytes: b"",
    };
    DecodeError::new(LogId::new(), 4, &stored, problem)
}

#[test]
fn errors_of_a_database_have_their_cause_and_advice() {
    use StoreError as E;
    let path = || "/srv/payments.db".into();
    let name = || "zahlung.gebucht".to_owned();
    check_causes(&cases! {
        E::FileReplaced { path: path(), source: cause() } => Internal, false;
        E::Unavailable { advice: ADVICE, source: cause() } => TryAgain, true;
        E::AccessDenied { advice: ADVICE, source: cause() } => Internal, false;
        E::Tls { advice: ADVICE, source: cause() } => Internal, false;
        E::InsufficientPrivilege { advice: ADVICE, source: cause() } => Internal, false;
        E::StorageFull { source: cause() } => Internal, false;
        E::NoPrimary { advice: ADVICE, source: cause() } => TryAgain, true;
        E::ReadOnly { path: Some(path()), advice: ADVICE, source: cause() } => Internal, false;
        E::ReadOnly { path: None, advice: ADVICE, source: cause() } => Internal, false;
        E::Pooler { advice: ADVICE, source: cause() } => Internal, false;
        E::UnstorableName { name: name(), source: cause() } => Internal, false;
        E::Busy { source: cause() } => TryAgain, true;
        E::Corrupt { advice: ADVICE, source: cause() } => Unreadable, false;
        E::TransactionFailed { source: cause() } => TryAgain, true;
        E::OutcomeUnknown { source: Some(cause()) } => InDoubt, false;
        E::Database { source: lost() } => TryAgain, true;
        E::Database { source: lasting() } => Internal, false;
    });
    check(&cases! {
        E::UnrelatedTable { table: "events", advice: ADVICE } => Internal, false;
        E::LogTypeTwice { log_type: "order", one: "a::Order", other: "b::Order" } => Internal, false;
        E::NotMigrated { found: 0, needed: 3 } => Internal, false;
        E::NotMigrated { found: 3, needed: 3 } => Internal, false;
        E::NewerSchema { found: 9, supported: 3 } => Internal, false;
        E::Overloaded => TryAgain, true;
        E::DeadlineExceeded => TryAgain, false;
        E::TransactionTooOld { log_id: LogId::new() } => TryAgain, true;
        E::TransactionUnusable { reason: "it is over; run it again" } => Internal, false;
        E::Closed => Internal, false;
        E::OutcomeUnknown { source: None } => InDoubt, false;
    });
}

#[test]
fn errors_of_stores_have_their_cause_and_advice() {
    let event_type = "payment.captured";
    let unread = || EncodeError::NotReadable {
        event_type,
        source: DecodeProblem::Payload(cause()),
    };
    check_causes(&cases! {
        OpenError::InvalidUrl { advice: ADVICE, source: cause() } => Internal, false;
        OpenError::CannotOpen { path: "/srv/a.db".into(), advice: "", source: cause() } => Internal, false;
        OpenError::Store(StoreError::Busy { source: cause() }) => TryAgain, true;
        EncodeError::Codec { event_type, source: cause() } => Internal, false;
        unread() => Internal, false;
        AppendError::Encode(unread()) => Internal, false;
        AppendError::Store(StoreError::Busy { source: cause() }) => TryAgain, true;
        DecodeProblem::Payload(cause()) => Unreadable, false;
        DecodeProblem::Metadata(cause()) => Unreadable, false;
        undecodable(DecodeProblem::Payload(cause())) => Unreadable, false;
        ReadError::Decode(undecodable(DecodeProblem::Metadata(cause())).into()) => Unreadable, false;
        ReadError::Store(StoreError::Busy { source: cause() }) => TryAgain, true;
    });
    let log_id = LogId::new();
    check(&cases! {
        OpenError::InvalidPath { path: "/tmp".into(), advice: ADVICE } => Internal, false;
        OpenError::InvalidSchema { schema: "a b".into(), advice: ADVICE } => Internal, false;
        OpenError::NotADatabase { path: "/srv/a.txt".into(), expected: "SQLite" } => Internal, false;
        AppendError::Replay(replay()) => Done, false;
        AppendError::Conflict { log_id, event_index: 3 } => Conflict, false;
        AppendError::LogAlreadyExists { log_id } => Conflict, false;
        AppendError::LogNotFound { log_id } => NotFound, false;
        AppendError::WrongKind { log_id, found: "order".into(), expected: "payment" } => NotFound, false;
        AppendError::KeyReused(replay()) => Invalid, false;
        AppendError::Invalid(InvalidAppend::NoEvents) => Invalid, false;
        InvalidAppend::EventIds { events: 1, ids: 2 } => Internal, false;
        InvalidAppend::ExpectedIndex => Internal, false;
        InvalidAppend::Retired { event_type, variant: "Captured" } => Internal, false;
        InvalidAppend::IdempotencyKey { bytes: 0 } => Invalid, false;
        DecodeProblem::UnknownName => Unreadable, false;
        undecodable(DecodeProblem::UnknownVersion { supported: 2 }) => Unreadable, false;
        ReadError::HistoryChanged { log_id, index: 3 } => Conflict, false;
        ReadError::WrongKind { log_id, found: "order".into(), expected: "payment" } => NotFound, false;
        "order-17".parse::<LogId>().expect_err("it is no id") => Invalid, false;
        "later".parse::<Cursor>().expect_err("it is no cursor") => Invalid, false;
    });
}

#[test]
fn errors_of_a_manager_have_their_cause_and_advice() {
    use LogManagerError as E;
    let log_id = LogId::new();
    let without_state = || E::StoredWithoutState {
        log_id,
        event_index: 2,
        event_count: 1,
        source: cause(),
    };
    let unread = || E::Decode(undecodable(DecodeProblem::Payload(cause())).into());
    let decide = DecideError::<&str>::Log;
    check_causes(&cases! {
        without_state() => Done, false;
        E::NotForgotten { log_id, source: cause() } => TryAgain, true;
        unread() => Unreadable, false;
        E::Store(StoreError::Busy { source: cause() }) => TryAgain, true;
        decide(without_state()) => Done, false;
        decide(unread()) => Unreadable, false;
        decide(E::Store(StoreError::Unavailable { advice: ADVICE, source: cause() })) => TryAgain, true;
        decide(E::Store(StoreError::OutcomeUnknown { source: Some(cause()) })) => InDoubt, false;
    });
    let conflict = || E::ConcurrentAppend {
        log_id,
        event_index: 3,
    };
    check(&cases! {
        E::from(AppendError::Replay(replay())) => Done, false;
        E::from(AppendError::KeyReused(replay())) => Invalid, false;
        conflict() => Conflict, false;
        decide(conflict()) => Conflict, true;
        E::UnexpectedIndex { log_id, expected: 3, found: Some(5) } => Conflict, false;
        decide(E::UnexpectedIndex { log_id, expected: 3, found: None }) => Conflict, false;
        E::LogAlreadyExists { log_id } => Conflict, false;
        decide(E::LogAlreadyExists { log_id }) => Conflict, false;
        E::LogNotFound { log_id } => NotFound, false;
        E::WrongKind { log_id, found: "order".into(), expected: "payment" } => NotFound, false;
        E::BrokenLog { log_id, expected: 3, found: 5 } => Unreadable, false;
        E::Invalid(InvalidAppend::LogTwice { log_id }) => Invalid, false;
        E::Store(StoreError::DeadlineExceeded) => TryAgain, false;
    });
    let refused = DecideError::Refused("too much; take less");
    check(&cases! { refused => Refused, false; });
}

#[test]
fn errors_of_feeds_and_subscriptions_have_their_cause_and_advice() {
    let (log_id, name, row) = (LogId::new(), || "sales".to_owned(), "Sale");
    let failed = || HandlerError::Failed { source: lost() };
    let database = || RowError::Database {
        table: "sales",
        source: lasting(),
    };
    let unread = || undecodable(DecodeProblem::Payload(cause()));
    let create = || RegisterError::Create { source: lasting() };
    let not_applied = |source| CatchUpError::NotApplied {
        log_id,
        index: 3,
        event_type: "sale.closed".to_owned(),
        source,
    };
    check_causes(&cases! {
        FeedError::Decode(unread().into()) => Unreadable, false;
        HandlerError::Decode(unread().into()) => Unreadable, false;
        HandlerError::Row(database().into()) => Internal, false;
        PageError::OneEvent(3, HandlerError::Row(database().into())) => Internal, false;
        PageError::SomeEvent(HandlerError::Row(database().into())) => Internal, false;
        RowError::Database { table: "sales", source: lost() } => TryAgain, true;
        RowError::Unreadable { table: "sales", row, source: cause() } => Unreadable, false;
        create() => Internal, false;
        RegisterError::Create { source: lost() } => TryAgain, true;
        SubscriptionError::Refused { name: name(), source: create() } => Internal, false;
        not_applied(HandlerError::Decode(unread().into())) => Unreadable, false;
        CatchUpError::Row(database()) => Internal, false;
        CatchUpError::Store(StoreError::Busy { source: cause() }) => TryAgain, true;
    });
    let reason = || "the table is gone; create it".to_owned();
    check(&cases! {
        FeedError::Skipped { log_id, index: 3 } => Unreadable, false;
        FeedError::FeedRewound { cursor: Cursor::START } => Internal, false;
        FeedError::Store(StoreError::Overloaded) => TryAgain, true;
        HandlerError::TimedOut { seconds: 30 } => Internal, false;
        RowError::Table { table: "sales", row, reason: reason() } => Internal, false;
        RowError::Unwritable { row, reason: reason() } => Internal, false;
        RegisterError::Refused { reason: reason() } => Internal, false;
        SubscriptionError::Duplicate { name: name() } => Internal, false;
        SubscriptionError::NotFound { name: name() } => NotFound, false;
        SubscriptionError::NotParked { name: name(), log_id } => NotFound, false;
        WaitError::TimedOut { name: name(), behind: Some(3) } => TryAgain, true;
        WaitError::Stopped { name: name(), reason: reason() } => Internal, false;
        WaitError::Parked { name: name(), index: 3, reason: reason() } => Internal, false;
        WaitError::NotFound { name: name() } => Internal, false;
        WaitError::NoSuchEvent { log_id, index: 3 } => NotFound, false;
        CatchUpError::NoIndex { log_id, table: "sales" } => Internal, false;
        CatchUpError::BrokenLog { log_id, expected: 3, found: 5 } => Unreadable, false;
    });
    // The code of the service failed. What to do is in the error around: `WaitError::Parked`, say.
    assert_eq!(
        (failed().kind(), failed().is_retryable()),
        (ErrorKind::TryAgain, true)
    );
    assert_eq!(
        failed().to_string(),
        format!("the handler has failed: {CAUSE}")
    );
}

#[test]
#[cfg(feature = "sqlite")]
fn errors_of_a_copy_have_their_cause_and_advice() {
    use crate::stores::sqlite::BackupError;
    let path = || "/srv/copy.db".into();
    check_causes(&cases! {
        BackupError::CannotWrite { path: path(), source: cause() } => Internal, false;
        BackupError::Store(StoreError::Busy { source: cause() }) => TryAgain, true;
    });
    check(&cases! { BackupError::FileExists { path: path() } => Conflict, false; });
}

#[test]
#[cfg(feature = "redis")]
fn errors_of_connecting_to_redis_have_their_cause_and_advice() {
    use crate::caches::redis::RedisConnectError as E;
    let address = || "127.0.0.1:6379".to_owned();
    let source = || redis::RedisError::from(io::Error::other(CAUSE));
    let loading = || {
        let code = redis::ErrorKind::Server(redis::ServerErrorKind::BusyLoading);
        redis::RedisError::from((code, CAUSE))
    };
    check_texts(&cases! {
        E::Tls { address: address(), advice: ADVICE, source: source() } => Internal, false;
        E::Refused { address: address(), source: source() } => TryAgain, true;
        E::Unreachable { address: address(), source: source() } => TryAgain, true;
        E::NotAuthenticated { address: address(), source: source() } => Internal, false;
        E::NotRedis { address: address(), source: source() } => Internal, false;
        E::Cluster { address: address(), source: source() } => Internal, false;
        E::Refusing { address: address(), source: source() } => Internal, false;
        E::Refusing { address: address(), source: loading() } => TryAgain, true;
    });
}

/// The errors of a driver are stated by the words of this crate, and not again by those of the driver.
#[test]
#[cfg(feature = "_database")]
fn the_prefix_of_the_driver_is_left_out() {
    let error = || sqlx::Error::Io(io::Error::new(io::ErrorKind::ConnectionRefused, CAUSE));
    check_causes(&cases! {
        StoreError::Unavailable { advice: ADVICE, source: error().into() } => TryAgain, true;
        StoreError::Database { source: error().into() } => TryAgain, true;
        HandlerError::Row(Box::new(RowError::Database { table: "sales", source: error().into() })) => TryAgain, true;
    });
    let text = StoreError::Database {
        source: error().into(),
    };
    assert_eq!(
        text.to_string(),
        format!("the database failed: {CAUSE}; check the database and its log")
    );
}

#[test]
fn the_names_of_kinds_are_distinct_and_fit_as_labels() {
    use ErrorKind as K;
    let kinds = [
        K::Invalid,
        K::Refused,
        K::NotFound,
        K::Conflict,
        K::TryAgain,
        K::InDoubt,
        K::Done,
        K::Internal,
        K::Unreadable,
    ];
    let names: std::collections::HashSet<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), kinds.len());
    for kind in kinds {
        let fits = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        assert!(kind.as_str().chars().all(fits), "{kind}");
        assert_eq!(kind.to_string(), kind.as_str());
    }
}
