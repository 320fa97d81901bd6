//! Promises about the times at which events occurred.

use crate::__example::CounterEvent;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::appends::{AppendAcrossRequest, Appends};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::limits::Limits;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Answer, Store, added, all, append_across, fresh_key, log_of, replays,
};
use chrono::{DateTime, TimeDelta, Utc};

/// Returns times that must come back unchanged.
fn exact() -> Vec<DateTime<Utc>> {
    let microsecond = TimeDelta::microseconds(1);
    vec![
        Limits::EARLIEST_OCCURRED_AT,
        Limits::EARLIEST_OCCURRED_AT + microsecond,
        time("-0001-12-31T23:59:59.999999Z"),
        time("0000-01-01T00:00:00Z"),
        time("1582-10-10T12:00:00Z"),
        DateTime::UNIX_EPOCH - microsecond,
        DateTime::UNIX_EPOCH,
        time("9999-12-31T23:59:59.999999Z"),
        time("+10000-01-01T00:00:00Z"),
        Limits::LATEST_OCCURRED_AT - microsecond,
        Limits::LATEST_OCCURRED_AT,
    ]
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a valid time")
}

/// Appends two events that occurred at this time.
async fn append_at(
    store: &impl Store,
    state: LogPosition,
    occurred_at: DateTime<Utc>,
    key: Option<IdempotencyKey<'_>>,
) -> Answer {
    let events = [added(1), added(2)];
    let mut request = AppendRequest::after(state, &events);
    request.context.occurred_at = Some(occurred_at);
    request.context.idempotency_key = key;
    request.return_events = true;
    store.append(request).await
}

/// Appends one event that occurred at this time to each of two logs.
async fn append_many_at(
    store: &impl Store,
    states: [LogPosition; 2],
    occurred_at: DateTime<Utc>,
    key: Option<IdempotencyKey<'_>>,
) -> Result<Vec<LogPosition>, AppendError> {
    let appends = states.map(|state| (state, [added(3)]));
    let mut request = AppendAcrossRequest::new(appends.into());
    request.context.occurred_at = Some(occurred_at);
    request.context.idempotency_key = key;
    store.append_across(request).await
}

/// Every accepted time comes back unchanged, for every kind of write.
pub async fn times_come_back_as_they_were_given(store: &impl Store) {
    let mut state = log_of(store, 1).await;
    let mut other = log_of(store, 1).await;
    let mut expected = vec![None];
    for occurred_at in exact() {
        let key = fresh_key();
        for key in [None, Some(IdempotencyKey::new(&key))] {
            let appended = append_at(store, state, occurred_at, key)
                .await
                .expect("the time is in the range");
            assert_eq!(times(&appended.events), [Some(occurred_at); 2]);
            state = appended.state;
        }
        let states = append_many_at(store, [state, other], occurred_at, None)
            .await
            .expect("the time is in the range");
        (state, other) = (states[0], states[1]);
        expected.extend([Some(occurred_at); 5]);
    }
    assert_eq!(times(&all(store, state.log_id()).await), expected);

    let created = LogId::new();
    let event = [added(1)];
    let mut request = AppendRequest::create(created, &event);
    request.context.occurred_at = Some(Limits::EARLIEST_OCCURRED_AT);
    store
        .append(request)
        .await
        .expect("the time is in the range");
    let first = &all(store, created).await[0];
    assert_eq!(first.occurred_at(), Some(Limits::EARLIEST_OCCURRED_AT));
}

/// A write returns the time that a read returns, cut off to microseconds.
pub async fn times_are_kept_in_microseconds(store: &impl Store) {
    for (given, kept) in [
        (
            "2026-01-31T12:00:00.123456789Z",
            "2026-01-31T12:00:00.123456Z",
        ),
        (
            "1969-12-31T23:59:59.999999999Z",
            "1969-12-31T23:59:59.999999Z",
        ),
        ("1900-01-01T00:00:00.000000001Z", "1900-01-01T00:00:00Z"),
        // A database has no leap seconds.
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z"),
    ] {
        let state = log_of(store, 1).await;
        let appended = append_at(store, state, time(given), None)
            .await
            .expect("the time is in the range");
        assert_eq!(times(&appended.events), [Some(time(kept)); 2], "{given}");
        let stored = all(store, state.log_id()).await;
        assert_eq!(times(&stored[1..]), [Some(time(kept)); 2], "{given}");
    }
}

/// A time that some store could not return is refused by every store, with the range in the error.
pub async fn a_time_beyond_the_range_changes_nothing(store: &impl Store) {
    let (state, other) = (log_of(store, 1).await, log_of(store, 1).await);
    for occurred_at in [
        Limits::EARLIEST_OCCURRED_AT - TimeDelta::nanoseconds(1),
        Limits::LATEST_OCCURRED_AT + TimeDelta::nanoseconds(1),
        DateTime::<Utc>::MIN_UTC,
        DateTime::<Utc>::MAX_UTC,
    ] {
        let text = fresh_key();
        let key = Some(IdempotencyKey::new(&text));
        let refused = append_at(store, state, occurred_at, key).await;
        let refused_many = append_many_at(store, [state, other], occurred_at, key).await;
        for refused in [
            refused.map(|appended| appended.state),
            refused_many.map(|states| states[0]),
        ] {
            assert!(
                matches!(
                    &refused,
                    Err(AppendError::Invalid(InvalidAppend::OccurredAt { occurred_at: found }))
                        if *found == occurred_at
                ),
                "{refused:?}"
            );
        }
        assert_eq!(replays(store, IdempotencyKey::new(&text)).await, []);
    }
    let both = Appends::new()
        .append(state, [added(1)])
        .append(other, [added(1)]);
    append_across(store, both)
        .await
        .expect("the states are current");
}

fn times(records: &[RecordedEvent<CounterEvent>]) -> Vec<Option<DateTime<Utc>>> {
    records.iter().map(EventRecord::occurred_at).collect()
}
