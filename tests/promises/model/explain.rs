//! Looks for an order in which operations that ran together make sense.

use super::reference::Reference;
use super::request::{Answer, Request};
use std::fmt::Write;

/// All states in which a reference may be after these operations, each of which happened at once at some time in between.
///
/// Every subset of the operations is looked at once: it leads to few states, whatever the order within it.
pub(super) fn explain(
    before: &[Reference],
    requests: &[Request],
    answers: &[&Answer],
) -> Result<Vec<Reference>, String> {
    let everything = (1_usize << requests.len()) - 1;
    let mut reached: Vec<Vec<Reference>> = vec![Vec::new(); everything + 1];
    reached[0] = before.to_vec();
    for done in 0..everything {
        for reference in std::mem::take(&mut reached[done]) {
            for (place, (request, answer)) in requests.iter().zip(answers).enumerate() {
                let with = done | 1 << place;
                let mut after = reference.clone();
                if with != done
                    && after.answers(request, answer).contains(answer)
                    && !reached[with].contains(&after)
                {
                    reached[with].push(after);
                }
            }
        }
    }
    let after = reached.pop().unwrap_or_default();
    if after.is_empty() {
        return Err(unexplained(before, requests, answers));
    }
    Ok(after)
}

/// What was asked and answered, and what each operation would have been answered as the first of them.
fn unexplained(before: &[Reference], requests: &[Request], answers: &[&Answer]) -> String {
    let mut text = format!("no order explains these {} answers:\n", answers.len());
    for (request, answer) in requests.iter().zip(answers) {
        let first: Vec<_> = before
            .iter()
            .map(|reference| reference.clone().answers(request, answer))
            .collect();
        let _ = writeln!(
            text,
            "asked    {request:?}\nanswered {answer:?}\nif first {first:?}"
        );
    }
    text
}
