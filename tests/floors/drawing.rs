//! Reads the drawing of a crate's floors out of ARCHITECTURE.md.

use crate::tree::{Id, ROOT, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// The floors of a crate, with their rooms.
#[derive(Debug)]
pub(crate) struct Drawing {
    /// Rooms as they are drawn, such as `stores/postgres`. The top floor has the number 0.
    floors: BTreeMap<String, usize>,
}

impl Drawing {
    /// Finds the drawing of a folder: a code block after the heading `## Floors` whose first line ends with the folder's name.
    /// Each line is a floor: the names of its rooms, two spaces, and optional text.
    pub(crate) fn read(document: &str, folder: &str) -> Result<Self, String> {
        let missing =
            || format!("ARCHITECTURE.md has no block \"```text {folder}\" below \"## Floors\"");
        let (_, section) = document.split_once("\n## Floors\n").ok_or_else(missing)?;
        let section = section.split("\n## ").next().unwrap_or_default();
        let (_, block) = section
            .split_once(&format!("```text {folder}\n"))
            .ok_or_else(missing)?;
        let mut floors = BTreeMap::new();
        let lines = block.lines().take_while(|line| !line.starts_with("```"));
        for (floor, line) in lines.enumerate() {
            let rooms = line.split("  ").next().unwrap_or_default();
            for room in rooms.split_whitespace() {
                if floors.insert(room.to_owned(), floor).is_some() {
                    return Err(format!(
                        "the room `{room}` is drawn twice in ARCHITECTURE.md"
                    ));
                }
            }
        }
        Ok(Self { floors })
    }

    /// Returns the room of a module and its floor. A module that is not drawn itself belongs to its parent's room.
    pub(crate) fn room(&self, tree: &Tree, module: Id) -> Option<(&str, usize)> {
        let path = &tree.modules[module].path;
        (1..=path.len()).rev().find_map(|length| {
            let (room, floor) = self.floors.get_key_value(&path[..length].join("/"))?;
            Some((room.as_str(), *floor))
        })
    }

    /// Returns the differences between the drawing and the modules.
    pub(crate) fn differences(&self, tree: &Tree) -> Vec<String> {
        let mut differences = Vec::new();
        let names: BTreeSet<_> = tree
            .modules
            .iter()
            .map(|module| module.path.join("/"))
            .collect();
        for room in self.floors.keys() {
            if !names.contains(room) {
                differences.push(format!(
                    "the room `{room}` is drawn in ARCHITECTURE.md, but there is no such module"
                ));
            }
        }
        for (id, module) in tree.modules.iter().enumerate() {
            if module.parent == Some(ROOT) && self.room(tree, id).is_none() {
                differences.push(format!(
                    "{} is on no floor; draw it in ARCHITECTURE.md",
                    module.file
                ));
            }
        }
        differences
    }
}
