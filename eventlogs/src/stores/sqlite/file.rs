//! Checks that the files at a path are still the files that are open.
//!
//! SQLite opens a file by its name once, and works on the opened file for as long as the connection lives. If the file is
//! deleted, renamed or replaced, SQLite continues to write it where no program finds it. So the store compares the files by
//! device and inode, which is how SQLite itself distinguishes files. An open file keeps its inode, so no other file can have
//! the same number meanwhile.
//!
//! # When the log may be another one
//! A connection opens the write-ahead log (`-wal`) and its index (`-shm`) with its first read, and holds a shared lock on the
//! database from then on. Only a connection that gets the exclusive lock removes the two files when it closes. So they stay for
//! as long as the writing connection lives. They may be others in two cases:
//! - The store has lost its writing connection (a dropped `migrate()`) while no reader was open. Then that connection was the
//!   last one, and has removed the files itself.
//! - The locks are gone. As soon as a process closes any handle on a file, for example that of `std::fs::copy`, POSIX drops all
//!   locks that the process holds on the file. The next program that closes the file takes itself for the last one.
//!
//! The remedy is the same in both cases: all connections of the store are closed and opened again.
//!
//! # Where the comparison runs
//! In the task that writes or reads: on a local disk, the comparison takes far less time than handing it to another thread, see
//! "Figures" in ARCHITECTURE.

mod mark;

use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use mark::DatedMark;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long connections that are no longer in use may take to close.
const CLOSING: Duration = Duration::from_secs(2);
/// How often to check that they are closed.
const LOOK: Duration = Duration::from_millis(5);

/// The names of a database's files.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    /// The database itself: an absolute path, with the name that the user gave.
    pub(super) path: PathBuf,
    /// Its write-ahead log. If the path is a symbolic link, SQLite puts the log into the folder of the file that the link leads
    /// to.
    wal: PathBuf,
    /// The index of the log.
    shm: PathBuf,
}

/// The files that were found under these names.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    /// The database.
    database: DatedMark,
    /// Its write-ahead log, if it has one.
    wal: Option<DatedMark>,
    /// The index of the log.
    shm: Option<DatedMark>,
    /// Length and time of change of the database, if it was opened as a file that does not change.
    frozen: Option<(u64, Option<SystemTime>)>,
}

/// A difference from the files that were opened.
#[derive(Debug)]
pub(super) struct Moved {
    /// `true` if it is the database itself. Otherwise it is its log, and the connections can be opened again.
    pub(super) is_database: bool,
    /// The error that describes what was found.
    source: io::Error,
}

impl DatabaseFile {
    /// The files of a database that exists.
    pub(super) fn find(path: PathBuf) -> io::Result<Self> {
        let real = if mark::COMPARES {
            path.canonicalize()?
        } else {
            path.clone()
        };
        Ok(Self {
            wal: beside(&real, "-wal"),
            shm: beside(&real, "-shm"),
            path,
        })
    }

    /// Looks at the files that are there now. With `frozen`, the database's length and time of change are compared, too.
    pub(super) fn marks(&self, frozen: bool) -> io::Result<Marks> {
        if !mark::COMPARES {
            return Ok(Marks {
                database: DatedMark::NONE,
                wal: None,
                shm: None,
                frozen: None,
            });
        }
        let metadata = self.path.metadata()?;
        Ok(Marks {
            database: DatedMark::new(&metadata),
            wal: optional(&self.wal)?,
            shm: optional(&self.shm)?,
            frozen: frozen.then(|| (metadata.len(), metadata.modified().ok())),
        })
    }

    /// Compares the files that are there with the files that were opened.
    pub(super) fn compare(&self, opened: &Marks) -> Result<(), Moved> {
        if !mark::COMPARES {
            return Ok(());
        }
        let database_moved = |source| Moved {
            is_database: true,
            source,
        };
        let found = self
            .marks(opened.frozen.is_some())
            .map_err(database_moved)?;
        if found.database.mark != opened.database.mark {
            return Err(database_moved(io::Error::other(
                "there is another file at the path",
            )));
        }
        if found.same_log(opened) {
            return Ok(());
        }
        let text = if opened.frozen.is_some() {
            "another program writes to the file, which was opened as one that does not change"
        } else {
            "another program has removed or replaced the write-ahead log"
        };
        Err(Moved {
            is_database: false,
            source: io::Error::other(text),
        })
    }

    /// Waits until this process has closed a log that no longer has its name. SQLite shares the index of a log among all
    /// connections of a process, so a connection that is opened before that would have the old index and a new log.
    ///
    /// The files are compared by their time of creation too: as soon as the old log is closed, any file that this process
    /// creates may get its inode.
    pub(super) async fn let_go(&self, opened: &Marks) -> Result<(), StoreError> {
        let give_up = Instant::now() + CLOSING;
        loop {
            let now = self.marks(false).map_err(|error| self.replaced(error))?;
            let stale: Vec<_> = [(opened.wal, now.wal), (opened.shm, now.shm)]
                .into_iter()
                .filter(|(opened, now)| opened != now)
                .filter_map(|(opened, _)| opened)
                .collect();
            if stale.is_empty() {
                return Ok(());
            }
            let open = mark::open_files().map_err(|error| self.replaced(error))?;
            if !open.iter().any(|file| stale.contains(file)) {
                return Ok(());
            }
            if Instant::now() >= give_up {
                return Err(self.replaced(io::Error::other(
                    "another program has removed the write-ahead log, and other connections of this process still have it open; close the other stores and connections on this file, or restart the process",
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The error for a file that is not the one that was opened.
    pub(super) fn replaced(&self, source: io::Error) -> StoreError {
        StoreError::FileReplaced {
            path: self.path.clone(),
            source: source.into(),
        }
    }

    /// The error for a difference that a comparison has found.
    pub(super) fn moved(&self, moved: Moved) -> StoreError {
        self.replaced(moved.source)
    }

    /// Returns `true` if another program has written to a new log since the open one was removed.
    pub(super) fn has_new_log(&self) -> bool {
        self.wal.metadata().is_ok_and(|metadata| metadata.len() > 0)
    }

    /// Returns `true` if there is neither a log nor an index.
    pub(super) fn has_no_log(&self) -> bool {
        !self.wal.exists() && !self.shm.exists()
    }
}

impl Marks {
    /// Returns `true` if the database is the same file, whatever its log, even if no process had it open meanwhile.
    pub(super) fn same_database(&self, other: &Self) -> bool {
        self.database == other.database
    }

    /// Returns `true` if the database was opened as a file that does not change.
    pub(super) const fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Returns `true` if the log is the same.
    pub(super) fn same_log(&self, other: &Self) -> bool {
        let log = |marks: &Self| {
            (
                marks.wal.map(|file| file.mark),
                marks.shm.map(|file| file.mark),
            )
        };
        log(self) == log(other) && self.frozen == other.frozen
    }
}

/// The folder of a file.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Returns `true` if this process can write to a folder. No attribute shows that, so it creates a file there, and removes it.
pub(super) fn can_write(folder: &Path) -> bool {
    let probe = folder.join(format!(".eventlogs-{}", uuid::Uuid::now_v7()));
    let made = std::fs::File::create_new(&probe);
    // It was created just now, under a unique name.
    let _ = made.is_ok().then(|| std::fs::remove_file(&probe));
    made.is_ok()
}

/// Refuses a file that has several names: SQLite keeps one log per name, and programs that use different names overwrite each
/// other's data.
pub(super) fn refuse_several_names(path: &Path) -> Result<(), OpenError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() && mark::names(&metadata) > 1 => {
            Err(OpenError::CannotOpen {
                path: path.to_owned(),
                advice: "",
                source: "the file has several names (hard links), and SQLite would keep a write-ahead log for each; make a copy, and remove the other names".into(),
            })
        }
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn optional(path: &Path) -> io::Result<Option<DatedMark>> {
    match path.metadata() {
        Ok(metadata) => Ok(Some(DatedMark::new(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
