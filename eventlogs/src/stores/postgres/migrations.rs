//! The migrations, as data.

/// The migrations, each with the version of the tables after it. A released migration is never changed; what is new goes
/// into a new one.
pub(super) const STEPS: [(i64, &str); 1] = [(1, include_str!("migrations/0001_events.sql"))];

/// The version that this code works with.
pub(super) const NEEDED: i64 = STEPS[STEPS.len() - 1].0;

/// Stands for the version of tables that come from another server.
pub(super) const ELSEWHERE: i64 = -1;

/// The tables that the first migration creates.
pub(super) const TABLES: [&str; 3] = ["meta", "events", "idempotency_keys"];
