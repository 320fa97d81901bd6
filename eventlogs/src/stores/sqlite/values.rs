//! The values of the writer's statements.

use crate::ids::LogId;
use crate::stores::database::values::stored_scope;
use crate::stores::encoding::decoded::signed;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite};
use crate::stores::idempotency::RequestFingerprint;
use crate::stores::sqlite::statements::{BySize, LARGEST, STATEMENTS, Statement};
use crate::stores::write::StoredKey;
use std::iter;

/// An append that is asked about.
pub(super) struct Asked<'a> {
    /// Its number, from 0.
    number: i64,
    /// The append.
    append: &'a EncodedAppend,
    /// The key that is looked up beside it.
    key: Option<&'a StoredKey>,
}

/// The appends of writes, for questions about them. The key of a write goes with the first of its appends.
pub(super) fn asked<'a>(writes: impl IntoIterator<Item = &'a EncodedWrite>) -> Vec<Asked<'a>> {
    let appends = writes.into_iter().flat_map(|write| {
        let keys = iter::once(write.context.key.as_ref()).chain(iter::repeat(None));
        write.appends().zip(keys)
    });
    let asked = appends.zip(0..).map(|((append, key), number)| Asked {
        number,
        append,
        key,
    });
    asked.collect()
}

/// What all rows of one transaction have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// The database's epoch.
    pub(super) epoch: i64,
    /// The transaction's number: the first position that it can give out.
    pub(super) tx: i64,
}

/// A write that is going to be stored.
#[derive(Debug)]
pub(super) struct Accepted<'a> {
    /// The write.
    pub(super) write: &'a EncodedWrite,
    /// The time that is recorded for it, in microseconds since 1970.
    pub(super) recorded_at: i64,
    /// The kind of its first log.
    pub(super) kind: i32,
    /// The kinds of its other logs.
    pub(super) other_kinds: Vec<i32>,
}

impl<'a> Accepted<'a> {
    /// The appends, each with the kind of its log.
    pub(super) fn appends(&self) -> impl Iterator<Item = (&'a EncodedAppend, i32)> {
        let kinds = iter::once(&self.kind).chain(&self.other_kinds).copied();
        self.write.appends().zip(kinds)
    }
}

/// The question whether appends can be stored, in as many texts as it takes, of which the first is the one given.
pub(super) fn check<'a>(
    first: &'static BySize,
    asked: &'a [Asked<'_>],
) -> impl Iterator<Item = Statement<'a>> {
    let texts = iter::once(first).chain(iter::repeat(&STATEMENTS.check));
    asked.chunks(LARGEST).zip(texts).map(|(asked, text)| {
        let statement = sqlx::query(text.for_rows(asked.len()));
        asked.iter().fold(statement, |statement, asked| {
            let Asked {
                number,
                append,
                key,
            } = asked;
            let predecessor = append.expected.predecessor();
            statement
                .bind(*number)
                .bind(blob(append.log_id.as_bytes()))
                .bind(signed(append.first_index))
                .bind(predecessor.map(|id| blob(id.as_bytes())))
                .bind(key.map(|key| scope(key.scope.as_ref())))
                .bind(key.map(|key| key.key.as_bytes()))
        })
    })
}

/// The question why appends were refused, in as many texts as it takes.
pub(super) fn why<'a>(asked: &'a [Asked<'_>]) -> impl Iterator<Item = Statement<'a>> {
    asked.chunks(LARGEST).map(|asked| {
        let statement = sqlx::query(STATEMENTS.why.for_rows(asked.len()));
        asked.iter().fold(statement, |statement, asked| {
            let Asked {
                number,
                append,
                key,
            } = asked;
            statement
                .bind(*number)
                .bind(blob(append.log_id.as_bytes()))
                .bind(signed(append.first_index))
                .bind(key.map(|key| scope(key.scope.as_ref())))
                .bind(key.map(|key| key.key.as_bytes()))
        })
    })
}

/// A row of the table of events.
#[derive(Clone, Copy)]
pub(super) struct EventRow<'a> {
    write: &'a EncodedWrite,
    recorded_at: i64,
    kind: i32,
    append: &'a EncodedAppend,
    event: &'a EncodedEvent,
    index: u64,
}

/// All events of these writes, in their order.
pub(super) fn event_rows<'a>(accepted: &[Accepted<'a>]) -> Vec<EventRow<'a>> {
    let rows = accepted.iter().flat_map(|accepted| {
        let Accepted {
            write, recorded_at, ..
        } = *accepted;
        accepted.appends().flat_map(move |(append, kind)| {
            // Not `first_index..`: a range that ends behind all indices panics.
            append.events().zip(0..).map(move |(event, nth)| EventRow {
                write,
                recorded_at,
                kind,
                append,
                event,
                index: append.first_index.saturating_add(nth),
            })
        })
    });
    rows.collect()
}

/// Binds rows of the table of events.
pub(super) fn insert_events<'a>(
    text: &BySize,
    stamp: Stamp,
    rows: &[EventRow<'a>],
) -> Statement<'a> {
    let statement = sqlx::query(text.for_rows(rows.len()))
        .bind(stamp.epoch)
        .bind(stamp.tx);
    rows.iter().fold(statement, |statement, row| {
        let EventRow {
            write,
            recorded_at,
            kind,
            append,
            event,
            index,
        } = *row;
        // The name of the kind stands with the first event of a log only.
        let log_type = (index == 0).then(|| append.log_type.name());
        statement
            .bind(blob(append.log_id.as_bytes()))
            .bind(signed(index))
            .bind(blob(event.id.as_bytes()))
            .bind(event.event_type.name)
            .bind(i64::from(event.event_type.version))
            .bind(event.codec)
            .bind(&event.payload[..])
            .bind(
                write
                    .context
                    .occurred_at
                    .map(|time| time.timestamp_micros()),
            )
            .bind(recorded_at)
            .bind(log_type)
            .bind(write.context.metadata.as_deref())
            .bind(kind)
    })
}

/// A row of the table of keys.
#[derive(Clone, Copy)]
pub(super) struct KeyRow<'a> {
    recorded_at: i64,
    kind: i32,
    append: &'a EncodedAppend,
    key: &'a StoredKey,
    part: i64,
}

/// The keys of these writes, one row for each log that a write is about.
pub(super) fn key_rows<'a>(accepted: &[Accepted<'a>]) -> Vec<KeyRow<'a>> {
    let keyed = accepted
        .iter()
        .filter_map(|accepted| Some((accepted, accepted.write.context.key.as_ref()?)));
    let rows = keyed.flat_map(|(accepted, key)| {
        accepted
            .appends()
            .zip(0..)
            .map(move |((append, kind), part)| KeyRow {
                recorded_at: accepted.recorded_at,
                kind,
                append,
                key,
                part,
            })
    });
    rows.collect()
}

/// Binds rows of the table of keys.
pub(super) fn insert_keys<'a>(text: &BySize, rows: &[KeyRow<'a>]) -> Statement<'a> {
    let statement = sqlx::query(text.for_rows(rows.len()));
    rows.iter().fold(statement, |statement, row| {
        let KeyRow {
            recorded_at,
            kind,
            append,
            key,
            part,
        } = *row;
        let fingerprint = key.request_fingerprint.as_ref();
        statement
            .bind(scope(key.scope.as_ref()))
            .bind(key.key.as_bytes())
            .bind(part)
            .bind(blob(append.log_id.as_bytes()))
            .bind(signed(append.first_index))
            .bind(signed(append.event_count()))
            // Not a slice: it may be the last of several events, and is made here.
            .bind(append.last_event_id().as_bytes().to_vec())
            .bind(fingerprint.map(RequestFingerprint::as_bytes).map(blob))
            .bind(recorded_at)
            .bind(kind)
    })
}

/// The scope of a key as it is stored.
pub(super) fn scope(log_id: Option<&LogId>) -> &[u8] {
    blob(stored_scope(log_id))
}

fn blob(id: &[u8; 16]) -> &[u8] {
    id
}
