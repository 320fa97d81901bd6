//! Events that outlive the code that wrote them: `cargo run --example renaming_and_upcasting`.
//!
//! Read it from top to bottom: the events as they were released first, the same events today, and `main`, which writes a
//! log with the first and reads it with the second, in one SQLite file.

use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventRecord, EventType, LogManager,
    LogManagerError, LogManagerOptions, RecordedEvent, SqliteEventStore, event_handler,
};
use serde::Deserialize;
use std::error::Error;
use std::path::Path;

/// What the first release wrote. Somebody is still running it.
mod first_release {
    use super::{Aggregate, Event, event_handler};

    /// What can happen to a shipment.
    #[derive(Debug, Clone, Event)]
    pub(super) enum ShipmentEvent {
        /// The name that is stored was thought of at once.
        #[event(name = "shipment.packed")]
        Packed { kilograms: u64 },
        /// Here it was not: the variant's own name is stored.
        Sent { to: String },
        #[event(name = "shipment.insured")]
        Insured { value: u64 },
        /// A later release has lost sight of this one.
        #[event(name = "shipment.gift_wrapped")]
        GiftWrapped,
    }

    /// The first release only cared for the weight.
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

/// What is written today. Every name and every shape that was ever stored is still read.
#[derive(Debug, Clone, PartialEq, Event)]
pub enum ShipmentEvent {
    /// The variant was `Packed` once. That needs nothing: what is stored is the name.
    ///
    /// It is counted in grams now, which is a new version with a way up from the first.
    #[event(name = "shipment.packed", version = 2, upcast(1 = boxed_from_v1))]
    Boxed {
        /// With the box.
        grams: u64,
    },
    /// It got a stored name after it had been stored without one; the former name is an alias.
    #[event(name = "shipment.dispatched", alias = "Sent")]
    Dispatched {
        /// The town.
        to: String,
        /// A new field that old events do not have; no new version is needed where there is a default.
        #[serde(default)]
        express: bool,
    },
    /// What it was insured for has not changed at all.
    #[event(name = "shipment.insured")]
    Insured {
        /// In cents.
        value: u64,
    },
}

/// `shipment.packed` as version 1 stored it.
#[derive(Deserialize)]
struct PackedV1 {
    /// Nothing was lighter than a kilogram in those days.
    kilograms: u64,
}

/// Old events become events of today when they are read; what is stored stays as it is.
fn boxed_from_v1(PackedV1 { kilograms }: PackedV1) -> ShipmentEvent {
    ShipmentEvent::Boxed {
        grams: kilograms * 1_000,
    }
}

/// The aggregate knows the events of today only.
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

/// Reads both logs with the code of today.
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
        Err(error @ LogManagerError::Decode(_)) => print_with_sources(&error),
        other => {
            return Err(format!("expected an event that cannot be read, got {other:?}").into());
        }
    }
    // What stands in front of it can be read all the same.
    for record in shipments.load(unreadable, 0, 1).await? {
        println!("   in front of it: {}", stored_form(&record)?);
    }
    store.close().await;
    Ok(())
}

/// Both releases work without a cache here, to show what is read.
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

/// Name, version and payload of an event, as the code that runs would write them.
fn stored_form<E: Event>(record: &RecordedEvent<E>) -> Result<String, serde_json::Error> {
    let EventType { name, version, .. } = record.event().event_type();
    let record = serde_json::to_value(record)?;
    Ok(format!("{name} version {version}: {}", record["event"]))
}

/// An error with what is behind it.
fn print_with_sources(error: &dyn Error) {
    println!("   {error}");
    let mut source = error.source();
    while let Some(error) = source {
        println!("   because {error}");
        source = error.source();
    }
}
