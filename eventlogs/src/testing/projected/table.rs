//! A table of rows in memory.

use crate::feed::event::FeedEvent;
use crate::ids::LogId;
use crate::projection::page::PageError;
use crate::projection::row::ProjectedRow;
use crate::projection::row_error::RowError;
use crate::projection::rows::Part;
use crate::projection::table::{RowTable, row_name};
use crate::shared_error::cause;
use crate::testing::projected::events::named;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

/// The rows of a projection, as serde writes them: what a row keeps elsewhere is lost between two pages, as in a database.
pub(super) struct MemoryTable<R> {
    table: RowTable,
    /// The rows, by their written key.
    rows: BTreeMap<String, Map<String, Value>>,
    /// The keys that are remembered for logs.
    row_keys: HashMap<LogId, String>,
    row: PhantomData<fn() -> R>,
}

impl<R: ProjectedRow> MemoryTable<R> {
    /// Makes an empty table, or returns why no table can hold the rows.
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self {
            table: RowTable::of::<R>().map_err(|error| cause(&error).to_string())?,
            rows: BTreeMap::new(),
            row_keys: HashMap::new(),
            row: PhantomData,
        })
    }

    /// Applies the events of a page, or returns why they cannot be applied.
    pub(super) fn apply(&mut self, events: &[FeedEvent]) -> Result<(), String> {
        self.try_apply(events).map_err(|error| {
            let (event, error) = match &error {
                PageError::OneEvent(number, error) => (events.get(*number), error),
                PageError::SomeEvent(error) => (None, error),
            };
            let what = event.map_or_else(|| "the events".to_owned(), named);
            let row = row_name::<R>();
            format!("`{row}` cannot apply {what}: {}", cause(error))
        })
    }

    /// Applies the events with the code that runs them on a database.
    fn try_apply(&mut self, events: &[FeedEvent]) -> Result<(), PageError> {
        let failed = |error: RowError| PageError::SomeEvent(Box::new(error).into());
        let mut part = Part::<R>::of(events, 0)?;
        if let Some((_, logs)) = part.recalled() {
            let found = logs.into_iter().filter_map(|log_id| {
                let keys = self.row_keys.get(&log_id)?;
                Some((log_id, keys.clone()))
            });
            part.recall(found.collect()).map_err(failed)?;
        }
        self.row_keys.extend(part.remembered().map_err(failed)?);
        let keys = part.keys().map_err(failed)?;
        let contents = keys
            .iter()
            .filter_map(|key| self.rows.get(&key.to_string()));
        let found: Result<Vec<R>, _> = contents.map(|content| self.read(content)).collect();
        part.found(found.map_err(failed)?);
        part.fold()?;
        let changes = part.changes(&self.table)?;
        for key in changes.deleted {
            self.rows.remove(&key.to_string());
        }
        for content in changes.written {
            let key = content.get(self.table.key).unwrap_or(&Value::Null);
            self.rows.insert(key.to_string(), content);
        }
        Ok(())
    }

    fn read(&self, content: &Map<String, Value>) -> Result<R, RowError> {
        let read = serde_json::from_value(Value::Object(content.clone()));
        read.map_err(|source| RowError::Unreadable {
            table: self.table.name,
            row: self.table.row,
            source: source.into(),
        })
    }

    /// Returns all rows, or why one of them cannot be read.
    pub(super) fn rows(&self) -> Result<Vec<R>, String> {
        let rows = self.rows.values().map(|content| self.read(content));
        rows.collect::<Result<_, _>>()
            .map_err(|error| cause(&error).to_string())
    }
}
