//! Reducing a log from the start, together with other callers who ask for it.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::manager::LogManager;
use crate::manager::decide::pending::text_of;
use crate::manager::error::LogManagerError;
use crate::manager::flights::{Flight, Outcome};
use crate::manager::fold::Fold;
use crate::stores::error::ReadError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Instant;
use tokio::runtime::Handle;
use tracing::Instrument;

impl<A: Aggregate> LogManager<A> {
    /// Reduces a log from the start, together with other callers who ask for it.
    pub(super) async fn shared(&self, log_id: LogId) -> Result<Aggregation<A>, LogManagerError> {
        let Ok(runtime) = Handle::try_current() else {
            // A future that is polled by hand, as with a fake: there are no tasks.
            return self.whole(log_id).await;
        };
        let reads = |flight| {
            let reads = self.clone().fly(flight).in_current_span();
            Box::pin(reads) as BoxFuture<'static, ()>
        };
        match self.inner.flights.join(log_id, &runtime, reads).await {
            Some(Outcome::Done(result)) => result,
            // As without other callers, the panic reaches the caller.
            Some(Outcome::Panicked(text)) => resume_unwind(Box::new(text)),
            // The runtime of the reads is shutting down.
            None => self.whole(log_id).await,
        }
    }

    /// Reads a log until nobody waits for it any more.
    async fn fly(self, mut flight: Flight<A>) {
        let log_id = flight.log_id;
        let mut earlier: Option<Aggregation<A>> = None;
        loop {
            let callers = flight.callers();
            if callers.is_empty() {
                return;
            }
            // Those who have asked after the log was forgotten must not get what was read before.
            let epoch = self.inner.cache_writer.epoch(log_id);
            let read = async {
                match earlier.take().filter(|earlier| earlier.epoch() == epoch) {
                    Some(earlier) => self.tail(earlier).await,
                    None => self.whole(log_id).await,
                }
            };
            let outcome = match AssertUnwindSafe(read).catch_unwind().await {
                Ok(result) => Outcome::Done(result),
                Err(panic) => Outcome::Panicked(text_of(&*panic)),
            };
            if let Outcome::Done(Ok(aggregation)) = &outcome {
                earlier = Some(aggregation.clone());
            }
            for caller in callers {
                // An error means that the caller has given up.
                let _ = caller.send(outcome.clone());
            }
        }
    }

    /// Continues the reduction of the read before.
    async fn tail(&self, earlier: Aggregation<A>) -> Result<Aggregation<A>, LogManagerError> {
        let sent_at = Instant::now();
        let mut fold = self.bounded(Fold::from_aggregation(&earlier));
        match self.inner.store.fold(&mut fold).await {
            Ok(()) => self.finished(fold, false, sent_at),
            Err(ReadError::HistoryChanged { .. }) => self.whole(earlier.log_id()).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Reduces a log from the start.
    async fn whole(&self, log_id: LogId) -> Result<Aggregation<A>, LogManagerError> {
        let sent_at = Instant::now();
        let epoch = self.inner.cache_writer.epoch(log_id);
        let fold = Fold::from_the_start(log_id)
            .with_epoch(epoch)
            .with_expected_events(self.inner.lengths.average());
        let mut fold = self.bounded(fold);
        self.inner.store.fold(&mut fold).await?;
        let reduced = self.finished(fold, false, sent_at)?;
        self.inner.lengths.note(reduced.applied_events());
        Ok(reduced)
    }
}
