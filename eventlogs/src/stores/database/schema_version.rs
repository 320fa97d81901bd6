//! Which version of the tables a database has, and whether this code can work with it.

use crate::stores::database::steps::refuse_newer;
use crate::stores::error::store::StoreError;
use std::sync::atomic::{AtomicI64, Ordering};

/// The version that a database was last seen to have, beside the one that this code needs.
pub(in crate::stores) struct SchemaVersion {
    /// Last seen. A number of its own, guarding nothing else, so that the relaxed order does.
    seen: AtomicI64,
    /// What this code works with.
    needed: i64,
}

impl SchemaVersion {
    /// The version of a database that was just opened. Missing or old tables are no error before somebody needs them.
    pub(in crate::stores) fn new(found: i64, needed: i64) -> Result<Self, StoreError> {
        refuse_newer(found, needed)?;
        let seen = AtomicI64::new(found);
        Ok(Self { seen, needed })
    }

    /// Whether the database can be worked with, as far as is known. Somebody else may have migrated it since, so after
    /// a no it is to be looked at again.
    pub(in crate::stores) fn is_current(&self) -> bool {
        self.seen.load(Ordering::Relaxed) == self.needed
    }

    /// Remembers what a new look has found, and says whether the database can be worked with.
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
