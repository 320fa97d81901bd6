//! Where a feed ends, and what holds its end back.

use crate::cursor::Cursor;
use std::time::Duration;

/// Where a feed ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedHead {
    /// The fence: every event before this place is final, and no event can still appear before it.
    pub fence: Cursor,
    /// The last committed event, on this or the other side of the fence; `None` if there is none.
    pub last: Option<Cursor>,
    /// The last event before the fence; `None` if there is none.
    pub readable: Option<Cursor>,
    /// The history that the feed belongs to.
    pub history: History,
    /// `true` if the server only follows another one, so that it may lack events that the other one has.
    pub is_standby: bool,
}

/// The history that a database belongs to, and the server that has it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct History {
    /// The identifier of the database system; 0 if it is not known.
    pub system: i64,
    /// The number of its timeline, which rises with each fail-over and each restore; 0 if there are no timelines.
    pub timeline: u32,
    /// When the server started, in microseconds since 1970; 0 if it is not known. Servers that follow the same one differ in
    /// it, and so does a server before and after its files were replaced by older ones.
    pub started: i64,
}

impl History {
    /// Makes the history of a system and its timeline, on the server that started at this time.
    #[must_use]
    pub const fn new(system: i64, timeline: u32, started: i64) -> Self {
        Self {
            system,
            timeline,
            started,
        }
    }
}

impl FeedHead {
    /// Makes a head.
    #[must_use]
    pub const fn new(fence: Cursor, last: Option<Cursor>, readable: Option<Cursor>) -> Self {
        Self {
            fence,
            last,
            readable,
            history: History::new(0, 0, 0),
            is_standby: false,
        }
    }

    /// Returns `true` if there is an event behind the cursor that can be read.
    #[must_use]
    pub fn has_events_after(&self, cursor: Cursor) -> bool {
        self.readable
            .is_some_and(|readable| readable.place() > cursor.place())
    }

    /// Returns `true` if the event of the cursor comes after all events.
    pub(crate) fn is_behind(&self, cursor: Cursor) -> bool {
        cursor.event_id().is_some() && self.last.is_none_or(|last| last.place() < cursor.place())
    }

    /// Returns the cursor from which on a reader gets what is not final yet.
    pub(crate) fn now(&self) -> Cursor {
        if self.is_held() {
            self.fence
        } else {
            self.readable.unwrap_or(Cursor::START)
        }
    }

    /// Returns `true` if there are events that are committed, but not final.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.last
            .is_some_and(|last| last.place() >= self.fence.place())
    }

    /// Returns about how many events lie behind the cursor.
    #[must_use]
    pub fn distance(&self, cursor: Cursor) -> u64 {
        match self.last.map(|last| last.place()) {
            Some(last) if last.epoch == cursor.place().epoch => {
                last.position.saturating_sub(cursor.place().position)
            }
            Some(last) => last.position,
            None => 0,
        }
    }
}

/// A transaction that holds the end of the feed back: what is committed after it has begun to write waits for its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedHold {
    /// The process of the server that runs the transaction; `None` if it is prepared.
    pub pid: Option<i32>,
    /// The name of the prepared transaction.
    pub gid: Option<String>,
    /// The database of the transaction.
    pub database: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The application.
    pub application: Option<String>,
    /// What the session does; `None` if this role may not know.
    pub state: Option<String>,
    /// The last statement of the session; `None` if this role may not know.
    pub query: Option<String>,
    /// How long the transaction has been running, if it is known.
    pub age: Option<Duration>,
}

impl FeedHold {
    /// Makes a hold of which nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pid: None,
            gid: None,
            database: None,
            user: None,
            application: None,
            state: None,
            query: None,
            age: None,
        }
    }
}

impl Default for FeedHold {
    fn default() -> Self {
        Self::new()
    }
}
