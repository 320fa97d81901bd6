//! Whether the files at a path are still those that are open.
//!
//! SQLite opens a file by its name once, and works on what it has opened for as long as the connection lives: deleted,
//! renamed or replaced, the file goes on being written where nobody finds it. So the files are compared by device and
//! inode, which is how SQLite itself tells files apart. What is open keeps its inode, so no other file can have the same
//! number meanwhile.
//!
//! # When the log may be another one
//! A connection opens the write-ahead log (`-wal`) and its index (`-shm`) with its first read, and keeps a shared lock on the
//! database from then on. Only a connection that gets the exclusive lock removes them as it closes, so they stay as long
//! as the writing connection lives. They may be others in two cases:
//! - The store has lost its writing connection (a dropped `migrate()`) while no reader was open: then that connection was
//!   the last one, and has removed them itself.
//! - The locks are gone. POSIX takes them from the whole process as soon as any handle on the file is closed in it, for
//!   example that of `std::fs::copy`. The next program to close the file believes to be the last one.
//!
//! Both are mended in the same way: all connections of the store are closed, and made anew.
//!
//! # Where the comparison runs
//! In the task that writes or reads: on a local disk it takes about a microsecond a file, far less than to have another
//! thread do it.

mod mark;

use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use mark::Mark;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long connections that nobody uses any more may take to close.
const CLOSING: Duration = Duration::from_secs(2);
/// How often to look whether they are closed.
const LOOK: Duration = Duration::from_millis(5);

/// The names of a database's files.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    /// The database itself: absolute, as the user has named it.
    pub(super) path: PathBuf,
    /// Its write-ahead log. SQLite puts it beside the file that a symbolic link leads to.
    wal: PathBuf,
    /// The index of that.
    shm: PathBuf,
}

/// The files that were found at these names.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    /// The database.
    database: Mark,
    /// When it was made. A file that nobody has open may leave its inode to the next one.
    born: Option<SystemTime>,
    /// Its write-ahead log, if it has one.
    wal: Option<Mark>,
    /// The index of that.
    shm: Option<Mark>,
    /// How the database was when it was opened as one that does not change.
    frozen: Option<(u64, Option<SystemTime>)>,
}

/// What is not as it was.
#[derive(Debug)]
pub(super) struct Moved {
    /// Whether it is the database itself. Else it is its log, and the connections can be made anew.
    pub(super) is_database: bool,
    /// What was found.
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

    /// What is there now. With `frozen` the database's length and time of change count, too.
    pub(super) fn marks(&self, frozen: bool) -> io::Result<Marks> {
        if !mark::COMPARES {
            return Ok(Marks {
                database: Mark::NONE,
                born: None,
                wal: None,
                shm: None,
                frozen: None,
            });
        }
        let metadata = self.path.metadata()?;
        Ok(Marks {
            database: Mark::new(&metadata),
            born: metadata.created().ok(),
            wal: optional(&self.wal)?,
            shm: optional(&self.shm)?,
            frozen: frozen.then(|| (metadata.len(), metadata.modified().ok())),
        })
    }

    /// Compares what is there with what was opened.
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
        if found.database != opened.database {
            return Err(database_moved(io::Error::other(
                "another file stands at the path",
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

    /// Waits until this process has closed a log that is not at its name any more. SQLite shares the index of a log among all
    /// connections of a process, so a connection made before that would have the old index and a new log.
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
                    "another program has removed the write-ahead log, and this process has it open elsewhere, too: close the other stores and connections on this file, or start the process again",
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The error of a file that is not the one that was opened.
    pub(super) fn replaced(&self, source: io::Error) -> StoreError {
        StoreError::FileReplaced {
            path: self.path.clone(),
            source: source.into(),
        }
    }

    /// The same, of a comparison.
    pub(super) fn moved(&self, moved: Moved) -> StoreError {
        self.replaced(moved.source)
    }

    /// Whether somebody has written to a log at the name since the one that is open was removed.
    pub(super) fn has_new_log(&self) -> bool {
        self.wal.metadata().is_ok_and(|metadata| metadata.len() > 0)
    }

    /// Whether neither log nor index are there.
    pub(super) fn has_no_log(&self) -> bool {
        !self.wal.exists() && !self.shm.exists()
    }
}

impl Marks {
    /// Whether the database is the same, whatever its log, even if nobody had it open meanwhile.
    pub(super) fn same_database(&self, other: &Self) -> bool {
        (self.database, self.born) == (other.database, other.born)
    }

    /// Whether the database was opened as one that does not change.
    pub(super) const fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Whether the log is the same.
    pub(super) fn same_log(&self, other: &Self) -> bool {
        (self.wal, self.shm, self.frozen) == (other.wal, other.shm, other.frozen)
    }
}

/// The folder of a file.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Whether a folder can be written to. No attribute tells, so a file is made in it, and removed.
pub(super) fn can_write(folder: &Path) -> bool {
    let probe = folder.join(format!(".eventlogs-{}", uuid::Uuid::now_v7()));
    let made = std::fs::File::create_new(&probe);
    // It was made just now, under a name that nobody else has.
    let _ = made.is_ok().then(|| std::fs::remove_file(&probe));
    made.is_ok()
}

/// Refuses a file that has several names: SQLite keeps a log for each of them, and programs that go by different names
/// overwrite one another.
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

fn optional(path: &Path) -> io::Result<Option<Mark>> {
    match path.metadata() {
        Ok(metadata) => Ok(Some(Mark::new(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
