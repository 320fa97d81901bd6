//! Lists of logs.

use crate::ids::LogId;
use uuid::Uuid;

/// Returns the first id that a log after this one may have, or that a log may have at all. Returns `None` if no id is greater.
pub(in crate::stores) fn first_id(after: Option<LogId>) -> Option<Uuid> {
    let Some(after) = after else {
        return Some(Uuid::nil());
    };
    let next = after.as_uuid().as_u128().checked_add(1)?;
    Some(Uuid::from_u128(next))
}
