//! The events of a write as a later read will return them.

use crate::ids::{EventId, LogId};
use crate::record::RecordedEvent;
use crate::stores::request::AppendRequest;
use crate::stores::times::stored_time;
use crate::stores::write::WriteContext;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The place of events in a log, and the context of their write.
pub(in crate::stores) struct Place<'a> {
    /// The log.
    pub(in crate::stores) log_id: LogId,
    /// The index of the first event.
    pub(in crate::stores) first_index: u64,
    /// One id per event.
    pub(in crate::stores) event_ids: &'a [EventId],
    /// What is stored with each event.
    pub(in crate::stores) context: &'a WriteContext<'a>,
}

impl<'a> Place<'a> {
    /// Returns the place of the events of a request.
    pub(in crate::stores) fn of<E>(request: &'a AppendRequest<'_, E>) -> Self {
        Self {
            log_id: request.log_id,
            first_index: request.first_index(),
            event_ids: &request.event_ids,
            context: &request.context,
        }
    }
}

/// Returns decoded events as a later read will return them from this place.
pub(in crate::stores) fn records<E>(
    place: &Place<'_>,
    decoded: Vec<E>,
    recorded_at: DateTime<Utc>,
) -> Vec<RecordedEvent<E>> {
    if decoded.is_empty() {
        return Vec::new();
    }
    let occurred_at = place.context.occurred_at.map(stored_time);
    let metadata = Arc::new(place.context.metadata.clone());
    let places = place.event_ids.iter().zip(place.first_index..);
    let records = decoded.into_iter().zip(places);
    records
        .map(|(event, (id, index))| {
            RecordedEvent::new(place.log_id, index, *id, event, recorded_at)
                .with_occurred_at(occurred_at)
                .with_metadata(Arc::clone(&metadata))
        })
        .collect()
}
