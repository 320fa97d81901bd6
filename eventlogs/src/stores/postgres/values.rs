//! The values of a batch, as the arrays that the statements take.

use super::statements::Statements;
use crate::stores::Expected;
use crate::stores::decoded::signed;
use crate::stores::encoded::{EncodedAppend, EncodedEvent};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use uuid::Uuid;

/// A statement with its values.
pub(super) type Statement<'a> = Query<'a, Postgres, PgArguments>;

/// The insert of a batch.
pub(super) fn insert<'a>(statements: &Statements, batch: &[&'a EncodedAppend]) -> Statement<'a> {
    let plain =
        |append: &&EncodedAppend| append.idempotency_key.is_none() && append.events.len() == 1;
    if batch.iter().all(plain) {
        heads(sqlx::query(statements.append_plain.clone()), batch)
    } else {
        let statement = heads(sqlx::query(statements.append.clone()), batch);
        keys(tails(statement, batch), batch)
    }
}

/// One value for each append.
fn each<'a, T>(batch: &[&'a EncodedAppend], value: impl Fn(&'a EncodedAppend) -> T) -> Vec<T> {
    batch.iter().map(|append| value(append)).collect()
}

/// Values 1 to 10: the first event of each append. None is without events, that is refused before it is encoded.
fn heads<'a>(statement: Statement<'a>, batch: &[&'a EncodedAppend]) -> Statement<'a> {
    let heads: Vec<&'a EncodedEvent> = batch
        .iter()
        .filter_map(|append| append.events.first())
        .collect();
    statement
        .bind(each(batch, |append| Uuid::from(append.log_id)))
        .bind(each(batch, |append| signed(append.first_index)))
        .bind(
            heads
                .iter()
                .map(|head| Uuid::from(head.id))
                .collect::<Vec<_>>(),
        )
        .bind(each(batch, |append| match append.expected {
            Expected::After { event_id, .. } => event_id.map(Uuid::from),
            Expected::NewLog => None,
        }))
        .bind(
            heads
                .iter()
                .map(|head| head.event_type.name)
                .collect::<Vec<_>>(),
        )
        .bind(heads.iter().map(|head| version(head)).collect::<Vec<_>>())
        .bind(heads.iter().map(|head| head.codec).collect::<Vec<_>>())
        .bind(
            heads
                .iter()
                .map(|head| head.payload.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(each(batch, |append| append.occurred_at))
        .bind(each(batch, |append| {
            append
                .log_type
                .as_deref()
                .filter(|_| append.first_index == 0)
        }))
}

/// Values 11 to 19: the other events.
fn tails<'a>(statement: Statement<'a>, batch: &[&'a EncodedAppend]) -> Statement<'a> {
    let tails: Vec<(&'a EncodedAppend, &'a EncodedEvent, u64)> = batch
        .iter()
        .flat_map(|append| {
            // Saturating: a position beyond all logs is refused by the guard, not here.
            let events = append.events.iter().zip(0..).skip(1);
            events.map(|(event, nth)| (*append, event, append.first_index.saturating_add(nth)))
        })
        .collect();
    let head = |append: &EncodedAppend| append.events.first().map(|head| Uuid::from(head.id));
    statement
        .bind(
            tails
                .iter()
                .map(|(append, ..)| head(append))
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(append, ..)| Uuid::from(append.log_id))
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(.., index)| signed(*index))
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(_, event, _)| Uuid::from(event.id))
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(_, event, _)| event.event_type.name)
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(_, event, _)| version(event))
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(_, event, _)| event.codec)
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(_, event, _)| event.payload.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(
            tails
                .iter()
                .map(|(append, ..)| append.occurred_at)
                .collect::<Vec<_>>(),
        )
}

/// Values 20 to 26: the keys.
fn keys<'a>(statement: Statement<'a>, batch: &[&'a EncodedAppend]) -> Statement<'a> {
    let keyed: Vec<&'a EncodedAppend> = batch
        .iter()
        .copied()
        .filter(|append| append.idempotency_key.is_some())
        .collect();
    let key = |append: &'a EncodedAppend| append.idempotency_key.as_ref().map(String::as_bytes);
    statement
        .bind(each(&keyed, |append| {
            append.events.first().map(|head| Uuid::from(head.id))
        }))
        .bind(each(&keyed, key))
        .bind(each(&keyed, |append| Uuid::from(append.log_id)))
        .bind(each(&keyed, |append| signed(append.first_index)))
        .bind(each(&keyed, |append| signed(append.events.len() as u64)))
        .bind(each(&keyed, |append| {
            append.state_after().event_id().map(Uuid::from)
        }))
        // Unique among all logs.
        .bind(each(&keyed, |_| Uuid::nil()))
}

/// The version as the column holds it. Versions are small; one beyond the column's range is refused on reading.
fn version(event: &EncodedEvent) -> i16 {
    i16::try_from(event.event_type.version).unwrap_or(i16::MAX)
}
