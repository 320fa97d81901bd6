//! The bytes of an entry: a head of fixed length, and the aggregate as MessagePack.
//!
//! The index and the event id stand at fixed places, so that Redis can compare entries without understanding them. All
//! numbers are big-endian.

use crate::ids::{EventId, LogId};
use crate::{Aggregation, LogPosition, Reach};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;

/// The first bytes of every entry: a name, and the version of this layout.
const MAGIC: &[u8; 5] = b"evlg\x01";
/// Where index and event id stand, one behind the other.
const STATE: std::ops::Range<usize> = 5..29;
/// Where the checksum stands; the payload follows.
const CHECKSUM: std::ops::Range<usize> = 77..85;

/// How many bytes of an entry Redis looks at to find out which of two was reduced further: magic and index.
pub(super) const ORDER_BYTES: usize = 13;

/// What an entry must agree with, beside the log: all that the key says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    /// The key of the entry. It is part of the checksum, so bytes under another aggregate's key do not fit.
    pub(super) key: &'a str,
    /// The aggregate's code.
    pub(super) fingerprint: u64,
}

/// Why bytes are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misfit {
    #[error("it is not an entry of this format")]
    Format,
    #[error("it was damaged, or belongs to another key")]
    Checksum,
    #[error("it was reduced by other code")]
    Fingerprint,
    #[error("it is of another log")]
    Log,
    #[error("its times are out of range")]
    Times,
    #[error("the aggregate cannot be read")]
    Payload,
}

/// The entry for an aggregation.
pub(super) fn encode<A: Serialize>(
    aggregation: &Aggregation<A>,
    identity: Identity<'_>,
) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let reach = aggregation.reach();
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&reach.index.to_be_bytes());
    bytes.extend_from_slice(reach.event_id.as_bytes());
    bytes.extend_from_slice(reach.log_id.as_bytes());
    bytes.extend_from_slice(&identity.fingerprint.to_be_bytes());
    for time in [reach.created_at, reach.updated_at, aggregation.reduced_at()] {
        bytes.extend_from_slice(&time.timestamp_micros().to_be_bytes());
    }
    bytes.extend_from_slice(&[0; 8]);
    rmp_serde::encode::write_named(&mut bytes, aggregation.aggregate())?;
    let checksum = checksum(&bytes, identity);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    Ok(bytes)
}

/// The aggregation in an entry.
pub(super) fn decode<A: DeserializeOwned>(
    bytes: &[u8],
    log_id: LogId,
    identity: Identity<'_>,
) -> Result<Aggregation<A>, Misfit> {
    let mut head = Head(bytes.get(..CHECKSUM.end).ok_or(Misfit::Format)?);
    if head.take::<5>() != *MAGIC {
        return Err(Misfit::Format);
    }
    let index = u64::from_be_bytes(head.take());
    let event_id = EventId::from_uuid(Uuid::from_bytes(head.take()));
    let kept_log_id = LogId::from_uuid(Uuid::from_bytes(head.take()));
    let fingerprint = u64::from_be_bytes(head.take());
    let times: [_; 3] = std::array::from_fn(|_| {
        DateTime::<Utc>::from_timestamp_micros(i64::from_be_bytes(head.take()))
    });
    if fingerprint != identity.fingerprint {
        return Err(Misfit::Fingerprint);
    }
    if kept_log_id != log_id {
        return Err(Misfit::Log);
    }
    if u64::from_be_bytes(head.take()) != checksum(bytes, identity) {
        return Err(Misfit::Checksum);
    }
    let [Some(created_at), Some(updated_at), Some(reduced_at)] = times else {
        return Err(Misfit::Times);
    };
    let mut payload = bytes.get(CHECKSUM.end..).unwrap_or_default();
    let aggregate = A::deserialize(&mut rmp_serde::Deserializer::new(&mut payload))
        .map_err(|_| Misfit::Payload)?;
    if !payload.is_empty() {
        return Err(Misfit::Payload);
    }
    let reach = Reach {
        log_id,
        index,
        event_id,
        created_at,
        updated_at,
    };
    Ok(Aggregation::from_parts(
        Arc::new(aggregate),
        reach,
        reduced_at,
    ))
}

/// The part of an entry that says what it was reduced through, if the state names an event.
pub(super) fn state_bytes(state: LogPosition) -> Option<[u8; STATE.end - STATE.start]> {
    let mut bytes = [0; STATE.end - STATE.start];
    let (index, event_id) = bytes.split_at_mut(8);
    index.copy_from_slice(&state.index().to_be_bytes());
    event_id.copy_from_slice(state.event_id()?.as_bytes());
    Some(bytes)
}

/// FNV-1a over the key and over everything but the checksum itself. Each step is invertible, so no single damaged byte
/// goes unnoticed; this is about accidents, not about attackers, who could as well write an entry of their own.
fn checksum(bytes: &[u8], identity: Identity<'_>) -> u64 {
    let (head, rest) = bytes.split_at_checked(CHECKSUM.start).unwrap_or_default();
    let payload = rest.get(CHECKSUM.len()..).unwrap_or_default();
    let parts = identity.key.as_bytes().iter().chain(head).chain(payload);
    parts.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Reads a head from the front.
struct Head<'a>(&'a [u8]);

impl Head<'_> {
    /// The next bytes; zeros behind the end, which [`decode`] has made sure not to reach.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((taken, rest)) = self.0.split_first_chunk() else {
            return [0; N];
        };
        self.0 = rest;
        *taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: Identity<'static> = Identity {
        key: "eventlogs:Counter:0000000000000007:{…}",
        fingerprint: 7,
    };

    fn aggregation() -> Aggregation<Vec<u64>> {
        let reach = Reach {
            log_id: LogId::new(),
            index: 300,
            event_id: EventId::new(),
            created_at: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
            updated_at: DateTime::from_timestamp_micros(1_700_000_000_000_002).unwrap(),
        };
        Aggregation::from_parts(Arc::new(vec![1, 2, 300]), reach, reach.updated_at)
    }

    #[test]
    fn the_layout_is_what_the_scripts_take_it_for() {
        let aggregation = aggregation();
        let bytes = encode(&aggregation, IDENTITY).unwrap();
        assert_eq!(bytes[..MAGIC.len()], *MAGIC);
        assert_eq!(bytes[MAGIC.len()..ORDER_BYTES], 300_u64.to_be_bytes());
        assert_eq!(bytes[STATE], state_bytes(aggregation.position()).unwrap());
        assert_eq!(
            state_bytes(LogPosition::at(aggregation.log_id(), 300)),
            None
        );
    }

    #[test]
    fn no_flipped_bit_and_no_truncation_goes_unnoticed() {
        let aggregation = aggregation();
        let log_id = aggregation.log_id();
        let bytes = encode(&aggregation, IDENTITY).unwrap();
        let whole = decode::<Vec<u64>>(&bytes, log_id, IDENTITY).unwrap();
        assert_eq!(whole.aggregate(), aggregation.aggregate());
        assert_eq!(whole.reach(), aggregation.reach());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(
                decode::<Vec<u64>>(&flipped, log_id, IDENTITY).is_err(),
                "bit {bit}"
            );
        }
        for length in 0..bytes.len() {
            assert!(
                decode::<Vec<u64>>(&bytes[..length], log_id, IDENTITY).is_err(),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn what_belongs_elsewhere_does_not_fit() {
        let aggregation = aggregation();
        let log_id = aggregation.log_id();
        let bytes = encode(&aggregation, IDENTITY).unwrap();
        let misfit = |log_id, identity| decode::<Vec<u64>>(&bytes, log_id, identity).unwrap_err();
        assert_eq!(misfit(LogId::new(), IDENTITY), Misfit::Log);
        let newer = Identity {
            fingerprint: 8,
            ..IDENTITY
        };
        assert_eq!(misfit(log_id, newer), Misfit::Fingerprint);
        let other = Identity {
            key: "eventlogs:Other:0000000000000007:{…}",
            ..IDENTITY
        };
        assert_eq!(misfit(log_id, other), Misfit::Checksum);
        assert_eq!(
            decode::<String>(&bytes, log_id, IDENTITY).unwrap_err(),
            Misfit::Payload
        );
    }
}
