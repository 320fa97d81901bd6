//! Projections: read models that follow the feed.

#[cfg(feature = "_database")]
pub(crate) mod catch_up;
pub(crate) mod checkpoint;
pub(crate) mod contract;
pub(crate) mod database;
pub(crate) mod handler;
mod kinds;
pub(crate) mod known;
pub(crate) mod page;
pub(crate) mod parked;
pub(crate) mod row;
pub(crate) mod row_error;
pub(crate) mod rows;
pub(crate) mod table;

#[cfg(feature = "_database")]
pub use catch_up::CatchUpError;
pub use checkpoint::{
    Checkpoint, CheckpointStore, PartitionKey, PartitionState, ProjectionStore,
    ProjectionTransaction, RegisterError, Registration, Step,
};
pub use contract::Projection;
pub use database::{Database, Elsewhere, Postgres, Sqlite};
pub use handler::{HandlerError, HandlerOutcome, Subscriber};
pub use page::{EventPage, PageError};
pub use parked::{ParkedChange, ParkedEvent, ParkedLog, ParkedWish};
pub use row::{ProjectedRow, RememberedKeys, ResumableRow, RowContent, RowHandler, RowKeys};
pub use row_error::RowError;
pub use rows::Rows;
pub use table::{RowChanges, RowDatabase, RowKeyStatements, RowStatements, RowTable};
