//! What the macros' output does at run time.

// Generated code is silent under the strictest lints, too.
#![warn(clippy::nursery)]
#![allow(
    clippy::redundant_pub_crate,
    reason = "it contradicts `unreachable_pub`, which the project follows"
)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "handlers, upcasters and functions for serde take what they are given"
)]

mod caching;
mod decoding;
mod dispatch;
mod fingerprints;
mod flatten;
mod payloads;
mod serde_attributes;
mod support;
mod versions;
