//! A copy that is not done yet, under another name.

use crate::stores::sqlite::backup::error::BackupError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// A file beside the target, which is removed with the last handle on it.
pub(super) struct Half {
    path: PathBuf,
    /// Guards no other memory.
    interrupted: AtomicBool,
}

/// Ends the copying when the one who waits for it goes away.
pub(super) struct Interrupt(pub(super) Arc<Half>);

impl Half {
    /// An empty file, readable by those who may read the original.
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

    /// How large it is by now.
    pub(super) fn bytes(&self) -> u64 {
        self.path.metadata().map_or(0, |metadata| metadata.len())
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Has it on the disk, and gives it its name. After an error there is no file of that name.
    pub(super) fn finish(&self, target: &Path) -> Result<(), BackupError> {
        let failed = |error: io::Error| BackupError::CannotWrite {
            path: target.to_owned(),
            source: error.into(),
        };
        // Windows wants a handle that may write.
        let file = OpenOptions::new().write(true).open(&self.path);
        file.and_then(|file| file.sync_all()).map_err(failed)?;
        refuse_existing(target)?;
        match fs::hard_link(&self.path, target) {
            Ok(()) => {
                // SQLite shall not meet a file of two names.
                fs::remove_file(&self.path).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupError::FileExists {
                    path: target.to_owned(),
                });
            }
            // Some file systems have no second names. A name that somebody takes in this very moment is overwritten there.
            Err(_) => fs::rename(&self.path, target).map_err(failed)?,
        }
        sync_folder(target).map_err(|error| {
            // The first error is the one to tell.
            let _ = fs::remove_file(target);
            failed(error)
        })
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // It has its final name by now, or nobody wants it.
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.interrupted.store(true, Ordering::Relaxed);
    }
}

/// Refuses a name that has a file, or that SQLite would find a log of.
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

/// Elsewhere a folder cannot be opened like a file.
#[cfg(not(unix))]
const fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
