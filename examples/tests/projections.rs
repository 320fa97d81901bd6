//! Runs the example `projections` as a user would.

#[expect(dead_code, reason = "most of it is for the tests of `git_history`")]
mod support;

use std::env;
use std::process::Command;
use support::{Outcome, Place};

#[test]
fn the_ledger_on_sqlite_agrees_with_the_logs() {
    let place = Place::new();
    let outcome = run(&mut place.example("projections"));
    assert!(
        outcome.printed.contains("kept in a SQLite file"),
        "{}",
        outcome.printed
    );
}

#[test]
fn the_ledger_on_postgres_agrees_with_the_logs_in_each_run() {
    let Ok(url) = env::var("EVENTLOGS_POSTGRES_URL") else {
        assert!(
            env::var_os("EVENTLOGS_SERVERS").is_none(),
            "EVENTLOGS_POSTGRES_URL is not set"
        );
        return;
    };
    let place = Place::new();
    for _ in 0..2 {
        let mut command = place.example("projections");
        let outcome = run(command.env("EVENTLOGS_POSTGRES_URL", &url));
        assert!(
            outcome.printed.contains("kept in PostgreSQL"),
            "{}",
            outcome.printed
        );
    }
}

/// Runs the example, and checks what both databases have in common.
#[track_caller]
fn run(command: &mut Command) -> Outcome {
    let outcome = Outcome::from(command.output().expect("projections runs"));
    let Outcome {
        code,
        printed,
        complained,
    } = &outcome;
    assert_eq!(
        (*code, complained.as_str()),
        (Some(0), ""),
        "{printed}\n{complained}"
    );

    // What Ada ordered and did not cancel, and what she paid and did not get back.
    let ada = printed.split("   Ada\n").nth(1).unwrap_or_default();
    let sums: Vec<_> = ada
        .lines()
        .take(3)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        sums,
        [
            "orders in EUR 120.00",
            "orders in USD 0.00",
            "payments in EUR 115.00"
        ],
        "{printed}"
    );
    assert!(
        printed.contains("is running, has handled 10 events, and has all"),
        "{printed}"
    );
    assert_eq!(outcome.number(" cents in USD"), 0, "{printed}");

    // Each of the two runs of the projection handled a part of the backlog, and together all of it, once.
    let first = outcome.number(" of them\n   started again");
    let rest = printed.split("handled the other ").nth(1);
    let rest: u64 = rest
        .and_then(|rest| rest.lines().next())
        .and_then(|rest| rest.parse().ok())
        .expect("the number of the other events");
    assert!(first >= 500 && rest > 0, "{printed}");
    assert_eq!(first + rest, 2_000, "{printed}");

    assert!(
        printed.contains("after one more event, exported 1"),
        "{printed}"
    );
    assert!(
        printed.contains("the ledger has the same sums"),
        "{printed}"
    );
    check_rows(printed);
    outcome
}

/// Checks the rows, and the payment that the first version of the code cannot handle.
#[track_caller]
fn check_rows(printed: &str) {
    let lines: Vec<_> = printed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for expected in [
        "Ada in EUR 115.00",
        "Customer 57 in EUR 10.00",
        "Grace 80.00",
        "Grace 7.00",
        "Ada -3.00",
        "payments, customers and 1002 logs have the same sum",
        "payments, customers and 1004 logs have the same sum",
        "retried: the payment",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {printed}"
        );
    }
    assert!(
        printed.contains("parked at event 2 (`payment.refunded`), after 3 attempts: "),
        "{printed}"
    );
    assert!(
        printed.contains("the status says that other code has written the rows"),
        "{printed}"
    );
}
