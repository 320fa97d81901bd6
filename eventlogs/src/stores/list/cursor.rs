//! Places in a list of logs, and the cursor that names one as a short text.

use crate::cursor::{Cursor, Place, hexadecimal};
use crate::ids::LogId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The order of a list of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ListOrder {
    /// By the id of the log. With ids of [`LogId::new`] this is about the order in which the logs were created.
    #[default]
    Id,
    /// By the newest event of the log, the log that was changed last first.
    NewestChange,
}

impl fmt::Display for ListOrder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Id => "by id",
            Self::NewestChange => "by newest change",
        })
    }
}

/// The order of a list, and where a page of it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListStart {
    /// In the order of the ids, after this log. Without a log, the page is the first one.
    Id(Option<LogId>),
    /// In the order of the newest changes, after these. Without changes, the page is the first one.
    NewestChange(Option<SeenChanges>),
}

impl ListStart {
    /// Returns the start of the page after a cursor, or of the first page.
    ///
    /// # Errors
    /// [`OtherListOrder`] if the cursor belongs to a list in another order.
    pub fn new(order: ListOrder, after: Option<&ListCursor>) -> Result<Self, OtherListOrder> {
        match (order, after.map(|cursor| &cursor.after)) {
            (ListOrder::Id, None) => Ok(Self::Id(None)),
            (ListOrder::Id, Some(After::Log(log_id))) => Ok(Self::Id(Some(*log_id))),
            (ListOrder::NewestChange, None) => Ok(Self::NewestChange(None)),
            (ListOrder::NewestChange, Some(After::Changes(seen))) => {
                Ok(Self::NewestChange(Some(seen.clone())))
            }
            (wanted, Some(After::Log(_))) => Err(OtherListOrder {
                found: ListOrder::Id,
                wanted,
            }),
            (wanted, Some(After::Changes(_))) => Err(OtherListOrder {
                found: ListOrder::NewestChange,
                wanted,
            }),
        }
    }
}

/// How far a list in the order of the newest changes has come, and which events existed when it began.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeenChanges {
    /// All events that the list knows are before this place.
    top: Place,
    /// The transactions before the place that were running when the list began: the list does not know their events. In
    /// ascending order.
    running: Vec<u64>,
    /// The last event that was looked at.
    last: Place,
}

impl SeenChanges {
    /// Says that a list of the events before `top` has looked at all events down to `last`.
    #[must_use]
    pub const fn new(top: Cursor, last: Cursor) -> Self {
        Self {
            top: top.place(),
            running: Vec::new(),
            last: last.place(),
        }
    }

    /// Adds the transactions that were running when the list began, in ascending order: the list does not have their events,
    /// even if they end before the next page is read.
    #[must_use]
    pub fn with_running(self, running: Vec<u64>) -> Self {
        Self { running, ..self }
    }

    /// Moves the last event that was looked at: all events down to `last` have been.
    #[must_use]
    pub fn down_to(self, last: Cursor) -> Self {
        Self {
            last: last.place(),
            ..self
        }
    }

    /// Returns the place before which all events are that the list knows.
    #[must_use]
    pub const fn top(&self) -> Cursor {
        Cursor::new(self.top, None)
    }

    /// Returns the transactions that were running when the list began.
    #[must_use]
    pub fn running(&self) -> &[u64] {
        &self.running
    }

    /// Returns the place of the last event that was looked at.
    #[must_use]
    pub const fn last(&self) -> Cursor {
        Cursor::new(self.last, None)
    }
}

/// A place in a list of logs: where the next page starts.
///
/// A cursor is a short text, so that an API can hand it out and take it back:
///
/// ```
/// use eventlogs::stores::{ListCursor, UnknownListCursor};
///
/// let cursor: ListCursor = "id.01890a5dac96774bbcceb302099a8057".parse()?;
/// assert_eq!(cursor.to_string(), "id.01890a5dac96774bbcceb302099a8057");
/// assert!("page 2".parse::<ListCursor>().is_err());
/// # Ok::<_, UnknownListCursor>(())
/// ```
///
/// It consists of ASCII letters, digits, `.` and `-`. It contains the id of a log or places in the order of all events, and
/// nothing else that is stored. In the order of the newest changes, on PostgreSQL, it grows by about ten characters for each
/// transaction that was writing when the first page was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListCursor {
    /// What the pages before have looked at.
    after: After,
}

/// What the pages before a cursor have looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum After {
    /// The logs up to this one.
    Log(LogId),
    /// These events.
    Changes(SeenChanges),
}

impl From<LogId> for ListCursor {
    fn from(log_id: LogId) -> Self {
        Self {
            after: After::Log(log_id),
        }
    }
}

impl From<SeenChanges> for ListCursor {
    fn from(seen: SeenChanges) -> Self {
        Self {
            after: After::Changes(seen),
        }
    }
}

/// The first part of the text, in the order of the ids.
const ID: &str = "id";
/// The first part of the text, in the order of the newest changes.
const CHANGE: &str = "change";

impl fmt::Display for ListCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            After::Log(log_id) => write!(formatter, "{ID}.{}", log_id.as_uuid().as_simple()),
            After::Changes(seen) => {
                write!(formatter, "{CHANGE}.{}.{}", seen.top(), seen.last())?;
                let mut separator = '.';
                for tx in &seen.running {
                    write!(formatter, "{separator}{tx:x}")?;
                    separator = '-';
                }
                Ok(())
            }
        }
    }
}

impl FromStr for ListCursor {
    type Err = UnknownListCursor;

    fn from_str(text: &str) -> Result<Self, UnknownListCursor> {
        parse(text).ok_or_else(|| UnknownListCursor {
            text: text.chars().take(100).collect(),
        })
    }
}

fn parse(text: &str) -> Option<ListCursor> {
    let mut parts = text.split('.');
    let cursor = match parts.next()? {
        ID => {
            let id = parts.next().filter(|id| id.len() == 32)?;
            LogId::from(Uuid::try_parse(id).ok()?).into()
        }
        CHANGE => {
            let seen = SeenChanges {
                top: place(parts.next()?)?,
                last: place(parts.next()?)?,
                running: Vec::new(),
            };
            if seen.last > seen.top {
                return None;
            }
            let running = parts.next().map(|running| transactions(running, seen.top));
            seen.with_running(running.unwrap_or_else(|| Some(Vec::new()))?)
                .into()
        }
        _ => return None,
    };
    parts.next().is_none().then_some(cursor)
}

fn place(text: &str) -> Option<Place> {
    let cursor: Cursor = text.parse().ok()?;
    cursor.event_id().is_none().then_some(cursor.place())
}

/// Reads transactions, which rise and are before a place.
fn transactions(text: &str, top: Place) -> Option<Vec<u64>> {
    let transactions = text.split('-').map(hexadecimal);
    let transactions: Vec<u64> = transactions.collect::<Option<_>>()?;
    let rise = transactions.is_sorted_by(|one, next| one < next);
    let is_first = |first: &u64| *first > 0;
    let is_before = |last: &u64| *last < top.tx;
    let fit =
        transactions.first().is_some_and(is_first) && transactions.last().is_some_and(is_before);
    (rise && fit).then_some(transactions)
}

impl Serialize for ListCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ListCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A text is not a cursor of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a cursor of a list that this version knows; use a text that `ListCursor` has displayed, or begin with the first page"
)]
#[non_exhaustive]
pub struct UnknownListCursor {
    /// The text, or its first 100 characters.
    pub text: String,
}

/// A cursor belongs to a list in another order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cursor belongs to a list {found}, not {wanted}; use the order of the page that the cursor comes from, or begin with the first page"
)]
#[non_exhaustive]
pub struct OtherListOrder {
    /// The order of the list that the cursor comes from.
    pub found: ListOrder,
    /// The order of the request.
    pub wanted: ListOrder,
}

#[cfg(test)]
mod tests {
    use super::{ListCursor, SeenChanges};
    use crate::cursor::Cursor;
    use crate::ids::LogId;

    #[test]
    fn a_cursor_is_read_back() -> Result<(), Box<dyn std::error::Error>> {
        let top = Cursor::from_parts(3, 0x7fff_ffff_ffff_ffff, 0, None);
        let last = Cursor::from_parts(2, 7, 26, None);
        let seen = SeenChanges::new(top, last);
        for cursor in [
            ListCursor::from(LogId::new()),
            seen.clone().into(),
            seen.clone().with_running(vec![9]).into(),
            seen.with_running(vec![9, 0x10, 0x7fff_ffff_ffff_fffe])
                .into(),
        ] {
            assert_eq!(cursor.to_string().parse::<ListCursor>()?, cursor);
            let json = serde_json::to_string(&cursor)?;
            assert_eq!(serde_json::from_str::<ListCursor>(&json)?, cursor);
        }
        Ok(())
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "id",
            "id.",
            "id.01890a5d-ac96-774b-bcce-b302099a8057",
            "id.01890a5dac96774bbcceb302099a805",
            "id.01890a5dac96774bbcceb302099a8057.",
            "01890a5dac96774bbcceb302099a8057",
            "1-1-2f0-1a",
            "change.1-1-2f0-1a",
            "change.1-1-2f0-1a.1-1-2f0-19.",
            "change.1-1-2f0-1a.1-1-2f0-19.2f0",
            "change.1-1-2f0-1a.1-1-2f0-19.9-8",
            "change.1-1-2f0-1a.1-1-2f0-19.8-8",
            "change.1-1-2f0-1a.1-1-2f0-19.+8",
            "change.1-1-2f0-1a.1-1-2f0-19.0-8",
            "change.1-1-2f0-1a.1-1-2f0-19.8.9",
            "change.1-1-2f0-1a-01890a5dac96774bbcceb302099a8057.1-1-2f0-19",
            "change.1-1-2f0-1a.1-1-2f0-1b",
            "later.1-1-2f0-1a.1-1-2f0-19",
        ] {
            assert!(text.parse::<ListCursor>().is_err(), "{text}");
        }
    }
}
