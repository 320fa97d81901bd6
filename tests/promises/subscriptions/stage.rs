//! A store on a server with the tables of a read model, and the logs that are written.

use super::totals::{PostgresTotals, TABLES, TOTALS, Totals, read_in_postgres};
use crate::payments::{Payment, PaymentEvent, payments};
use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::projection::CheckpointStore;
use eventlogs::subscriptions::{
    RunningSubscriptions, SubscriptionOptions, SubscriptionState, SubscriptionStatus, Subscriptions,
};
use eventlogs::{
    AppendOptions, CreateOptions, EventRecord, LogManager, LogState, PostgresEventStore,
};
use std::time::{Duration, Instant};

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// A lease that ends during a test.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// Logs of captured amounts.
pub(crate) struct Logs {
    pub(crate) payments: LogManager<Payment>,
    pub(crate) states: Vec<LogState<PaymentEvent>>,
}

impl Logs {
    /// Creates logs of one event each.
    pub(crate) async fn new(payments: LogManager<Payment>, logs: usize) -> Self {
        let mut states = Vec::new();
        for _ in 0..logs {
            let captured = PaymentEvent::Captured { amount: 1 };
            let (log_id, options) = (LogId::new(), CreateOptions::default());
            let created = payments.create(&log_id, &captured, &options);
            states.push(created.await.unwrap());
        }
        Self { payments, states }
    }

    /// Appends some amounts to each log.
    pub(crate) async fn append(&mut self, amounts: &[u64]) {
        let events: Vec<_> = amounts
            .iter()
            .map(|amount| PaymentEvent::Captured { amount: *amount })
            .collect();
        let options = AppendOptions::default();
        for state in &mut self.states {
            let appended = self.payments.append_all(*state, &events, &options).await;
            *state = appended.unwrap();
        }
    }

    /// Appends for a while, with pauses between the rounds.
    pub(crate) async fn append_for(&mut self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.append(&[3, 5]).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Returns the fold of the events.
    pub(crate) async fn fold(&self) -> Totals {
        let mut totals = Totals::default();
        for state in &self.states {
            let records = self
                .payments
                .load(&state.log_id(), 0, 1_000_000)
                .await
                .unwrap();
            for record in records {
                if let PaymentEvent::Captured { amount } = record.event() {
                    totals.add(state.log_id(), *amount);
                }
            }
        }
        totals
    }

    /// Waits until a subscription has come to the last event of each log, in whatever process.
    pub(crate) async fn caught_up(&self, store: &impl CheckpointStore, name: &str) {
        let begun = Instant::now();
        for state in &self.states {
            let place = store.find_place(state.log_id(), state.index());
            let place = place.await.unwrap().expect("the event is stored");
            loop {
                // The server may be away.
                let states = store.partitions(Some(name)).await.unwrap_or_default();
                if !states.is_empty() && states.iter().all(|state| state.cursor >= place) {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "{states:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// The tables of a test on the shared server, and logs.
pub(crate) struct Stage {
    pub(crate) server: TestStore,
    pub(crate) logs: Logs,
}

impl Stage {
    /// Makes one with this number of logs; `None` without a server.
    pub(crate) async fn set(logs: usize) -> Option<Self> {
        let server = TestStore::new().await?;
        server.execute(TABLES).await;
        let logs = Logs::new(payments(server.store.clone()), logs).await;
        Some(Self { server, logs })
    }

    /// What comes before the names of the tables.
    pub(crate) fn prefix(&self) -> String {
        format!("{}.", self.server.options.schema)
    }

    pub(crate) fn totals(&self) -> PostgresTotals {
        PostgresTotals {
            prefix: self.prefix(),
            delay: Duration::ZERO,
        }
    }

    /// Starts the read model on a store.
    pub(crate) async fn start(
        &self,
        store: &PostgresEventStore,
    ) -> RunningSubscriptions<PostgresEventStore> {
        self.start_with(store, SubscriptionOptions::default()).await
    }

    /// Starts the read model on a store, with options.
    pub(crate) async fn start_with(
        &self,
        store: &PostgresEventStore,
        options: SubscriptionOptions,
    ) -> RunningSubscriptions<PostgresEventStore> {
        let subscriptions = Subscriptions::new(store).lease(LEASE);
        let subscriptions = subscriptions.projection_with(self.totals(), options);
        subscriptions.start().await.unwrap()
    }

    /// Reads what the read model says.
    pub(crate) async fn read(&self) -> Totals {
        let mut connection = self.server.connection().await;
        read_in_postgres(&self.prefix(), &mut connection)
            .await
            .unwrap()
    }

    /// Waits until the read model has all events, and compares it with their fold.
    pub(crate) async fn check(&self) {
        self.logs.caught_up(&self.server.store, TOTALS).await;
        assert_eq!(self.read().await, self.logs.fold().await);
    }
}

/// Waits until a subscription has stopped, and returns its status and the reason.
pub(crate) async fn stopped<S: CheckpointStore>(
    running: &RunningSubscriptions<S>,
    name: &str,
) -> (SubscriptionStatus, String) {
    let begun = Instant::now();
    loop {
        let all = running.status().await.unwrap();
        let status = all.into_iter().find(|status| status.name == name).unwrap();
        if let SubscriptionState::Stopped { reason } = &status.state {
            let reason = reason.clone();
            return (status, reason);
        }
        assert!(begun.elapsed() < PATIENCE, "{status:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Options with which a subscription stops at the first event that cannot be applied.
pub(crate) fn stopping() -> SubscriptionOptions {
    SubscriptionOptions {
        parked_limit: 0,
        ..SubscriptionOptions::default()
    }
}
