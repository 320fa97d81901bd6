//! Who imports what from whom.

use crate::resolve::{Resolved, Target};
use crate::tree::{Id, Path, Tree};
use std::collections::BTreeSet;

/// Code of one module needs an item of another one, or names it by a detour.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Arrow {
    pub(crate) from: Id,
    /// The module that defines it, and its name; nothing for what another crate defines.
    pub(crate) to: Option<(Id, String)>,
    /// The path that is written.
    pub(crate) written: String,
    /// The module which re-exports it, if the path names that one.
    pub(crate) through: Option<Id>,
}

/// All arrows of a crate. What a module re-exports of those below it is none: it only shows them to others. Nor is the
/// import of a whole module: what is taken out of it counts.
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
