//! Given events, what a projection makes of them: tests of projections without a store.
#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod events;
mod handlers;
pub(in crate::testing) mod rows;
mod table;
mod tables;

pub use handlers::{ProjectionScenario, projected_by};
pub use rows::{RowScenario, projected};
pub use tables::TestDatabase;
