//! The guide: one page per task.
//!
//! | After this page you can | |
//! |---|---|
//! | [`getting_started`] | write and run your first program, with or without the macros |
//! | [`deciding`] | change a log under concurrency, and retry requests safely |
//! | [`errors`] | turn errors into responses, and serve `ETag`, `If-Match` and `Idempotency-Key` |
//! | [`several_logs`] | write to several logs, or to a log and your own tables, all or nothing |
//! | [`read_models`] | list and search logs, and keep tables that follow the events |
//! | [`following`] | read all events of a store in one order, and continue where you were |
//! | [`time_and_metadata`] | record when events happened and on whose behalf, and look into a log's past |
//! | [`caching`] | choose a cache, decide which aggregates it keeps, and whom it trusts |
//! | [`evolution`] | rename, reshape, split, merge and retire events while their logs live on |
//! | [`releases`] | roll out a release that writes new events, and roll it back |
//! | [`testing`] | test decisions without a database, and stores and caches of your own |
//! | [`operation`] | run a service on PostgreSQL, SQLite and Redis |
//! | [`promises`] | rely on what every store and every cache promises |
//!
//! The pages of the items say more: [`LogManager`](crate::LogManager) is what services call, and
//! [`derive(Event)`](macro@crate::Event), [`derive(Aggregate)`](macro@crate::Aggregate),
//! [`derive(Projection)`](macro@crate::Projection) and [`#[event_handler]`](macro@crate::event_handler) show every attribute in an
//! example.

#[doc = include_str!("guide/getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("guide/deciding.md")]
pub mod deciding {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/several_logs.md")]
pub mod several_logs {}

#[doc = include_str!("guide/read_models.md")]
pub mod read_models {}

#[doc = include_str!("guide/following.md")]
pub mod following {}

#[doc = include_str!("guide/time_and_metadata.md")]
pub mod time_and_metadata {}

#[doc = include_str!("guide/caching.md")]
pub mod caching {}

#[doc = include_str!("guide/evolution.md")]
pub mod evolution {}

#[doc = include_str!("guide/releases.md")]
pub mod releases {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/operation.md")]
pub mod operation {}

#[doc = include_str!("guide/promises.md")]
pub mod promises {}
