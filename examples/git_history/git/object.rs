//! Objects of git, named by their hash, and the kinds of entries that a tree can have.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The full hash of a commit, or of the content at a path: a blob, or a submodule's commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ObjectId(String);

impl ObjectId {
    /// Reads a hash in full length: 40 hexadecimal digits in most repositories, 64 in those that use SHA-256.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let is_hash = matches!(text.len(), 40 | 64) && text.iter().all(u8::is_ascii_hexdigit);
        is_hash.then(|| Self(String::from_utf8_lossy(text).into_owned()))
    }

    /// The hexadecimal digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows the first twelve digits, as people know a hash.
impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.get(..12).unwrap_or(&self.0))
    }
}

/// The kind of an entry of a tree. Git writes only these four, and shows the odd modes of old trees as one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileKind {
    /// A file, mode 100644.
    Regular,
    /// A file that can be executed, mode 100755.
    Executable,
    /// A symbolic link, mode 120000.
    Symlink,
    /// The commit of another repository, mode 160000.
    Submodule,
}

impl FileKind {
    /// Reads a mode as git prints it.
    pub(crate) fn from_mode(mode: &[u8]) -> Option<Self> {
        match mode {
            b"100644" => Some(Self::Regular),
            b"100755" => Some(Self::Executable),
            b"120000" => Some(Self::Symlink),
            b"160000" => Some(Self::Submodule),
            _ => None,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Regular => "file",
            Self::Executable => "executable file",
            Self::Symlink => "symbolic link",
            Self::Submodule => "submodule",
        })
    }
}

/// The content at a path. Two paths with equal content have the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// File, link or submodule.
    pub(crate) kind: FileKind,
    /// The hash of the blob, or the submodule's commit.
    pub(crate) object: ObjectId,
}

impl fmt::Display for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.object)
    }
}
