//! The table, printed row by row.

use crate::common::arguments::Arguments;
use crate::common::contest::Measured;
use std::time::Duration;

/// The arguments, and the goals counted so far.
#[derive(Debug)]
pub(crate) struct Report {
    /// The arguments of the command line.
    pub(crate) arguments: Arguments,
    /// The number of goals met.
    met: u32,
    /// The number of goals.
    goals: u32,
}

/// One row of the table.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// The name of the measurement.
    pub(crate) name: &'static str,
    /// The result of the library.
    pub(crate) ours: String,
    /// The result by hand.
    pub(crate) by_hand: String,
    /// The library's result as a multiple of the one by hand.
    pub(crate) ratio: String,
    /// The goal, in words.
    pub(crate) goal: String,
    /// `true` if the goal is met; `None` without a goal.
    pub(crate) met: Option<bool>,
    /// Processor time and latencies: of the library and by hand.
    pub(crate) details: [String; 4],
}

impl Row {
    /// Compares the library with the side by hand. The goal is a minimum ratio of the rates.
    pub(crate) fn rates(
        name: &'static str,
        ours: &Measured,
        by_hand: &Measured,
        goal: Option<f64>,
    ) -> Self {
        let ratio = ours.rate / by_hand.rate;
        Self {
            name,
            ours: format!("{:.0}", ours.rate),
            by_hand: format!("{:.0}", by_hand.rate),
            ratio: format!("{ratio:.2}"),
            goal: goal.map_or_else(String::new, |goal| format!(">= {goal:.2}")),
            met: goal.map(|goal| ratio >= goal),
            ..Self::default()
        }
        .with_details(ours, by_hand)
    }

    /// Compares the 99th percentile of each side with its median. The goal is the library's greatest ratio.
    pub(crate) fn spreads(
        name: &'static str,
        ours: &Measured,
        by_hand: &Measured,
        goal: f64,
    ) -> Self {
        let spread = |side: &Measured| side.p99.as_secs_f64() / side.p50.as_secs_f64();
        Self {
            name,
            ours: format!("{:.1}", spread(ours)),
            by_hand: format!("{:.1}", spread(by_hand)),
            goal: format!("<= {goal:.0}"),
            met: Some(spread(ours) <= goal),
            ..Self::default()
        }
    }

    /// Adds processor time and latencies.
    pub(crate) fn with_details(mut self, ours: &Measured, by_hand: &Measured) -> Self {
        let cpu = |side: &Measured| side.cpu.map_or_else(String::new, |cpu| format!("{cpu:.0}"));
        let latencies = |side: &Measured| {
            format!(
                "{:.2}/{:.2}",
                milliseconds(side.p50),
                milliseconds(side.p99)
            )
        };
        self.details = [cpu(ours), cpu(by_hand), latencies(ours), latencies(by_hand)];
        self
    }
}

impl Report {
    /// Creates an empty report.
    pub(crate) const fn new(arguments: Arguments) -> Self {
        Self {
            arguments,
            met: 0,
            goals: 0,
        }
    }

    /// Prints the line above the rows.
    pub(crate) fn head() {
        line(
            "",
            ["ours/s", "by hand/s", "ratio", "goal", ""],
            ["CPU µs", "by hand", "p50/p99 ms", "by hand"],
        );
    }

    /// Prints a row, if it is to be measured.
    pub(crate) fn row(&mut self, row: &Row) {
        if !self.arguments.wants(row.name) {
            return;
        }
        let verdict = match row.met {
            Some(true) => "ok",
            Some(false) => "MISSED",
            None => "",
        };
        self.met += u32::from(row.met == Some(true));
        self.goals += u32::from(row.met.is_some());
        line(
            row.name,
            [&row.ours, &row.by_hand, &row.ratio, &row.goal, verdict],
            row.details.each_ref().map(String::as_str),
        );
    }

    /// Prints the line below the rows.
    pub(crate) fn end(&self) {
        println!("{} of {} goals met", self.met, self.goals);
    }
}

fn line(name: &str, [ours, by_hand, ratio, goal, verdict]: [&str; 5], details: [&str; 4]) {
    let [cpu, cpu_by_hand, latencies, latencies_by_hand] = details;
    println!(
        "{name:<58} {ours:>9} {by_hand:>9} {ratio:>7} {goal:>10} {verdict:<6} {cpu:>7} {cpu_by_hand:>7}  \
         {latencies:>13} {latencies_by_hand:>15}"
    );
}

/// Converts a time to milliseconds, with decimals.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
