//! Pages of a log as databases read them.

/// A page ends early behind this many bytes of payload and metadata, so that large events cannot fill the memory.
pub(in crate::stores) const PAGE_BYTES: usize = 4 * 1024 * 1024;
