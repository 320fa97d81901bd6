//! One append: a guarded insert, and a look at what refused it.

use super::Core;
use super::error::{self, Verdict};
use super::read::replay;
use super::retry::{LOST_RACES, OnItsWay, until_answered};
use crate::ids::EventId;
use crate::stores::decoded::signed;
use crate::stores::encoded::{EncodedAppend, EncodedEvent};
use crate::stores::{AppendError, Expected};
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};
use uuid::Uuid;

/// A statement with its values.
type Statement<'a> = Query<'a, Postgres, PgArguments>;

/// Appends, and returns the recorded time. One round trip, unless the append is refused or a connection breaks.
///
/// An attempt whose answer was lost is followed by one with the same ids. If the first one was carried out, the second is
/// refused by the very event that it wants to write, which tells.
pub(super) async fn append(
    core: &Core,
    append: &EncodedAppend,
) -> Result<DateTime<Utc>, AppendError> {
    let on_its_way = OnItsWay::default();
    until_answered(core, &on_its_way, || attempt(core, append, &on_its_way)).await?
}

async fn attempt(
    core: &Core,
    append: &EncodedAppend,
    on_its_way: &OnItsWay,
) -> Result<Result<DateTime<Utc>, AppendError>, sqlx::Error> {
    let mut connection = core.pool.acquire().await?;
    let mut tries = 0;
    loop {
        on_its_way.sending();
        let clash = match insert(core, &mut connection, append).await {
            Ok(Some(recorded_at)) => return Ok(Ok(recorded_at)),
            Ok(None) => None,
            // Twins with one key: the other one has committed meanwhile.
            Err(error) if error::verdict(&error) == Verdict::Clash => Some(error),
            Err(error) => return Err(error),
        };
        on_its_way.answered();
        // Refused, so nothing is in doubt; a connection that breaks here only means another attempt.
        if let Some(answer) = why_refused(core, &mut connection, append).await? {
            return Ok(answer);
        }
        // Nothing stands in the way any more: what the statement ran into was rolled back before the look at it.
        tries += 1;
        if tries == LOST_RACES {
            let (log_id, event_index) = (append.log_id, append.first_index);
            return match clash {
                // Somebody else's constraint on our tables.
                Some(error) => Err(error),
                None => Ok(Err(AppendError::Conflict {
                    log_id,
                    event_index,
                })),
            };
        }
    }
}

async fn insert(
    core: &Core,
    connection: &mut PgConnection,
    append: &EncodedAppend,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let Some((head, tail)) = append.events.split_first() else {
        // Refused before it was encoded.
        return Ok(None);
    };
    let statements = &core.statements;
    let statement = if append.idempotency_key.is_none() && tail.is_empty() {
        bind_head(sqlx::query(statements.append_one.clone()), append, head)
    } else {
        let statement = bind_head(sqlx::query(statements.append.clone()), append, head);
        bind_rest(statement, append, head, tail)
    };
    let row = statement.fetch_optional(connection).await?;
    Ok(row.map(|row| row.get(1)))
}

/// Values 1 to 10: the head of each append, one here.
fn bind_head<'a>(
    statement: Statement<'a>,
    append: &'a EncodedAppend,
    head: &'a EncodedEvent,
) -> Statement<'a> {
    let previous = match append.expected {
        Expected::After { event_id, .. } => event_id.map(Uuid::from),
        Expected::NewLog => None,
    };
    statement
        .bind([Uuid::from(append.log_id)])
        .bind([signed(append.first_index)])
        .bind([Uuid::from(head.id)])
        .bind([previous])
        .bind([head.event_type.name])
        .bind([version(head)])
        .bind([head.codec])
        .bind([head.payload.as_slice()])
        .bind([append.occurred_at])
        .bind([append
            .log_type
            .as_deref()
            .filter(|_| append.first_index == 0)])
}

/// Values 11 to 25: the keys, and the events behind each head.
fn bind_rest<'a>(
    statement: Statement<'a>,
    append: &'a EncodedAppend,
    head: &'a EncodedEvent,
    tail: &'a [EncodedEvent],
) -> Statement<'a> {
    let keys: Vec<&[u8]> = append
        .idempotency_key
        .iter()
        .map(String::as_bytes)
        .collect();
    let last = append.state_after();
    statement
        .bind(vec![Uuid::from(head.id); keys.len()])
        .bind(keys.clone())
        .bind(vec![Uuid::from(head.id); tail.len()])
        .bind(vec![Uuid::from(append.log_id); tail.len()])
        .bind(
            (append.first_index + 1..)
                .zip(tail)
                .map(|(index, _)| signed(index))
                .collect::<Vec<_>>(),
        )
        .bind(
            tail.iter()
                .map(|event| Uuid::from(event.id))
                .collect::<Vec<_>>(),
        )
        .bind(
            tail.iter()
                .map(|event| event.event_type.name)
                .collect::<Vec<_>>(),
        )
        .bind(tail.iter().map(version).collect::<Vec<_>>())
        .bind(tail.iter().map(|event| event.codec).collect::<Vec<_>>())
        .bind(
            tail.iter()
                .map(|event| event.payload.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(vec![append.occurred_at; tail.len()])
        .bind(vec![Uuid::from(append.log_id); keys.len()])
        .bind(vec![signed(append.first_index); keys.len()])
        .bind(vec![signed(append.events.len() as u64); keys.len()])
        .bind(vec![last.event_id().map(Uuid::from); keys.len()])
}

/// The version as the column holds it. Versions are small; one beyond the column's range is refused on reading.
fn version(event: &EncodedEvent) -> i16 {
    i16::try_from(event.event_type.version).unwrap_or(i16::MAX)
}

/// Why an append did not come back, in the order own event, key, index: an own event comes first, because this may be the
/// second attempt of a write whose first one went through. `None` if nothing refuses it now: then it is to be sent again.
async fn why_refused(
    core: &Core,
    connection: &mut PgConnection,
    append: &EncodedAppend,
) -> Result<Option<Result<DateTime<Utc>, AppendError>>, sqlx::Error> {
    let row = sqlx::query(core.statements.why.clone())
        .bind(Uuid::from(append.log_id))
        .bind(signed(append.first_index))
        .bind(append.idempotency_key.as_ref().map(String::as_bytes))
        .fetch_one(connection)
        .await?;
    let stored = event_id(&row, 0);
    if stored.is_some() && stored == append.events.first().map(|head| head.id) {
        return Ok(Some(Ok(row.get(1))));
    }
    if event_id(&row, 5).is_some() {
        return Ok(Some(Err(AppendError::Replay(replay(&row, 2)))));
    }
    Ok(why_not_there(append, stored, event_id(&row, 7), row.get(8)).map(Err))
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

fn event_id(row: &PgRow, column: usize) -> Option<EventId> {
    row.get::<Option<Uuid>, _>(column).map(EventId::from)
}
