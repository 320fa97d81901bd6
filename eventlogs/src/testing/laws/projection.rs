//! The law of the rows of a projection.

use super::assert_same;
use crate::projection::row::ProjectedRow;
use crate::testing::projected::rows::RowScenario;
use fastrand::Rng;
use std::fmt::Debug;

/// How many divisions into pages are tried per scenario, in addition to one page and to pages of one event.
const DIVISIONS: u64 = 20;

/// Any division of the events into pages gives the same rows: between two pages, a row is written and read again.
///
/// The divisions are drawn at random, and equal in every run; a test that fails prints the sizes of the pages.
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))] {
/// # use eventlogs::{Event, Projection, event_handler, ids::LogId};
/// # #[derive(Debug, Clone, Event)]
/// # enum PaymentEvent { Captured { amount: u64 } }
/// # #[derive(Debug, Default, Clone, PartialEq, serde::Serialize, serde::Deserialize, Projection)]
/// # #[projection(name = "payments", events(PaymentEvent), database = sqlite, table = "payments")]
/// # struct PaymentRow { #[key] id: LogId, captured: u64 }
/// # #[event_handler(PaymentEvent)]
/// # impl PaymentRow { #[on(Captured)] fn capture(&mut self, amount: u64) { self.captured += amount; } }
/// use eventlogs::testing::{laws, projected};
///
/// let two = || PaymentEvent::Captured { amount: 2 };
/// laws::any_pages_give_the_same_rows::<PaymentRow>([projected().given(LogId::new(), [two(), two()])]);
/// # }
/// ```
#[track_caller]
pub fn any_pages_give_the_same_rows<R: ProjectedRow + PartialEq + Debug>(
    scenarios: impl IntoIterator<Item = RowScenario<R>>,
) {
    let scenarios: Vec<_> = scenarios.into_iter().collect();
    assert!(
        scenarios.iter().any(|scenario| scenario.events() > 1),
        "no scenario with two events was given, so the law was not tested; give at least two events"
    );
    for (number, scenario) in scenarios.iter().enumerate() {
        let expected = rows(number, scenario, &vec![1; scenario.events()]);
        let whole = std::iter::once(vec![scenario.events()]);
        let drawn = (0..DIVISIONS).map(|seed| draw(scenario.events(), seed));
        for sizes in whole.chain(drawn) {
            assert_same(&expected, &rows(number, scenario, &sizes), || {
                format!(
                    "scenario {number} has other rows in pages of {sizes:?} events than in pages of one event; a handler may \
                     depend only on its event and on the fields that serde writes and reads, not on a clock, a random number or \
                     a global"
                )
            });
        }
    }
}

#[track_caller]
fn rows<R: ProjectedRow>(number: usize, scenario: &RowScenario<R>, sizes: &[usize]) -> Vec<R> {
    match scenario.rows_by_pages(sizes.iter().copied()) {
        Ok(rows) => rows,
        Err(misfit) => panic!("scenario {number}, in pages of {sizes:?} events: {misfit}"),
    }
}

/// Draws the sizes of pages.
fn draw(events: usize, seed: u64) -> Vec<usize> {
    let mut random = Rng::with_seed(seed);
    let mut sizes = Vec::new();
    let mut rest = events;
    while rest > 0 {
        let size = random.usize(1..=rest.min(1 + events / 2));
        sizes.push(size);
        rest -= size;
    }
    sizes
}
