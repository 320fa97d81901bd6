//! Arrows: the imports from one module to another.

use crate::resolve::{Resolved, Target};
use crate::tree::{Id, Path, Tree};
use std::collections::BTreeSet;

/// A module's code uses an item of another module, or names it through a re-export.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Arrow {
    pub(crate) from: Id,
    /// The module that defines the item, and the item's name; `None` for items of other crates.
    pub(crate) to: Option<(Id, String)>,
    /// The path as it is written.
    pub(crate) written: String,
    /// The module that re-exports the item, if the path names that module.
    pub(crate) through: Option<Id>,
}

/// Returns all arrows of a crate. A re-export from a module below is not an arrow, since it only shows the item to others. Nor
/// is the import of a whole module: only the items taken from it count.
pub(crate) fn of(tree: &Tree) -> BTreeSet<Arrow> {
    let mut arrows = BTreeSet::new();
    for (from, module) in tree.modules.iter().enumerate() {
        for import in &module.uses {
            let Some(resolved) = tree.resolve(from, &import.path) else {
                continue;
            };
            let shown = import.reexport
                && match resolved.target {
                    Target::Item(home, _) | Target::Module(home) => tree.is_within(home, from),
                    Target::Outside => false,
                };
            if !shown {
                let glob = import.name.is_none();
                arrows.extend(arrow(from, &import.path, resolved, glob));
            }
        }
        for mention in &module.mentions {
            let Some(mut resolved) = tree.resolve(from, &mention.path) else {
                continue;
            };
            if mention.of_user {
                resolved.through.clear();
            }
            arrows.extend(arrow(from, &mention.path, resolved, false));
        }
    }
    arrows
}

fn arrow(from: Id, path: &Path, resolved: Resolved, glob: bool) -> Option<Arrow> {
    let through = resolved.through.first().copied();
    let to = match resolved.target {
        Target::Item(home, name) => Some((home, name)),
        Target::Module(home) if glob => Some((home, "*".to_owned())),
        Target::Module(_) | Target::Outside if through.is_none() => return None,
        Target::Module(_) | Target::Outside => None,
    };
    if to.as_ref().is_some_and(|(home, _)| *home == from) && through.is_none() {
        return None;
    }
    Some(Arrow {
        from,
        to,
        written: path.join("::"),
        through,
    })
}
