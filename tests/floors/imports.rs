//! Splits a `use` into its paths.

use crate::tokens::plain;
use crate::tree::Path;
use syn::UseTree;

/// Returns each path of a `use` with its name in this module: `None` for a glob. `rooted` is `true` if the `use` begins with
/// `::`.
pub(crate) fn flattened(rooted: bool, tree: &UseTree) -> Vec<(Path, Option<String>)> {
    let prefix: Path = rooted.then(|| "::".to_owned()).into_iter().collect();
    let mut found = Vec::new();
    collect(tree, &prefix, &mut found);
    found
}

fn collect(tree: &UseTree, prefix: &[String], found: &mut Vec<(Path, Option<String>)>) {
    // `self` at the end of a path is the path itself.
    let ending_with = |name: String| {
        let mut path = prefix.to_vec();
        if name != "self" || path.is_empty() {
            path.push(name);
        }
        path
    };
    match tree {
        UseTree::Path(part) => collect(&part.tree, &ending_with(plain(&part.ident)), found),
        UseTree::Name(name) => {
            let path = ending_with(plain(&name.ident));
            let name = path.last().cloned();
            found.push((path, name));
        }
        UseTree::Rename(rename) => {
            let path = ending_with(plain(&rename.ident));
            found.push((path, Some(plain(&rename.rename))));
        }
        UseTree::Glob(_) => found.push((prefix.to_vec(), None)),
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, prefix, found);
            }
        }
    }
}
