//! Events as bytes: encoded once, in the caller's task, and decoded by every reader.
//!
//! Databases use it, and the fake that encodes as they do.

pub(in crate::stores) mod decoded;
pub(in crate::stores) mod event;
pub(in crate::stores) mod event_enum;
pub(in crate::stores) mod write;
