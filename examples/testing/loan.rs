//! The loans of a book.

use chrono::{DateTime, TimeDelta, Utc};
use eventlogs::{Aggregate, Event, EventRecord, event_handler};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The time after which a reader is reminded.
const TERM: TimeDelta = TimeDelta::days(28);

/// After more reminders than this, the reader must come to the counter.
const REMINDERS: u32 = 3;

/// The events of a book.
#[derive(Debug, Clone, PartialEq, Event)]
pub(crate) enum LoanEvent {
    /// A reader borrowed it.
    #[event(name = "loan.lent")]
    Lent {
        /// The reader's name.
        reader: String,
    },
    /// The reader was asked to bring it back.
    #[event(name = "loan.reminded", alias = "loan.admonished")]
    Reminded,
    /// The library has it back.
    #[event(name = "loan.returned")]
    Returned,
}

/// The state of a book. `PartialEq` and `Debug` are for the tests, serde's traits for a cache outside the process.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Aggregate)]
#[aggregate(event = LoanEvent)]
pub(crate) struct Loan {
    reader: Option<String>,
    /// The time when the book was lent, or when the reader was last reminded.
    since: Option<DateTime<Utc>>,
    reminders: u32,
}

#[event_handler(LoanEvent)]
impl Loan {
    #[on(Lent)]
    fn lent(&mut self, reader: &str, #[record] record: &impl EventRecord<LoanEvent>) {
        self.reader = Some(reader.to_owned());
        self.since = Some(record.recorded_at());
        self.reminders = 0;
    }

    #[on(Reminded)]
    fn reminded(&mut self, #[record] record: &impl EventRecord<LoanEvent>) {
        self.since = Some(record.recorded_at());
        self.reminders += 1;
    }

    #[on(Returned)]
    fn returned(&mut self) {
        *self = Self::default();
    }
}

/// The reason for a refusal.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0} has the book")]
    LentTo(String),
    #[error("no reader has the book, so there is no one to remind")]
    NotLent,
    #[error("it is too early for a reminder")]
    NotOverdue,
    #[error("the reader must come to the counter")]
    ToTheCounter,
}

/// Lends the book, if no other reader has it.
pub(crate) fn lend(reader: &str) -> impl FnMut(&Loan) -> Result<[LoanEvent; 1], Refusal> {
    move |loan| match &loan.reader {
        Some(other) => Err(Refusal::LentTo(other.clone())),
        None => Ok([LoanEvent::Lent {
            reader: reader.to_owned(),
        }]),
    }
}

/// Reminds the reader, at most once per `TERM`. The caller passes the time, because a decision must not read a clock.
pub(crate) fn remind(now: DateTime<Utc>) -> impl FnMut(&Loan) -> Result<[LoanEvent; 1], Refusal> {
    move |loan| match loan.since {
        None => Err(Refusal::NotLent),
        Some(since) if now - since < TERM => Err(Refusal::NotOverdue),
        Some(_) => Ok([LoanEvent::Reminded]),
    }
}

/// Takes the book back, unless the reader got too many reminders. If it is back already, there is nothing to do. A plain
/// function can be a decision, too.
pub(crate) fn take_back(loan: &Loan) -> Result<Option<LoanEvent>, Refusal> {
    if loan.reminders > REMINDERS {
        return Err(Refusal::ToTheCounter);
    }
    Ok(loan.reader.as_ref().map(|_| LoanEvent::Returned))
}
