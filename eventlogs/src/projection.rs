//! Projections: read models that follow the feed.

pub(crate) mod checkpoint;
pub(crate) mod contract;
pub(crate) mod database;
pub(crate) mod handler;
pub(crate) mod page;
pub(crate) mod row;
pub(crate) mod rows;
pub(crate) mod table;

pub use checkpoint::{
    Checkpoint, CheckpointStore, PartitionKey, PartitionState, ProjectionStore,
    ProjectionTransaction, RegisterError, Registration, Step,
};
pub use contract::Projection;
pub use database::{Database, Elsewhere, Postgres, Sqlite};
pub use handler::{HandlerError, HandlerOutcome, Subscriber};
pub use page::{EventPage, PageError};
pub use row::{ProjectedRow, RowError, RowHandler, RowKeys};
pub use rows::Rows;
pub use table::{RowChanges, RowDatabase, RowTable};
