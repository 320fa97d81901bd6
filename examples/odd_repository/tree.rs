//! The files of a commit.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The files of a commit, by path. Paths are bytes, as in git.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree(pub(crate) BTreeMap<Vec<u8>, Entry>);

/// The entry at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The mode, as git writes it.
    pub(crate) mode: &'static str,
    /// The bytes, a link's target, or a submodule's commit. It is shared, because most entries of a tree are those of its
    /// parent.
    pub(crate) data: Rc<[u8]>,
}

impl Entry {
    /// Makes a file.
    pub(crate) fn file(data: impl AsRef<[u8]>) -> Self {
        Self {
            mode: "100644",
            data: data.as_ref().into(),
        }
    }

    /// Makes an executable file.
    pub(crate) fn executable(data: impl AsRef<[u8]>) -> Self {
        Self {
            mode: "100755",
            data: data.as_ref().into(),
        }
    }

    /// Makes a symbolic link.
    pub(crate) fn link(target: &str) -> Self {
        Self {
            mode: "120000",
            data: target.as_bytes().into(),
        }
    }

    /// Makes a submodule at a commit that is made from the number.
    pub(crate) fn submodule(commit: usize) -> Self {
        Self {
            mode: "160000",
            data: format!("{:040x}", commit + 1).into_bytes().into(),
        }
    }
}

impl Tree {
    /// Puts an entry at a path, and replaces the one that is there.
    pub(crate) fn put(&mut self, path: impl AsRef<[u8]>, entry: Entry) {
        self.0.insert(path.as_ref().to_owned(), entry);
    }

    /// Removes the entry at a path, and returns it.
    pub(crate) fn take(&mut self, path: impl AsRef<[u8]>) -> Option<Entry> {
        self.0.remove(path.as_ref())
    }

    /// Moves the entry at a path to another path.
    pub(crate) fn rename(&mut self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) {
        if let Some(entry) = self.take(from) {
            self.put(to, entry);
        }
    }

    /// Appends a line to a file; a submodule has none.
    pub(crate) fn edit(&mut self, path: impl AsRef<[u8]>, line: &str) {
        if let Some(entry) = self
            .0
            .get_mut(path.as_ref())
            .filter(|entry| entry.mode != "160000")
        {
            entry.data = [&entry.data, line.as_bytes(), b"\n"].concat().into();
        }
    }

    /// Sets the mode of a file.
    pub(crate) fn set_mode(&mut self, path: impl AsRef<[u8]>, mode: &'static str) {
        if let Some(entry) = self.0.get_mut(path.as_ref()) {
            entry.mode = mode;
        }
    }

    /// Removes all entries in a folder.
    pub(crate) fn take_folder(&mut self, folder: &str) {
        self.0
            .retain(|path, _| !path.starts_with(format!("{folder}/").as_bytes()));
    }
}

/// Returns a text of this many lines, different for each topic.
pub(crate) fn text(topic: &str, lines: usize) -> String {
    let lines: Vec<String> = (0..lines)
        .map(|line| format!("{topic}: line {line} of {lines}"))
        .collect();
    lines.join("\n") + "\n"
}
