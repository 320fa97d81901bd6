//! A copy that is not finished yet, under a temporary name.

use crate::stores::sqlite::backup::error::BackupError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// A file in the folder of the target, which is removed when the last handle on it is dropped.
pub(super) struct Half {
    path: PathBuf,
    /// Set when the copying should end. It guards no other memory.
    interrupted: AtomicBool,
}

/// Ends the copying when the future that waits for it is dropped.
pub(super) struct Interrupt(pub(super) Arc<Half>);

impl Half {
    /// Creates an empty file that the same users may read as the original.
    pub(super) fn create(target: &Path, permissions: Option<Permissions>) -> io::Result<Self> {
        let half = Self {
            path: target.with_file_name(format!(".eventlogs-{}.partial", Uuid::now_v7())),
            interrupted: AtomicBool::new(false),
        };
        File::create_new(&half.path)?;
        if let Some(permissions) = permissions.filter(|permissions| !permissions.readonly()) {
            fs::set_permissions(&half.path, permissions)?;
        }
        Ok(half)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its current size in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.path.metadata().map_or(0, |metadata| metadata.len())
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Flushes the file to the disk, and gives it its final name. After an error there is no file of that name.
    pub(super) fn finish(&self, target: &Path) -> Result<(), BackupError> {
        let failed = |error: io::Error| BackupError::CannotWrite {
            path: target.to_owned(),
            source: error.into(),
        };
        // On Windows, only a handle that may write can flush a file.
        let file = OpenOptions::new().write(true).open(&self.path);
        file.and_then(|file| file.sync_all()).map_err(failed)?;
        refuse_existing(target)?;
        match fs::hard_link(&self.path, target) {
            Ok(()) => {
                // SQLite must not open a file that has two names.
                fs::remove_file(&self.path).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupError::FileExists {
                    path: target.to_owned(),
                });
            }
            // Some file systems have no hard links. A file that another process creates under this name at this moment is
            // overwritten there.
            Err(_) => fs::rename(&self.path, target).map_err(failed)?,
        }
        sync_folder(target).map_err(|error| {
            // The first error is the one to return.
            let _ = fs::remove_file(target);
            failed(error)
        })
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // It has its final name by now, or it is not needed.
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.interrupted.store(true, Ordering::Relaxed);
    }
}

/// Refuses a name for which there is a file, or for which SQLite would find a log.
pub(super) fn refuse_existing(target: &Path) -> Result<(), BackupError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = OsString::from(target);
        name.push(suffix);
        let path = PathBuf::from(name);
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::FileExists { path });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    File::open(folder)?.sync_all()
}

/// On other systems a folder cannot be opened like a file.
#[cfg(not(unix))]
const fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
