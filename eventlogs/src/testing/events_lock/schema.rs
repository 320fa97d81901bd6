//! The schema of an enum of events.

use crate::codec::Codec;
use crate::event::{Event, EventSchema, EventType, LogType};
use crate::testing::events_lock::error::SampleError;
use crate::testing::events_lock::samples::{self, Coding, Sample};

/// The schema of an enum of events, as the code declares it, and samples of the events.
#[derive(Debug, Clone)]
pub struct EnumSchema {
    /// The name under which the file records it.
    pub(super) name: &'static str,
    /// The kind of its logs.
    pub(super) log_type: LogType,
    /// The number of its codec.
    pub(super) codec: i16,
    /// Its variants.
    pub(super) schema: &'static [EventSchema],
    /// How it reads and writes payloads.
    pub(super) coding: Coding,
    /// Samples of its events, encoded.
    pub(super) samples: Result<Vec<(EventType, Sample)>, SampleError>,
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
            coding: Coding::of::<E>(),
            samples: Ok(Vec::new()),
        }
    }

    /// Creates the schema of `E` with samples, of which the file keeps the encoded payloads.
    ///
    /// `samples` is called twice, and must return the same events each time. If it does not, or if an event cannot be encoded,
    /// [`check`](super::check) returns the error.
    #[must_use]
    pub fn with_samples<E: Event, I: IntoIterator<Item = E>>(
        name: &'static str,
        samples: impl Fn() -> I,
    ) -> Self {
        Self {
            samples: samples::encoded(samples),
            ..Self::new::<E>(name)
        }
    }
}
