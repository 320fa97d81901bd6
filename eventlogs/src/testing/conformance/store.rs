//! Promises of a log, for every store.

mod appending;
mod chains;
mod errors;
mod folding;
pub(super) mod helpers;
mod idempotency;
mod identity;
mod listing;
mod many;
mod metadata;
mod pruning;
mod reading;
mod requiring;
mod scopes;
mod times;

pub use appending::*;
pub use chains::*;
pub use errors::*;
pub use folding::*;
pub use helpers::Store;
pub use idempotency::*;
pub use identity::*;
pub use listing::*;
pub use many::*;
pub use metadata::*;
pub use pruning::*;
pub use reading::*;
pub use requiring::*;
pub use scopes::*;
pub use times::*;
