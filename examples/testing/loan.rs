//! The loans of a book.

use chrono::{DateTime, TimeDelta, Utc};
use eventlogs::{Aggregate, Event, EventRecord, event_handler};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// After how long a reader is reminded.
const TERM: TimeDelta = TimeDelta::days(28);

/// How many reminders a reader gets without further ado.
const REMINDERS: u32 = 3;

/// What can happen to a book.
#[derive(Debug, Clone, PartialEq, Event)]
pub(crate) enum LoanEvent {
    /// Somebody has it.
    #[event(name = "loan.lent")]
    Lent {
        /// Who.
        reader: String,
    },
    /// The reader was asked to bring it back.
    #[event(name = "loan.reminded", alias = "loan.admonished")]
    Reminded,
    /// The library has it.
    #[event(name = "loan.returned")]
    Returned,
}

/// Where the book is. `PartialEq` and `Debug` are for the tests, serde's traits for a cache outside the process.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Aggregate)]
#[aggregate(event = LoanEvent)]
pub(crate) struct Loan {
    reader: Option<String>,
    /// Since when the reader has it, or was last reminded of it.
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

/// Why something is not done.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0} has the book")]
    LentTo(String),
    #[error("there is nobody to remind")]
    NotLent,
    #[error("it is too early to remind anybody")]
    NotOverdue,
    #[error("the reader is asked to come to the counter")]
    ToTheCounter,
}

/// Lends the book, if it is there.
pub(crate) fn lend(reader: &str) -> impl FnMut(&Loan) -> Result<[LoanEvent; 1], Refusal> {
    move |loan| match &loan.reader {
        Some(other) => Err(Refusal::LentTo(other.clone())),
        None => Ok([LoanEvent::Lent {
            reader: reader.to_owned(),
        }]),
    }
}

/// Reminds the reader, but not too often. The time is given, for decisions have no clock of their own.
pub(crate) fn remind(now: DateTime<Utc>) -> impl FnMut(&Loan) -> Result<[LoanEvent; 1], Refusal> {
    move |loan| match loan.since {
        None => Err(Refusal::NotLent),
        Some(since) if now - since < TERM => Err(Refusal::NotOverdue),
        Some(_) => Ok([LoanEvent::Reminded]),
    }
}

/// Takes the book back, but not without a word after many reminders; if it is back already, there is nothing to do. A
/// function is as good a decision as a closure.
pub(crate) fn take_back(loan: &Loan) -> Result<Option<LoanEvent>, Refusal> {
    if loan.reminders > REMINDERS {
        return Err(Refusal::ToTheCounter);
    }
    Ok(loan.reader.as_ref().map(|_| LoanEvent::Returned))
}
