//! Runs the example `splitting_and_merging`, which checks what it prints.

#[expect(dead_code, reason = "most of it is for the tests of `git_history`")]
mod support;

use support::{Outcome, Place};

#[test]
fn old_and_new_events_add_up() {
    let place = Place::new();
    let mut command = place.example("splitting_and_merging");
    let outcome = Outcome::from(command.output().expect("the example runs"));
    assert_eq!(
        (outcome.code, outcome.complained.as_str()),
        (Some(0), ""),
        "{}",
        outcome.printed
    );
    for words in [
        "refused: `order.packed` is retired",
        "ordered: 12, paid: 1200, sent: 12, postage: 45",
        "and the income: 1200 cents",
    ] {
        assert!(outcome.printed.contains(words), "{}", outcome.printed);
    }
}
