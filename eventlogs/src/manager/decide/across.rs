//! Decisions on several logs.

pub(crate) mod decided;
mod each;
mod run;
mod slot;

use crate::aggregate::Aggregate;
use crate::event::Event;
use crate::ids::{IntoLogId, LogId};
use crate::manager::LogManager;
use crate::manager::decide::outcome::{DecisionOutcome, IntoEvents};
use crate::manager::error::DecideError;
use crate::manager::telemetry::labels::Operation;
use crate::manager::write_options::DecideOptions;
use decided::{DecidedAcross, DecidedLog};
use run::{Asked, Decision};
use slot::{LogSlot, Slot};
use std::collections::HashSet;
use tracing::Instrument;

/// Begins a decision on two to six logs, of one aggregate or of several.
///
/// Each log is a pair of its manager and its id, or what [`LogManager::log`] returns. [`decide`](Across::decide) then runs a
/// closure on all aggregates, and appends the events that it returns to all logs or to none. It does so only if none of the
/// logs has moved, also those that get no events.
///
/// All managers need clones of one opened store. For any number of logs of one aggregate, see
/// [`decide_each`](LogManager::decide_each).
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "json", feature = "sqlite"))] {
/// # use eventlogs::{Aggregate, Event, LogManager, LogManagerOptions, MemoryAggregationCache, SqliteEventStore, event_handler, ids::LogId};
/// # #[derive(Debug, Event)] pub enum AccountEvent {
/// #     #[event(name = "account.deposited")] Deposited { cents: u64 },
/// #     #[event(name = "account.withdrawn")] Withdrawn { cents: u64 },
/// # }
/// # #[derive(Debug, Default, Clone, Aggregate)] #[aggregate(event = AccountEvent)] pub struct Account { cents: u64 }
/// # #[event_handler(AccountEvent)] impl Account {
/// #     #[on(Deposited)] fn deposit(&mut self, cents: u64) { self.cents += cents; }
/// #     #[on(Withdrawn)] fn withdraw(&mut self, cents: u64) { self.cents -= cents; }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use AccountEvent::{Deposited, Withdrawn};
/// use eventlogs::{DecideError, DecideOptions, across};
/// # let accounts = LogManager::<Account>::new(SqliteEventStore::in_memory().await?, MemoryAggregationCache::default(), LogManagerOptions::default());
/// # let (from, to) = (LogId::new(), LogId::new());
/// # accounts.create(&from, &Deposited { cents: 900 }, &Default::default()).await?;
/// # accounts.create(&to, &Deposited { cents: 100 }, &Default::default()).await?;
///
/// let options = DecideOptions::with_key("transfer 17");
/// let transfer = |cents: u64| move |from: &Account, _to: &Account| {
///     if from.cents < cents { return Err("too little") }
///     Ok((Withdrawn { cents }, Deposited { cents }))
/// };
/// let moved = across(((&accounts, from), (&accounts, to))).decide(&options, transfer(500)).await?;
/// let (mine, yours) = moved.logs();
/// assert_eq!((mine.aggregate().cents, yours.aggregate().cents), (400, 600));
///
/// // The retry is recognised by its key, although the new state would refuse it.
/// let retry = across(((&accounts, from), (&accounts, to))).decide(&options, transfer(500)).await?;
/// assert!(retry.is_replay());
///
/// let refused = across(((&accounts, from), (&accounts, to))).decide(&DecideOptions::default(), transfer(500)).await;
/// assert!(matches!(refused, Err(DecideError::Refused("too little"))));
/// # Ok(()) }
/// # }
/// ```
#[must_use = "nothing is decided before `decide` is called"]
pub fn across<L: IntoLogs>(logs: L) -> Across<L::Logs> {
    Across {
        logs: logs.into_logs(),
    }
}

/// A decision on several logs that has not been made yet; made by [`across`].
#[derive(Debug, Clone)]
#[must_use = "nothing is decided before `decide` is called"]
pub struct Across<L> {
    /// The logs: a tuple of [`ManagedLog`].
    logs: L,
}

/// A log together with its manager, for a decision on several logs; made by [`LogManager::log`].
pub struct ManagedLog<A: Aggregate> {
    /// The manager.
    manager: LogManager<A>,
    /// The log.
    log_id: LogId,
    /// `true` to decide on the default aggregate if there is no log.
    create_if_missing: bool,
}

impl<A: Aggregate> ManagedLog<A> {
    /// Lets the closure decide on the default aggregate if the log does not exist. The log is created with the events that the
    /// closure returns for it. If the closure returns none for it, the log must still be missing when the others are written.
    ///
    /// [`DecideOptions::create_if_missing`] does this for all logs of a decision.
    #[must_use]
    pub const fn create_if_missing(mut self) -> Self {
        self.create_if_missing = true;
        self
    }

    /// Returns `true` if a decision with these options may find no log.
    const fn may_be_missing(&self, options: &DecideOptions) -> bool {
        self.create_if_missing || options.create_if_missing
    }

    fn slot<'a>(&'a self, options: &'a DecideOptions) -> LogSlot<'a, A> {
        let create_if_missing = self.may_be_missing(options);
        LogSlot::new(&self.manager, self.log_id, create_if_missing, options)
    }
}

impl<A: Aggregate> LogManager<A> {
    /// Names a log of this manager, for a decision on several logs with [`across`]. Reads nothing.
    #[must_use]
    pub fn log(&self, log_id: impl IntoLogId) -> ManagedLog<A> {
        ManagedLog {
            manager: self.clone(),
            log_id: log_id.into_log_id(),
            create_if_missing: false,
        }
    }
}

impl<A: Aggregate> Clone for ManagedLog<A> {
    // Written by hand: a derived `Clone` would demand `A: Clone` again.
    fn clone(&self) -> Self {
        Self {
            manager: self.manager.clone(),
            ..*self
        }
    }
}

impl<A: Aggregate> std::fmt::Debug for ManagedLog<A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ManagedLog")
            .field("aggregate", &A::name())
            .field("log_id", &self.log_id)
            .field("create_if_missing", &self.create_if_missing)
            .finish_non_exhaustive()
    }
}

/// One of the logs of a decision: a pair of a manager and an id, or a [`ManagedLog`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a log of a decision on several logs",
    label = "expected a pair of a manager and an id",
    note = "write `(&accounts, log_id)`, where `accounts` is a `LogManager`, or `accounts.log(log_id)`"
)]
pub trait IntoLog {
    /// The aggregate of the log.
    type Aggregate: Aggregate;

    /// Names the log.
    fn into_log(self) -> ManagedLog<Self::Aggregate>;
}

impl<A: Aggregate, I: IntoLogId> IntoLog for (&LogManager<A>, I) {
    type Aggregate = A;

    fn into_log(self) -> ManagedLog<A> {
        self.0.log(self.1)
    }
}

impl<A: Aggregate> IntoLog for ManagedLog<A> {
    type Aggregate = A;

    fn into_log(self) -> Self {
        self
    }
}

/// The logs of a decision: a tuple of two to six of what [`IntoLog`] accepts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not the logs of a decision",
    label = "expected a tuple of two to six logs",
    note = "write `across(((&accounts, from), (&accounts, to)))`: a tuple of pairs of a manager and an id",
    note = "for any number of logs of one aggregate, use `LogManager::decide_each`"
)]
pub trait IntoLogs {
    /// The logs: a tuple of [`ManagedLog`].
    type Logs;

    /// Names the logs.
    fn into_logs(self) -> Self::Logs;
}

/// Implements decisions on a tuple of logs.
macro_rules! decide_on_tuples {
    ($($(#[$doc:meta])* ($($log:ident $aggregate:ident $events:ident $nth:tt),+))+) => {$(
        impl<$($log: IntoLog),+> IntoLogs for ($($log,)+) {
            type Logs = ($(ManagedLog<$log::Aggregate>,)+);

            fn into_logs(self) -> Self::Logs {
                ($(self.$nth.into_log(),)+)
            }
        }

        impl<$($aggregate: Aggregate<Event: Event>),+> Across<($(ManagedLog<$aggregate>,)+)> {
            $(#[$doc])*
            pub async fn decide<Decide, Outcome, $($events),+>(
                self,
                options: &DecideOptions,
                mut decision: Decide,
            ) -> Result<DecidedAcross<($(DecidedLog<$aggregate>,)+)>, DecideError<Outcome::Refusal>>
            where
                Decide: FnMut($(&$aggregate),+) -> Outcome,
                Outcome: DecisionOutcome<Events = ($($events,)+)>,
                $($events: IntoEvents<$aggregate::Event>,)+
            {
                let logs = &self.logs;
                let measures = logs.0.manager.inner.measures.of_all(&[$($aggregate::name()),+]);
                let call = measures.begin(Operation::DecideAcross);
                let span = tracing::info_span!("decide_across", logs = [$(logs.$nth.log_id),+].len());
                let deciding = async {
                    let slots = ($(logs.$nth.slot(options),)+);
                    let replay = {
                        let creatable = [$((logs.$nth.log_id, logs.$nth.may_be_missing(options))),+];
                        let creatable = creatable.into_iter().filter(|(_, creatable)| *creatable);
                        let creatable: HashSet<_> = creatable.map(|(log_id, _)| log_id).collect();
                        let metadata = logs.0.manager.complete(&options.metadata);
                        let all = [$(&slots.$nth as &dyn Slot<'_>),+];
                        let all = Decision::new(&all, options, metadata, creatable, measures)?;
                        let ask = || match decision($(&slots.$nth.aggregate()),+).into_result() {
                            Ok(events) => {
                                let some = [$(slots.$nth.decide(events.$nth)),+];
                                if some.contains(&true) { Asked::Events } else { Asked::Nothing }
                            }
                            Err(refusal) => Asked::Refused(refusal),
                        };
                        all.run(ask).await?
                    };
                    Ok(DecidedAcross { logs: ($(slots.$nth.into_decided(),)+), replay })
                };
                call.end_decision(deciding.instrument(span).await, DecidedAcross::is_replay)
            }
        }
    )+};
}

decide_on_tuples! {
    #[doc = include_str!("across.md")]
    (L1 A1 E1 0, L2 A2 E2 1)
    /// Decides on three logs, as a decision on [two logs](Across::decide) does.
    ///
    /// # Errors
    /// Those of a decision on two logs.
    (L1 A1 E1 0, L2 A2 E2 1, L3 A3 E3 2)
    /// Decides on four logs, as a decision on [two logs](Across::decide) does.
    ///
    /// # Errors
    /// Those of a decision on two logs.
    (L1 A1 E1 0, L2 A2 E2 1, L3 A3 E3 2, L4 A4 E4 3)
    /// Decides on five logs, as a decision on [two logs](Across::decide) does.
    ///
    /// # Errors
    /// Those of a decision on two logs.
    (L1 A1 E1 0, L2 A2 E2 1, L3 A3 E3 2, L4 A4 E4 3, L5 A5 E5 4)
    /// Decides on six logs, as a decision on [two logs](Across::decide) does.
    ///
    /// # Errors
    /// Those of a decision on two logs.
    (L1 A1 E1 0, L2 A2 E2 1, L3 A3 E3 2, L4 A4 E4 3, L5 A5 E5 4, L6 A6 E6 5)
}
