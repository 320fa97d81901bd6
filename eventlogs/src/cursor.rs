//! Places in the feed of a store, and the cursor that names one as a short text.

use crate::error_kind::ErrorKind;
use crate::ids::EventId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The first number of the text of a cursor.
const FORMAT: &str = "1";

/// The place of an event in the feed of its store. Places compare in the order of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Place {
    /// The epoch of the store: a new one begins when the database has moved to another server.
    pub(crate) epoch: u32,
    /// The number of the transaction that stored the event.
    pub(crate) tx: u64,
    /// The number of the event among all events of the epoch.
    pub(crate) position: u64,
}

impl Place {
    /// The place before all events.
    pub(crate) const START: Self = Self {
        epoch: 0,
        tx: 0,
        position: 0,
    };
}

/// A place in the [feed](crate::EventFeed) of a store: all events up to it are behind it.
///
/// A cursor is a short text. Keep it wherever you keep the effects of the events, and give it back to continue:
///
/// ```
/// use eventlogs::Cursor;
///
/// let cursor: Cursor = "1-1-2f0-1a".parse()?;
/// assert_eq!(cursor.to_string(), "1-1-2f0-1a");
/// assert!(cursor > Cursor::START);
/// # Ok::<_, eventlogs::UnknownCursor>(())
/// ```
///
/// The parts are hexadecimal: the format, the epoch of the store, the transaction, the event, and the id of that event. The id
/// is there in the cursors that a feed returns. With it the feed notices that a database was restored to a state before the
/// cursor, instead of waiting for events that are never going to come.
///
/// Cursors of one store compare in the order of its feed. Cursors of different stores do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The place.
    place: Place,
    /// The id of the event at the place, if it is known.
    event_id: Option<EventId>,
}

impl Cursor {
    /// The place before all events.
    pub const START: Self = Self {
        place: Place::START,
        event_id: None,
    };

    /// Makes the cursor behind the event at a place.
    pub(crate) const fn new(place: Place, event_id: Option<EventId>) -> Self {
        Self { place, event_id }
    }

    /// Makes the cursor behind the event with these numbers: for stores.
    ///
    /// ```
    /// use eventlogs::Cursor;
    ///
    /// assert_eq!(Cursor::from_parts(1, 752, 26, None).to_string(), "1-1-2f0-1a");
    /// ```
    #[must_use]
    pub const fn from_parts(epoch: u32, tx: u64, position: u64, event_id: Option<EventId>) -> Self {
        let place = Place {
            epoch,
            tx,
            position,
        };
        Self::new(place, event_id)
    }

    /// Returns the place.
    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    /// Returns the id of the event at the place, if it is known.
    pub(crate) const fn event_id(&self) -> Option<EventId> {
        self.event_id
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::START
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            epoch,
            tx,
            position,
        } = self.place;
        write!(formatter, "{FORMAT}-{epoch:x}-{tx:x}-{position:x}")?;
        match self.event_id {
            Some(id) => write!(formatter, "-{}", Uuid::from(id).as_simple()),
            None => Ok(()),
        }
    }
}

impl FromStr for Cursor {
    type Err = UnknownCursor;

    fn from_str(text: &str) -> Result<Self, UnknownCursor> {
        parse(text).ok_or_else(|| UnknownCursor {
            text: text.chars().take(100).collect(),
        })
    }
}

fn parse(text: &str) -> Option<Cursor> {
    let mut parts = text.split('-');
    if parts.next()? != FORMAT {
        return None;
    }
    let place = Place {
        epoch: u32::try_from(hexadecimal(parts.next()?)?).ok()?,
        tx: hexadecimal(parts.next()?)?,
        position: hexadecimal(parts.next()?)?,
    };
    let event_id = match parts.next() {
        Some(id) if id.len() == 32 => Some(EventId::from(Uuid::try_parse(id).ok()?)),
        Some(_) => return None,
        None => None,
    };
    parts.next().is_none().then_some(Cursor { place, event_id })
}

/// Reads a number. `from_str_radix` alone would also accept a sign.
pub(crate) fn hexadecimal(text: &str) -> Option<u64> {
    let number = u64::from_str_radix(text, 16).ok()?;
    // Databases hold signed numbers.
    (!text.starts_with('+') && i64::try_from(number).is_ok()).then_some(number)
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A text is not a cursor of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a cursor that this version knows; use a text that `Cursor` has displayed, or begin with `Cursor::START`"
)]
#[non_exhaustive]
pub struct UnknownCursor {
    /// The text, or its first 100 characters.
    pub text: String,
}

impl UnknownCursor {
    /// Returns [`Invalid`](ErrorKind::Invalid): the text is not a cursor.
    ///
    /// ```
    /// use eventlogs::{Cursor, ErrorKind};
    ///
    /// let error = "yesterday".parse::<Cursor>().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// Returns `false`: the same text fails again.
    ///
    /// ```
    /// use eventlogs::Cursor;
    ///
    /// let error = "yesterday".parse::<Cursor>().unwrap_err();
    /// assert!(!error.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Place};
    use crate::ids::EventId;

    #[test]
    fn a_cursor_is_read_back() -> Result<(), Box<dyn std::error::Error>> {
        let place = Place {
            epoch: 3,
            tx: 0x7fff_ffff_ffff_ffff,
            position: 26,
        };
        for cursor in [
            Cursor::START,
            Cursor::new(place, None),
            Cursor::new(place, Some(EventId::new())),
        ] {
            assert_eq!(cursor.to_string().parse::<Cursor>()?, cursor);
            let json = serde_json::to_string(&cursor)?;
            assert_eq!(serde_json::from_str::<Cursor>(&json)?, cursor);
        }
        Ok(())
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "1",
            "2-1-1-1",
            "1-1-1",
            "1-1-1-1-",
            "1-1-1-1-1",
            "1-+1-1-1",
            "1-1-g-1",
            "1-100000000-1-1",
            "1-1-ffffffffffffffff-1",
            " 1-1-1-1",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }

    #[test]
    fn cursors_compare_in_the_order_of_the_feed() -> Result<(), super::UnknownCursor> {
        let texts = ["1-0-0-0", "1-1-9-2", "1-1-a-1", "1-1-a-10", "1-2-1-1"];
        let cursors: Result<Vec<Cursor>, _> = texts.iter().map(|text| text.parse()).collect();
        assert!(cursors?.is_sorted());
        Ok(())
    }
}
