//! The outcome of each write in a failed batch.

use crate::stores::error::store::StoreError;
use std::error::Error;

impl StoreError {
    /// Returns `true` if one write of a batch may have caused the error, so that the others may succeed without it. For
    /// example, the write may be too large for the free space on the disk.
    ///
    /// Every other error concerns the whole batch: each write alone would fail with it again, and take as long to fail.
    pub(in crate::stores) const fn may_concern_one_write(&self) -> bool {
        !matches!(
            self,
            Self::OutcomeUnknown { .. }
                | Self::Unavailable { .. }
                | Self::NoPrimary { .. }
                | Self::ReadOnly { .. }
                | Self::FileReplaced { .. }
                | Self::AccessDenied { .. }
                | Self::Tls { .. }
                | Self::Closed
        )
    }

    /// Copies the error of a batch for another of its callers. A source cannot be cloned, so the source of the copy is its
    /// message. Variants that no batch returns become [`Database`](Self::Database).
    pub(in crate::stores) fn for_another_caller(&self) -> Self {
        let text = self
            .source()
            .map_or_else(|| self.to_string(), ToString::to_string);
        let source = text.into();
        match self {
            Self::Closed => Self::Closed,
            Self::NotMigrated { found, needed } => Self::NotMigrated {
                found: *found,
                needed: *needed,
            },
            Self::FileReplaced { path, .. } => Self::FileReplaced {
                path: path.clone(),
                source,
            },
            Self::ReadOnly { path, advice, .. } => Self::ReadOnly {
                path: path.clone(),
                advice,
                source,
            },
            Self::Pooler { advice, .. } => Self::Pooler { advice, source },
            Self::Corrupt { advice, .. } => Self::Corrupt { advice, source },
            Self::Tls { advice, .. } => Self::Tls { advice, source },
            Self::UnstorableName { name, .. } => Self::UnstorableName {
                name: name.clone(),
                source,
            },
            Self::OutcomeUnknown { .. } => Self::OutcomeUnknown {
                source: Some(source),
            },
            Self::Unavailable { advice, .. } => Self::Unavailable { advice, source },
            Self::NoPrimary { advice, .. } => Self::NoPrimary { advice, source },
            Self::AccessDenied { advice, .. } => Self::AccessDenied { advice, source },
            Self::InsufficientPrivilege { advice, .. } => {
                Self::InsufficientPrivilege { advice, source }
            }
            Self::StorageFull { .. } => Self::StorageFull { source },
            Self::Busy { .. } => Self::Busy { source },
            _ => Self::Database { source },
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::stores::error::store::StoreError;
    use std::error::Error;

    #[test]
    fn another_caller_gets_the_same_error_with_the_text_of_its_source() {
        let error = StoreError::ReadOnly {
            path: Some("/srv/payments.db".into()),
            advice: "grant it",
            source: "attempt to write a readonly database".into(),
        };
        let copy = error.for_another_caller();
        assert_eq!(copy.to_string(), error.to_string());
        assert_eq!(
            copy.source().map(ToString::to_string),
            error.source().map(ToString::to_string)
        );
        let unknown = StoreError::OutcomeUnknown { source: None }.for_another_caller();
        assert!(matches!(
            unknown,
            StoreError::OutcomeUnknown { source: Some(_) }
        ));
    }
}
