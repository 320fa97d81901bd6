//! What a log promises, on every store.

mod appending;
mod helpers;
mod idempotency;
mod reading;

pub use appending::*;
pub use helpers::Store;
pub use idempotency::*;
pub use reading::*;
