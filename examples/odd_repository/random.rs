//! A random history.

use crate::stream::{Point, Stream};
use crate::tree::{Entry, Tree, text};
use fastrand::Rng;
use std::io::{Result, Write};

/// The least number of commits in the history.
const COMMITS: usize = 1500;

/// Few names, so that files often conflict; some are folders of others.
const NAMES: [&str; 12] = [
    "a", "b", "c/c", "d", "e/f/g", "b/a", "x y", "\n", "\"", "\\", "ä", "z/z",
];

/// Writes the history of a seed.
pub(crate) fn tell(stream: &mut Stream<impl Write>, seed: u64) -> Result<()> {
    let mut rng = Rng::with_seed(seed);
    let mut main = stream.commit(&[], Tree::default())?;
    let mut sides: Vec<Point> = Vec::new();
    while stream.commits() < COMMITS {
        match rng.u8(0..12) {
            0 => sides.push(main.clone()),
            1 | 2 if !sides.is_empty() => {
                let side = rng.usize(0..sides.len());
                let tree = changed(&mut rng, &sides[side].tree);
                sides[side] = stream.commit(&[&sides[side]], tree)?;
            }
            3 if !sides.is_empty() => {
                let side = sides.swap_remove(rng.usize(0..sides.len()));
                let tree = merged(&mut rng, &main.tree, &side.tree);
                main = stream.commit(&[&main, &side], tree)?;
            }
            _ => {
                let tree = changed(&mut rng, &main.tree);
                main = stream.commit(&[&main], tree)?;
            }
        }
    }
    // The last commit sets the branch, and that may have been a commit on a side.
    let tree = changed(&mut rng, &main.tree);
    stream.commit(&[&main], tree)?;
    Ok(())
}

/// Returns the tree after a few changes of any kind, sometimes none.
fn changed(rng: &mut Rng, before: &Tree) -> Tree {
    let mut tree = before.clone();
    for _ in 0..rng.usize(0..5) {
        let new = path(rng);
        let old = rng
            .choice(tree.0.keys())
            .cloned()
            .unwrap_or_else(|| new.clone());
        match rng.u8(0..20) {
            0..2 => drop(tree.take(&old)),
            2..6 => {
                if let Some(entry) = tree.take(&old) {
                    put(&mut tree, &new, entry);
                }
                if rng.bool() {
                    tree.edit(&new, "edited on the way");
                }
            }
            6..11 => tree.edit(&old, "edited"),
            11..13 => tree.set_mode(&old, rng.choice(["100644", "100755"]).unwrap_or("100644")),
            13 => {
                let entry = entry(rng);
                put(&mut tree, &old, entry);
            }
            _ => {
                let entry = entry(rng);
                put(&mut tree, &new, entry);
            }
        }
    }
    tree
}

/// Returns an entry for a path: most often a text, and not always a new one.
fn entry(rng: &mut Rng) -> Entry {
    match rng.u8(0..10) {
        0 => Entry::link("target"),
        1 => Entry::submodule(rng.usize(0..5)),
        2 => Entry::file(""),
        3 => Entry::file([0, 1, 2, rng.u8(..)]),
        _ => Entry::file(text(&rng.u8(0..40).to_string(), 20)),
    }
}

/// Returns a tree that has each path as one side or the other has it.
fn merged(rng: &mut Rng, ours: &Tree, theirs: &Tree) -> Tree {
    let mut tree = ours.clone();
    for (path, entry) in &theirs.0 {
        if rng.bool() {
            put(&mut tree, path, entry.clone());
        }
    }
    for path in ours.0.keys().filter(|path| !theirs.0.contains_key(*path)) {
        if rng.u8(0..10) == 0 {
            tree.take(path);
        }
    }
    tree
}

/// Returns one of several hundred paths.
fn path(rng: &mut Rng) -> Vec<u8> {
    let mut path = rng.choice(NAMES).unwrap_or("a").as_bytes().to_vec();
    for _ in 0..rng.usize(0..3) {
        path.extend([b'/', rng.u8(b'p'..=b'w')]);
    }
    path
}

/// Puts an entry at a path. Removes files whose path is a folder of it, and files for which it would be a folder.
fn put(tree: &mut Tree, path: &[u8], entry: Entry) {
    let is_below = |path: &[u8], folder: &[u8]| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.first() == Some(&b'/'))
    };
    tree.0
        .retain(|other, _| !is_below(path, other) && !is_below(other, path));
    tree.put(path, entry);
}
