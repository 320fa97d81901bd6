//! A format of your own for payloads: `cargo run --example custom_codec`.
//!
//! Measurements were first stored as JSON. Now the codec in this file stores them in a smaller format. Events that are
//! already in the database stay as they are, and are still read. Read it from top to bottom: the codec, the events before
//! and after the change, and `main`, which fills one log with both.

use eventlogs::codec::{Codec, CodecError, CodecId, Json};
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventRecord, LogManager, LogManagerOptions,
    MemoryAggregationCache, SqliteEventStore, event_handler,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// JSON in which each run of equal bytes becomes two bytes: the length of the run, and the byte. It is an example of any
/// format of your own: a binary format, compression, encryption.
#[derive(Debug)]
pub struct RunLengthJson;

impl Codec for RunLengthJson {
    // Stored with every event. Never change it, and never use it for another format.
    const ID: CodecId = CodecId::custom(100);

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut json = Vec::new();
        Json::encode(value, &mut json)?;
        for run in json.chunk_by(|one, next| one == next) {
            // A run that is too long for one byte becomes several runs.
            for part in run.chunks(usize::from(u8::MAX)) {
                buffer.extend([u8::try_from(part.len())?, part[0]]);
            }
        }
        Ok(())
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let (runs, []) = bytes.as_chunks::<2>() else {
            return Err("the payload has an odd number of bytes".into());
        };
        let json: Vec<u8> = runs
            .iter()
            .flat_map(|&[times, byte]| std::iter::repeat_n(byte, usize::from(times)))
            .collect();
        Json::decode(&json)
    }
}

/// The enum before the change.
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

/// Today's enum. Only the line with the codec has changed.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = RunLengthJson)]
pub enum SensorEvent {
    /// One letter per minute: `-` for dry, `x` for rain.
    #[event(name = "sensor.measured")]
    Measured {
        /// The letters of one day.
        samples: String,
    },
}

/// The total time of rain.
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

    println!("1. The old code stores the measurements of one day as JSON");
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

    println!("\n2. The codec in this file stores the next day in the same log");
    let sensors = LogManager::<Sensor>::new(
        store.clone(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let measured = SensorEvent::Measured {
        samples: samples.clone(),
    };
    // For the compiler the old enum is another type, hence the untyped position. The store sees the same kind of log.
    sensors
        .append(state.position(), &measured, &AppendOptions::default())
        .await?;
    println!("   {} bytes", size::<RunLengthJson>(&samples)?);

    println!("\n3. Each row names the codec that wrote it, so both days are read");
    for record in sensors.load(&log_id, 0, 100).await? {
        let SensorEvent::Measured { samples } = record.event();
        println!("   event {}: {} minutes", record.index(), samples.len());
    }
    let sensor = sensors.reduce(&log_id).await?;
    println!(
        "   it rained for {} minutes",
        sensor.aggregate().minutes_of_rain
    );

    println!("\n4. Bytes that the codec cannot read are an error, not a measurement");
    if let Err(error) = RunLengthJson::decode::<serde_json::Value>(&[1, b'{', 1]) {
        println!("   {error}");
    }
    store.close().await;
    Ok(())
}

/// Returns the size of a measurement's payload in bytes. The payload is the fields of the variant.
fn size<C: Codec>(samples: &str) -> Result<usize, CodecError> {
    let mut bytes = Vec::new();
    C::encode(&serde_json::json!({ "samples": samples }), &mut bytes)?;
    Ok(bytes.len())
}
