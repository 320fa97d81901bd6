//! What an aggregate looks at.

use crate::event::EventSchema;
use crate::event::interest::Interest;

/// What of stored events an aggregate looks at: some of the variants, and their records or only their payloads.
///
/// A store need not fetch the rest.
///
/// ```
/// use eventlogs::feed::Interest;
/// use eventlogs::{EventNeeds, EventSchema, EventType};
///
/// const SCHEMA: &[EventSchema] = &[
///     EventSchema::new(EventType::new("door.opened", 1), "Opened"),
///     EventSchema::new(EventType::new("door.painted", 2), "Painted")
///         .with_aliases(&["door.coloured"])
///         .with_upcast_from(&[1]),
/// ];
///
/// let needs = EventNeeds::new(Interest::Except(&["Painted"]), false);
/// let ignored: Vec<_> = needs.ignores(SCHEMA).collect();
/// assert_eq!(ignored, [("door.painted", 2), ("door.coloured", 2)]);
/// assert!(!needs.uses_record());
///
/// assert_eq!(EventNeeds::EVERYTHING.ignores(SCHEMA).count(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNeeds {
    /// The variants.
    interest: Interest,
    /// Whether it looks at the records.
    uses_record: bool,
}

impl EventNeeds {
    /// All events, with their records.
    pub const EVERYTHING: Self = Self::new(Interest::All, true);

    /// The events of these variants; with their records if `uses_record` is `true`.
    #[must_use]
    pub const fn new(interest: Interest, uses_record: bool) -> Self {
        Self {
            interest,
            uses_record,
        }
    }

    /// Returns which variants are looked at.
    #[must_use]
    pub const fn interest(&self) -> Interest {
        self.interest
    }

    /// Returns `true` if the records are looked at: the positions, times and metadata of the events.
    #[must_use]
    pub const fn uses_record(&self) -> bool {
        self.uses_record
    }

    /// Returns the stored names and versions of the events of this schema that are not looked at. All others are.
    ///
    /// An event is ignored only in its current version, under its current name and each former one. An older version is upcast
    /// when it is read, and an upcaster may return another variant; so may the function that accepts a newer version. Other newer
    /// versions are not known to this code, which has to report that. Events of an enum that is flattened into this one are not ignored either: their handlers are those of the
    /// variant that holds them.
    pub fn ignores(
        &self,
        schema: &'static [EventSchema],
    ) -> impl Iterator<Item = (&'static str, i32)> + use<> {
        self.interest
            .unwanted(schema)
            .flat_map(EventSchema::current)
    }
}

#[cfg(test)]
mod tests {
    use super::EventNeeds;
    use crate::event::interest::Interest;
    use crate::event::{EventSchema, EventType};

    const SCHEMA: &[EventSchema] = &[
        EventSchema::new(EventType::new("door.opened", 1), "Opened"),
        EventSchema::new(EventType::new("door.painted", 3), "Painted")
            .with_aliases(&["painted", "coloured"])
            .with_upcast_from(&[1, 2]),
        EventSchema::new(EventType::new("window.painted", 1), "Painted").flattened(),
        EventSchema::new(EventType::new("window.closed", 2), "Closed")
            .with_aliases(&["closed"])
            .flattened(),
    ];

    fn ignored(interest: Interest) -> Vec<(&'static str, i32)> {
        EventNeeds::new(interest, true).ignores(SCHEMA).collect()
    }

    #[test]
    fn nothing_of_everything_is_ignored() {
        assert_eq!(EventNeeds::EVERYTHING.ignores(SCHEMA).count(), 0);
        assert_eq!(EventNeeds::EVERYTHING.interest(), Interest::All);
        assert!(EventNeeds::EVERYTHING.uses_record());
        assert_eq!(ignored(Interest::Except(&[])), []);
    }

    #[test]
    fn only_the_current_version_is_ignored_under_all_of_its_names() {
        // Neither the older versions 1 and 2, which are upcast, nor a newer one.
        let painted = [("door.painted", 3), ("painted", 3), ("coloured", 3)];
        assert_eq!(ignored(Interest::Except(&["Painted"])), painted);
        assert_eq!(ignored(Interest::Only(&["Opened"])), painted);
    }

    #[test]
    fn flattened_events_are_never_ignored() {
        // `Window` is the variant that holds the flattened enum. `Closed` and one of the `Painted` are variants of that enum.
        for interest in [
            Interest::Except(&["Window"]),
            Interest::Except(&["Closed", "Window"]),
            Interest::Only(&["Opened", "Painted"]),
        ] {
            assert_eq!(ignored(interest), [], "{interest:?}");
        }
        let none = ignored(Interest::Only(&[]));
        assert_eq!(none.first(), Some(&("door.opened", 1)));
        assert_eq!(none.len(), 4);
        assert!(none.iter().all(|(name, _)| !name.contains("window")));
    }
}
