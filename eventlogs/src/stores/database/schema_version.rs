//! The version of the tables of a database, and whether this code supports it.

use crate::stores::database::steps::refuse_newer;
use crate::stores::error::store::StoreError;
use std::sync::atomic::{AtomicI64, Ordering};

/// The version that a database had when it was last read, and the version that this code needs.
pub(in crate::stores) struct SchemaVersion {
    /// The version last read. Relaxed ordering is enough, because the number guards no other memory.
    seen: AtomicI64,
    /// The version that this code needs.
    needed: i64,
}

impl SchemaVersion {
    /// Takes the version of a database that was just opened. Missing or old tables are no error until an operation needs them.
    pub(in crate::stores) fn new(found: i64, needed: i64) -> Result<Self, StoreError> {
        refuse_newer(found, needed)?;
        let seen = AtomicI64::new(found);
        Ok(Self { seen, needed })
    }

    /// Returns `true` if the version last read is the one that this code needs. Another process may have migrated the database
    /// since then, so after `false` the version must be read again.
    pub(in crate::stores) fn is_current(&self) -> bool {
        self.seen.load(Ordering::Relaxed) == self.needed
    }

    /// Remembers a version that was read again, and returns an error if this code does not support it.
    pub(in crate::stores) fn found(&self, found: i64) -> Result<(), StoreError> {
        self.seen.store(found, Ordering::Relaxed);
        refuse_newer(found, self.needed)?;
        let needed = self.needed;
        if found == needed {
            Ok(())
        } else {
            Err(StoreError::NotMigrated { found, needed })
        }
    }
}
