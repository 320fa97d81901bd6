//! Reads histories and trees from git, one item at a time.

use super::error::GitError;
use super::parse::{HistoryParser, ParseError};
use super::path::GitPath;
use super::tokens::Tokens;
use super::{Commit, Content, FileKind, ObjectId};

/// The options that read the history. Each comment names the configuration that could otherwise change the output.
pub(super) const LOG_OPTIONS: [&str; 20] = [
    "--first-parent",
    "--diff-merges=first-parent", // log.diffMerges
    "--reverse",
    "--root", // log.showRoot
    "-z",
    "--raw",
    "--numstat",
    "--no-abbrev",              // core.abbrev
    "--find-renames=50%",       // diff.renames
    "-l1000", // diff.renameLimit; bounds the work for a commit that moves thousands of files
    "--diff-algorithm=myers", // diff.algorithm
    "--ignore-submodules=none", // diff.ignoreSubmodules
    "--submodule=short", // diff.submodule
    "--no-relative", // diff.relative
    "--no-ext-diff", // diff.external
    "--no-textconv", // diff.NAME.textconv
    "--no-show-signature", // log.showSignature
    "--no-color", // color.ui
    "--encoding=UTF-8", // i18n.logOutputEncoding
    // The format that the parser expects. Names and addresses are those of the mailmap, if there is one.
    "--format=commit %H%x00%aN%x00%aE%x00%at",
];

/// Commits, oldest first, which are read while git still searches for the next.
#[derive(Debug)]
pub(crate) struct History {
    /// The output of git.
    pub(super) tokens: Tokens,
    /// The parser of the current commit; `None` after the last.
    pub(super) parser: Option<HistoryParser>,
}

impl History {
    /// Returns the next commit; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Commit>, GitError> {
        while let Some(parser) = &mut self.parser {
            match self.tokens.next().await? {
                Some(token) => {
                    if let Some(commit) = parser.token(token)? {
                        return Ok(Some(commit));
                    }
                }
                None => {
                    return Ok(self
                        .parser
                        .take()
                        .map(HistoryParser::finish)
                        .transpose()?
                        .flatten());
                }
            }
        }
        Ok(None)
    }
}

/// The files of one commit.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The output of git.
    pub(super) tokens: Tokens,
}

impl Tree {
    /// Returns the next file; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<(GitPath, Content)>, GitError> {
        let Some(token) = self.tokens.next().await? else {
            return Ok(None);
        };
        let entry =
            tree_entry(&token).ok_or_else(|| ParseError::unexpected("a file of a tree", &token))?;
        Ok(Some(entry))
    }
}

/// Reads `MODE TYPE HASH⇥PATH`.
fn tree_entry(token: &[u8]) -> Option<(GitPath, Content)> {
    let tab = token.iter().position(|&byte| byte == b'\t')?;
    let (entry, path) = (token.get(..tab)?, token.get(tab + 1..)?);
    let mut fields = entry.split(|&byte| byte == b' ');
    let (mode, _type, object) = (fields.next()?, fields.next()?, fields.next()?);
    Some((
        GitPath::new(path),
        Content {
            kind: FileKind::from_mode(mode)?,
            object: ObjectId::parse(object)?,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::{Content, FileKind, GitPath, ObjectId, tree_entry};

    #[test]
    fn a_tree_entry_may_have_tabs_and_spaces_in_its_path() {
        let hash = b"0123456789012345678901234567890123456789";
        let entry = [b"160000 commit ", &hash[..], b"\ta \tb\n"].concat();
        let object = ObjectId::parse(hash).expect("forty digits");
        let content = Content {
            kind: FileKind::Submodule,
            object,
        };
        assert_eq!(tree_entry(&entry), Some((GitPath::new("a \tb\n"), content)));
        assert_eq!(tree_entry(b"100644 blob"), None);
        assert_eq!(tree_entry(b"040000 tree 01\tfolder"), None);
    }
}
