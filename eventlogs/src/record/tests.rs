//! Records, and the metadata of their events.

use super::*;

fn record<E>(event: E) -> RecordedEvent<E> {
    let (log_id, event_id) = (LogId::new(), EventId::new());
    RecordedEvent::new(log_id, 7, event_id, event, DateTime::UNIX_EPOCH)
}

fn by_ada() -> Metadata {
    Metadata::new()
        .with_correlation_id("17")
        .with("user", "ada")
}

#[test]
fn a_record_has_the_metadata_it_was_given_last() {
    let record = record("opened").with_metadata(Metadata::new().with("user", "eve"));
    assert_eq!(record.with_metadata(by_ada()).metadata(), &by_ada());
}

#[test]
fn empty_metadata_is_none() {
    let bare = record("opened");
    let emptied = bare
        .clone()
        .with_metadata(by_ada())
        .with_metadata(Metadata::new());
    assert!(emptied.metadata().is_empty());
    assert_eq!(emptied, bare);
    assert_ne!(bare.clone().with_metadata(by_ada()), bare);
}

#[test]
fn a_record_of_another_event_shares_the_metadata() {
    let metadata = Arc::new(by_ada());
    let outer = record("outer").with_metadata(Arc::clone(&metadata));
    let inner = outer.with_event(&1).with_event(&"innermost");
    assert_eq!(inner.metadata(), &by_ada());
    assert!(std::ptr::eq(inner.metadata(), &raw const *metadata));
    assert!(record("outer").with_event(&1).metadata().is_empty());
}

#[test]
fn a_borrowed_record_outlives_the_one_it_was_made_of() {
    let event = 1;
    let inner = record("outer").with_metadata(by_ada()).with_event(&event);
    assert_eq!(inner.metadata(), &by_ada());
}

#[test]
fn metadata_costs_a_record_without_it_one_pointer() {
    let rest = size_of::<(LogId, u64, EventId, DateTime<Utc>, Option<DateTime<Utc>>)>();
    assert!(size_of::<RecordedEvent<()>>() <= rest + size_of::<usize>());
}

#[test]
fn the_time_of_recording_can_be_set_alone() {
    let time = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1);
    let before = record("opened")
        .with_metadata(by_ada())
        .with_occurred_at(Some(time));
    let after = before.clone().with_recorded_at(time);
    assert_eq!(after.recorded_at(), time);
    assert_eq!(after.with_recorded_at(before.recorded_at()), before);
}

#[cfg(all(feature = "macros", feature = "json"))]
#[test]
fn a_record_serialises_its_metadata_if_it_has_some() {
    use eventlogs_derive::Event;

    #[derive(Event)]
    enum DoorEvent {
        #[event(name = "door.opened")]
        Opened,
    }

    let bare = serde_json::to_value(record(DoorEvent::Opened)).expect("it serialises");
    assert_eq!(bare.get("metadata"), None);
    let record = record(DoorEvent::Opened).with_metadata(by_ada());
    let json = serde_json::to_value(record).expect("it serialises");
    assert_eq!(
        json["metadata"],
        serde_json::json!({ "correlation_id": "17", "entries": { "user": "ada" } })
    );
}
