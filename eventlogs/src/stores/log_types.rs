//! The event enums that a store is used with in this process.

use crate::event::{Event, EventSchema, LogType};
use crate::stores::error::store::StoreError;
use std::any::TypeId;
use std::sync::{PoisonError, RwLock};

/// Notices two enums that have one kind by accident: rows hold the number of the kind only, so the store could not tell their
/// logs apart.
///
/// Two enums that share a stored event name are taken for two versions of one enum, as in a test of an upgrade.
#[derive(Default)]
pub(super) struct LogTypes {
    /// The enums that were used so far; few, so a search from the front does.
    known: RwLock<Vec<Known>>,
}

/// An enum that was used.
struct Known {
    id: TypeId,
    name: &'static str,
    log_type: LogType,
    schema: &'static [EventSchema],
}

impl LogTypes {
    /// Remembers the enum, and compares it with the others at its first use.
    pub(super) fn check<E: Event>(&self) -> Result<(), StoreError> {
        let id = TypeId::of::<E>();
        let is_known = |known: &[Known]| known.iter().any(|known| known.id == id);
        // A panic cannot leave the list half-changed: a push is its only change.
        if is_known(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if is_known(&known) {
            return Ok(());
        }
        let new = Known {
            id,
            name: std::any::type_name::<E>(),
            log_type: E::LOG_TYPE,
            schema: E::SCHEMA,
        };
        if let Some(other) = known.iter().find(|other| other.collides_with(&new)) {
            return Err(StoreError::LogTypeTwice {
                log_type: E::LOG_TYPE.name(),
                one: other.name,
                other: new.name,
            });
        }
        known.push(new);
        Ok(())
    }
}

impl Known {
    /// Whether logs of one enum would be taken for logs of the other, which has nothing to do with it.
    fn collides_with(&self, other: &Self) -> bool {
        let one_kind = self.log_type.accepts(other.log_type.number())
            || other.log_type.accepts(self.log_type.number());
        // One without names, which is written by hand, says nothing.
        let named = !self.schema.is_empty() && !other.schema.is_empty();
        let mut own = names(self.schema);
        one_kind && named && !own.any(|name| names(other.schema).any(|other| other == name))
    }
}

/// All names that a schema writes or reads.
fn names(schema: &'static [EventSchema]) -> impl Iterator<Item = &'static str> {
    let entry = |entry: &'static EventSchema| {
        std::iter::once(entry.event_type.name).chain(entry.aliases.iter().copied())
    };
    schema.iter().flat_map(entry)
}
