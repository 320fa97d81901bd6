//! The identity of an opened store.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The identity of an opened store. All handles on the store have the same id, and no other store of this process has it.
///
/// A store that was opened twice has two ids, although both keep their logs in one database.
///
/// ```
/// use eventlogs::stores::StoreId;
///
/// let id = StoreId::new();
/// let copy = id;
/// assert_eq!(copy, id);
/// assert_ne!(StoreId::new(), id);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(u64);

impl StoreId {
    /// Makes a new id, when a store is opened.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default that differs on every call would surprise in derives"
    )]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoreId({})", self.0)
    }
}
