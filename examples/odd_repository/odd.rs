//! A scripted history with every odd thing. It is repeated in rounds, so that each round starts with the files of the last.

mod merges;
mod names;

use crate::stream::{Point, Stream};
use crate::tree::{Entry, Tree, text};
use names::odd_names;
use std::io::{Result, Write};

/// The number of rounds. They give well over a thousand commits along the first parents.
const ROUNDS: usize = 20;

/// The history and the last commit of its branch.
struct Story<'a, W> {
    /// The stream that the history is written to.
    stream: &'a mut Stream<W>,
    /// The last commit of the branch.
    main: Point,
    /// The number of the round, so that contents differ.
    round: usize,
}

/// Writes the whole history.
pub(crate) fn tell(stream: &mut Stream<impl Write>) -> Result<()> {
    let mut tree = Tree::default();
    tree.put(
        ".mailmap",
        Entry::file("Ann Other <ann@example.org> <old-address@example.org>\n"),
    );
    let main = stream.commit(&[], tree)?;
    let mut story = Story {
        stream,
        main,
        round: 0,
    };
    for round in 0..ROUNDS {
        story.round = round;
        story.plain_files()?;
        story.kinds()?;
        story.submodules()?;
        story.folders()?;
        story.moves_at_once()?;
        story.names()?;
        story.merges()?;
        story.unusual_merges()?;
    }
    story.remains()
}

impl<W: Write> Story<'_, W> {
    /// Commits to the branch.
    fn next(&mut self, change: impl FnOnce(&mut Tree)) -> Result<()> {
        let side = self.beside(&self.main.clone(), change)?;
        self.main = side;
        Ok(())
    }

    /// Commits to another branch.
    fn beside(&mut self, parent: &Point, change: impl FnOnce(&mut Tree)) -> Result<Point> {
        let mut tree = parent.tree.clone();
        change(&mut tree);
        self.stream.commit(&[parent], tree)
    }

    /// Merges into the branch. The change is applied to the files of the branch.
    fn merge(&mut self, sides: &[&Point], change: impl FnOnce(&mut Tree)) -> Result<()> {
        let mut tree = self.main.tree.clone();
        change(&mut tree);
        let parents: Vec<&Point> = [&self.main]
            .into_iter()
            .chain(sides.iter().copied())
            .collect();
        self.main = self.stream.commit(&parents, tree)?;
        Ok(())
    }

    /// Returns a text for this round.
    fn text(&self, topic: &str, lines: usize) -> String {
        text(&format!("{topic} in round {}", self.round), lines)
    }

    /// Files are added, edited, renamed in every way, deleted and added again.
    fn plain_files(&mut self) -> Result<()> {
        let (library, program) = (self.text("library", 30), self.text("program", 40));
        self.next(|tree| {
            tree.put("src/lib.rs", Entry::file(&library));
            tree.put("src/main.rs", Entry::file(&program));
            tree.put("README", Entry::file(&program));
        })?;
        self.next(|tree| tree.edit("src/lib.rs", "one more"))?;
        self.next(|_| {})?;
        self.next(|tree| tree.rename("src/lib.rs", "src/library.rs"))?;
        self.next(|tree| {
            tree.rename("src/library.rs", "src/core.rs");
            tree.edit("src/core.rs", "edited on the way");
        })?;
        self.next(|tree| {
            tree.rename("src/core.rs", "run.sh");
            tree.set_mode("run.sh", "100755");
            tree.edit("run.sh", "edited and made executable on the way");
        })?;
        self.next(|tree| tree.rename("README", "readme"))?;
        self.next(|tree| tree.rename("readme", "Readme"))?;
        self.next(|tree| drop(tree.take("run.sh")))?;
        self.next(|tree| tree.put("run.sh", Entry::executable(&library)))?;
        self.next(|tree| drop(tree.take("run.sh")))?;
        self.next(|tree| tree.put("run.sh", Entry::file("something else\n")))?;
        let rewritten = Entry::file("rewritten from scratch, no line break at the end");
        self.next(|tree| tree.put("src/main.rs", rewritten))
    }

    /// Empty files, binary files, modes, links, and changes from one kind to another.
    fn kinds(&mut self) -> Result<()> {
        let mut bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
        bytes.push(self.round.to_le_bytes()[0]);
        self.next(|tree| tree.put("empty", Entry::file("")))?;
        self.next(|tree| tree.rename("empty", "still empty"))?;
        self.next(|tree| tree.put("still empty", Entry::file("\n")))?;
        self.next(|tree| drop(tree.take("still empty")))?;
        self.next(|tree| tree.put("binary", Entry::file(&bytes)))?;
        self.next(|tree| tree.edit("binary", "more"))?;
        self.next(|tree| {
            tree.rename("binary", "moved binary");
            tree.edit("moved binary", "and more");
        })?;
        self.next(|tree| tree.set_mode("moved binary", "100755"))?;
        self.next(|tree| tree.set_mode("moved binary", "100644"))?;
        self.next(|tree| tree.put("link", Entry::link("src/main.rs")))?;
        self.next(|tree| tree.put("link", Entry::link("/nowhere/at all")))?;
        self.next(|tree| tree.rename("link", "moved link"))?;
        self.next(|tree| tree.put("moved link", Entry::file("/nowhere/at all")))?;
        self.next(|tree| tree.put("moved link", Entry::executable("/nowhere/at all")))?;
        self.next(|tree| tree.put("moved link", Entry::link("..")))?;
        self.next(|tree| drop(tree.take("moved link")))
    }

    /// Submodules: commits of other repositories.
    fn submodules(&mut self) -> Result<()> {
        let commit = 10 * self.round;
        self.next(|tree| {
            tree.put("vendor/module", Entry::submodule(commit));
            tree.put(
                ".gitmodules",
                Entry::file("[submodule \"vendor/module\"]\n\tpath = vendor/module\n"),
            );
        })?;
        self.next(|tree| tree.put("vendor/module", Entry::submodule(commit + 1)))?;
        self.next(|tree| tree.rename("vendor/module", "moved module"))?;
        self.next(|tree| tree.put("moved module", Entry::file("vendored\n")))?;
        self.next(|tree| tree.put("moved module", Entry::submodule(commit + 2)))?;
        self.next(|tree| tree.put("moved module", Entry::link("vendor")))?;
        self.next(|tree| tree.put("moved module", Entry::submodule(commit + 3)))?;
        self.next(|tree| {
            tree.take("moved module");
            tree.put("moved module/file", Entry::file("vendored\n"));
        })?;
        self.next(|tree| {
            tree.take_folder("moved module");
            tree.take(".gitmodules");
        })
    }

    /// Folders become files and folders again, and folders move with all their files.
    fn folders(&mut self) -> Result<()> {
        let long = self.text("in a folder", 12);
        self.next(|tree| {
            for number in 0..40 {
                tree.put(
                    format!("many/{number}"),
                    Entry::file(format!("{number}\n{long}")),
                );
            }
            // These are equal, so git has to choose which one moved where.
            for number in 0..5 {
                tree.put(format!("many/same-{number}"), Entry::file(&long));
            }
        })?;
        self.next(|tree| {
            let files: Vec<_> = tree
                .0
                .keys()
                .filter(|path| path.starts_with(b"many/"))
                .cloned()
                .collect();
            for path in files {
                tree.rename(&path, [b"moved/deep/", &path[5..]].concat());
            }
        })?;
        self.next(|tree| {
            tree.take_folder("moved");
            tree.put("moved", Entry::file(&long));
        })?;
        self.next(|tree| {
            tree.rename("moved", "moved/itself");
            tree.put("moved/other", Entry::link("itself"));
        })?;
        self.next(|tree| {
            tree.rename("moved/itself", "moved");
            tree.take("moved/other");
        })?;
        self.next(|tree| drop(tree.take("moved")))
    }

    /// Several moves in one commit that affect each other.
    fn moves_at_once(&mut self) -> Result<()> {
        let texts = ["a", "b", "c"].map(|name| self.text(name, 25));
        let put = |tree: &mut Tree, names: [&str; 3]| {
            for (name, text) in names.iter().zip(&texts) {
                tree.put(name, Entry::file(text));
            }
        };
        self.next(|tree| put(tree, ["a", "b", "c"]))?;
        self.next(|tree| put(tree, ["b", "a", "c"]))?;
        self.next(|tree| put(tree, ["a", "c", "b"]))?;
        // One commit moves a file away and adds another at its old path.
        self.next(|tree| {
            tree.rename("a", "a moved");
            tree.put("a", Entry::file("a new file at the old path\n"));
        })?;
        self.next(|tree| {
            tree.rename("a moved", "a");
            tree.rename("b", "b/b");
        })?;
        // One file moves to two places.
        self.next(|tree| {
            tree.rename("c", "copy 1");
            tree.put("copy 2", Entry::file(&texts[2]));
        })?;
        self.next(|tree| {
            for path in ["a", "b/b", "copy 1", "copy 2"] {
                tree.take(path);
            }
        })
    }

    /// Files with odd names are added, changed and moved, and half of them are deleted.
    fn names(&mut self) -> Result<()> {
        let names = odd_names();
        let texts: Vec<String> = (0..names.len())
            .map(|number| self.text(&number.to_string(), 20))
            .collect();
        self.next(|tree| {
            for (name, text) in names.iter().zip(&texts) {
                tree.put(name, Entry::file(text));
            }
        })?;
        for name in names.iter().step_by(2) {
            self.next(|tree| tree.edit(name, "edited"))?;
        }
        let moved = |name: &[u8]| [b"moved to/", name].concat();
        self.next(|tree| names.iter().for_each(|name| tree.rename(name, moved(name))))?;
        self.next(|tree| {
            for name in names.iter().step_by(2) {
                tree.rename(moved(name), name);
            }
        })?;
        self.next(|tree| tree.take_folder("moved to"))
    }

    /// The files at the end: one of every kind, so that there is something to compare.
    fn remains(&mut self) -> Result<()> {
        let text = self.text("left", 10);
        self.next(|tree| {
            for name in odd_names() {
                tree.put(&name, Entry::file(&text));
            }
            tree.put("run.sh", Entry::executable(&text));
            tree.put("empty", Entry::file(""));
            tree.put("link", Entry::link("empty"));
            tree.put("module", Entry::submodule(1));
        })
    }
}
