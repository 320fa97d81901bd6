//! Finds circles: files that import from each other.

use crate::arrows::Arrow;
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Maps each file to the files whose items it names, with these items.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<String>>>;

/// Returns each circle with the arrows that close it.
pub(crate) fn of(tree: &Tree, arrows: &BTreeSet<Arrow>) -> Vec<String> {
    let graph = graph(tree, arrows);
    let reached: BTreeMap<_, _> = graph
        .keys()
        .map(|file| (*file, reached(&graph, file)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for (file, below) in &reached {
        let circle: BTreeSet<&str> = below
            .iter()
            .copied()
            .filter(|other| reached.get(other).is_some_and(|back| back.contains(file)))
            .collect();
        if circle.len() > 1 && seen.insert(circle.clone()) {
            circles.push(described(&graph, &circle));
        }
    }
    circles
}

fn graph<'a>(tree: &'a Tree, arrows: &BTreeSet<Arrow>) -> Graph<'a> {
    let mut graph = Graph::new();
    for arrow in arrows {
        if let Some((home, item)) = &arrow.to {
            let from = tree.modules[arrow.from].file.as_str();
            let to = tree.modules[*home].file.as_str();
            if from != to {
                let items = graph.entry(from).or_default().entry(to).or_default();
                items.insert(item.clone());
            }
        }
    }
    graph
}

/// Returns all files that can be reached from one; it is among them if it is part of a circle.
fn reached<'a>(graph: &Graph<'a>, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        for next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(*next) {
                open.push(next);
            }
        }
    }
    reached
}

fn described(graph: &Graph<'_>, circle: &BTreeSet<&str>) -> String {
    let mut text = format!(
        "a circle of {} files; move the items that close it into a lower file:",
        circle.len()
    );
    for from in circle {
        for (to, items) in graph.get(from).into_iter().flatten() {
            if circle.contains(to) {
                let items: Vec<_> = items.iter().map(String::as_str).collect();
                // Writing to a `String` cannot fail.
                let _ = write!(text, "\n    {from} -> {to}: {}", items.join(", "));
            }
        }
    }
    text
}
