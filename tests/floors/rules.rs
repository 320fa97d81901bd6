//! The rules for arrows.

use crate::arrows::Arrow;
use crate::drawing::Drawing;
use crate::tree::{ROOT, Tree};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Returns the arrows that do not lead to a lower floor.
pub(crate) fn upward(tree: &Tree, drawing: &Drawing, arrows: &BTreeSet<Arrow>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for arrow in arrows {
        let Some((home, item)) = &arrow.to else {
            continue;
        };
        let file = &tree.modules[arrow.from].file;
        let name = tree.name_of(*home, item);
        if *home == ROOT && arrow.from != ROOT {
            found.insert(format!(
                "{file} imports `{name}` from lib.rs, which is for users; move it into a module"
            ));
        }
        let (Some((room, floor)), Some((other_room, other_floor))) =
            (drawing.room(tree, arrow.from), drawing.room(tree, *home))
        else {
            continue;
        };
        if room == other_room {
            continue;
        }
        match floor.cmp(&other_floor) {
            // Numbers of floors grow downwards.
            Ordering::Less => {}
            Ordering::Equal => {
                found.insert(format!(
                    "{file} imports `{name}` from a room on its own floor (`{other_room}`; the file is in `{room}`); move \
                     the item down, or draw one of the rooms lower"
                ));
            }
            Ordering::Greater => {
                found.insert(format!(
                    "{file} imports `{name}` from a higher floor (`{other_room}` is above `{room}`); move the item \
                     down, or the code up"
                ));
            }
        }
    }
    found.into_iter().collect()
}

/// Returns the paths that name a module which only re-exports the item.
pub(crate) fn detours(tree: &Tree, arrows: &BTreeSet<Arrow>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for arrow in arrows {
        let Some(through) = arrow.through else {
            continue;
        };
        let Arrow { written, to, .. } = arrow;
        let file = &tree.modules[arrow.from].file;
        let facade = &tree.modules[through].file;
        // A module inside a file sees the imports at the top of the file anyway.
        if file == facade {
            continue;
        }
        found.insert(match to {
            Some((home, item)) => {
                let name = tree.name_of(*home, item);
                format!("{file} imports `{written}` through {facade}, which only re-exports it; write `crate::{name}`")
            }
            None => {
                format!("{file} imports `{written}` through {facade}, which only re-exports it; name the crate that defines it")
            }
        });
    }
    found.into_iter().collect()
}
