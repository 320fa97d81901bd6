//! The bytes of an entry: a head of fixed length, the aggregate, and a seal.
//!
//! The index and the event id are at fixed offsets, so that Redis can compare entries without decoding them. All numbers of the
//! head are big-endian.

use crate::aggregation::{Aggregation, ReducedThrough};
use crate::caches::seal::{Seal, Sealing};
use crate::caches::snapshot;
use crate::caches::snapshot::SnapshotError;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;

/// The first bytes of every entry. The next byte gives the layout and the kind of seal.
const MAGIC: &[u8; 4] = b"evlg";
/// The bytes of the index and of the event id, which follow each other.
const STATE: std::ops::Range<usize> = 5..29;
/// The length of the head; the aggregate follows it.
const HEAD: usize = 85;

/// The number of bytes of an entry that Redis compares to find out which of two was reduced further: magic, layout and index.
pub(in crate::caches) const ORDER_BYTES: usize = 13;

/// The properties that an entry must have, in addition to its log: everything that the key says.
#[derive(Clone, Copy)]
pub(in crate::caches) struct Identity<'a> {
    /// The key of the entry. It is part of the seal, so bytes under another aggregate's key do not fit.
    pub(in crate::caches) key: &'a str,
    /// The fingerprint of the aggregate's code.
    pub(in crate::caches) fingerprint: u64,
    /// How entries are sealed.
    pub(in crate::caches) sealing: &'a Sealing,
}

/// The reason why bytes are not an entry.
#[derive(Debug, thiserror::Error)]
pub(in crate::caches) enum Misfit {
    #[error("it is not an entry of this format, or its seal is of another kind")]
    Format,
    #[error("it was damaged, belongs to another key, or was not sealed with any of the keys")]
    Seal,
    #[error("it was reduced by other code")]
    Fingerprint,
    #[error("it belongs to another log")]
    Log,
    #[error("its times are out of range")]
    Times,
    #[error("its aggregate cannot be read back: {0}")]
    Aggregate(#[source] SnapshotError),
}

/// Encodes an aggregation as an entry, if the entry takes no more than `limit` bytes and the aggregate is read back from it as
/// it was.
pub(in crate::caches) fn encode<A: Serialize + DeserializeOwned>(
    aggregation: &Aggregation<A>,
    identity: Identity<'_>,
    limit: usize,
) -> Result<Vec<u8>, SnapshotError> {
    let room = limit.saturating_sub(HEAD + identity.sealing.length());
    let aggregate = snapshot::take(aggregation.aggregate(), room)?;
    let reach = aggregation.reach();
    let mut bytes = Vec::with_capacity(HEAD + aggregate.bytes.len() + identity.sealing.length());
    bytes.extend_from_slice(MAGIC);
    bytes.push(identity.sealing.layout());
    bytes.extend_from_slice(&reach.index.to_be_bytes());
    bytes.extend_from_slice(reach.event_id.as_bytes());
    bytes.extend_from_slice(reach.log_id.as_bytes());
    bytes.extend_from_slice(&identity.fingerprint.to_be_bytes());
    for time in [reach.created_at, reach.updated_at, aggregation.reduced_at()] {
        bytes.extend_from_slice(&time.timestamp_micros().to_be_bytes());
    }
    bytes.extend_from_slice(&aggregate.shape.to_be_bytes());
    bytes.extend_from_slice(&aggregate.bytes);
    match identity.sealing.seal(identity.key, &bytes) {
        Seal::Checksum(checksum) => bytes.extend_from_slice(&checksum),
        Seal::Mac(mac) => bytes.extend_from_slice(&mac),
    }
    Ok(bytes)
}

/// Decodes the aggregation in an entry. No code of the aggregate runs before the seal was checked.
pub(in crate::caches) fn decode<A: Serialize + DeserializeOwned>(
    bytes: &[u8],
    log_id: LogId,
    identity: Identity<'_>,
) -> Result<Aggregation<A>, Misfit> {
    let Identity {
        key,
        fingerprint,
        sealing,
    } = identity;
    let content = bytes.len().checked_sub(sealing.length());
    let (sealed, seal) = content
        .and_then(|content| bytes.split_at_checked(content))
        .ok_or(Misfit::Format)?;
    let (head, aggregate) = sealed.split_at_checked(HEAD).ok_or(Misfit::Format)?;
    let mut head = Head(head);
    if head.take::<4>() != *MAGIC || head.take::<1>() != [sealing.layout()] {
        return Err(Misfit::Format);
    }
    let index = u64::from_be_bytes(head.take());
    let event_id = EventId::from_uuid(Uuid::from_bytes(head.take()));
    let kept_log_id = LogId::from_uuid(Uuid::from_bytes(head.take()));
    let kept_fingerprint = u64::from_be_bytes(head.take());
    let times: [_; 3] = std::array::from_fn(|_| {
        DateTime::<Utc>::from_timestamp_micros(i64::from_be_bytes(head.take()))
    });
    let shape = u64::from_be_bytes(head.take());
    if kept_fingerprint != fingerprint {
        return Err(Misfit::Fingerprint);
    }
    if kept_log_id != log_id {
        return Err(Misfit::Log);
    }
    if !sealing.is_whole(key, sealed, seal) {
        return Err(Misfit::Seal);
    }
    let [Some(created_at), Some(updated_at), Some(reduced_at)] = times else {
        return Err(Misfit::Times);
    };
    let aggregate = snapshot::restore(aggregate, shape).map_err(Misfit::Aggregate)?;
    let reach = ReducedThrough {
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

/// The part of an entry that holds the position it was reduced through, if the position names an event.
pub(in crate::caches) fn state_bytes(state: LogPosition) -> Option<[u8; STATE.end - STATE.start]> {
    let mut bytes = [0; STATE.end - STATE.start];
    let (index, event_id) = bytes.split_at_mut(8);
    index.copy_from_slice(&state.index().to_be_bytes());
    event_id.copy_from_slice(state.event_id()?.as_bytes());
    Some(bytes)
}

/// Reads a head from the front.
struct Head<'a>(&'a [u8]);

impl Head<'_> {
    /// The next bytes; zeros after the end, which [`decode`] makes sure not to reach.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((taken, rest)) = self.0.split_first_chunk() else {
            return [0; N];
        };
        self.0 = rest;
        *taken
    }
}

#[cfg(test)]
mod tests;
