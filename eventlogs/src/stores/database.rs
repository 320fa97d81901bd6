//! The code that all databases share: the queue of the writer, the rules for refusing an append, the handling of a failed
//! batch, pages, the version of the tables, and the tables of rows.

pub(in crate::stores) mod columns;
pub(in crate::stores) mod feed;
pub(in crate::stores) mod list;
pub(in crate::stores) mod log_types;
pub(in crate::stores) mod nesting;
pub(in crate::stores) mod outcome;
pub(in crate::stores) mod page;
pub(in crate::stores) mod queue;
pub(in crate::stores) mod refusal;
pub(in crate::stores) mod row_table;
pub(in crate::stores) mod schema_version;
pub(in crate::stores) mod steps;
pub(in crate::stores) mod telemetry;
pub(in crate::stores) mod values;
