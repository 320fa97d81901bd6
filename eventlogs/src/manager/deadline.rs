//! The caller's deadline.

use crate::stores::error::store::StoreError;
use crate::time_box::{end_at, until};

/// Limits work that writes nothing to a deadline.
pub(super) async fn in_time<T, E: From<StoreError>>(
    deadline: Option<std::time::Instant>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match deadline {
        Some(deadline) => {
            let done = until(end_at(deadline), work).await;
            done.unwrap_or_else(|| Err(StoreError::DeadlineExceeded.into()))
        }
        None => work.await,
    }
}
