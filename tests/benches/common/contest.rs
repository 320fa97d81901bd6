//! Sides that do the same work in different ways, measured in turns.

use crate::common::arguments::Plan;
use crate::common::closed_loop::{self, Round, Writer};
use futures_util::future::LocalBoxFuture;
use std::time::Duration;

/// One side of a comparison.
pub(crate) trait Side {
    /// Creates new writers, and lets them write.
    fn round(&self, span: Duration) -> LocalBoxFuture<'_, Round>;
}

/// A side defined by the function that creates the writers of a round, with logs that are new. The time for that does not
/// count.
struct Prepared<F>(F);

impl<W: Writer, F: AsyncFn() -> Vec<W>> Side for Prepared<F> {
    fn round(&self, span: Duration) -> LocalBoxFuture<'_, Round> {
        Box::pin(async move { closed_loop::run(self.0().await, span).await })
    }
}

/// Creates a side from the function that creates the writers of a round.
pub(crate) fn side<'a, W: Writer>(writers: impl AsyncFn() -> Vec<W> + 'a) -> Box<dyn Side + 'a> {
    Box::new(Prepared(writers))
}

/// The result of one side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Events per second.
    pub(crate) rate: f64,
    /// Microseconds of this process's processor time per event.
    pub(crate) cpu: Option<f64>,
    /// The median duration of a call.
    pub(crate) p50: Duration,
    /// The 99th percentile of the duration of a call.
    pub(crate) p99: Duration,
}

/// Measures the sides in turns, starting with another side each time, and takes the median of each side's rounds. Other work on
/// the machine, and slow changes, thus affect all sides alike.
pub(crate) async fn compare<const SIDES: usize>(
    plan: Plan,
    sides: [Box<dyn Side + '_>; SIDES],
) -> [Measured; SIDES] {
    for side in &sides {
        side.round(plan.warm_up).await;
    }
    let mut rounds: [Vec<Round>; SIDES] = std::array::from_fn(|_| Vec::new());
    for round in 0..plan.rounds {
        for turn in 0..SIDES {
            let place = (round + turn) % SIDES;
            rounds[place].push(sides[place].round(plan.span).await);
        }
    }
    rounds.map(|rounds| measured(&rounds))
}

fn measured(rounds: &[Round]) -> Measured {
    let rates = rounds
        .iter()
        .map(|round| f64::from(round.events) / round.elapsed.as_secs_f64());
    // The sum over all rounds, since the system counts this time in steps of 10 ms.
    let cpu: Option<Duration> = rounds.iter().map(|round| round.cpu).sum();
    let events: u32 = rounds.iter().map(|round| round.events).sum();
    Measured {
        rate: median(rates.collect(), f64::total_cmp),
        cpu: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / f64::from(events.max(1))),
        p50: median(rounds.iter().map(|round| round.p50).collect(), Ord::cmp),
        p99: median(rounds.iter().map(|round| round.p99).collect(), Ord::cmp),
    }
}

fn median<T: Copy>(mut values: Vec<T>, order: impl Fn(&T, &T) -> std::cmp::Ordering) -> T {
    values.sort_unstable_by(order);
    values[values.len() / 2]
}
