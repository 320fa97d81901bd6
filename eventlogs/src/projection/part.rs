//! Events that are applied to rows together.

use crate::feed::event::FeedEvent;
use crate::projection::handler::{HandlerError, panic_message};
use crate::projection::page::PageError;
use crate::projection::row::{ProjectedRow, RowError};
use crate::projection::table::{RowChanges, RowTable};
use serde_json::Value;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Events that are applied together, and their rows.
pub(crate) struct Part<'a, R: ProjectedRow> {
    /// The events, each with its number in the page and the places of its rows.
    events: Vec<(usize, &'a FeedEvent, Vec<usize>)>,
    /// The rows.
    rows: Vec<RowState<R>>,
    /// The places of the rows.
    places: HashMap<R::Key, usize>,
}

/// A row while its events are applied.
struct RowState<R: ProjectedRow> {
    key: R::Key,
    /// The row; `None` if it does not exist.
    row: Option<R>,
    /// Whether it was there before.
    existed: bool,
    /// The number of the last event that has changed it.
    changed_by: Option<usize>,
}

impl<'a, R: ProjectedRow> Part<'a, R> {
    /// Finds out which rows the events change.
    pub(crate) fn of(events: &'a [FeedEvent], first: usize) -> Result<Self, PageError> {
        let mut part = Self {
            events: Vec::new(),
            rows: Vec::new(),
            places: HashMap::new(),
        };
        for (number, event) in (first..).zip(events) {
            let is_wanted = event.payload.is_some() && event.source(R::SOURCES).is_some();
            if !is_wanted {
                continue;
            }
            let keys =
                guarded(|| R::keys(event)).map_err(|error| PageError::Event(number, error))?;
            let places: Vec<_> = keys.into_iter().map(|key| part.place(key)).collect();
            if !places.is_empty() {
                part.events.push((number, event, places));
            }
        }
        Ok(part)
    }

    /// Returns `true` if the events change no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns the place of a row.
    fn place(&mut self, key: R::Key) -> usize {
        let next = self.rows.len();
        let place = *self.places.entry(key.clone()).or_insert(next);
        if place == next {
            self.rows.push(RowState {
                key,
                row: None,
                existed: false,
                changed_by: None,
            });
        }
        place
    }

    /// Returns the keys of all rows, as serde writes them.
    pub(crate) fn keys(&self) -> Result<Vec<Value>, RowError> {
        self.rows.iter().map(RowState::written_key).collect()
    }

    /// Takes the rows that exist.
    pub(crate) fn found(&mut self, rows: Vec<R>) {
        for row in rows {
            let place = self.places.get(row.key());
            if let Some(state) = place.and_then(|place| self.rows.get_mut(*place)) {
                state.row = Some(row);
                state.existed = true;
            }
        }
    }

    /// Applies the events to the rows.
    pub(crate) fn fold(&mut self) -> Result<(), PageError> {
        for (number, event, places) in &self.events {
            for place in places {
                if let Some(state) = self.rows.get_mut(*place) {
                    let applied = guarded(|| state.apply(*number, event));
                    applied.map_err(|error| PageError::Event(*number, error))?;
                }
            }
        }
        Ok(())
    }

    /// Returns what is to be written.
    pub(crate) fn changes(&self, table: &RowTable) -> Result<RowChanges, PageError> {
        let mut changes = RowChanges::default();
        for state in &self.rows {
            let Some(number) = state.changed_by else {
                continue;
            };
            let failed = |error: RowError| PageError::Event(number, Box::new(error).into());
            if let Some(row) = &state.row {
                changes.written.push(table.content(row).map_err(failed)?);
            } else if state.existed {
                changes.deleted.push(state.written_key().map_err(failed)?);
            }
        }
        Ok(changes)
    }
}

impl<R: ProjectedRow> RowState<R> {
    fn written_key(&self) -> Result<Value, RowError> {
        serde_json::to_value(&self.key).map_err(|error| RowError::Unwritable {
            row: std::any::type_name::<R>(),
            reason: error.to_string(),
        })
    }

    /// Applies one event.
    fn apply(&mut self, number: usize, event: &FeedEvent) -> Result<(), HandlerError> {
        let row = self.row.get_or_insert_with(|| {
            let mut row = R::default();
            row.set_key(self.key.clone());
            row
        });
        if row.through().is_some_and(|through| event.index <= through) {
            return Ok(());
        }
        row.apply(event)?;
        row.set_through(event.index);
        // After each event, so that the size of the pages makes no difference.
        if !row.keep() {
            self.row = None;
        }
        self.changed_by = Some(number);
        Ok(())
    }
}

/// Survives a panic of the user's code.
fn guarded<T>(call: impl FnOnce() -> Result<T, HandlerError>) -> Result<T, HandlerError> {
    // What the code has left half done is not used after an error.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        Err(HandlerError::Panicked {
            message: panic_message(&*panic),
        })
    })
}
