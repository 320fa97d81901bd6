//! What all databases share: the queue in front of the writer, the rules of refusal, what a failed batch means, pages, and the
//! version of the tables.

pub(in crate::stores) mod log_types;
pub(in crate::stores) mod outcome;
pub(in crate::stores) mod page;
pub(in crate::stores) mod queue;
pub(in crate::stores) mod refusal;
pub(in crate::stores) mod schema_version;
pub(in crate::stores) mod steps;
pub(in crate::stores) mod telemetry;
pub(in crate::stores) mod values;
