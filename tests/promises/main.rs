//! What eventlogs promises, tried on every store and every cache.

mod bad_cache;
mod bad_input;
mod caching;
mod concurrency;
mod conformance;
mod decide;
mod fold;
mod gated;
mod hot_log;
mod keys;
mod manager;
mod many;
mod metadata;
mod metrics;
mod model;
mod on_its_way;
mod payments;
mod postgres;
mod processes;
mod proxy;
mod reading;
mod redis;
mod servers;
mod sqlite_file;
mod telemetry;
mod testing_kit;
