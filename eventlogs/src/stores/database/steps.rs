//! The numbered steps that migrate the tables of a database.

use crate::stores::error::store::StoreError;

/// The tables that step 1 of every database creates.
pub(in crate::stores) const EVENT_TABLES: &[&str] = &["meta", "events", "idempotency_keys"];
/// The tables that step 2 of every database creates.
pub(in crate::stores) const SUBSCRIPTION_TABLES: &[&str] = &[
    "subscriptions",
    "checkpoints",
    "parked_logs",
    "skipped_events",
    "row_keys",
];

/// One step of a migration. A released step never changes: every change is a new step.
#[derive(Debug)]
pub(in crate::stores) struct Step {
    /// The version of the tables after the step.
    pub(in crate::stores) version: i64,
    /// The tables that the step creates. A table of one of these names belongs to another program.
    pub(in crate::stores) tables: &'static [&'static str],
    /// The SQL statements.
    pub(in crate::stores) sql: &'static str,
}

/// All steps of one database product, in the order of their versions.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct Steps(&'static [Step]);

impl Steps {
    /// Takes the steps of a database product.
    pub(in crate::stores) const fn new(steps: &'static [Step]) -> Self {
        Self(steps)
    }

    /// Returns the version that this code needs: the version after the last step.
    pub(in crate::stores) const fn needed(self) -> i64 {
        match self.0 {
            [.., last] => last.version,
            [] => 0,
        }
    }

    /// Returns the steps that tables of this version lack. Before the first step the version is 0.
    ///
    /// # Errors
    /// - [`NewerSchema`](StoreError::NewerSchema) if the version is newer than this code supports.
    pub(in crate::stores) fn missing_steps(
        self,
        found: i64,
    ) -> Result<impl Iterator<Item = &'static Step>, StoreError> {
        refuse_newer(found, self.needed())?;
        Ok(self.0.iter().filter(move |step| step.version > found))
    }
}

/// Refuses tables that a newer version of this crate has migrated: this version can neither use nor migrate them.
pub(in crate::stores) fn refuse_newer(found: i64, needed: i64) -> Result<(), StoreError> {
    if found > needed {
        return Err(StoreError::NewerSchema {
            found,
            supported: needed,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{EVENT_TABLES, SUBSCRIPTION_TABLES, Step, Steps};
    use crate::stores::error::store::StoreError;

    const STEPS: Steps = Steps::new(&[
        Step {
            version: 1,
            tables: EVENT_TABLES,
            sql: "one",
        },
        Step {
            version: 2,
            tables: SUBSCRIPTION_TABLES,
            sql: "two",
        },
    ]);

    fn missing(found: i64) -> Result<Vec<&'static str>, StoreError> {
        Ok(STEPS.missing_steps(found)?.map(|step| step.sql).collect())
    }

    #[test]
    fn steps_are_taken_after_the_version_that_was_found() -> Result<(), StoreError> {
        assert_eq!(STEPS.needed(), 2);
        assert_eq!(missing(0)?, ["one", "two"]);
        assert_eq!(missing(1)?, ["two"]);
        assert!(missing(2)?.is_empty());
        assert!(matches!(
            missing(3),
            Err(StoreError::NewerSchema {
                found: 3,
                supported: 2
            })
        ));
        Ok(())
    }
}
