//! An event enum as a value.

use crate::event::{Event, EventSchema, LogType};
use std::any::TypeId;

/// An event enum as a value, for code in which its type is erased.
pub(in crate::stores) struct EventEnum {
    /// The type.
    pub(in crate::stores) id: TypeId,
    /// Its name, for messages.
    pub(in crate::stores) name: &'static str,
    /// The kind of its logs.
    pub(in crate::stores) log_type: LogType,
    /// The events that it writes and reads.
    pub(in crate::stores) schema: &'static [EventSchema],
}

impl EventEnum {
    /// Describes the enum `E`.
    pub(in crate::stores) fn new<E: Event>() -> Self {
        Self {
            id: TypeId::of::<E>(),
            name: std::any::type_name::<E>(),
            log_type: E::LOG_TYPE,
            schema: E::SCHEMA,
        }
    }
}
