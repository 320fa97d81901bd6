//! Values in the form in which databases store them.

use crate::ids::LogId;

/// Returns the scope of an idempotency key as databases store it. All zeros mean all logs, so the scope of the log whose id is
/// all zeros is stored as another value.
pub(in crate::stores) fn stored_scope(scope: Option<&LogId>) -> &[u8; 16] {
    const ALL_LOGS: &[u8; 16] = &[0; 16];
    const NIL_LOG: &[u8; 16] = b"eventlogs nil id";
    match scope {
        None => ALL_LOGS,
        Some(log_id) if log_id.as_bytes() == ALL_LOGS => NIL_LOG,
        Some(log_id) => log_id.as_bytes(),
    }
}
