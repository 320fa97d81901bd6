//! Water tanks: events that most readers ignore, in this year's form, in last year's and in next year's.

use crate::counting::Remote;
use chrono::{DateTime, Utc};
use eventlogs::{
    Aggregate, AggregationCache, Event, EventRecord, EventStore, LogManager, LogManagerOptions,
    MemoryAggregationCache, TieredAggregationCache, event_handler,
};
use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Event)]
#[event(log_type = "tank")]
pub(crate) enum TankEvent {
    #[event(name = "tank.filled")]
    Filled { litres: u64 },
    #[event(name = "tank.drained")]
    Drained { litres: u64 },
    #[event(name = "tank.painted", alias = "tank.coloured")]
    Painted { colour: String },
    /// An inspection in version 1 was a filling of the tank in truth.
    #[event(name = "tank.inspected", version = 2, upcast(1 = filled_for_inspection))]
    Inspected { by: String },
    #[event(name = "tank.moved")]
    Moved { place: String },
    #[event(name = "tank.cleaned")]
    Cleaned,
    #[event(name = "tank.rated")]
    Rated { stars: u64 },
    /// Version 2 of the next release is a filling if it has litres.
    #[event(name = "tank.named", accept(2 = named_from_v2))]
    Named { name: String },
}

#[derive(Deserialize)]
struct NamedV2 {
    name: String,
    litres: u64,
}

fn named_from_v2(NamedV2 { name, litres }: NamedV2) -> TankEvent {
    match litres {
        0 => TankEvent::Named { name },
        litres => TankEvent::Filled { litres },
    }
}

#[derive(Clone, Copy, Deserialize)]
struct InspectedV1 {
    litres: u64,
}

fn filled_for_inspection(old: InspectedV1) -> TankEvent {
    TankEvent::Filled { litres: old.litres }
}

/// The events as an earlier release wrote them.
pub(crate) mod last_year {
    use eventlogs::Event;

    #[derive(Debug, Clone, PartialEq, Event)]
    #[event(log_type = "tank")]
    pub(crate) enum TankEvent {
        #[event(name = "tank.filled")]
        Filled { litres: u64 },
        #[event(name = "tank.inspected")]
        Inspected { litres: u64 },
        #[event(name = "tank.coloured")]
        Coloured { colour: String },
    }
}

/// The events as a later release writes them.
pub(crate) mod next_year {
    use eventlogs::Event;

    #[derive(Debug, Clone, PartialEq, Event)]
    #[event(log_type = "tank")]
    pub(crate) enum TankEvent {
        #[event(name = "tank.filled")]
        Filled { litres: u64 },
        #[event(name = "tank.painted", version = 2, upcast(1 = painted))]
        Painted { colour: u32 },
        #[event(name = "tank.inspected", version = 3, upcast(1 = painted, 2 = painted))]
        Inspected { by: String },
        #[event(name = "tank.named", version = 2, upcast(1 = painted))]
        Named { name: String, litres: u64 },
        #[event(name = "tank.sold")]
        Sold,
    }

    fn painted(colour: u32) -> TankEvent {
        TankEvent::Painted { colour }
    }
}

/// The events of another program, under the same names: this one cannot decode their payloads.
pub(crate) mod garbage {
    use eventlogs::Event;

    #[derive(Debug, Clone, PartialEq, Event)]
    #[event(log_type = "tank")]
    pub(crate) enum TankEvent {
        #[event(name = "tank.filled")]
        Filled { litres: String },
        #[event(name = "tank.painted", alias = "tank.coloured")]
        Painted { colour: Vec<u8> },
        #[event(name = "tank.inspected", version = 2, upcast(1 = inspected))]
        Inspected { by: Vec<u8> },
        #[event(name = "tank.moved")]
        Moved { place: Vec<u8> },
        #[event(name = "tank.cleaned")]
        Cleaned { how: Vec<u8> },
        #[event(name = "tank.rated")]
        Rated { stars: Vec<u8> },
        #[event(name = "tank.named")]
        Named { name: Vec<u8> },
    }

    fn inspected(by: Vec<u8>) -> TankEvent {
        TankEvent::Inspected { by }
    }
}

/// The events of another program, in a version that this one accepts.
pub(crate) mod next_year_s_garbage {
    use eventlogs::Event;

    #[derive(Debug, Clone, PartialEq, Event)]
    #[event(log_type = "tank")]
    pub(crate) enum TankEvent {
        #[event(name = "tank.named", version = 2, upcast(1 = named))]
        Named { name: Vec<u8> },
    }

    fn named(name: Vec<u8>) -> TankEvent {
        TankEvent::Named { name }
    }
}

/// Ignores six variants, one of them with an upcaster, and looks at no record.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = TankEvent)]
pub(crate) struct Level {
    pub(crate) filled: u64,
    pub(crate) drained: u64,
    pub(crate) changes: u64,
}

#[event_handler(TankEvent, ignore(Painted | Inspected | Moved | Cleaned | Rated | Named))]
impl Level {
    #[on(Filled)]
    fn fill(&mut self, litres: u64) {
        self.filled += litres;
        self.changes += 1;
    }

    #[on(Drained)]
    fn drain(&mut self, litres: u64) {
        self.drained += litres;
        self.changes += 1;
    }
}

/// Ignores one variant, and looks at no record.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = TankEvent)]
pub(crate) struct Looks {
    pub(crate) colours: String,
    pub(crate) inspections: u64,
}

#[event_handler(TankEvent, ignore(Filled | Drained | Moved | Cleaned | Rated | Named))]
impl Looks {
    #[on(Painted)]
    fn paint(&mut self, colour: &str) {
        self.colours.push_str(colour);
    }

    #[on(Inspected)]
    fn inspect(&mut self) {
        self.inspections += 1;
    }
}

/// What a handler saw of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) index: u64,
    pub(crate) occurred_at: Option<DateTime<Utc>>,
    pub(crate) user: Option<String>,
}

impl Seen {
    fn of<E>(record: &impl EventRecord<E>) -> Self {
        let user = record.metadata().get("user");
        Self {
            index: record.index(),
            occurred_at: record.occurred_at(),
            user: user.and_then(|user| user.as_text()).map(ToOwned::to_owned),
        }
    }
}

/// Ignores six variants, and looks at records.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = TankEvent)]
pub(crate) struct Book {
    pub(crate) lines: Vec<Seen>,
}

#[event_handler(TankEvent, ignore(Painted | Inspected | Moved | Cleaned | Rated | Named))]
impl Book {
    #[on(Filled | Drained)]
    fn note(&mut self, #[record] record: &impl EventRecord<TankEvent>) {
        self.lines.push(Seen::of(record));
    }
}

/// Written by hand: it sees everything.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct ByHand {
    pub(crate) lines: Vec<(TankEvent, Seen)>,
}

impl Aggregate for ByHand {
    type Event = TankEvent;

    fn apply(&mut self, record: &impl EventRecord<TankEvent>) {
        let event = record.event().clone();
        self.lines.push((event, Seen::of(record)));
    }
}

pub(crate) fn manager<A: Aggregate>(
    store: impl EventStore<A::Event>,
    cache: impl AggregationCache<A>,
) -> LogManager<A> {
    LogManager::new(store, cache, LogManagerOptions::default())
}

/// Makes one manager per kind of cache: in the process, elsewhere, and both.
pub(crate) fn with_every_cache<A: Aggregate>(
    store: &(impl EventStore<A::Event> + Clone),
) -> [LogManager<A>; 3] {
    let near = MemoryAggregationCache::default;
    [
        manager(store.clone(), near()),
        manager(store.clone(), Remote::default()),
        manager(
            store.clone(),
            TieredAggregationCache::new(near(), Remote::default()),
        ),
    ]
}
