//! Suggestions for misspelled words: "did you mean …?"

/// The candidate with the closest spelling, if it is at most two edits away from `word`.
///
/// A word must share at least one letter with its correction. Otherwise two edits would turn any two-letter word into any
/// other.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(edits, candidate)| {
            *edits <= 2 && *edits < candidate.chars().count().min(word.chars().count())
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// The candidates as a list in a sentence: `` `a`, `b`, `c` ``.
pub(crate) fn list<'a>(candidates: impl IntoIterator<Item = &'a str>) -> String {
    candidates
        .into_iter()
        .map(|candidate| format!("`{candidate}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The number of edits that turn one word into the other: letters inserted, removed or replaced (Levenshtein), or adjacent
/// letters swapped, which is the most common slip.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous_letter = None;
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let at =
                |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&last, column) + usize::from(letter != *other);
            let mut edits = replaced
                .min(at(&last, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped = column > 0
                && previous_letter == Some(*other)
                && right.get(column - 1) == Some(&letter);
            if swapped {
                edits = edits.min(at(&before_last, column - 1) + 1);
            }
            current.push(edits);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_letter = Some(letter);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("event", "event"), 0);
        assert_eq!(distance("ecvent", "event"), 1);
        assert_eq!(distance("evnet", "event"), 1);
        assert_eq!(distance("", "ttl"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["event", "cache", "crate"];
        assert_eq!(closest("ecvent", keys), Some("event"));
        assert_eq!(closest("cahce", keys), Some("cache"));
        assert_eq!(closest("caching", keys), None);
        assert_eq!(closest("is", ["on"]), None);
    }
}
