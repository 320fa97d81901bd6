//! The values of writes as columns, for the statements that take arrays.

use crate::event::LogType;
use crate::ids::LogId;
use crate::stores::database::values::stored_scope;
use crate::stores::encoding::decoded::signed;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite, Requirement};
use crate::stores::request::Expected;
use crate::stores::write::StoredKey;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::iter;
use uuid::Uuid;

/// Writes that are stored as a whole or not at all: a single write, or writes that build on each other.
pub(super) type Group<'a, 'b> = &'b [&'a EncodedWrite];

/// The heads: the first event of each log of a group, with the values that its guard compares.
pub(super) struct Heads<'a> {
    pub(super) events: Events<'a>,
    pub(super) previous: Vec<Option<Uuid>>,
    pub(super) log_types: Vec<Option<&'static str>>,
    pub(super) kinds: Vec<i32>,
    pub(super) renamed: Vec<i64>,
}

impl<'a> Heads<'a> {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            events: Events::with_capacity(capacity),
            previous: Vec::with_capacity(capacity),
            log_types: Vec::with_capacity(capacity),
            kinds: Vec::with_capacity(capacity),
            renamed: Vec::new(),
        }
    }

    pub(super) fn collect(groups: &[Group<'a, '_>]) -> Self {
        let mut heads = Self::with_capacity(groups.len());
        for write in groups.iter().filter_map(|group| group.first()) {
            heads.push(write, &write.first);
        }
        heads
    }

    fn push(&mut self, write: &'a EncodedWrite, append: &'a EncodedAppend) {
        self.events
            .push(write, append, &append.head, append.first_index);
        self.previous.push(previous(append));
        self.log_types.push(log_type_name(append));
        self.kinds.push(append.log_type.number());
        push_renamed(&mut self.renamed, append.log_type);
    }
}

/// The tails: all other events.
#[derive(Default)]
pub(super) struct Tails<'a> {
    pub(super) events: Events<'a>,
}

impl<'a> Tails<'a> {
    pub(super) fn collect(groups: &[Group<'a, '_>]) -> Self {
        let mut tails = Self::default();
        for group in groups {
            for (nth, write) in group.iter().enumerate() {
                tails.push(write, &write.first, nth == 0);
            }
        }
        tails
    }

    fn push(&mut self, write: &'a EncodedWrite, append: &'a EncodedAppend, has_head: bool) {
        // Saturating: the guard, not this code, refuses a position beyond the end of all logs.
        for (event, place) in append.events().zip(0..).skip(usize::from(has_head)) {
            let index = append.first_index.saturating_add(place);
            self.events.push(write, append, event, index);
        }
    }
}

/// The columns that all events have.
#[derive(Default)]
pub(super) struct Events<'a> {
    pub(super) log_ids: Vec<Uuid>,
    pub(super) indices: Vec<i64>,
    pub(super) ids: Vec<Uuid>,
    pub(super) types: Vec<&'static str>,
    pub(super) versions: Vec<i16>,
    pub(super) codecs: Vec<i16>,
    pub(super) payloads: Vec<&'a [u8]>,
    pub(super) occurred_at: Vec<Option<DateTime<Utc>>>,
    pub(super) metadata: Vec<Option<&'a [u8]>>,
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

/// The keys: one row for each log of a write with a key.
#[derive(Default)]
pub(super) struct Keys<'a> {
    pub(super) log_ids: Vec<Uuid>,
    pub(super) scopes: Vec<Uuid>,
    pub(super) texts: Vec<&'a [u8]>,
    pub(super) parts: Vec<i16>,
    pub(super) first_indices: Vec<i64>,
    pub(super) event_counts: Vec<i64>,
    pub(super) last_event_ids: Vec<Uuid>,
    pub(super) request_hashes: Vec<Option<&'a [u8]>>,
}

impl<'a> Keys<'a> {
    pub(super) fn collect(groups: &[Group<'a, '_>]) -> Self {
        let mut keys = Self::default();
        for write in groups.iter().copied().flatten() {
            keys.push(write);
        }
        keys
    }

    /// Adds the rows of a write, if it has a key. Returns how many they are.
    fn push(&mut self, write: &'a EncodedWrite) -> usize {
        let Some(key) = &write.context.key else {
            return 0;
        };
        for (append, part) in write.appends().zip(0..) {
            self.log_ids.push(append.log_id.into());
            self.scopes.push(scope(key));
            self.texts.push(key.key.as_bytes());
            self.parts.push(part);
            self.first_indices.push(signed(append.first_index));
            self.event_counts.push(signed(append.event_count()));
            self.last_event_ids.push(append.last_event_id().into());
            self.request_hashes.push(request_hash(key));
        }
        1 + write.others.len()
    }
}

/// The logs that groups require and do not write to.
#[derive(Default)]
pub(super) struct Requirements {
    pub(super) log_ids: Vec<Uuid>,
    pub(super) indices: Vec<i64>,
    pub(super) previous: Vec<Option<Uuid>>,
    pub(super) kinds: Vec<i32>,
}

/// Groups of writes to several logs, with the number of the group of each row.
pub(super) struct Across<'a> {
    pub(super) heads: Heads<'a>,
    pub(super) tails: Tails<'a>,
    pub(super) keys: Keys<'a>,
    pub(super) requirements: Requirements,
    pub(super) groups_of_heads: Vec<i32>,
    pub(super) groups_of_keys: Vec<i32>,
    pub(super) groups_of_requirements: Vec<i32>,
}

impl<'a> Across<'a> {
    pub(super) fn collect(groups: &[Group<'a, '_>]) -> Self {
        let mut across = Self {
            heads: Heads::with_capacity(groups.len()),
            tails: Tails::default(),
            keys: Keys::default(),
            requirements: Requirements::default(),
            groups_of_heads: Vec::with_capacity(groups.len()),
            groups_of_keys: Vec::new(),
            groups_of_requirements: Vec::new(),
        };
        let mut logs = HashSet::new();
        for (group, number) in groups.iter().zip(1..) {
            across.push(group, number, &mut logs);
        }
        across
    }

    fn push(&mut self, group: Group<'a, '_>, number: i32, logs: &mut HashSet<LogId>) {
        logs.clear();
        for write in group {
            for append in write.appends() {
                let has_head = logs.insert(append.log_id);
                if has_head {
                    self.heads.push(write, append);
                    self.groups_of_heads.push(number);
                }
                self.tails.push(write, append, has_head);
            }
            let keys = self.keys.push(write);
            self.groups_of_keys.extend(iter::repeat_n(number, keys));
        }
        // If the group also writes to the log, the first event that it writes does what a requirement does: see `Pins`. A second
        // requirement of one log is the same as the first.
        for required in group.iter().flat_map(|write| &write.requirements) {
            if logs.insert(required.log_id) {
                self.requirements.push(required, &mut self.heads.renamed);
                self.groups_of_requirements.push(number);
            }
        }
    }
}

impl Requirements {
    fn push(&mut self, required: &Requirement, renamed: &mut Vec<i64>) {
        self.log_ids.push(required.log_id.into());
        self.indices.push(signed(required.expected.next_index()));
        let previous = required.expected.predecessor();
        self.previous.push(previous.map(Uuid::from));
        self.kinds.push(required.log_type.number());
        push_renamed(renamed, required.log_type);
    }
}

/// Returns the stored form of a key's scope; the zero id stands for all logs.
pub(super) fn scope_uuid(scope: Option<LogId>) -> Uuid {
    Uuid::from_bytes(*stored_scope(scope.as_ref()))
}

pub(super) fn scope(key: &StoredKey) -> Uuid {
    scope_uuid(key.scope)
}

pub(super) fn request_hash(key: &StoredKey) -> Option<&[u8]> {
    let fingerprint = key.request_fingerprint.as_ref();
    fingerprint.map(|fingerprint| &fingerprint.as_bytes()[..])
}

/// Replaces a column that holds only nulls by an empty array: `unnest` fills up shorter arrays with nulls, and an element
/// beyond the end of an array is null, too.
pub(super) fn sparse<T>(values: Vec<Option<T>>) -> Vec<Option<T>> {
    if values.iter().any(Option::is_some) {
        values
    } else {
        Vec::new()
    }
}

/// Returns the version in the type of its column. Versions are small; one beyond that range is refused on reading.
pub(super) fn version(event: &EncodedEvent) -> i16 {
    i16::try_from(event.event_type.version).unwrap_or(i16::MAX)
}

/// Returns the id of the event before, as the caller saw it.
pub(super) fn previous(append: &EncodedAppend) -> Option<Uuid> {
    append.expected.predecessor().map(Uuid::from)
}

/// Returns the name of the kind for the first event of a log, with which it is stored.
pub(super) fn log_type_name(append: &EncodedAppend) -> Option<&'static str> {
    matches!(append.expected, Expected::NewLog).then(|| append.log_type.name())
}

/// Adds the former numbers of a kind, each paired with today's number.
pub(super) fn push_renamed(renamed: &mut Vec<i64>, log_type: LogType) {
    for alias in log_type.aliases() {
        let former = i64::from(LogType::new(alias).number()) << 32;
        let pair = former | i64::from(log_type.number().cast_unsigned());
        if !renamed.contains(&pair) {
            renamed.push(pair);
        }
    }
}
