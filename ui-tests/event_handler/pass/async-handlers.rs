//! Handlers of a projection in all forms, under the strictest lints.

#![deny(
    warnings,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    unused,
    unused_lifetimes,
    unused_qualifications
)]
#![forbid(unsafe_code)]

use eventlogs::{EventRecord, FeedRecord, Subscriber, event_handler};

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Slammed { hours: u32 },
    Painted([u8; 3]),
    #[cfg(any())]
    Creaked,
    Closed,
}

pub enum Empty {
    Only,
}

pub struct Doors;

#[event_handler(DoorEvent, ignore(Slammed { hours: 0 }), crate = ::eventlogs)]
impl Doors {
    const LIMIT: u32 = 10;

    #[on(Opened)]
    async fn open<'a>(
        &'a self,
        by: &'a str,
        #[cfg(not(all()))] ghosts: u32,
        #[cfg(all())]
        #[context]
        log: &mut Vec<String>,
        #[record] record: &FeedRecord<DoorEvent>,
    ) -> Result<(), &'static str> {
        log.push(format!("{by} {}", record.index()));
        std::future::ready(()).await;
        if log.len() > Self::LIMIT as usize {
            return Err("too long");
        }
        Ok(())
    }

    #[on(Slammed { hours: 1.. })]
    async fn slam(&self) {}

    #[on(Painted(colour))]
    async fn paint(&self, colour: [u8; 3]) -> Result<(), impl std::error::Error + Send + Sync + 'static> {
        String::from_utf8(colour.to_vec()).map(drop)
    }

    #[cfg(any())]
    #[on(Creaked)]
    async fn creak(&self) {}

    #[cfg(all())]
    #[allow(deprecated)]
    #[on(Closed)]
    async fn close(self: &Self, #[record] record: &impl EventRecord<DoorEvent>) -> () {
        self.note(record.index());
    }

    fn note(&self, index: u64) {
        let _ = index;
    }
}

#[event_handler(Empty)]
impl Doors {
    #[on(Only)]
    async fn only(&self) {}
}

fn needs_subscriber<E, C: ?Sized, S: Subscriber<E, C>>() {}

fn main() {
    needs_subscriber::<DoorEvent, Vec<String>, Doors>();
    needs_subscriber::<Empty, u8, Doors>();
    needs_subscriber::<Empty, str, Doors>();
}
