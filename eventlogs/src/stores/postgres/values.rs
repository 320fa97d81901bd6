//! The values of a batch, as the arrays that the statements take.

use crate::event::LogType;
use crate::ids::LogId;
use crate::stores::database::values::stored_scope;
use crate::stores::encoding::decoded::signed;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite};
use crate::stores::postgres::statements::Statements;
use crate::stores::request::Expected;
use crate::stores::write::StoredKey;
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
    if writes().any(|write| !write.others.is_empty()) {
        return whole(&statements.append_many, groups);
    }
    let single = |group: &Group<'_, '_>| matches!(group, [write] if write.event_count() == 1);
    if !groups.iter().all(single) {
        return whole(&statements.append_whole, groups);
    }
    if writes().all(|write| write.context.key.is_none()) {
        return match groups {
            [[write]] => one(statements, write),
            _ => Heads::of(groups).bind(sqlx::query(statements.append_plain.clone())),
        };
    }
    if writes().all(|write| write.context.key.is_some()) {
        // By the ids of the logs, among which the statement searches.
        let mut groups = groups.to_vec();
        groups.sort_unstable_by_key(|group| group.first().map(|write| write.first.log_id));
        let statement = Heads::of(&groups).bind(sqlx::query(statements.append_keyed.clone()));
        let writes = groups.iter().copied().flatten();
        let keys = || {
            writes
                .clone()
                .filter_map(|write| write.context.key.as_ref())
        };
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
            .map(move |append| (append, write.context.key.as_ref()))
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

/// The question which of these writes are stored with all their events, each under its number.
pub(super) fn own<'a>(statement: &SqlStr, writes: &[(i64, &'a EncodedWrite)]) -> Statement<'a> {
    let (mut numbers, mut log_ids, mut indices, mut ids) = (vec![], vec![], vec![], vec![]);
    for (number, write) in writes {
        for append in write.appends() {
            for (event, place) in append.events().zip(0..) {
                numbers.push(*number);
                log_ids.push(Uuid::from(append.log_id));
                indices.push(signed(append.first_index.saturating_add(place)));
                ids.push(Uuid::from(event.id));
            }
        }
    }
    sqlx::query(statement.clone())
        .bind(numbers)
        .bind(log_ids)
        .bind(indices)
        .bind(ids)
}

/// The scope of a key as it is stored; the zero id stands for all logs.
pub(super) fn scope_of(scope: Option<LogId>) -> Uuid {
    Uuid::from_bytes(*stored_scope(scope.as_ref()))
}

fn scope(key: &StoredKey) -> Uuid {
    scope_of(key.scope)
}

fn request_hash(key: &StoredKey) -> Option<&[u8]> {
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
    append.expected.predecessor().copied().map(Uuid::from)
}

/// The name of the kind, which stands with the first event of a log.
fn log_type_name(append: &EncodedAppend) -> Option<&'static str> {
    matches!(append.expected, Expected::NewLog).then(|| append.log_type.name())
}

fn one<'a>(statements: &Statements, write: &'a EncodedWrite) -> Statement<'a> {
    let append = &write.first;
    let previous = previous(append);
    let statement = if previous.is_some() {
        &statements.append_next
    } else {
        &statements.append_one
    };
    let statement = sqlx::query(statement.clone())
        .bind(Uuid::from(append.log_id))
        .bind(signed(append.first_index))
        .bind(Uuid::from(append.head.id))
        .bind(previous)
        .bind(append.head.event_type.name)
        .bind(version(&append.head))
        .bind(append.head.codec)
        .bind(append.head.payload.as_slice())
        .bind(write.context.occurred_at)
        .bind(log_type_name(append))
        .bind(write.context.metadata.as_deref());
    let number = append.log_type.number();
    if previous.is_some() {
        let former = append.log_type.aliases().iter();
        let former = former.map(|alias| LogType::new(alias).number());
        statement.bind(std::iter::once(number).chain(former).collect::<Vec<_>>())
    } else {
        let mut renamed = Vec::new();
        push_renamed(&mut renamed, append.log_type);
        statement.bind(number).bind(renamed)
    }
}

/// Adds the former numbers of a kind, each paired with the number of today.
fn push_renamed(renamed: &mut Vec<i64>, log_type: LogType) {
    for alias in log_type.aliases() {
        let former = i64::from(LogType::new(alias).number()) << 32;
        let pair = former | i64::from(log_type.number().cast_unsigned());
        if !renamed.contains(&pair) {
            renamed.push(pair);
        }
    }
}

fn whole<'a>(statement: &SqlStr, groups: &[Group<'a, '_>]) -> Statement<'a> {
    let statement = Heads::of(groups).bind(sqlx::query(statement.clone()));
    let statement = Tails::of(groups).bind(statement);
    Keys::of(groups).bind(statement)
}

/// Values 1 to 13: the first event of each log of a group, its guard included.
struct Heads<'a> {
    places: Events<'a>,
    previous: Vec<Option<Uuid>>,
    log_types: Vec<Option<&'static str>>,
    kinds: Vec<i32>,
    renamed: Vec<i64>,
}

impl<'a> Heads<'a> {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            places: Events::with_capacity(capacity),
            previous: Vec::with_capacity(capacity),
            log_types: Vec::with_capacity(capacity),
            kinds: Vec::with_capacity(capacity),
            renamed: Vec::new(),
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
                heads.log_types.push(log_type_name(append));
                heads.kinds.push(append.log_type.number());
                push_renamed(&mut heads.renamed, append.log_type);
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
            .bind(self.kinds)
            .bind(self.renamed)
    }
}

/// Values 14 to 22: all other events.
#[derive(Default)]
struct Tails<'a> {
    places: Events<'a>,
}

impl<'a> Tails<'a> {
    fn of(groups: &[Group<'a, '_>]) -> Self {
        let mut tails = Self::default();
        for group in groups {
            for (nth, write) in group.iter().enumerate() {
                for append in write.appends() {
                    // Saturating: a position beyond all logs is refused by the guard, not here.
                    let events = append.events().zip(0..).skip(usize::from(nth == 0));
                    for (event, place) in events {
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
        self.occurred_at.push(write.context.occurred_at);
        self.metadata.push(write.context.metadata.as_deref());
    }
}

/// Values 23 to 30: the keys, one row for each log that the write of a key is about.
#[derive(Default)]
struct Keys<'a> {
    log_ids: Vec<Uuid>,
    scopes: Vec<Uuid>,
    texts: Vec<&'a [u8]>,
    parts: Vec<i16>,
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
                let Some(key) = &write.context.key else {
                    continue;
                };
                for (append, part) in write.appends().zip(0..) {
                    keys.log_ids.push(append.log_id.into());
                    keys.scopes.push(scope(key));
                    keys.texts.push(key.key.as_bytes());
                    keys.parts.push(part);
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
            .bind(self.log_ids)
            .bind(self.scopes)
            .bind(self.texts)
            .bind(self.parts)
            .bind(self.first_indices)
            .bind(self.event_counts)
            .bind(self.last_event_ids)
            .bind(sparse(self.request_hashes))
    }
}
