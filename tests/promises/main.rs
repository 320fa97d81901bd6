//! The promises of eventlogs, tested on every store and every cache.
#![allow(
    clippy::too_many_lines,
    reason = "a test tells one story from its beginning to its end"
)]

mod across;
mod bad_cache;
mod bad_input;
mod caching;
mod calls;
mod concurrency;
mod conformance;
mod counting;
mod deadlines;
mod decide;
mod errors;
mod extremes;
mod fold;
mod forgetting;
mod freshness;
mod gated;
mod guide;
mod hot_log;
mod inline;
mod kept;
mod keys;
mod keys_of_many;
mod kinds;
mod listing;
mod logged;
mod manager;
mod many;
mod metadata;
mod metrics;
mod mixture;
mod model;
mod money;
mod needs;
mod on_its_way;
mod panicking;
mod payments;
mod postgres;
mod processes;
mod projecting;
mod proxy;
mod reading;
mod redis;
mod reducing_many;
mod releases;
mod retired;
mod rows;
mod servers;
mod single_flight;
mod slow_closures;
mod sqlite_file;
mod stored_values;
mod subscriptions;
mod telemetry;
mod testing_kit;
mod true_in_the_call;
mod without_timers;
