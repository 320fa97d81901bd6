//! What the macros' output does at run time.

#![allow(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "handlers, upcasters and functions for serde take what they are given"
)]

mod caching;
mod decoding;
mod dispatch;
mod fingerprints;
mod payloads;
mod serde_attributes;
mod support;
mod versions;
