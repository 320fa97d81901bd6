//! The filter of a reader of the feed.

use crate::event::EventSchema;
use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::ids::LogId;
use std::ops::Range;

/// The number of slices that the logs of a store are divided into, by their ids.
pub(crate) const SLICES: u16 = 1024;

/// The events that a reader of the feed wants: a filter for stores.
///
/// A store may return the other events, too, without their payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The numbers of the kinds of logs; `None` for all kinds.
    kinds: Option<Vec<i32>>,
    /// The stored names and versions of events that are not wanted, although their logs are.
    except: Vec<(&'static str, i32)>,
    /// The slices of the logs.
    slices: Range<u16>,
}

impl Wanted {
    /// Wants all events.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            kinds: None,
            except: Vec::new(),
            slices: 0..SLICES,
        }
    }

    /// Wants the events of these sources.
    #[must_use]
    pub fn of(sources: &[Source]) -> Self {
        let kinds = sources.iter().flat_map(|source| source.log_type.numbers());
        let except = sources.iter().flat_map(Source::unwanted);
        Self {
            kinds: Some(kinds.collect()),
            except: except.flat_map(EventSchema::current).collect(),
            slices: 0..SLICES,
        }
    }

    /// Wants only the events of this part of all logs: the slices of partition `partition` of `partitions`.
    #[must_use]
    pub(crate) fn in_partition(self, partition: u16, partitions: u16) -> Self {
        let partitions = u32::from(partitions.clamp(1, SLICES));
        let partition = u32::from(partition).min(partitions - 1);
        let bound =
            |number: u32| u16::try_from(number * u32::from(SLICES) / partitions).unwrap_or(SLICES);
        Self {
            slices: bound(partition)..bound(partition + 1),
            ..self
        }
    }

    /// Returns the numbers of the wanted kinds; `None` for all kinds.
    #[must_use]
    pub fn kinds(&self) -> Option<&[i32]> {
        self.kinds.as_deref()
    }

    /// Returns the stored names and versions of events that are not wanted, although their kind is.
    #[must_use]
    pub fn except(&self) -> &[(&'static str, i32)] {
        &self.except
    }

    /// Returns the wanted slices of the logs. The slice of a log is the number in the last two bytes of its id, big end first,
    /// modulo 1024.
    #[must_use]
    pub fn slices(&self) -> Range<u16> {
        self.slices.clone()
    }

    /// Returns `true` if there may be logs of which no event is wanted.
    pub(crate) fn leaves_out_logs(&self) -> bool {
        self.kinds.is_some() || self.slices != (0..SLICES)
    }

    /// Returns `true` if events of the log may be wanted.
    #[must_use]
    pub fn includes_log(&self, log_id: LogId, kind: i32) -> bool {
        let is_kind = self
            .kinds
            .as_ref()
            .is_none_or(|kinds| kinds.contains(&kind));
        is_kind && (self.slices == (0..SLICES) || self.slices.contains(&slice(log_id)))
    }

    /// Returns `true` if an event of a log that [is included](Wanted::includes_log) is wanted.
    #[must_use]
    pub fn includes_event(&self, event_type: &str, version: i32) -> bool {
        let mut except = self.except.iter();
        !except.any(|(name, unwanted)| *unwanted == version && *name == event_type)
    }

    /// Returns `true` if the event is wanted.
    #[must_use]
    pub fn includes(&self, event: &FeedEvent) -> bool {
        self.includes_log(event.log_id, event.kind)
            && self.includes_event(&event.event_type, event.version)
    }
}

/// Returns the slice of a log.
pub(crate) fn slice(log_id: LogId) -> u16 {
    let [.., high, low] = *log_id.as_bytes();
    u16::from_be_bytes([high, low]) % SLICES
}

#[cfg(test)]
mod tests {
    use super::{SLICES, Wanted};

    #[test]
    fn partitions_add_up() {
        for partitions in [1, 3, 4, 7, 1024, 2000] {
            let mut next = 0;
            for partition in 0..partitions.min(SLICES) {
                let slices = Wanted::all().in_partition(partition, partitions).slices();
                assert_eq!(slices.start, next);
                next = slices.end;
            }
            assert_eq!(next, SLICES);
        }
    }
}
