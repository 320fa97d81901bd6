//! The schema of an enum of events.

use crate::codec::Codec;
use crate::event::{Event, EventSchema, LogType};

/// The schema of an enum of events, as the code declares it.
#[derive(Debug, Clone, Copy)]
pub struct EnumSchema {
    /// The name under which the file records it.
    pub(super) name: &'static str,
    /// The kind of its logs.
    pub(super) log_type: LogType,
    /// The number of its codec.
    pub(super) codec: i16,
    /// Its variants.
    pub(super) schema: &'static [EventSchema],
}

impl EnumSchema {
    /// Creates the schema of `E`, which the file records under `name`.
    #[must_use]
    pub fn new<E: Event>(name: &'static str) -> Self {
        Self {
            name,
            log_type: E::LOG_TYPE,
            codec: E::Codec::ID.get(),
            schema: E::SCHEMA,
        }
    }
}
