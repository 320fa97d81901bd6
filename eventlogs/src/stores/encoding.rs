//! Events as bytes. The caller's task encodes them once, and every reader decodes them.
//!
//! The database stores use this module, and the fake store that encodes as they do.

pub(in crate::stores) mod decoded;
pub(in crate::stores) mod event;
pub(in crate::stores) mod event_enum;
pub(in crate::stores) mod records;
pub(in crate::stores) mod write;
