//! Promises of a feed, for every store.

mod helpers;
mod places;
mod reading;
mod sizes;
mod wanted;
mod writing;

pub use helpers::FeedStore;
pub use places::*;
pub use reading::*;
pub use sizes::*;
pub use wanted::*;
pub use writing::*;
