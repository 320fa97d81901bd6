//! The behaviour of the macros' output at run time.

// Generated code causes no warnings even under the strictest lints.
#![warn(clippy::nursery)]
#![allow(
    clippy::redundant_pub_crate,
    reason = "it contradicts `unreachable_pub`, which the project follows"
)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "the macros and serde determine the parameters of handlers, upcasters and serde functions"
)]

mod caching;
mod decoding;
mod dispatch;
mod fingerprints;
mod flatten;
mod payloads;
mod projection_code;
mod projections;
mod releases;
mod serde_attributes;
mod support;
mod versions;
