//! The rows of a batch: those that are looked up, and those that are stored.

use crate::ids::LogId;
use crate::stores::database::values::stored_scope;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite};
use crate::stores::request::Expected;
use crate::stores::write::StoredKey;
use std::iter;

/// An append or a requirement to look up.
pub(super) struct Asked<'a> {
    /// Its number, from 0.
    pub(super) number: i64,
    /// The log.
    pub(super) log_id: &'a LogId,
    /// Where the log must end.
    pub(super) expected: &'a Expected,
    /// The key that is looked up with it.
    pub(super) key: Option<&'a StoredKey>,
}

/// The appends and the requirements of these writes, for lookups. The key of a write goes with the first of its appends.
pub(super) fn asked<'a>(writes: impl IntoIterator<Item = &'a EncodedWrite>) -> Vec<Asked<'a>> {
    let appends = writes.into_iter().flat_map(|write| {
        let keys = iter::once(write.context.key.as_ref()).chain(iter::repeat(None));
        let appends = write
            .appends()
            .map(|append| (&append.log_id, &append.expected));
        let required = write.requirements.iter();
        let required = required.map(|required| (&required.log_id, &required.expected));
        appends.chain(required).zip(keys)
    });
    let asked = appends.zip(0..);
    let asked = asked.map(|(((log_id, expected), key), number)| Asked {
        number,
        log_id,
        expected,
        key,
    });
    asked.collect()
}

/// The values that all rows of one transaction share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// The database's epoch.
    pub(super) epoch: i64,
    /// The transaction's number: the first position that it can give out.
    pub(super) tx: i64,
}

/// A write that will be stored.
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

/// A row of the table of events.
#[derive(Clone, Copy)]
pub(super) struct EventRow<'a> {
    /// The write.
    pub(super) write: &'a EncodedWrite,
    /// The time that is recorded for it, in microseconds since 1970.
    pub(super) recorded_at: i64,
    /// The kind of the log.
    pub(super) kind: i32,
    /// The append.
    pub(super) append: &'a EncodedAppend,
    /// The event.
    pub(super) event: &'a EncodedEvent,
    /// Its index.
    pub(super) index: u64,
}

/// All events of these writes, in their order.
pub(super) fn event_rows<'a>(accepted: &[Accepted<'a>]) -> Vec<EventRow<'a>> {
    let rows = accepted.iter().flat_map(|accepted| {
        let Accepted {
            write, recorded_at, ..
        } = *accepted;
        accepted.appends().flat_map(move |(append, kind)| {
            // Not `first_index..`: a range that ends after the last possible index panics.
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

/// A row of the table of keys.
#[derive(Clone, Copy)]
pub(super) struct KeyRow<'a> {
    /// The time that is recorded for the write, in microseconds since 1970.
    pub(super) recorded_at: i64,
    /// The kind of the log.
    pub(super) kind: i32,
    /// The append to the log.
    pub(super) append: &'a EncodedAppend,
    /// The key.
    pub(super) key: &'a StoredKey,
    /// The number of the row among those of the key.
    pub(super) part: i64,
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

/// The scope of a key as it is stored.
pub(super) fn scope(log_id: Option<&LogId>) -> &[u8] {
    blob(stored_scope(log_id))
}

/// An id as it is stored.
pub(super) fn blob(id: &[u8; 16]) -> &[u8] {
    id
}
