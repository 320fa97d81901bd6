//! The outcome of each write in a failed batch.

use crate::stores::error::store::StoreError;

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
}
