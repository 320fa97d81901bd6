//! The projection of the suite: it adds up what it handles in shared memory, so that nothing hides an event that comes twice.

use crate::__example::CounterEvent;
use crate::event::interest::Interest;
use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::ids::LogId;
use crate::projection::contract::Projection;
use crate::projection::database::Elsewhere;
use crate::projection::handler::HandlerError;
use crate::record::EventRecord;
use crate::sync::lock;
use crate::testing::conformance::events::StrangeEvent;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The names of the projections of the suite.
pub(super) const NAMES: [&str; 2] = ["recorder", "other_recorder"];

/// Records what it handles. `N` is the number of its name. A clone shares the records.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder<const N: usize = 0>(Arc<Mutex<Recorded>>);

/// What was handled.
#[derive(Debug, Default)]
struct Recorded {
    /// The events of each log, in the order in which they came.
    logs: HashMap<LogId, Vec<u64>>,
    /// The sum of all amounts.
    total: i64,
    /// How long each event takes.
    delay: Duration,
    /// The amount that cannot be handled, and what happens then.
    fault: Option<(i64, Fault)>,
    /// How often the fault has happened.
    faults: u32,
}

/// What happens instead of handling an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// The handler returns an error.
    Error,
    /// The handler panics.
    Panic,
    /// The handler does not return.
    Hang,
    /// The event cannot be decoded.
    Undecodable,
    /// The handler returns the error of a connection, so many times.
    Passing(u32),
}

impl<const N: usize> Recorder<N> {
    /// Returns all events, by log, in the order in which they came.
    pub(super) fn logs(&self) -> HashMap<LogId, Vec<u64>> {
        lock(&self.0).logs.clone()
    }

    /// Returns the indices of the events of a log, in the order in which they came.
    pub(super) fn of(&self, log_id: LogId) -> Vec<u64> {
        self.logs().remove(&log_id).unwrap_or_default()
    }

    /// Returns how many events were handled.
    pub(super) fn events(&self) -> usize {
        lock(&self.0).logs.values().map(Vec::len).sum()
    }

    /// Returns the sum of all amounts.
    pub(super) fn total(&self) -> i64 {
        lock(&self.0).total
    }

    /// Returns how often the fault has happened.
    pub(super) fn faults(&self) -> u32 {
        lock(&self.0).faults
    }

    /// Makes each event take this long.
    pub(super) fn take(&self, delay: Duration) {
        lock(&self.0).delay = delay;
    }

    /// Makes the handler fail at this amount.
    pub(super) fn fail_at(&self, amount: i64, fault: Fault) {
        let mut recorded = lock(&self.0);
        recorded.fault = Some((amount, fault));
        recorded.faults = 0;
    }

    /// Corrects the handler.
    pub(super) fn correct(&self) {
        lock(&self.0).fault = None;
    }

    /// Returns what happens instead of handling this amount, and counts it.
    fn fault(&self, amount: i64) -> Option<Fault> {
        let mut recorded = lock(&self.0);
        let (_, fault) = recorded.fault.filter(|(failing, _)| *failing == amount)?;
        if let Fault::Passing(times) = fault
            && recorded.faults >= times
        {
            return None;
        }
        recorded.faults += 1;
        Some(fault)
    }

    async fn fail(&self, event: &FeedEvent, fault: Fault) -> Result<(), HandlerError> {
        let failed = |source| Err(HandlerError::Failed { source });
        match fault {
            Fault::Error => failed("on purpose".into()),
            Fault::Panic => panic!("a panic on purpose"),
            Fault::Hang => std::future::pending().await,
            Fault::Undecodable => Ok(event.decode::<StrangeEvent>().map(|_| ())?),
            Fault::Passing(_) => failed(io::Error::other("the network, on purpose").into()),
        }
    }
}

impl<const N: usize> Projection for Recorder<N> {
    type Database = Elsewhere;

    const NAME: &'static str = NAMES[N];

    const SOURCES: &'static [Source] = &[Source::new::<CounterEvent>(Interest::Except(&["Noted"]))];

    fn fingerprint() -> u64 {
        17
    }

    async fn apply(&self, event: &FeedEvent, (): &mut ()) -> Result<(), HandlerError> {
        let record = event.decode::<CounterEvent>()?;
        let CounterEvent::Added { amount } = record.event() else {
            panic!("an event came that is not wanted: {record:?}");
        };
        if let Some(fault) = self.fault(*amount) {
            return self.fail(event, fault).await;
        }
        let delay = lock(&self.0).delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut recorded = lock(&self.0);
        recorded.total += amount;
        let log = recorded.logs.entry(record.log_id()).or_default();
        log.push(record.index());
        Ok(())
    }
}
