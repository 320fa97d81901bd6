//! Why an append was refused.

use super::Core;
use super::read::replay;
use crate::ids::EventId;
use crate::stores::decoded::signed;
use crate::stores::encoded::EncodedAppend;
use crate::stores::write_queue::Outcome;
use crate::stores::{AppendError, Expected};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

/// Why an append did not come back, in the order own event, key, index: an own event comes first, because this may be the
/// second attempt of a write whose first one went through. `None` if nothing refuses it now: then it is to be sent again.
pub(super) async fn why_refused(
    core: &Core,
    connection: &mut PgConnection,
    append: &EncodedAppend,
) -> Result<Option<Outcome>, sqlx::Error> {
    let row = sqlx::query(core.statements.why.clone())
        .bind(Uuid::from(append.log_id))
        .bind(signed(append.first_index))
        .bind(append.idempotency_key.as_ref().map(String::as_bytes))
        .fetch_one(connection)
        .await?;
    let stored = event_id(&row, 0)?;
    if stored.is_some() && stored == append.events.first().map(|head| head.id) {
        return Ok(Some(Ok(row.try_get(1)?)));
    }
    if event_id(&row, 5)?.is_some() {
        return Ok(Some(Err(AppendError::Replay(replay(&row, 2)?))));
    }
    Ok(why_not_there(append, stored, event_id(&row, 7)?, row.try_get(8)?).map(Err))
}

/// What is wrong with the place that an append wants, given the event that stands there, its predecessor, and whether the
/// log has any events.
fn why_not_there(
    append: &EncodedAppend,
    stored: Option<EventId>,
    predecessor: Option<EventId>,
    exists: bool,
) -> Option<AppendError> {
    let log_id = append.log_id;
    match append.expected {
        Expected::NewLog => stored.map(|_| AppendError::LogAlreadyExists { log_id }),
        Expected::After { .. } if !exists => Some(AppendError::LogNotFound { log_id }),
        Expected::After { event_id, .. } => {
            let continues =
                predecessor.is_some() && event_id.is_none_or(|id| predecessor == Some(id));
            let event_index = append.first_index;
            let free = stored.is_none() && continues;
            (!free).then_some(AppendError::Conflict {
                log_id,
                event_index,
            })
        }
    }
}

fn event_id(row: &PgRow, column: usize) -> Result<Option<EventId>, sqlx::Error> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(EventId::from))
}
