//! What the benches share: the events, the server, rounds in turns, and the table.

pub(crate) mod arguments;
pub(crate) mod closed_loop;
pub(crate) mod contest;
pub(crate) mod payments;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod report;
