//! The values of a batch, as the arrays that the statements take.

use super::statements::Statements;
use crate::ids::LogId;
use crate::stores::Expected;
use crate::stores::decoded::signed;
use crate::stores::encoded::{EncodedAppend, EncodedEvent, EncodedKey, EncodedWrite};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, SqlStr};
use uuid::Uuid;

/// A statement with its values.
pub(super) type Statement<'a> = Query<'a, Postgres, PgArguments>;

/// Writes that build on one another, as one: the chain of writes to one log, or a single write.
pub(super) type Group<'a, 'b> = &'b [&'a EncodedWrite];

/// The insert of a batch. A write to several logs must be alone in its batch.
pub(super) fn insert<'a>(statements: &Statements, groups: &[Group<'a, '_>]) -> Statement<'a> {
    let writes = || groups.iter().copied().flatten();
    if writes().any(|write| write.is_about_several_logs()) {
        return whole(&statements.append_many, groups);
    }
    let single = |group: &Group<'_, '_>| matches!(group, [write] if write.event_count() == 1);
    if !groups.iter().all(single) {
        return whole(&statements.append_whole, groups);
    }
    if writes().all(|write| write.key.is_none()) {
        return match groups {
            [[write]] => one(statements, write),
            _ => Heads::of(groups).bind(sqlx::query(statements.append_plain.clone())),
        };
    }
    if writes().all(|write| write.key.is_some()) {
        // By the ids of the events, among which the statement searches.
        let mut groups = groups.to_vec();
        groups.sort_unstable_by_key(|group| group.first().map(|write| write.first.head.id));
        let statement = Heads::of(&groups).bind(sqlx::query(statements.append_keyed.clone()));
        let writes = groups.iter().copied().flatten();
        let keys = || writes.clone().filter_map(|write| write.key.as_ref());
        return statement
            .bind(keys().map(scope).collect::<Vec<_>>())
            .bind(keys().map(|key| key.key.as_bytes()).collect::<Vec<_>>())
            .bind(sparse(keys().map(request_hash).collect()));
    }
    whole(&statements.append_whole, groups)
}

/// The insert of one write in a transaction of the caller's.
pub(super) fn insert_in<'a>(statements: &Statements, write: &'a EncodedWrite) -> Statement<'a> {
    whole(&statements.append_in, &[&[write]])
}

/// The question why writes did not come back, one row a log.
pub(super) fn why<'a>(statement: &SqlStr, writes: &[&'a EncodedWrite]) -> Statement<'a> {
    let rows = writes.iter().flat_map(|write| {
        write
            .appends()
            .map(move |append| (append, write.key.as_ref()))
    });
    let mut log_ids = Vec::new();
    let mut indices = Vec::new();
    let mut scopes = Vec::new();
    let mut keys = Vec::new();
    for (append, key) in rows {
        log_ids.push(Uuid::from(append.log_id));
        indices.push(signed(append.first_index));
        scopes.push(key.map(scope));
        keys.push(key.map(|key| key.key.as_bytes()));
    }
    sqlx::query(statement.clone())
        .bind(log_ids)
        .bind(indices)
        .bind(scopes)
        .bind(keys)
}

/// The zero id stands for all logs.
pub(super) fn scope_of(scope: Option<LogId>) -> Uuid {
    scope.map_or(Uuid::nil(), Uuid::from)
}

fn scope(key: &EncodedKey) -> Uuid {
    scope_of(key.scope)
}

fn request_hash(key: &EncodedKey) -> Option<&[u8]> {
    let fingerprint = key.request_fingerprint.as_ref();
    fingerprint.map(|fingerprint| &fingerprint.as_bytes()[..])
}

/// A column without any value is sent as an empty array: `unnest` fills up with nulls what is shorter than the rest, and an
/// element beyond the end of an array is null, too.
fn sparse<T>(values: Vec<Option<T>>) -> Vec<Option<T>> {
    if values.iter().any(Option::is_some) {
        values
    } else {
        Vec::new()
    }
}

/// The version as the column holds it. Versions are small; one beyond the column's range is refused on reading.
fn version(event: &EncodedEvent) -> i16 {
    i16::try_from(event.event_type.version).unwrap_or(i16::MAX)
}

/// The predecessor that the caller saw.
fn previous(append: &EncodedAppend) -> Option<Uuid> {
    match append.expected {
        Expected::After { event_id, .. } => event_id.map(Uuid::from),
        Expected::NewLog => None,
    }
}

fn one<'a>(statements: &Statements, write: &'a EncodedWrite) -> Statement<'a> {
    let append = &write.first;
    let previous = previous(append);
    let statement = if previous.is_some() {
        &statements.append_next
    } else {
        &statements.append_one
    };
    sqlx::query(statement.clone())
        .bind(Uuid::from(append.log_id))
        .bind(signed(append.first_index))
        .bind(Uuid::from(append.head.id))
        .bind(previous)
        .bind(append.head.event_type.name)
        .bind(version(&append.head))
        .bind(append.head.codec)
        .bind(append.head.payload.as_slice())
        .bind(write.occurred_at)
        .bind(append.log_type.as_deref())
        .bind(write.metadata.as_deref())
}

fn whole<'a>(statement: &SqlStr, groups: &[Group<'a, '_>]) -> Statement<'a> {
    let statement = Heads::of(groups).bind(sqlx::query(statement.clone()));
    let statement = Tails::of(groups).bind(statement);
    Keys::of(groups).bind(statement)
}

/// Values 1 to 11: the first event of each log of a group, its guard included.
struct Heads<'a> {
    places: Events<'a>,
    previous: Vec<Option<Uuid>>,
    log_types: Vec<Option<&'a str>>,
}

impl<'a> Heads<'a> {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            places: Events::with_capacity(capacity),
            previous: Vec::with_capacity(capacity),
            log_types: Vec::with_capacity(capacity),
        }
    }

    fn of(groups: &[Group<'a, '_>]) -> Self {
        let mut heads = Self::with_capacity(groups.len());
        for write in groups.iter().filter_map(|group| group.first()) {
            for append in write.appends() {
                heads
                    .places
                    .push(write, append, &append.head, append.first_index);
                heads.previous.push(previous(append));
                heads.log_types.push(append.log_type.as_deref());
            }
        }
        heads
    }

    fn bind(self, statement: Statement<'a>) -> Statement<'a> {
        let places = self.places;
        statement
            .bind(places.log_ids)
            .bind(places.indices)
            .bind(places.ids)
            .bind(self.previous)
            .bind(places.types)
            .bind(places.versions)
            .bind(places.codecs)
            .bind(places.payloads)
            .bind(sparse(places.occurred_at))
            .bind(sparse(self.log_types))
            .bind(sparse(places.metadata))
    }
}

/// Values 12 to 21: all other events, each with the first event of its log in the group.
#[derive(Default)]
struct Tails<'a> {
    heads: Vec<Uuid>,
    places: Events<'a>,
}

impl<'a> Tails<'a> {
    fn of(groups: &[Group<'a, '_>]) -> Self {
        let mut tails = Self::default();
        for group in groups {
            for (nth, write) in group.iter().enumerate() {
                for append in write.appends() {
                    // All links of a chain are about one log, and hang on the first event of the first link.
                    let head = head_of(group, append);
                    // Saturating: a position beyond all logs is refused by the guard, not here.
                    let events = append.events().zip(0..).skip(usize::from(nth == 0));
                    for (event, place) in events {
                        tails.heads.push(head);
                        let index = append.first_index.saturating_add(place);
                        tails.places.push(write, append, event, index);
                    }
                }
            }
        }
        tails
    }

    fn bind(self, statement: Statement<'a>) -> Statement<'a> {
        let places = self.places;
        statement
            .bind(self.heads)
            .bind(places.log_ids)
            .bind(places.indices)
            .bind(places.ids)
            .bind(places.types)
            .bind(places.versions)
            .bind(places.codecs)
            .bind(places.payloads)
            .bind(sparse(places.occurred_at))
            .bind(sparse(places.metadata))
    }
}

/// The first event of a log in its group.
fn head_of(group: Group<'_, '_>, append: &EncodedAppend) -> Uuid {
    match group {
        [first, _, ..] => first.first.head.id.into(),
        _ => append.head.id.into(),
    }
}

/// The columns that all events have.
#[derive(Default)]
struct Events<'a> {
    log_ids: Vec<Uuid>,
    indices: Vec<i64>,
    ids: Vec<Uuid>,
    types: Vec<&'static str>,
    versions: Vec<i16>,
    codecs: Vec<i16>,
    payloads: Vec<&'a [u8]>,
    occurred_at: Vec<Option<DateTime<Utc>>>,
    metadata: Vec<Option<&'a [u8]>>,
}

impl<'a> Events<'a> {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            log_ids: Vec::with_capacity(capacity),
            indices: Vec::with_capacity(capacity),
            ids: Vec::with_capacity(capacity),
            types: Vec::with_capacity(capacity),
            versions: Vec::with_capacity(capacity),
            codecs: Vec::with_capacity(capacity),
            payloads: Vec::with_capacity(capacity),
            occurred_at: Vec::with_capacity(capacity),
            metadata: Vec::with_capacity(capacity),
        }
    }

    fn push(
        &mut self,
        write: &'a EncodedWrite,
        append: &'a EncodedAppend,
        event: &'a EncodedEvent,
        index: u64,
    ) {
        self.log_ids.push(append.log_id.into());
        self.indices.push(signed(index));
        self.ids.push(event.id.into());
        self.types.push(event.event_type.name);
        self.versions.push(version(event));
        self.codecs.push(event.codec);
        self.payloads.push(&event.payload);
        self.occurred_at.push(write.occurred_at);
        self.metadata.push(write.metadata.as_deref());
    }
}

/// Values 22 to 30: the keys, one row for each log that the write of a key is about.
#[derive(Default)]
struct Keys<'a> {
    heads: Vec<Uuid>,
    scopes: Vec<Uuid>,
    texts: Vec<&'a [u8]>,
    parts: Vec<i16>,
    log_ids: Vec<Uuid>,
    first_indices: Vec<i64>,
    event_counts: Vec<i64>,
    last_event_ids: Vec<Uuid>,
    request_hashes: Vec<Option<&'a [u8]>>,
}

impl<'a> Keys<'a> {
    fn of(groups: &[Group<'a, '_>]) -> Self {
        let mut keys = Self::default();
        for group in groups {
            for write in *group {
                let Some(key) = &write.key else { continue };
                for (append, part) in write.appends().zip(0..) {
                    keys.heads.push(head_of(group, append));
                    keys.scopes.push(scope(key));
                    keys.texts.push(key.key.as_bytes());
                    keys.parts.push(part);
                    keys.log_ids.push(append.log_id.into());
                    keys.first_indices.push(signed(append.first_index));
                    keys.event_counts.push(signed(append.event_count()));
                    keys.last_event_ids.push(append.last_event_id().into());
                    keys.request_hashes.push(request_hash(key));
                }
            }
        }
        keys
    }

    fn bind(self, statement: Statement<'a>) -> Statement<'a> {
        statement
            .bind(self.heads)
            .bind(self.scopes)
            .bind(self.texts)
            .bind(self.parts)
            .bind(self.log_ids)
            .bind(self.first_indices)
            .bind(self.event_counts)
            .bind(self.last_event_ids)
            .bind(sparse(self.request_hashes))
    }
}
