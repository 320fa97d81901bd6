//! Looks for an order of concurrent operations that explains their results.

use super::reference::Reference;
use super::request::{Answer, Request};
use std::fmt::Write;

/// Returns all states in which a reference may be after these operations, each of which took effect at one point in time.
///
/// Every subset of the operations is visited once: it leads to few states, whatever the order within it.
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

/// Describes the requests and their results, and the result that each operation would have had as the first of them.
fn unexplained(before: &[Reference], requests: &[Request], answers: &[&Answer]) -> String {
    let mut text = format!("no order explains these {} results:\n", answers.len());
    for (request, answer) in requests.iter().zip(answers) {
        let first: Vec<_> = before
            .iter()
            .map(|reference| reference.clone().answers(request, answer))
            .collect();
        let _ = writeln!(
            text,
            "request  {request:?}\nreturned {answer:?}\nif first {first:?}"
        );
    }
    text
}
