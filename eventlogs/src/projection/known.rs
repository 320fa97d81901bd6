//! The events that the code of a subscription knows, kept to notice events that only changed code wants.

use crate::cursor::Cursor;
use crate::event::EventSchema;
use crate::feed::source::Source;
use std::collections::BTreeSet;

/// The events that the code of a subscription knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownEvents {
    /// The numbers of the kinds that it follows.
    kinds: Vec<i32>,
    /// The stored names of the events that it ignores.
    ignored: Vec<String>,
    /// The stored names of the events that it wants and older code has not wanted.
    missed: Vec<String>,
}

impl KnownEvents {
    /// Returns the events that code with these sources knows.
    pub(crate) fn of(sources: &[Source]) -> Self {
        let kinds = sources.iter().flat_map(|source| source.log_type.numbers());
        let ignored = sources
            .iter()
            .flat_map(Source::unwanted)
            .flat_map(EventSchema::names);
        Self {
            kinds: kinds.collect(),
            ignored: ignored.map(str::to_owned).collect(),
            missed: Vec::new(),
        }
    }

    /// Returns what is known after older code, which has come to these cursors, was replaced by code with these sources.
    ///
    /// An event of a kind that the older code followed, and did not know, is not missed: it could not be applied, and its log is
    /// parked.
    pub(crate) fn after(&self, cursors: &[Cursor], sources: &[Source]) -> Self {
        let has_begun = cursors.iter().any(|cursor| *cursor != Cursor::START);
        let mut missed = BTreeSet::new();
        for source in sources {
            let followed = source
                .log_type
                .numbers()
                .any(|kind| self.kinds.contains(&kind));
            let unwanted: BTreeSet<_> = source.unwanted().flat_map(EventSchema::names).collect();
            let all = source.schema.iter().flat_map(EventSchema::names);
            for name in all.filter(|name| !unwanted.contains(name)) {
                let is_in = |names: &[String]| names.iter().any(|other| other == name);
                let is_new = is_in(&self.ignored) || !followed;
                if (has_begun && is_new) || is_in(&self.missed) {
                    missed.insert(name.to_owned());
                }
            }
        }
        Self {
            missed: missed.into_iter().collect(),
            ..Self::of(sources)
        }
    }

    /// Returns the stored names of the events that the code wants and older code has not wanted.
    pub(crate) fn into_missed(self) -> Vec<String> {
        self.missed
    }

    /// Returns the stored form.
    #[cfg(feature = "_database")]
    pub(crate) fn stored(&self) -> String {
        let Self {
            kinds,
            ignored,
            missed,
        } = self;
        serde_json::json!([kinds, ignored, missed]).to_string()
    }

    /// Reads the stored form.
    #[cfg(feature = "_database")]
    pub(crate) fn from_stored(stored: &str) -> Result<Self, sqlx::Error> {
        let read = serde_json::from_str(stored);
        let (kinds, ignored, missed) = read.map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Self {
            kinds,
            ignored,
            missed,
        })
    }
}
