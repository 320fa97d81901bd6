//! An aggregate whose state reveals every event that is missing, applied twice, out of order, or decided on another state.

use eventlogs::{
    Aggregate, AggregationCache, Event, EventRecord, EventStore, LogManager, LogManagerOptions,
    Metadata, RecordedEvent, event_handler,
};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The events of a [`Tally`].
#[derive(Debug, Clone, PartialEq, Eq, Event)]
pub(crate) enum TallyEvent {
    /// A number is counted.
    #[event(name = "tally.counted")]
    Counted {
        /// Unique among the events of a test.
        value: u64,
        /// The [`Tally::order`] that the event was decided on; 0 if it was just appended.
        basis: u64,
    },
}

/// The numbers of a log; any other order or count of them gives another tally.
#[derive(Debug, Default, Clone, PartialEq, Eq, Aggregate)]
#[aggregate(event = TallyEvent)]
pub(crate) struct Tally {
    /// The number of events.
    pub(crate) events: u64,
    /// The sum of the values.
    pub(crate) sum: u64,
    /// A digest of the events in their order.
    pub(crate) order: u64,
    /// A digest of the times of recording, which are not known while a decision waits for its commit.
    pub(crate) times: i64,
}

#[event_handler(TallyEvent)]
impl Tally {
    #[on(Counted)]
    fn count(&mut self, value: u64, basis: u64, #[record] record: &impl EventRecord<TallyEvent>) {
        self.add(value, basis);
        let time = record.recorded_at().timestamp_micros();
        self.times = self.times.wrapping_mul(31).wrapping_add(time);
    }

    /// Adds an event whose time of recording is not known.
    pub(crate) fn add(&mut self, value: u64, basis: u64) {
        self.events += 1;
        self.sum += value;
        for number in [value, basis] {
            self.order = self
                .order
                .wrapping_mul(1_000_003)
                .wrapping_add(number)
                .wrapping_add(1);
        }
    }

    /// Returns the part of the tally that a model can know.
    pub(crate) fn without_times(&self) -> Self {
        Self {
            times: 0,
            ..self.clone()
        }
    }

    /// Returns the tally of all records of a log.
    pub(crate) fn of(records: &[RecordedEvent<TallyEvent>]) -> Self {
        let mut tally = Self::default();
        for record in records {
            tally.apply(record);
        }
        tally
    }
}

/// Returns the metadata that the manager with this number stores with every event.
pub(crate) fn source_of(manager: usize) -> Metadata {
    let number = u32::try_from(manager).expect("a few managers");
    Metadata::new().with("manager", number)
}

/// Creates a manager with a cache of its own or, for an odd number, one that caches nothing and reads small pages.
pub(crate) fn tallies(
    number: usize,
    store: impl EventStore<TallyEvent>,
    cache: impl AggregationCache<Tally>,
) -> LogManager<Tally> {
    let mut options = LogManagerOptions::<Tally> {
        metadata: Some(Arc::new(move || source_of(number))),
        ..Default::default()
    };
    if number % 2 == 1 {
        options.caching_policy = Some(Arc::new(|_: &eventlogs::Aggregation<Tally>| false));
        options.page_size = NonZeroUsize::MIN.saturating_add(3);
    }
    LogManager::new(store, cache, options)
}
