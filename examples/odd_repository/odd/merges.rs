//! Merges of every kind.

use super::Story;
use crate::tree::{Entry, Tree};
use std::io::{Result, Write};

impl<W: Write> Story<'_, W> {
    /// Usual merges: clean ones, ones with conflicts solved for either side, and ones with more than the sides had.
    pub(super) fn merges(&mut self) -> Result<()> {
        let shared = self.text("shared", 20);
        self.next(|tree| tree.put("shared", Entry::file(&shared)))?;
        let base = self.main.clone();
        let clean = self.beside(&base, |tree| {
            tree.put("from the side", Entry::file("side\n"));
        })?;
        let clean = self.beside(&clean, |tree| tree.edit("from the side", "twice"))?;
        let theirs = self.beside(&base, |tree| tree.edit("shared", "theirs"))?;
        let moved = self.beside(&base, |tree| tree.rename("shared", "moved aside"))?;
        self.merge(&[&clean], |tree| tree.0.extend(clean.tree.0.clone()))?;
        self.next(|tree| tree.edit("shared", "ours"))?;
        self.merge(&[&theirs], |_| {})?;
        let theirs = self.beside(&theirs, |tree| tree.edit("shared", "theirs again"))?;
        self.merge(&[&theirs], |tree| tree.0.extend(theirs.tree.0.clone()))?;
        // Both sides renamed the file; the merge takes their name and our content.
        self.next(|tree| tree.rename("shared", "moved by us"))?;
        self.merge(&[&moved], |tree| tree.rename("moved by us", "moved aside"))?;
        // More than either side had: git calls that an evil merge.
        let side = self.beside(&base, |tree| {
            tree.put("harmless", Entry::file("harmless\n"));
        })?;
        self.merge(&[&side], |tree| {
            tree.put("evil", Entry::file("in no parent\n"));
            tree.rename("moved aside", "evilly moved");
            tree.take("from the side");
        })?;
        self.next(|tree| {
            tree.take("evil");
            tree.take("evilly moved");
        })
    }

    /// Unusual merges: criss-cross, octopus, an unrelated history, and a branch that is merged several times.
    pub(super) fn unusual_merges(&mut self) -> Result<()> {
        let base = self.main.clone();
        let left = self.beside(&base, |tree| tree.put("left", Entry::file("left\n")))?;
        let right = self.beside(&base, |tree| tree.put("right", Entry::file("right\n")))?;
        let both = |tree: &mut Tree| {
            tree.put("left", Entry::file("left\n"));
            tree.put("right", Entry::file("right\n"));
        };
        let mut crossed = right.tree.clone();
        both(&mut crossed);
        crossed.put("crossed", Entry::file("only over there\n"));
        let cross = self.stream.commit(&[&right, &left], crossed)?;
        self.main = left;
        self.merge(&[&right], both)?;
        self.merge(&[&cross], |tree| tree.0.extend(cross.tree.0.clone()))?;

        let base = self.main.clone();
        let arms = ["arm 1", "arm 2", "arm 3"];
        let sides = arms.map(|arm| self.beside(&base, |tree| tree.put(arm, Entry::file(arm))));
        let [one, two, three] = sides;
        self.merge(&[&one?, &two?, &three?], |tree| {
            for arm in arms {
                tree.put(arm, Entry::file(arm));
            }
        })?;

        let mut foreign = Tree::default();
        foreign.put("foreign", Entry::file(self.text("foreign", 9)));
        foreign.put(".mailmap", Entry::file("# not ours\n"));
        let foreign = self.stream.commit(&[], foreign)?;
        self.merge(&[&foreign], |tree| tree.0.extend(foreign.tree.0.clone()))?;
        self.next(|tree| {
            for path in ["foreign", "left", "right", "crossed", "arm 1", "arm 2"] {
                tree.take(path);
            }
            tree.put(
                ".mailmap",
                Entry::file("Ann Other <ann@example.org> <old-address@example.org>\n"),
            );
        })
    }
}
