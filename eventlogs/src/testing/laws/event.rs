//! The laws of events that databases store.

use super::assert_same;
use crate::codec::Codec;
use crate::codec::stored::StoredPayload;
use crate::event::Event;
use crate::event::Payload;
use crate::shared_error::cause;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// There is a sample of every event that the code writes, so a variant that is added later needs one, too. A retired variant
/// needs none.
///
/// ```
/// # use eventlogs::__example::CounterEvent;
/// # use eventlogs::testing::laws;
/// let (added, noted) = (CounterEvent::Added { amount: 2 }, CounterEvent::Noted { text: "a".to_owned() });
/// laws::samples_are_complete([added, noted]);
/// ```
#[track_caller]
pub fn samples_are_complete<E: Event>(samples: impl IntoIterator<Item = E>) {
    let found: BTreeSet<_> = samples
        .into_iter()
        .map(|event| event.event_type().name)
        .collect();
    let missing: Vec<_> = E::SCHEMA
        .iter()
        .filter(|entry| !entry.is_retired)
        .map(|entry| entry.event_type.name)
        .filter(|name| !found.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "no sample of {missing:?} was given; add one of each"
    );
}

/// An event that is written and read again is unchanged.
///
/// ```
/// # use eventlogs::__example::CounterEvent;
/// # use eventlogs::testing::laws;
/// laws::events_survive_their_codec([CounterEvent::Added { amount: 2 }]);
/// ```
#[track_caller]
pub fn events_survive_their_codec<E: Event + PartialEq + Debug>(
    samples: impl IntoIterator<Item = E>,
) {
    for event in not_empty(samples) {
        let name = event.event_type().name;
        assert_same(&event, &read_back(&event, name), || {
            format!(
                "`{name}` is read as another event than was written; look for fields that serde skips or reads as something \
                 else"
            )
        });
    }
}

/// An event that was stored under a former name is still read as the same event.
///
/// ```
/// # use eventlogs::__example::CounterEvent;
/// # use eventlogs::testing::laws;
/// laws::former_names_are_read([CounterEvent::Added { amount: 2 }]);
/// ```
#[track_caller]
pub fn former_names_are_read<E: Event + PartialEq + Debug>(samples: impl IntoIterator<Item = E>) {
    for event in not_empty(samples) {
        let name = event.event_type().name;
        let entries = E::SCHEMA
            .iter()
            .filter(|entry| entry.event_type.name == name);
        for alias in entries.flat_map(|entry| entry.aliases) {
            assert_same(&event, &read_back(&event, alias), || {
                format!("under its former name `{alias}`, `{name}` is read as another event")
            });
        }
    }
}

/// Returns the samples. Without any event, a law would hold whatever the events are.
#[track_caller]
fn not_empty<E>(samples: impl IntoIterator<Item = E>) -> Vec<E> {
    let samples: Vec<_> = samples.into_iter().collect();
    assert!(
        !samples.is_empty(),
        "no event was given, so the law was not tested; give at least one"
    );
    samples
}

/// Reads the event back as a store does that holds it under this name.
#[track_caller]
fn read_back<E: Event + Debug>(event: &E, name: &str) -> E {
    let mut bytes = Vec::new();
    if let Err(error) = E::Codec::encode(&Payload(event), &mut bytes) {
        panic!(
            "this event cannot be encoded: {}\n{event:#?}",
            cause(&*error)
        );
    }
    let stored = StoredPayload {
        name,
        version: i32::from(event.event_type().version),
        codec: E::Codec::ID,
        bytes: &bytes,
    };
    match E::decode(&stored) {
        Ok(event) => event,
        Err(problem) => panic!(
            "under the name `{name}`, this event cannot be read back: {}\n{event:#?}",
            cause(&problem)
        ),
    }
}
