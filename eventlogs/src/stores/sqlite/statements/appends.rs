//! The statements of a batch: each file, and the function that binds its parameters in their order.
//!
//! `begin` is in one text with the statement after it, and `commit` with the statement before it: SQLite runs in its own
//! thread, and each text costs one round trip to that thread.
//!
//! The parameters of a list of rows have no numbers (`?`, not `?1`): SQLite keeps the numbers in a list, and sqlx looks up each
//! of them when it binds. SQLite searches the list from the start, so a thousand parameters would take half a million steps.

use crate::stores::encoding::decoded::signed;
use crate::stores::idempotency::RequestFingerprint;
use crate::stores::request::Expected;
use crate::stores::sqlite::statements::text::{BySize, LARGEST, Statement, statement};
use crate::stores::sqlite::values::{Asked, EventRow, KeyRow, Stamp, blob, scope};
use std::iter;
use std::sync::LazyLock;

/// Begins a transaction.
pub(in crate::stores) const BEGIN: &str = statement(include_str!("begin.sql"));
/// Commits a transaction.
pub(in crate::stores) const COMMIT: &str = statement(include_str!("commit.sql"));
/// Rolls a transaction back.
pub(in crate::stores) const ROLLBACK: &str = statement(include_str!("rollback.sql"));
/// Reads the stamp of a transaction.
const STAMP: &str = statement(include_str!("stamp.sql"));
/// Looks up the places of appends.
pub(super) const PLACES: &str = statement(include_str!("places.sql"));
/// Stores events.
pub(super) const INSERT_EVENTS: &str = statement(include_str!("insert_events.sql"));
/// Stores keys.
pub(super) const INSERT_KEYS: &str = statement(include_str!("insert_keys.sql"));
/// Looks up why appends were refused.
pub(super) const REFUSALS: &str = statement(include_str!("refusals.sql"));

/// Begins a transaction, and returns the stamp and the first places.
pub(super) const BEGIN_AND_PLACES: &[&str] = &[BEGIN, STAMP, PLACES];
/// Stores the last events of a batch.
pub(super) const INSERT_EVENTS_AND_COMMIT: &[&str] = &[INSERT_EVENTS, COMMIT];
/// Stores the last keys of a batch.
pub(super) const INSERT_KEYS_AND_COMMIT: &[&str] = &[INSERT_KEYS, COMMIT];

/// The texts with lists of rows.
static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts {
    begin_and_places: BySize::new(BEGIN_AND_PLACES),
    places: BySize::new(&[PLACES]),
    insert_events: BySize::new(&[INSERT_EVENTS]),
    insert_events_and_commit: BySize::new(INSERT_EVENTS_AND_COMMIT),
    insert_keys: BySize::new(&[INSERT_KEYS]),
    insert_keys_and_commit: BySize::new(INSERT_KEYS_AND_COMMIT),
    refusals: BySize::new(&[REFUSALS]),
});

struct Texts {
    begin_and_places: BySize,
    places: BySize,
    insert_events: BySize,
    insert_events_and_commit: BySize,
    insert_keys: BySize,
    insert_keys_and_commit: BySize,
    refusals: BySize,
}

/// Reads the stamp of a transaction that was begun.
pub(in crate::stores) fn stamp() -> Statement<'static> {
    sqlx::query(STAMP)
}

/// Begins a transaction, and looks up the places of appends, in as many texts as necessary. The first row of the first text is
/// the stamp.
pub(in crate::stores) fn begin_and_places<'a>(
    asked: &'a [Asked<'_>],
) -> impl Iterator<Item = Statement<'a>> {
    let texts = iter::once(&TEXTS.begin_and_places).chain(iter::repeat(&TEXTS.places));
    asked
        .chunks(LARGEST)
        .zip(texts)
        .map(|(asked, text)| bind_places(text, asked))
}

/// Looks up the places of appends, in as many texts as necessary.
pub(in crate::stores) fn places<'a>(asked: &'a [Asked<'_>]) -> impl Iterator<Item = Statement<'a>> {
    let chunks = asked.chunks(LARGEST);
    chunks.map(|asked| bind_places(&TEXTS.places, asked))
}

fn bind_places<'a>(text: &BySize, asked: &'a [Asked<'_>]) -> Statement<'a> {
    let statement = sqlx::query(text.for_rows(asked.len()));
    asked.iter().fold(statement, |statement, asked| {
        let predecessor = match asked.expected {
            Expected::After(position) => position.event_id_ref(),
            Expected::NewLog => None,
        };
        statement
            .bind(asked.number)
            .bind(blob(asked.log_id.as_bytes()))
            .bind(signed(asked.expected.next_index()))
            .bind(predecessor.map(|id| blob(id.as_bytes())))
            .bind(asked.key.map(|key| scope(key.scope.as_ref())))
            .bind(asked.key.map(|key| key.key.as_bytes()))
    })
}

/// Looks up why appends were refused, in as many texts as necessary.
pub(in crate::stores) fn refusals<'a>(
    asked: &'a [Asked<'_>],
) -> impl Iterator<Item = Statement<'a>> {
    asked.chunks(LARGEST).map(|asked| {
        let statement = sqlx::query(TEXTS.refusals.for_rows(asked.len()));
        asked.iter().fold(statement, |statement, asked| {
            statement
                .bind(asked.number)
                .bind(blob(asked.log_id.as_bytes()))
                .bind(signed(asked.expected.next_index()))
                .bind(asked.key.map(|key| scope(key.scope.as_ref())))
                .bind(asked.key.map(|key| key.key.as_bytes()))
        })
    })
}

/// Stores events, at most [`LARGEST`]. With `and_commit`, it commits after that.
pub(in crate::stores) fn insert_events<'a>(
    stamp: Stamp,
    rows: &[EventRow<'a>],
    and_commit: bool,
) -> Statement<'a> {
    let text = if and_commit {
        &TEXTS.insert_events_and_commit
    } else {
        &TEXTS.insert_events
    };
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
        let context = &write.context;
        // The name of the kind is stored with the first event of a log only.
        let log_type = (index == 0).then(|| append.log_type.name());
        statement
            .bind(blob(append.log_id.as_bytes()))
            .bind(signed(index))
            .bind(blob(event.id.as_bytes()))
            .bind(event.event_type.name)
            .bind(i64::from(event.event_type.version))
            .bind(event.codec)
            .bind(&event.payload[..])
            .bind(context.occurred_at.map(|time| time.timestamp_micros()))
            .bind(recorded_at)
            .bind(log_type)
            .bind(context.metadata.as_deref())
            .bind(kind)
    })
}

/// Stores keys, at most [`LARGEST`]. With `and_commit`, it commits after that.
pub(in crate::stores) fn insert_keys<'a>(rows: &[KeyRow<'a>], and_commit: bool) -> Statement<'a> {
    let text = if and_commit {
        &TEXTS.insert_keys_and_commit
    } else {
        &TEXTS.insert_keys
    };
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
            // Not a slice: the id is a temporary value, because it may be that of the last of several events.
            .bind(append.last_event_id().as_bytes().to_vec())
            .bind(fingerprint.map(RequestFingerprint::as_bytes).map(blob))
            .bind(recorded_at)
            .bind(kind)
    })
}
