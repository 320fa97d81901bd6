//! Values as databases hold them.

use crate::ids::LogId;

/// The scope of a key as databases hold it. Zeros stand for all logs, so the log of that id has another number.
pub(in crate::stores) fn stored_scope(scope: Option<&LogId>) -> &[u8; 16] {
    const ALL_LOGS: &[u8; 16] = &[0; 16];
    const NIL_LOG: &[u8; 16] = b"eventlogs nil id";
    match scope {
        None => ALL_LOGS,
        Some(log_id) if log_id.as_bytes() == ALL_LOGS => NIL_LOG,
        Some(log_id) => log_id.as_bytes(),
    }
}
