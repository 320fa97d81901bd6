//! The inserts: each file, and the function that binds its parameters in the order of their numbers. The comment at the start
//! of the file describes the parameters.

use crate::event::LogType;
use crate::stores::encoding::decoded::signed;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::postgres::statements::text::Statement;
use crate::stores::postgres::values::{
    Across, Group, Heads, Keys, Tails, log_type_name, previous, push_renamed, request_hash, scope,
    sparse, version,
};
use sqlx::SqlStr;
use uuid::Uuid;

/// Stores one event without a key.
pub(super) const APPEND_ONE: &str = include_str!("append_one.sql");

/// Binds the parameters of [`APPEND_ONE`].
pub(super) fn append_one<'a>(statement: &SqlStr, write: &'a EncodedWrite) -> Statement<'a> {
    let log_type = write.first.log_type;
    let mut renamed = Vec::new();
    push_renamed(&mut renamed, log_type);
    bind_single(statement, write)
        .bind(log_type.number()) // $12
        .bind(renamed)
}

/// Stores one event without a key after an event whose id is known.
pub(super) const APPEND_NEXT: &str = include_str!("append_next.sql");

/// Binds the parameters of [`APPEND_NEXT`].
pub(super) fn append_next<'a>(statement: &SqlStr, write: &'a EncodedWrite) -> Statement<'a> {
    let log_type = write.first.log_type;
    let former = log_type.aliases().iter();
    let former = former.map(|alias| LogType::new(alias).number());
    let kinds: Vec<i32> = std::iter::once(log_type.number()).chain(former).collect();
    bind_single(statement, write).bind(kinds) // $12
}

/// Binds $1 to $11 of [`APPEND_ONE`] and [`APPEND_NEXT`].
fn bind_single<'a>(statement: &SqlStr, write: &'a EncodedWrite) -> Statement<'a> {
    let append = &write.first;
    sqlx::query(statement.clone())
        .bind(Uuid::from(append.log_id)) // $1
        .bind(signed(append.first_index))
        .bind(Uuid::from(append.head.id))
        .bind(previous(append))
        .bind(append.head.event_type.name) // $5
        .bind(version(&append.head))
        .bind(append.head.codec)
        .bind(append.head.payload.as_slice())
        .bind(write.context.occurred_at)
        .bind(log_type_name(append)) // $10
        .bind(write.context.metadata.as_deref())
}

/// Stores single events without keys.
pub(super) const APPEND_SINGLES: &str = include_str!("append_singles.sql");

/// Binds the parameters of [`APPEND_SINGLES`].
pub(super) fn append_singles<'a>(statement: &SqlStr, groups: &[Group<'a, '_>]) -> Statement<'a> {
    bind_heads(statement, Heads::collect(groups))
}

/// Stores single events with one key each.
pub(super) const APPEND_KEYED_SINGLES: &str = include_str!("append_keyed_singles.sql");

/// Binds the parameters of [`APPEND_KEYED_SINGLES`].
pub(super) fn append_keyed_singles<'a>(
    statement: &SqlStr,
    groups: &[Group<'a, '_>],
) -> Statement<'a> {
    // The statement searches among the logs, so they must be sorted.
    let mut groups = groups.to_vec();
    groups.sort_unstable_by_key(|group| group.first().map(|write| write.first.log_id));
    let writes = groups.iter().copied().flatten();
    let keys: Vec<_> = writes
        .filter_map(|write| write.context.key.as_ref())
        .collect();
    bind_heads(statement, Heads::collect(&groups))
        .bind(keys.iter().map(|key| scope(key)).collect::<Vec<_>>()) // $14
        .bind(
            keys.iter()
                .map(|key| key.key.as_bytes())
                .collect::<Vec<_>>(),
        )
        .bind(sparse(keys.iter().map(|key| request_hash(key)).collect()))
}

/// Stores groups of events, each for a different log.
pub(super) const APPEND_GROUPS: &str = include_str!("append_groups.sql");
/// Stores one write to one log in a transaction of the caller.
pub(super) const APPEND_IN: &str = include_str!("append_in.sql");

/// Binds the parameters of [`APPEND_GROUPS`] and [`APPEND_IN`].
pub(super) fn append_groups<'a>(statement: &SqlStr, groups: &[Group<'a, '_>]) -> Statement<'a> {
    let (heads, tails) = (Heads::collect(groups), Tails::collect(groups));
    bind_groups(statement, heads, tails, Keys::collect(groups))
}

/// Stores one group of writes to several logs that requires no log.
pub(super) const APPEND_WHOLE: &str = include_str!("append_whole.sql");

/// Binds the parameters of [`APPEND_WHOLE`].
pub(super) fn append_whole<'a>(statement: &SqlStr, group: Group<'a, '_>) -> Statement<'a> {
    let whole = Across::collect(&[group]);
    bind_groups(statement, whole.heads, whole.tails, whole.keys)
}

/// Stores groups of writes to one log or several.
pub(super) const APPEND_ACROSS: &str = include_str!("append_across.sql");

/// Binds the parameters of [`APPEND_ACROSS`].
pub(super) fn append_across<'a>(statement: &SqlStr, groups: &[Group<'a, '_>]) -> Statement<'a> {
    let across = Across::collect(groups);
    let requirements = across.requirements;
    bind_groups(statement, across.heads, across.tails, across.keys)
        .bind(requirements.log_ids) // $31
        .bind(requirements.indices)
        .bind(requirements.previous)
        .bind(requirements.kinds)
        .bind(across.groups_of_heads) // $35
        .bind(across.groups_of_keys)
        .bind(across.groups_of_requirements)
}

/// Binds $1 to $30 of the statements that store groups.
fn bind_groups<'a>(
    statement: &SqlStr,
    heads: Heads<'a>,
    tails: Tails<'a>,
    keys: Keys<'a>,
) -> Statement<'a> {
    let Tails { events } = tails;
    bind_heads(statement, heads)
        .bind(events.log_ids) // $14
        .bind(events.indices)
        .bind(events.ids)
        .bind(events.types)
        .bind(events.versions)
        .bind(events.codecs)
        .bind(events.payloads) // $20
        .bind(sparse(events.occurred_at))
        .bind(sparse(events.metadata))
        .bind(keys.log_ids) // $23
        .bind(keys.scopes)
        .bind(keys.texts)
        .bind(keys.parts)
        .bind(keys.first_indices)
        .bind(keys.event_counts)
        .bind(keys.last_event_ids)
        .bind(sparse(keys.request_hashes)) // $30
}

/// Binds $1 to $13 of all statements that take arrays.
fn bind_heads<'a>(statement: &SqlStr, heads: Heads<'a>) -> Statement<'a> {
    let Heads {
        events,
        previous,
        log_types,
        kinds,
        renamed,
    } = heads;
    sqlx::query(statement.clone())
        .bind(events.log_ids) // $1
        .bind(events.indices)
        .bind(events.ids)
        .bind(previous)
        .bind(events.types) // $5
        .bind(events.versions)
        .bind(events.codecs)
        .bind(events.payloads)
        .bind(sparse(events.occurred_at))
        .bind(sparse(log_types)) // $10
        .bind(sparse(events.metadata))
        .bind(kinds)
        .bind(renamed)
}
