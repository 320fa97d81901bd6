//! Promises about metadata, which is stored with the events.

use crate::ids::LogId;
use crate::metadata::Metadata;
use crate::record::EventRecord;
use crate::stores::appends::{AppendAcrossRequest, Appends};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::limits::Limits;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Store, added, all, amounts, append, append_across, append_once, fresh_key, log_of, replays,
};

/// Creates metadata with a value of every kind in every field.
fn full() -> Metadata {
    Metadata::new()
        .with_correlation_id("request 17 \0 '\" 😀")
        .with_causation_id("")
        .with("user", "ada")
        .with("", "nameless")
        .with("least", i64::MIN)
        .with("most", i64::MAX)
        .with("test", true)
}

/// Metadata comes back with each event as it was given; without metadata, it is empty.
pub async fn metadata_stands_beside_each_event(store: &impl Store) {
    let log_id = LogId::new();
    let said = [
        full(),
        Metadata::new(),
        Metadata::new().with("only", "an entry"),
        Metadata::new().with_causation_id("only this"),
    ];
    let mut state = None;
    for metadata in &said {
        let batch = [added(1), added(2), added(3)];
        let mut request = match state {
            Some(state) => AppendRequest::after(state, &batch),
            None => AppendRequest::create(log_id, &batch),
        };
        request.context.metadata = metadata.clone();
        request.return_events = true;
        let appended = store.append(request).await.expect("the state is current");
        assert!(
            appended
                .events
                .iter()
                .all(|event| event.metadata() == metadata),
            "{appended:?}"
        );
        state = Some(appended.state);
    }
    // A single event with a key: stores may write it in another way.
    let key = fresh_key();
    let event = [added(4)];
    let mut request = AppendRequest::after(state.expect("there are appends"), &event);
    request.context.idempotency_key = Some(IdempotencyKey::new(&key));
    request.context.metadata = full();
    store.append(request).await.expect("the state is current");

    let last = full();
    let expected: Vec<_> = said
        .iter()
        .flat_map(|metadata| [metadata; 3])
        .chain([&last])
        .collect();
    let records = all(store, log_id).await;
    let stored: Vec<_> = records.iter().map(EventRecord::metadata).collect();
    assert_eq!(stored, expected);
}

/// The metadata of a write to several logs comes back with the events of each log.
pub async fn metadata_stands_beside_the_events_of_several_logs(store: &impl Store) {
    let (old, new) = (log_of(store, 1).await, LogId::new());
    let appends = Appends::new()
        .append(old, [added(1), added(2)])
        .create(new, [added(3)]);
    let mut request = AppendAcrossRequest::new(appends);
    request.context.metadata = full();
    let states = store
        .append_across(request)
        .await
        .expect("the states are current");
    let without = [(states[0], [added(4)]), (states[1], [added(5)])];
    append_across(store, without)
        .await
        .expect("the states are current");

    let (full, empty) = (full(), Metadata::new());
    for (log_id, expected) in [
        (old.log_id(), vec![&empty, &full, &full, &empty]),
        (new, vec![&full, &empty]),
    ] {
        let records = all(store, log_id).await;
        let stored: Vec<_> = records.iter().map(EventRecord::metadata).collect();
        assert_eq!(stored, expected);
    }
}

/// Metadata above the limit is refused and changes nothing: it is stored with every event, so it is bounded like an event.
pub async fn too_much_metadata_changes_nothing(store: &impl Store) {
    let limit = Limits::default().max_metadata_bytes;
    let state = log_of(store, 1).await;
    let events = [added(1)];
    let text = fresh_key();
    let key = Some(IdempotencyKey::new(&text));
    let metadata = Metadata::new().with("large", "x".repeat(limit));

    let mut request = AppendRequest::after(state, &events);
    request.context.metadata = metadata.clone();
    request.context.idempotency_key = key;
    let refused = store.append(request).await.map(|appended| appended.state);
    let mut request = AppendAcrossRequest::new([(state, [added(1)])].into());
    request.context.metadata = metadata;
    request.context.idempotency_key = key;
    let refused_many = store.append_across(request).await.map(|states| states[0]);
    for refused in [refused, refused_many] {
        assert!(
            matches!(
                refused,
                Err(AppendError::Invalid(InvalidAppend::MetadataTooLarge { bytes, limit: found }))
                    if bytes > limit && found == limit
            ),
            "{refused:?}"
        );
    }
    assert_eq!(replays(store, IdempotencyKey::new(&text)).await, []);
    append_once(store, state, 1, IdempotencyKey::new(&text))
        .await
        .expect("the key is still new");

    // Metadata just within the limit is accepted.
    let end = append(store, log_of(store, 1).await, 1)
        .await
        .expect("the state is current")
        .state;
    let mut request = AppendRequest::after(end, &events);
    request.context.metadata = Metadata::new().with("large", "x".repeat(limit - 100));
    store.append(request).await.expect("it is small enough");
    assert_eq!(amounts(store, state.log_id()).await, [0, 1]);
}
