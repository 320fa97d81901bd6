//! Lists of logs through a manager: cursors of APIs, and kinds.

use crate::payments::{captured, on_every_store};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventStore, ListCursor, ListOptions, ListOrder,
    LogManager, LogManagerError, LogManagerOptions, MemoryAggregationCache, event_handler,
};

fn by(order: ListOrder) -> ListOptions {
    ListOptions {
        order,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_cursor_travels_through_json_and_fits_its_own_order() {
    for (store, payments) in on_every_store().await {
        let logs = [captured(&payments).await, captured(&payments).await];
        let mut next = Vec::new();
        for (order, first) in [(ListOrder::Id, logs[0]), (ListOrder::NewestChange, logs[1])] {
            let one = ListOptions {
                limit: 1,
                ..by(order)
            };
            let page = payments.list(&one).await.unwrap();
            assert_eq!(page.logs[0].log_id, first, "{store}");
            let json = serde_json::to_string(&page.next).unwrap();
            let after: Option<ListCursor> = serde_json::from_str(&json).unwrap();
            assert_eq!(after, page.next, "{store}");
            let rest = ListOptions { after, ..by(order) };
            let rest = payments.list(&rest).await.unwrap();
            assert_eq!(rest.logs.len(), 1, "{store}");
            assert_eq!(rest.next, None, "{store}");
            next.push((order, page.next));
        }
        for (order, after) in next
            .iter()
            .zip(next.iter().rev())
            .map(|(one, other)| (one.0, other.1.clone()))
        {
            let options = ListOptions { after, ..by(order) };
            let refused = payments.list(&options).await.unwrap_err();
            let LogManagerError::OtherListOrder(other) = &refused else {
                panic!("{store}: {refused:?}");
            };
            assert_eq!(other.wanted, order, "{store}");
            assert_ne!(other.found, order, "{store}");
            assert!(
                refused.to_string().contains(&order.to_string()),
                "{refused}"
            );
        }
    }
}

/// A text of an API's caller may be any cursor.
#[tokio::test]
async fn a_cursor_from_elsewhere_harms_nothing() {
    let last = "1-ffffffff-7fffffffffffffff-7fffffffffffffff";
    for (store, payments) in on_every_store().await {
        for _ in 0..3 {
            captured(&payments).await;
        }
        for (text, found) in [
            ("id.00000000000000000000000000000000".to_owned(), 3),
            ("id.ffffffffffffffffffffffffffffffff".to_owned(), 0),
            ("change.1-0-0-0.1-0-0-0".to_owned(), 0),
            (format!("change.{last}.1-0-0-0"), 0),
            (format!("change.{last}.{last}"), 3),
            (format!("change.{last}.{last}.1-2-3"), 3),
        ] {
            let after: ListCursor = text.parse().unwrap();
            let order = if text.starts_with("id") {
                ListOrder::Id
            } else {
                ListOrder::NewestChange
            };
            let options = ListOptions {
                after: Some(after),
                ..by(order)
            };
            let page = payments.list(&options).await.unwrap();
            assert_eq!(page.logs.len(), found, "{store}: {text}");
            assert_eq!(page.next, None, "{store}: {text}");
        }
    }
}

#[derive(Debug, Clone, Event)]
#[event(log_type = "door")]
enum DoorEvent {
    Opened,
}

#[derive(Debug, Clone, Event)]
#[event(log_type = "gate", log_type_alias = "door")]
enum GateEvent {
    Opened,
}

#[derive(Debug, Clone, Event)]
enum RoofEvent {
    Opened,
}

macro_rules! counts {
    ($aggregate:ident, $event:ident) => {
        #[derive(Debug, Default, Clone, Aggregate)]
        #[aggregate(event = $event)]
        struct $aggregate {
            opened: u64,
        }

        #[event_handler($event)]
        impl $aggregate {
            #[on(Opened)]
            fn open(&mut self) {
                self.opened += 1;
            }
        }
    };
}

counts!(Door, DoorEvent);
counts!(Gate, GateEvent);
counts!(Roof, RoofEvent);

fn manager<A: Aggregate>(store: impl EventStore<A::Event>) -> LogManager<A> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(store, cache, LogManagerOptions::default())
}

async fn listed<A: Aggregate>(manager: &LogManager<A>, order: ListOrder) -> Vec<LogId> {
    let page = manager.list(&by(order)).await.unwrap();
    assert_eq!(page.next, None);
    assert_eq!(page.looked_at, 4, "it looks at logs of all kinds");
    let mut logs: Vec<_> = page.logs.iter().map(|log| log.log_id).collect();
    logs.sort_unstable();
    logs
}

/// The databases are tried by the conformance suite. One handle of the fake keeps one enum.
#[tokio::test]
async fn handles_of_the_encoding_fake_list_their_own_kinds() {
    let store = FakeEventStore::<DoorEvent>::encoding();
    let gates = manager::<Gate>(store.read_as().unwrap());
    let roofs = manager::<Roof>(store.read_as().unwrap());
    let doors = manager::<Door>(store);
    let none = CreateOptions::NONE;
    let (old, continued, new) = (LogId::new(), LogId::new(), LogId::new());
    doors.create(old, &DoorEvent::Opened, none).await.unwrap();
    let roof = LogId::new();
    roofs.create(roof, &RoofEvent::Opened, none).await.unwrap();
    doors
        .create(continued, &DoorEvent::Opened, none)
        .await
        .unwrap();
    gates.create(new, &GateEvent::Opened, none).await.unwrap();
    for order in [ListOrder::Id, ListOrder::NewestChange] {
        assert_eq!(listed(&doors, order).await, [old, continued]);
        assert_eq!(listed(&gates, order).await, [old, continued, new]);
        assert_eq!(listed(&roofs, order).await, [roof]);
    }
    // A log keeps the kind that it was created with.
    let page = gates.list(&by(ListOrder::Id)).await.unwrap();
    gates
        .append(
            page.logs[1].state(),
            &GateEvent::Opened,
            AppendOptions::NONE,
        )
        .await
        .unwrap();
    assert_eq!(page.logs[1].log_id, continued);
    let doors = doors.list(&by(ListOrder::Id)).await.unwrap();
    assert_eq!(doors.logs.len(), 2);
    assert_eq!(doors.logs[1].state().index(), 1);
}
