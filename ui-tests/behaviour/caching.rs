//! The rules in the attribute become the constant with the caching rules.

use crate::support::record;
use eventlogs::{
    Aggregate, Aggregation, AggregationCachingPolicy, EventRecord, ReducedThrough, event_handler,
};
use std::sync::Arc;
use std::time::Duration;

enum DoorEvent {
    Opened,
}

const LEAST: u64 = 2;

/// The same handlers, for aggregates with different rules.
macro_rules! doors {
    ($($name:ident $rules:tt)*) => {$(
        #[derive(Default, Clone, Aggregate)]
        #[aggregate(event = DoorEvent, cache $rules)]
        struct $name {
            open: bool,
        }

        #[event_handler(DoorEvent)]
        impl $name {
            #[on(Opened)]
            fn open(&mut self) {
                self.open = true;
            }
        }
    )*};
}

doors! {
    Never(never)
    Long(min_events = 3, max_events = 4)
    Constant(min_events = LEAST)
    Chosen(when = is_open)
    Short(ttl = "90m")
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
struct Silent;

#[event_handler(DoorEvent, ignore(Opened))]
impl Silent {
    #[cfg(any())]
    #[on(Opened)]
    fn never(&mut self) {}
}

fn is_open(door: &Aggregation<Chosen>) -> bool {
    door.aggregate().open
}

/// An aggregation of a log with that many events, none of which came from a cache.
fn reduced<A: Aggregate>(aggregate: A, events: u64) -> Aggregation<A> {
    let last = record(events - 1, ());
    let now = last.recorded_at();
    let reach = ReducedThrough {
        log_id: last.log_id(),
        index: last.index(),
        event_id: last.event_id(),
        created_at: now,
        updated_at: now,
    };
    Aggregation::from_parts(Arc::new(aggregate), reach, now)
}

#[test]
fn the_rules_are_those_of_the_attribute() {
    assert_eq!(
        format!("{:?}", Silent::CACHE),
        format!("{:?}", eventlogs::CacheRules::<Silent>::always())
    );
    assert_eq!(
        format!("{:?}", Never::CACHE),
        format!("{:?}", eventlogs::CacheRules::<Never>::never())
    );
    let long = eventlogs::CacheRules::<Long>::always()
        .min_events(3)
        .max_events(4);
    assert_eq!(format!("{:?}", Long::CACHE), format!("{long:?}"));
    let constant = eventlogs::CacheRules::<Constant>::always().min_events(2);
    assert_eq!(format!("{:?}", Constant::CACHE), format!("{constant:?}"));
    assert_eq!(Short::CACHE.entry_ttl(), Some(Duration::from_mins(90)));
    assert_eq!(Long::CACHE.entry_ttl(), None);
}

#[test]
fn the_users_function_is_asked() {
    let rules = format!("{:?}", Chosen::CACHE);
    assert!(rules.contains("when: true"), "{rules}");
    // No event was applied since the aggregation was cached, so the rules return `false` without regard to the function.
    assert!(!Chosen::CACHE.should_cache(&reduced(Chosen { open: true }, 1)));
    assert!(is_open(&reduced(Chosen { open: true }, 1)));
}

#[test]
fn all_doors_open() {
    fn opens<A: Aggregate<Event = DoorEvent>>() -> A {
        crate::support::fold([DoorEvent::Opened])
    }
    assert!(opens::<Never>().open && opens::<Long>().open && opens::<Constant>().open);
    assert!(opens::<Chosen>().open && opens::<Short>().open);
}
