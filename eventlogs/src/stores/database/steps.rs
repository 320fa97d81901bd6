//! The numbered steps that bring the tables of a database up to date.

use crate::stores::error::store::StoreError;

/// The tables that the first step of every database creates.
pub(in crate::stores) const TABLES: [&str; 3] = ["meta", "events", "idempotency_keys"];

/// One step of a migration. Once released, it is never changed: what is new goes into a new step.
#[derive(Debug)]
pub(in crate::stores) struct Step {
    /// The version that the tables have after it.
    pub(in crate::stores) version: i64,
    /// The statements.
    pub(in crate::stores) sql: &'static str,
}

/// All steps of one kind of database, in the order of their versions.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct Steps(&'static [Step]);

impl Steps {
    /// The steps of a database.
    pub(in crate::stores) const fn new(steps: &'static [Step]) -> Self {
        Self(steps)
    }

    /// The version that this code works with: the one after the last step.
    pub(in crate::stores) const fn needed(self) -> i64 {
        match self.0 {
            [.., last] => last.version,
            [] => 0,
        }
    }

    /// The steps that tables of this version lack. Tables without any step have version 0.
    ///
    /// # Errors
    /// [`NewerSchema`](StoreError::NewerSchema) if this code does not know the version.
    pub(in crate::stores) fn missing_steps(
        self,
        found: i64,
    ) -> Result<impl Iterator<Item = &'static Step>, StoreError> {
        refuse_newer(found, self.needed())?;
        Ok(self.0.iter().filter(move |step| step.version > found))
    }
}

/// Refuses tables that a newer version of this crate has made: this one can neither use nor migrate them.
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
    use super::{Step, Steps};
    use crate::stores::error::store::StoreError;

    const STEPS: Steps = Steps::new(&[
        Step {
            version: 1,
            sql: "one",
        },
        Step {
            version: 2,
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
