//! Promises about what an error asks its reader to do.

use crate::error_kind::ErrorKind;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::error::AppendError;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::page::ReadStart;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Answer, Store, added, append, append_once, create_with_key, fresh_key, log_of, page,
};
use std::time::Instant;

#[track_caller]
fn refused(answer: Answer) -> AppendError {
    answer.expect_err("the append is refused")
}

/// The kind of an error says what to do: decide again after a conflict, check the id of a log that does not exist, take a replay
/// as the outcome, correct an invalid key.
pub async fn an_error_says_what_to_do_next(store: &impl Store) {
    let text = fresh_key();
    let key = IdempotencyKey::new(&text);
    let begin = log_of(store, 1).await;
    let end = append_once(store, begin, 7, key)
        .await
        .expect("the key is new");
    let missing = LogPosition::at(LogId::new(), 0);
    let errors = [
        (append(store, begin, 1).await, ErrorKind::Conflict),
        (append(store, missing, 1).await, ErrorKind::NotFound),
        (append_once(store, begin, 7, key).await, ErrorKind::Done),
        (append_once(store, end.state, 7, key).await, ErrorKind::Done),
        (
            create_with_key(store, begin.log_id(), 1, &fresh_key()).await,
            ErrorKind::Conflict,
        ),
        (
            create_with_key(store, LogId::new(), 1, "").await,
            ErrorKind::Invalid,
        ),
    ];
    for (answer, kind) in errors {
        let error = refused(answer);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!error.is_retryable(), "{error}");
    }
    let lost = LogPosition::new(begin.log_id(), end.state.index(), EventId::new());
    let error = page(store, begin.log_id(), ReadStart::After(lost), 10)
        .await
        .expect_err("the log does not have that event");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(!error.is_retryable(), "{error}");
}

/// A deadline that is over is nobody's fault, but the same call would fail again.
pub async fn an_append_after_its_deadline_can_be_tried_again_with_another(store: &impl Store) {
    let state = log_of(store, 1).await;
    let events = [added(1)];
    let mut request = AppendRequest::after(state, &events);
    request.context.deadline = Some(Instant::now());
    let error = refused(store.append(request).await);
    assert_eq!(error.kind(), ErrorKind::TryAgain, "{error}");
    assert!(!error.is_retryable(), "{error}");
    append(store, state, 1)
        .await
        .expect("nothing was written before");
}
