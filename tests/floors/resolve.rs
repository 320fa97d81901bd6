//! Finds the target of a path, and the re-exports on its way.

use crate::tree::{Id, Path, ROOT, Tree, Use};

/// The target of a path.
pub(crate) struct Resolved {
    pub(crate) target: Target,
    /// The modules that only re-export the target, in the order of the path.
    pub(crate) through: Vec<Id>,
}

/// The kinds of target.
#[derive(Debug, PartialEq)]
pub(crate) enum Target {
    /// An item, with the module that defines it.
    Item(Id, String),
    Module(Id),
    /// An item of another crate.
    Outside,
}

/// Maximum length of a chain of re-exports; a longer one runs in a circle.
const DEEPEST: usize = 16;

impl Tree {
    /// Resolves a path that is written in a module. `None` if it does not begin in this crate.
    pub(crate) fn resolve(&self, from: Id, path: &[String]) -> Option<Resolved> {
        self.resolve_at(from, path, 0)
    }

    fn resolve_at(&self, from: Id, path: &[String], depth: usize) -> Option<Resolved> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(self.find(ROOT, rest, depth)),
            "self" => Some(self.find(from, rest, depth)),
            "super" => {
                let mut at = self.modules[from].parent?;
                let mut rest = rest;
                while let Some((first, more)) = rest.split_first()
                    && first == "super"
                {
                    at = self.modules[at].parent?;
                    rest = more;
                }
                Some(self.find(at, rest, depth))
            }
            "::" => match rest.split_first() {
                Some((first, rest)) if self.own_names.contains(first) => {
                    Some(self.find(ROOT, rest, depth))
                }
                _ => None,
            },
            _ => self.find_in_scope(from, path, depth),
        }
    }

    /// Follows names down from a module.
    fn find(&self, at: Id, path: &[String], depth: usize) -> Resolved {
        let Some((name, rest)) = path.split_first() else {
            return Resolved::direct(Target::Module(at));
        };
        if let Some(found) = self.find_defined(at, path, depth) {
            return found;
        }
        let uses = self.modules[at].uses.iter().filter(|import| !import.local);
        match self.follow(at, uses, name, rest, depth) {
            Some(mut found) => {
                found.through.insert(0, at);
                found
            }
            // A macro may write the item.
            None => Resolved::direct(Target::Item(at, name.clone())),
        }
    }

    /// Finds the target of a path that begins with a name of the module in which it is written.
    fn find_in_scope(&self, from: Id, path: &[String], depth: usize) -> Option<Resolved> {
        let (name, rest) = path.split_first()?;
        if let Some(found) = self.find_defined(from, path, depth) {
            return Some(found);
        }
        if let Some(found) = self.follow(from, self.modules[from].uses.iter(), name, rest, depth) {
            return Some(found).filter(|found| found.target != Target::Outside);
        }
        if self.own_names.contains(name) {
            return Some(self.find(ROOT, rest, depth));
        }
        let ancestors = std::iter::successors(Some(from), |module| self.modules[*module].parent);
        let home = ancestors.into_iter().find(|module| {
            rest.is_empty() && self.modules[*module].textual_macros.contains(name)
        })?;
        Some(Resolved::direct(Target::Item(home, name.clone())))
    }

    fn find_defined(&self, at: Id, path: &[String], depth: usize) -> Option<Resolved> {
        let (name, rest) = path.split_first()?;
        let module = &self.modules[at];
        let item = module.items.get(name);
        match (module.children.get(name), item) {
            // A module and a function may have the same name; the rest of the path decides which one is meant.
            (Some(child), None) => Some(self.find(*child, rest, depth)),
            (Some(child), Some(_)) if !rest.is_empty() => Some(self.find(*child, rest, depth)),
            (_, Some(home)) => Some(Resolved::direct(Target::Item(*home, name.clone()))),
            (None, None) => None,
        }
    }

    /// Follows an import of `name` in a module. Re-exports on the way of that import do not count for the path.
    fn follow<'a>(
        &self,
        at: Id,
        uses: impl Iterator<Item = &'a Use> + Clone,
        name: &str,
        rest: &[String],
        depth: usize,
    ) -> Option<Resolved> {
        if depth == DEEPEST {
            return None;
        }
        let called = uses
            .clone()
            .find(|import| import.name.as_deref() == Some(name));
        if let Some(import) = called {
            if import.path == [name] {
                return Some(Resolved::direct(Target::Outside));
            }
            let whole: Path = import.path.iter().chain(rest).cloned().collect();
            let Some(mut found) = self.resolve_at(at, &whole, depth + 1) else {
                return Some(Resolved::direct(Target::Outside));
            };
            let own = self.resolve_at(at, &import.path, depth + 1);
            let own = own
                .map_or(0, |own| own.through.len())
                .min(found.through.len());
            found.through.drain(..own);
            return Some(found);
        }
        uses.filter(|import| import.name.is_none())
            .find_map(|glob| {
                let globbed = self.resolve_at(at, &glob.path, depth + 1)?;
                let Target::Module(module) = globbed.target else {
                    return None;
                };
                let path: Path = std::iter::once(name.to_owned())
                    .chain(rest.iter().cloned())
                    .collect();
                if let Some(found) = self.find_defined(module, &path, depth + 1) {
                    return Some(found);
                }
                self.follow(
                    module,
                    self.modules[module].uses.iter(),
                    name,
                    rest,
                    depth + 1,
                )
            })
    }
}

impl Resolved {
    fn direct(target: Target) -> Self {
        Self {
            target,
            through: Vec::new(),
        }
    }
}
