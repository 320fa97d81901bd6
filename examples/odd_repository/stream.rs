//! Writes the input of `git fast-import`.

use crate::tree::Tree;
use std::io::{Result, Write};

/// The authors. Names and addresses are free text, and old histories contain all of these forms.
const AUTHORS: [&str; 8] = [
    "Ann Other <ann@example.org>",
    "Bob \"the\" O'Builder <bob@example.org>",
    "Çağla Ünver <cagla@example.org>",
    "日本 太郎 <taro@example.org>",
    " <nameless@example.org>",
    "Nobody <>",
    "Ann <old-address@example.org>",
    "commit 0123456789012345678901234567890123456789 <:100644 100644@example.org>",
];

/// Times that are unusual, or earlier than those before.
const ODD_TIMES: [&str; 6] = [
    "0 +0000",
    "1 -1200",
    "4102444800 +1400",
    "253402300800 +0000",
    "1000000000 +9999",
    "1100000000 -0000",
];

/// A writer of the input of `git fast-import`.
#[derive(Debug)]
pub(crate) struct Stream<W> {
    /// The output.
    out: W,
    /// The number of commits.
    commits: usize,
}

/// A commit that can be a parent.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// Its number in the stream, from 1.
    mark: usize,
    /// Its files.
    pub(crate) tree: Tree,
}

impl<W: Write> Stream<W> {
    /// Begins an empty history.
    pub(crate) const fn new(out: W) -> Self {
        Self { out, commits: 0 }
    }

    /// Returns the number of commits so far.
    pub(crate) const fn commits(&self) -> usize {
        self.commits
    }

    /// Adds a commit, and makes it the last one of the branch. Without parents, it is a root.
    pub(crate) fn commit(&mut self, parents: &[&Point], tree: Tree) -> Result<Point> {
        self.commits += 1;
        let mark = self.commits;
        if parents.is_empty() {
            // Otherwise git would use the branch's last commit as the parent.
            writeln!(self.out, "reset refs/heads/main\n")?;
        }
        writeln!(self.out, "commit refs/heads/main\nmark :{mark}")?;
        let author = AUTHORS[(mark + mark / 7) % AUTHORS.len()];
        let time = match mark % 40 {
            7 => ODD_TIMES[mark / 40 % ODD_TIMES.len()].to_owned(),
            _ => format!("{} +0200", 1_200_000_000 + 3600 * mark),
        };
        writeln!(
            self.out,
            "author {author} {time}\ncommitter {author} {time}"
        )?;
        self.data(format!("Commit {mark}\n\n:100644 100644\ncommit x\n").as_bytes())?;
        for (parent, role) in parents
            .iter()
            .zip(["from"].into_iter().chain(std::iter::repeat("merge")))
        {
            writeln!(self.out, "{role} :{}", parent.mark)?;
        }
        self.changes(parents.first().map(|parent| &parent.tree), &tree)?;
        Ok(Point { mark, tree })
    }

    /// Writes the differences from the first parent. Deletions come first, because a file may become a folder, or a folder a
    /// file.
    fn changes(&mut self, before: Option<&Tree>, after: &Tree) -> Result<()> {
        let empty = Tree::default();
        let before = before.unwrap_or(&empty);
        for path in before.0.keys().filter(|path| !after.0.contains_key(*path)) {
            writeln!(self.out, "D {}", quote(path))?;
        }
        for (path, entry) in after
            .0
            .iter()
            .filter(|(path, entry)| before.0.get(*path) != Some(entry))
        {
            if entry.mode == "160000" {
                writeln!(
                    self.out,
                    "M 160000 {} {}",
                    String::from_utf8_lossy(&entry.data),
                    quote(path)
                )?;
            } else {
                writeln!(self.out, "M {} inline {}", entry.mode, quote(path))?;
                self.data(&entry.data)?;
            }
        }
        writeln!(self.out)
    }

    /// Writes any bytes.
    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        writeln!(self.out, "data {}", bytes.len())?;
        self.out.write_all(bytes)?;
        writeln!(self.out)
    }
}

/// Returns a path in quotes, with all unusual bytes as octal numbers.
fn quote(path: &[u8]) -> String {
    let escaped = path.iter().map(|&byte| match byte {
        b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' => char::from(byte).to_string(),
        other => format!("\\{other:03o}"),
    });
    format!("\"{}\"", escaped.collect::<Vec<_>>().concat())
}
