//! The identity of a file, and everything else about files that depends on the system. On systems other than Unix, open files
//! can be neither removed nor renamed, so nothing is compared there.

use std::fs::Metadata;
use std::io;
use std::time::SystemTime;

/// `true` where files are compared.
pub(super) const COMPARES: bool = cfg!(unix);

/// Identifies a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    device: u64,
    inode: u64,
}

impl Mark {
    /// The mark of every file where files are not compared.
    const NONE: Self = Self {
        device: 0,
        inode: 0,
    };

    /// The mark of a file.
    #[cfg(unix)]
    fn new(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    /// The mark of a file.
    #[cfg(not(unix))]
    const fn new(_: &Metadata) -> Self {
        Self::NONE
    }
}

/// Identifies a file for longer than it is open. The inode of a file that no process has open is soon used again for another
/// file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DatedMark {
    /// Identifies the file among those that exist.
    pub(super) mark: Mark,
    /// When it was created; `None` if the file system does not record that.
    born: Option<SystemTime>,
}

impl DatedMark {
    /// The mark of every file where files are not compared.
    pub(super) const NONE: Self = Self {
        mark: Mark::NONE,
        born: None,
    };

    /// The mark of a file.
    pub(super) fn new(metadata: &Metadata) -> Self {
        Self {
            mark: Mark::new(metadata),
            born: metadata.created().ok(),
        }
    }
}

/// The number of names that a file has.
#[cfg(unix)]
pub(super) fn names(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

/// The number of names that a file has.
#[cfg(not(unix))]
pub(super) const fn names(_: &Metadata) -> u64 {
    1
}

/// The files that this process has open.
#[cfg(unix)]
pub(super) fn open_files() -> io::Result<Vec<DatedMark>> {
    let handles = std::path::Path::new("/dev/fd").read_dir()?;
    let handles: Vec<_> = handles
        .map(|handle| Ok(handle?.path()))
        .collect::<io::Result<_>>()?;
    // A handle that was closed meanwhile has no metadata.
    let open = handles.iter().filter_map(|handle| handle.metadata().ok());
    Ok(open.map(|metadata| DatedMark::new(&metadata)).collect())
}

/// The files that this process has open.
#[cfg(not(unix))]
pub(super) const fn open_files() -> io::Result<Vec<DatedMark>> {
    Ok(Vec::new())
}
