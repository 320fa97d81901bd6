//! The statements of checkpoints: each file, and the function that binds its parameters in the order of their numbers.

use crate::cursor::Cursor;
use crate::projection::checkpoint::{BUILD, PartitionKey, Registration, Step};
use crate::projection::known::KnownEvents;
use crate::stores::encoding::decoded::signed;
use crate::stores::sqlite::statements::text::{Statement, statement};
use crate::stores::sqlite::values::blob;
use chrono::Utc;
use std::time::Duration;
use uuid::Uuid;

/// Registers a subscription.
pub(super) const REGISTER: &str = statement(include_str!("checkpoint_register.sql"));
/// Makes a partition.
pub(super) const PARTITION: &str = statement(include_str!("checkpoint_partition.sql"));
/// Removes the partitions.
pub(super) const REPARTITION: &str = statement(include_str!("checkpoint_repartition.sql"));
/// Notes the number of partitions.
pub(super) const COUNT: &str = statement(include_str!("checkpoint_count.sql"));
/// Lets stopped partitions run.
pub(super) const UNSTOP: &str = statement(include_str!("checkpoint_unstop.sql"));
/// Takes a lease.
pub(super) const TAKE: &str = statement(include_str!("checkpoint_take.sql"));
/// Asks whether a lease can be taken.
pub(super) const IS_FREE: &str = statement(include_str!("checkpoint_is_free.sql"));
/// Renews all leases of a process.
pub(super) const RENEW: &str = statement(include_str!("checkpoint_renew.sql"));
/// Gives up all leases of a process.
pub(super) const RELEASE: &str = statement(include_str!("checkpoint_release.sql"));
/// Notes why a partition has stopped.
pub(super) const STOP: &str = statement(include_str!("checkpoint_stop.sql"));
/// Pauses or continues a subscription.
pub(super) const PAUSE: &str = statement(include_str!("checkpoint_pause.sql"));
/// Moves a checkpoint.
pub(super) const SETTLE: &str = statement(include_str!("checkpoint_settle.sql"));
/// Reads the state of subscriptions.
pub(super) const STATES: &str = statement(include_str!("checkpoint_states.sql"));

/// Notes the events that the code knows.
pub(super) const KNOW: &str = statement(include_str!("checkpoint_know.sql"));
/// What removes the remains of an earlier subscription of the same name.
pub(super) const CLEAR: [&str; 4] = [
    REPARTITION,
    statement(include_str!("parked_clear.sql")),
    statement(include_str!("skipped_clear.sql")),
    statement(include_str!("row_keys_clear.sql")),
];

/// The time, in microseconds since 1970.
pub(in crate::stores) fn now() -> i64 {
    Utc::now().timestamp_micros()
}

/// The end of a lease that begins now.
fn end(lease: Duration) -> i64 {
    let lease = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
    now().saturating_add(lease)
}

/// Binds the parameters of [`REGISTER`].
pub(in crate::stores) fn register<'a>(registration: &Registration<'a>) -> Statement<'a> {
    sqlx::query(REGISTER)
        .bind(registration.name) // ?1
        .bind(BUILD)
        .bind(registration.fingerprint.cast_signed())
        .bind(registration.partitions)
        .bind(now())
        .bind(KnownEvents::of(registration.sources).stored())
}

/// Binds the parameters of [`KNOW`].
pub(in crate::stores) fn know<'a>(name: &'a str, known: &KnownEvents) -> Statement<'a> {
    sqlx::query(KNOW)
        .bind(name) // ?1
        .bind(BUILD)
        .bind(known.stored())
}

/// Binds the parameters of [`CLEAR`].
pub(in crate::stores) fn clear(name: &str) -> [Statement<'_>; 4] {
    CLEAR.map(|text| sqlx::query(text).bind(name).bind(BUILD)) // ?1, ?2
}

/// Binds the parameters of [`PARTITION`].
pub(in crate::stores) fn partition(
    key: PartitionKey<'_>,
    cursor: Cursor,
    token: i64,
) -> Statement<'_> {
    let place = cursor.place();
    sqlx::query(PARTITION)
        .bind(key.name) // ?1
        .bind(BUILD)
        .bind(key.partition)
        .bind(place.epoch)
        .bind(signed(place.tx))
        .bind(signed(place.position))
        .bind(event_id(cursor))
        .bind(now())
        .bind(token)
}

/// The id of the event at a cursor, as a value.
fn event_id(cursor: Cursor) -> Option<Vec<u8>> {
    cursor.event_id().map(|id| id.as_bytes().to_vec())
}

/// Binds the parameters of [`REPARTITION`].
pub(in crate::stores) fn repartition(name: &str) -> Statement<'_> {
    sqlx::query(REPARTITION).bind(name).bind(BUILD) // ?1, ?2
}

/// Binds the parameters of [`COUNT`].
pub(in crate::stores) fn count(name: &str, partitions: u16) -> Statement<'_> {
    sqlx::query(COUNT).bind(name).bind(BUILD).bind(partitions) // ?1 to ?3
}

/// Binds the parameters of [`UNSTOP`].
pub(in crate::stores) fn unstop(name: &str) -> Statement<'_> {
    sqlx::query(UNSTOP).bind(name).bind(BUILD) // ?1, ?2
}

/// Binds the parameters of [`TAKE`].
pub(in crate::stores) fn take<'a>(
    key: PartitionKey<'a>,
    owner: &'a Uuid,
    lease: Duration,
) -> Statement<'a> {
    sqlx::query(TAKE)
        .bind(key.name) // ?1
        .bind(BUILD)
        .bind(key.partition)
        .bind(blob(owner.as_bytes()))
        .bind(now())
        .bind(end(lease))
        .bind(key.partitions)
}

/// Binds the parameters of [`IS_FREE`].
pub(in crate::stores) fn is_free<'a>(key: PartitionKey<'a>, owner: &'a Uuid) -> Statement<'a> {
    sqlx::query(IS_FREE)
        .bind(key.name) // ?1
        .bind(BUILD)
        .bind(key.partition)
        .bind(blob(owner.as_bytes()))
        .bind(now())
        .bind(key.partitions)
}

/// Binds the parameters of [`RENEW`].
pub(in crate::stores) fn renew(owner: &Uuid, lease: Duration) -> Statement<'_> {
    sqlx::query(RENEW)
        .bind(blob(owner.as_bytes())) // ?1
        .bind(end(lease))
}

/// Binds the parameter of [`RELEASE`].
pub(in crate::stores) fn release(owner: &Uuid) -> Statement<'_> {
    sqlx::query(RELEASE).bind(blob(owner.as_bytes())) // ?1
}

/// Binds the parameters of [`STOP`].
pub(in crate::stores) fn stop<'a>(
    key: PartitionKey<'a>,
    token: i64,
    reason: &'a str,
) -> Statement<'a> {
    sqlx::query(STOP)
        .bind(key.name) // ?1
        .bind(BUILD)
        .bind(key.partition)
        .bind(token)
        .bind(reason)
}

/// Binds the parameters of [`PAUSE`].
pub(in crate::stores) fn pause(name: &str, is_paused: bool) -> Statement<'_> {
    sqlx::query(PAUSE).bind(name).bind(BUILD).bind(is_paused) // ?1 to ?3
}

/// Binds the parameters of [`SETTLE`].
pub(in crate::stores) fn settle<'a>(step: &Step<'a>) -> Statement<'a> {
    let (from, to) = (step.from.place(), step.to.place());
    sqlx::query(SETTLE)
        .bind(step.key.name) // ?1
        .bind(BUILD)
        .bind(step.key.partition)
        .bind(step.token)
        .bind(from.epoch)
        .bind(signed(from.tx))
        .bind(signed(from.position))
        .bind(to.epoch)
        .bind(signed(to.tx))
        .bind(signed(to.position)) // ?10
        .bind(event_id(step.to))
        .bind(signed(step.handled))
        .bind(now())
        .bind(end(step.lease))
}

/// Binds the parameters of [`STATES`].
pub(in crate::stores) fn states(name: Option<&str>) -> Statement<'_> {
    sqlx::query(STATES).bind(name).bind(BUILD) // ?1, ?2
}
