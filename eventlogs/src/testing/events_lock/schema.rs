//! What the code says about an enum of events.

use crate::codec::Codec;
use crate::event::{Event, EventSchema, LogType};

/// What the code says about an enum of events.
#[derive(Debug, Clone, Copy)]
pub struct EnumSchema {
    /// What it is remembered as.
    pub(super) name: &'static str,
    /// The kind of its logs.
    pub(super) log_type: LogType,
    /// The number of its codec.
    pub(super) codec: i16,
    /// Its variants.
    pub(super) schema: &'static [EventSchema],
}

impl EnumSchema {
    /// The schema of `E`, to be remembered under `name`.
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
