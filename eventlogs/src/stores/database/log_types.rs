//! The event enums that a store is used with in this process.

use crate::event::EventSchema;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::error::store::StoreError;
use crate::sync::{read, write};
use std::sync::RwLock;

/// Detects two enums that have the same kind by accident. Rows hold only the number of the kind, so the store could not
/// distinguish their logs.
///
/// Two enums that share a stored event name count as two versions of one enum, as in a test of an upgrade.
#[derive(Default)]
pub(in crate::stores) struct LogTypes {
    /// The enums that were used so far. They are few, so a linear search is fast enough.
    known: RwLock<Vec<EventEnum>>,
}

impl LogTypes {
    /// Compares an enum with the others at its first use, and remembers it.
    pub(in crate::stores) fn check(&self, new: EventEnum) -> Result<(), StoreError> {
        let is_known = |known: &[EventEnum]| known.iter().any(|known| known.id == new.id);
        if is_known(&read(&self.known)) {
            return Ok(());
        }
        let mut known = write(&self.known);
        if is_known(&known) {
            return Ok(());
        }
        if let Some(other) = known.iter().find(|other| collide(other, &new)) {
            return Err(StoreError::LogTypeTwice {
                log_type: new.log_type.name(),
                one: other.name,
                other: new.name,
            });
        }
        known.push(new);
        Ok(())
    }

    /// Checks the enums of all parts of a request.
    pub(in crate::stores) fn check_all(
        &self,
        request: &AppendAcrossRequest<'_>,
    ) -> Result<(), StoreError> {
        let mut parts = request.parts.iter();
        parts.try_for_each(|part| self.check(part.event_enum()))
    }
}

/// Returns `true` if the store would take logs of one enum for logs of the other, although the two enums are unrelated.
fn collide(one: &EventEnum, other: &EventEnum) -> bool {
    let one_kind = one.log_type.accepts(other.log_type.number())
        || other.log_type.accepts(one.log_type.number());
    // An enum that implements `Event` by hand may have an empty schema, which proves nothing.
    let named = !one.schema.is_empty() && !other.schema.is_empty();
    let mut own = names(one.schema);
    one_kind && named && !own.any(|name| names(other.schema).any(|other| other == name))
}

/// Returns all names that a schema writes or reads.
fn names(schema: &'static [EventSchema]) -> impl Iterator<Item = &'static str> {
    let entry = |entry: &'static EventSchema| {
        std::iter::once(entry.event_type.name).chain(entry.aliases.iter().copied())
    };
    schema.iter().flat_map(entry)
}
