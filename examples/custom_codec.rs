//! A format of your own for payloads: `cargo run --example custom_codec`.
//!
//! Measurements were stored as JSON at first. Now they are stored in a smaller format, by a codec that this file brings
//! along; what is in the database already stays as it is, and is read as before. Read it from top to bottom: the codec,
//! the events of then and of now, and `main`, which fills one log with both.

use eventlogs::codec::{Codec, CodecError, CodecId, Json};
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventRecord, LogManager, LogManagerOptions,
    MemoryAggregationCache, SqliteEventStore, event_handler,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// JSON with repetitions taken out: a byte that says how often, and a byte that is meant so often. It stands for whatever
/// you have: a binary format, compression, encryption.
#[derive(Debug)]
pub struct RunLengthJson;

impl Codec for RunLengthJson {
    // Stored with every event. Never to be changed, and never to be used for another format.
    const ID: CodecId = CodecId::custom(100);

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut json = Vec::new();
        Json::encode(value, &mut json)?;
        for run in json.chunk_by(|one, next| one == next) {
            // A run that is too long for one byte becomes several.
            for part in run.chunks(usize::from(u8::MAX)) {
                buffer.extend([u8::try_from(part.len())?, part[0]]);
            }
        }
        Ok(())
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let (runs, []) = bytes.as_chunks::<2>() else {
            return Err("the last byte has no partner".into());
        };
        let json: Vec<u8> = runs
            .iter()
            .flat_map(|&[times, byte]| std::iter::repeat_n(byte, usize::from(times)))
            .collect();
        Json::decode(&json)
    }
}

/// The enum as it was before.
mod before {
    use super::{Aggregate, Event, event_handler};

    #[derive(Debug, Clone, Event)]
    #[event(codec = "json")]
    pub(super) enum SensorEvent {
        #[event(name = "sensor.measured")]
        Measured { samples: String },
    }

    #[derive(Debug, Default, Clone, Aggregate)]
    #[aggregate(event = SensorEvent)]
    pub(super) struct Sensor {
        days: u32,
    }

    #[event_handler(SensorEvent)]
    impl Sensor {
        #[on(Measured)]
        fn measure(&mut self) {
            self.days += 1;
        }
    }
}

/// The enum of today: a single line has changed.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = RunLengthJson)]
pub enum SensorEvent {
    /// One letter for each minute: `-` for nothing, `x` for rain.
    #[event(name = "sensor.measured")]
    Measured {
        /// The letters.
        samples: String,
    },
}

/// How long it rained.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = SensorEvent)]
pub struct Sensor {
    minutes_of_rain: usize,
}

#[event_handler(SensorEvent)]
impl Sensor {
    #[on(Measured)]
    fn measure(&mut self, samples: &str) {
        self.minutes_of_rain += samples.matches('x').count();
    }
}

#[tokio::main]
async fn main() -> Result<(), CodecError> {
    let folder = tempfile::tempdir()?;
    let store = SqliteEventStore::open(folder.path().join("sensors.db")).await?;
    let log_id = LogId::derived("sensor", "roof");
    let samples = format!("{}{}{}", "-".repeat(600), "x".repeat(45), "-".repeat(795));

    println!("1. A day was measured before, and stored as JSON");
    let sensors = LogManager::<before::Sensor>::new(
        store.clone(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let measured = before::SensorEvent::Measured {
        samples: samples.clone(),
    };
    let state = sensors
        .create(&log_id, &measured, &CreateOptions::default())
        .await?;
    println!("   {} bytes", size::<Json>(&samples)?);

    println!("\n2. The next day is stored by the codec of this file, in the same log");
    let sensors = LogManager::<Sensor>::new(
        store.clone(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let measured = SensorEvent::Measured {
        samples: samples.clone(),
    };
    // The compiler takes the enum of yesterday for another kind of events; the store knows that it is not.
    sensors
        .append(state.position(), &measured, &AppendOptions::default())
        .await?;
    println!("   {} bytes", size::<RunLengthJson>(&samples)?);

    println!("\n3. Each row says which codec wrote it, so both are read");
    for record in sensors.load(&log_id, 0, 100).await? {
        let SensorEvent::Measured { samples } = record.event();
        println!("   event {}: {} minutes", record.index(), samples.len());
    }
    let sensor = sensors.reduce(&log_id).await?;
    println!(
        "   it rained for {} minutes",
        sensor.aggregate().minutes_of_rain
    );

    println!("\n4. What the codec cannot read is an error, not a measurement");
    if let Err(error) = RunLengthJson::decode::<serde_json::Value>(&[1, b'{', 1]) {
        println!("   {error}");
    }
    store.close().await;
    Ok(())
}

/// How many bytes a codec makes of a measurement's payload, which is the fields of the variant.
fn size<C: Codec>(samples: &str) -> Result<usize, CodecError> {
    let mut bytes = Vec::new();
    C::encode(&serde_json::json!({ "samples": samples }), &mut bytes)?;
    Ok(bytes.len())
}
