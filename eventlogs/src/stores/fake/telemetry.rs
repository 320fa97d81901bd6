//! What metrics say of the store.

/// The name of the store in metrics.
pub(super) const STORE: &str = "fake";
