//! Events that outlive the code that wrote them: `cargo run --example renaming_and_upcasting`.
//!
//! Read it from top to bottom: the events of the first release, the same events today, and `main`, which writes logs with
//! the first and reads them with the second, in one SQLite file.

use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventRecord, EventType, LogManager,
    LogManagerError, LogManagerOptions, RecordedEvent, SqliteEventStore, event_handler,
};
use serde::Deserialize;
use std::error::Error;
use std::path::Path;

/// The first release. Some machines still run it.
mod first_release {
    use super::{Aggregate, Event, event_handler};

    /// The events of a shipment.
    #[derive(Debug, Clone, Event)]
    pub(super) enum ShipmentEvent {
        /// This variant had a stored name from the beginning.
        #[event(name = "shipment.packed")]
        Packed { kilograms: u64 },
        /// This one had none, so the variant's identifier is stored.
        Sent { to: String },
        #[event(name = "shipment.insured")]
        Insured { value: u64 },
        /// A later release does not know this one.
        #[event(name = "shipment.gift_wrapped")]
        GiftWrapped,
    }

    /// The first release needs only the weight.
    #[derive(Debug, Default, Clone, Aggregate)]
    #[aggregate(event = ShipmentEvent)]
    pub(super) struct Shipment {
        kilograms: u64,
    }

    #[event_handler(ShipmentEvent, ignore(Sent | Insured | GiftWrapped))]
    impl Shipment {
        #[on(Packed)]
        fn pack(&mut self, kilograms: u64) {
            self.kilograms += kilograms;
        }
    }
}

/// Today's events. All but one of the names and shapes that the first release stored are still read.
#[derive(Debug, Clone, PartialEq, Event)]
pub enum ShipmentEvent {
    /// The variant was once called `Packed`. Renaming it needs nothing, because the name is stored, not the identifier.
    ///
    /// The weight is now in grams. That is a new version, with an upcaster from the first.
    #[event(name = "shipment.packed", version = 2, upcast(1 = boxed_from_v1))]
    Boxed {
        /// The weight with the box.
        grams: u64,
    },
    /// It got its stored name after events had been stored without one. The former name is an alias.
    #[event(name = "shipment.dispatched", alias = "Sent")]
    Dispatched {
        /// The town.
        to: String,
        /// A new field, which old events lack. Because it has a default, it needs no new version.
        #[serde(default)]
        express: bool,
    },
    /// This event has not changed.
    #[event(name = "shipment.insured")]
    Insured {
        /// In cents.
        value: u64,
    },
}

/// `shipment.packed` as version 1 stored it.
#[derive(Deserialize)]
struct PackedV1 {
    /// The weight, then in whole kilograms.
    kilograms: u64,
}

/// Upgrades an old event when it is read. The stored event stays as it is.
fn boxed_from_v1(PackedV1 { kilograms }: PackedV1) -> ShipmentEvent {
    ShipmentEvent::Boxed {
        grams: kilograms * 1_000,
    }
}

/// The aggregate knows only today's events.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = ShipmentEvent)]
pub struct Shipment {
    grams: u64,
    to: Option<String>,
}

#[event_handler(ShipmentEvent, ignore(Insured))]
impl Shipment {
    #[on(Boxed)]
    fn boxed(&mut self, grams: u64) {
        self.grams += grams;
    }

    #[on(Dispatched)]
    fn dispatch(&mut self, to: &str) {
        self.to = Some(to.to_owned());
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shipments.db");
    let (readable, unreadable) = write_with_the_first_release(&file).await?;
    read_with_today_s_code(&file, &readable, &unreadable).await
}

/// Writes two logs, one of them with an event that later code does not know.
async fn write_with_the_first_release(file: &Path) -> Result<(LogId, LogId), Box<dyn Error>> {
    use first_release::{Shipment, ShipmentEvent};
    let store = SqliteEventStore::open(file).await?;
    let shipments = manager::<Shipment>(&store);

    println!("1. The first release writes");
    let readable = LogId::new();
    let events = [
        ShipmentEvent::Packed { kilograms: 3 },
        ShipmentEvent::Sent {
            to: "Bremen".to_owned(),
        },
        ShipmentEvent::Insured { value: 40_000 },
    ];
    write(&shipments, &readable, &events).await?;

    let unreadable = LogId::new();
    let events = [
        ShipmentEvent::Packed { kilograms: 1 },
        ShipmentEvent::GiftWrapped,
    ];
    write(&shipments, &unreadable, &events).await?;
    for log_id in [readable, unreadable] {
        for record in shipments.load(&log_id, 0, 100).await? {
            println!("   {}", stored_form(&record)?);
        }
    }
    store.close().await;
    Ok((readable, unreadable))
}

/// Reads both logs with today's code.
async fn read_with_today_s_code(
    file: &Path,
    readable: &LogId,
    unreadable: &LogId,
) -> Result<(), Box<dyn Error>> {
    let store = SqliteEventStore::open(file).await?;
    let shipments = manager::<Shipment>(&store);

    println!("\n2. Today's code reads the same rows");
    for record in shipments.load(readable, 0, 100).await? {
        println!("   {}", stored_form(&record)?);
    }
    let shipment = shipments.reduce(readable).await?;
    let Shipment { grams, to } = shipment.aggregate();
    println!("   together: {grams} grams to {to:?}");

    println!("\n3. An event that the code does not know is an error, never a wrong sum");
    match shipments.reduce(unreadable).await {
        Err(error @ LogManagerError::Decode(_)) => println!("   {error}"),
        other => {
            return Err(format!("expected an event that cannot be read, got {other:?}").into());
        }
    }
    // The events before it can still be read.
    for record in shipments.load(unreadable, 0, 1).await? {
        println!("   before it: {}", stored_form(&record)?);
    }
    store.close().await;
    Ok(())
}

/// Makes a manager with an empty cache of its own, so that every event is read.
fn manager<A: Aggregate<Event: Event>>(store: &SqliteEventStore) -> LogManager<A> {
    LogManager::new(
        store.clone(),
        FakeAggregationCache::new(),
        LogManagerOptions::default(),
    )
}

/// Creates a log with these events.
async fn write<A: Aggregate>(
    logs: &LogManager<A>,
    log_id: &LogId,
    events: &[A::Event],
) -> Result<(), LogManagerError> {
    let Some((first, rest)) = events.split_first() else {
        return Ok(());
    };
    let mut state = logs
        .create(log_id, first, &CreateOptions::default())
        .await?;
    for event in rest {
        state = logs.append(state, event, &AppendOptions::default()).await?;
    }
    Ok(())
}

/// Returns the name, version and payload of an event, as its enum stores them.
fn stored_form<E: Event>(record: &RecordedEvent<E>) -> Result<String, serde_json::Error> {
    let EventType { name, version, .. } = record.event().event_type();
    let record = serde_json::to_value(record)?;
    Ok(format!("{name} version {version}: {}", record["event"]))
}
